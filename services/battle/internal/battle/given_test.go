package battle_test

import (
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

type (
	row     = estest.Row[battle.Command, battle.Event]
	machine = es.Machine[battle.Command, battle.Event]
	history = []battle.Event
)

var (
	t0        = estest.T0
	expiresAt = t0.Add(30 * time.Second)
	startsAt  = t0.Add(300 * time.Millisecond)
	abortAt   = startsAt.Add(5 * time.Second)
	endsAt    = startsAt.Add(5 * time.Minute)
)

func settings() battle.Settings {
	return battle.Settings{
		MinDuration:     10 * time.Second,
		MaxDuration:     time.Hour,
		DefaultDuration: 5 * time.Minute,
		MaxTimeout:      300 * time.Second,
		DefaultTimeout:  30 * time.Second,
		MaxTargets:      8,
		RequestsPerLive: 600,
		RequestsPerUser: 600,
		MaxPunishment:   10 * time.Minute,
		MaxBestOf:       9,
		RoundInterval:   5 * time.Second,
		StartDelay:      300 * time.Millisecond,
		OpenWithin:      5 * time.Second,
		ProposalTimeout: 10 * time.Second,
		KeepEnded:       24 * time.Hour,
	}
}

func newMachine() machine { return battle.New(settings()) }

// live is the live of the given name, hosted by the user of the same name with a "u" before it.
func live(name string) battle.Participant {
	return battle.Participant{LiveID: name, Host: battle.User{ID: "u" + name, Name: "Host of " + name}}
}

func lives(names ...string) []battle.Participant {
	var ps []battle.Participant
	for _, n := range names {
		ps = append(ps, live(n))
	}
	return ps
}

// then puts histories and events one after another.
func then(parts ...any) history {
	var all history
	for _, p := range parts {
		switch x := p.(type) {
		case history:
			all = append(all, x...)
		case battle.Event:
			all = append(all, x)
		}
	}
	return all
}

func each(names []string, f func(string) battle.Event) history {
	var h history
	for _, n := range names {
		h = append(h, f(n))
	}
	return h
}

// connect puts lives into one connection.
func connect(connection string, names ...string) history {
	return each(names, func(n string) battle.Event { return joined(connection, n) })
}

func terms(needResponse bool) battle.Terms {
	return battle.Terms{Duration: 5 * time.Minute, NeedResponse: needResponse, Mode: battle.FreeForAll}
}

// The phases of battle b1 between the named lives; the first is the inviter, and all the others have said yes by the
// time it is starting.

func requested(names ...string) history {
	return then(connect("x", names...), requestOf("b1", names...))
}

func starting(names ...string) history {
	return then(requested(names...), each(names[1:], accepted), startingOf(names...))
}

func running(names ...string) history {
	return then(starting(names...), each(names, opened), battle.BattleStarted{BattleID: "b1"})
}

func settling(names ...string) history {
	return then(running(names...), timeOver())
}

// ended with a point for the first live, two for the second, and so on.
func ended(names ...string) history {
	h := settling(names...)
	for i, n := range names {
		h = append(h, closedWith(n, int64(i+1)))
	}
	return append(h, battle.BattleEnded{BattleID: "b1", Reason: battle.EndTimeOver, Result: &battle.Result{}})
}

// endedWith is ended with something that is still to come.
func endedWith(change func(*battle.BattleEnded)) history {
	h := ended("a", "b")
	last := h[len(h)-1].(battle.BattleEnded)
	change(&last)
	return append(h[:len(h)-1], last)
}

func punishing() history {
	return endedWith(func(e *battle.BattleEnded) { e.PunishmentEndsAt = t0.Add(time.Second) })
}

func awaiting() history {
	return endedWith(func(e *battle.BattleEnded) {
		e.Series = battle.Series{ID: "b1", BestOf: 3, Round: 1, NextAt: t0.Add(time.Second), Waiting: []string{"a", "b"}}
	})
}

func neverStarted(names ...string) history {
	return then(requested(names...), never(battle.NeverCancelled))
}

// Events of battle b1.

func joined(connection, name string) battle.Event {
	return battle.ConnectionJoined{ConnectionID: connection, Live: live(name)}
}

func left(connection, name string) battle.Event {
	return battle.ConnectionLeft{ConnectionID: connection, LiveID: name}
}

func requestOf(id string, names ...string) battle.Event {
	return battle.BattleRequested{
		BattleID: id, ConnectionID: "x", Terms: terms(true), Inviter: live(names[0]), Invitees: lives(names[1:]...), ExpiresAt: expiresAt,
	}
}

func answered(name string, a battle.Answer) battle.Event {
	return battle.InviteeAnswered{BattleID: "b1", LiveID: name, Answer: a}
}

func accepted(name string) battle.Event { return answered(name, battle.AnswerAccepted) }
func rejected(name string) battle.Event { return answered(name, battle.AnswerRejected) }
func timedOut(name string) battle.Event { return answered(name, battle.AnswerTimedOut) }

func startingOf(names ...string) battle.Event { return startingAt(t0, names...) }

func startingAt(now time.Time, names ...string) battle.Event {
	start := now.Add(300 * time.Millisecond)
	return battle.BattleStarting{
		BattleID: "b1", StartsAt: start, EndsAt: start.Add(5 * time.Minute), RuleSet: "default@1", Participants: lives(names...),
	}
}

func opened(name string) battle.Event {
	return battle.LiveOpened{BattleID: "b1", LiveID: name, Partition: 3, Sequence: 7, Index: 1}
}

func exited(name string, reason battle.ExitReason) battle.Event {
	return battle.UserExited{BattleID: "b1", LiveID: name, Reason: reason}
}

func timeOver() battle.Event { return ending(battle.EndTimeOver) }

func ending(reason battle.EndReason) battle.Event {
	return battle.BattleEnding{BattleID: "b1", Reason: reason, EndsAt: endsAt}
}

func closedWith(name string, total int64) battle.Event {
	return battle.LiveClosed{BattleID: "b1", LiveID: name, Closing: battle.Closing{Total: total}}
}

func proposed(name string, s battle.Subject) battle.Event { return proposedAt(t0, name, s) }

func proposedAt(now time.Time, name string, s battle.Subject) battle.Event {
	return battle.ProposalMade{BattleID: "b1", Subject: s, LiveID: name, ExpiresAt: now.Add(10 * time.Second)}
}

func consented(name string, s battle.Subject) battle.Event {
	return battle.ProposalConsented{BattleID: "b1", Subject: s, LiveID: name}
}

func lapsed(s battle.Subject) battle.Event { return battle.ProposalLapsed{BattleID: "b1", Subject: s} }

// extended moves the end as it was planned.
func extended(by time.Duration) battle.Event {
	return battle.BattleExtended{BattleID: "b1", EndsAt: endsAt.Add(by), By: by}
}

// endedAs is the end without a result that is not for having never started.
func endedAs(reason battle.EndReason) battle.Event {
	return battle.BattleEnded{BattleID: "b1", Reason: reason}
}

func never(why battle.Never) battle.Event {
	return battle.BattleEnded{BattleID: "b1", Reason: battle.EndNeverStarted, Never: why}
}

// Commands about battle b1.

func request(inviter string, targets ...string) battle.RequestBattle {
	return battle.RequestBattle{BattleID: "b2", Inviter: inviter, TargetLives: targets, Terms: terms(true)}
}

func rematch(name string) battle.Command {
	return battle.Rematch{BattleID: "b2", Of: "b1", LiveID: name}
}

// rematchOf is the request that follows from a rematch of b1.
func rematchOf(names ...string) battle.Event {
	e := requestOf("b2", names...).(battle.BattleRequested)
	e.RematchOf = "b1"
	return e
}

func accept(name string) battle.Command {
	return battle.AcceptBattle{BattleID: "b1", LiveID: name}
}

func reject(name string) battle.Command {
	return battle.RejectBattle{BattleID: "b1", LiveID: name}
}

func cancel(name string, targets ...string) battle.Command {
	return battle.CancelBattleRequest{BattleID: "b1", LiveID: name, TargetLives: targets}
}

func exit(name string) battle.Command {
	return battle.ExitBattle{BattleID: "b1", LiveID: name}
}

func rejoin(name string) battle.Command {
	return battle.RejoinBattle{BattleID: "b1", LiveID: name}
}

// inSession is a command of a live's host in a session, sessions are what n of them leave behind: s1, s2 and so on.
func inSession(name, session string, c battle.Command) battle.Command {
	return battle.AsHost{LiveID: name, Session: session, Command: c}
}

func sessions(name string, n int) (h history) {
	for i := range n {
		h = append(h, battle.SessionTaken{LiveID: name, Session: fmt.Sprint("s", i+1), Fence: int64(i + 1)})
	}
	return h
}

// rejoined is the n-th time that a live is back.
func rejoined(name string, n int32) battle.Event {
	return battle.UserRejoined{BattleID: "b1", LiveID: name, EndsAt: endsAt, Rejoins: n}
}

// endNow is the word of a live, or of an admin if it has no name; so is extend.
func endNow(name string) battle.Command {
	return battle.EndBattle{BattleID: "b1", LiveID: name}
}

func extend(name string, by time.Duration) battle.Command {
	return battle.ExtendBattle{BattleID: "b1", LiveID: name, By: by}
}

var void battle.Command = battle.VoidBattle{BattleID: "b1"}

func leave(name string) battle.Command { return battle.LeaveBattle{LiveID: name} }

func reportOpened(name string) battle.Command {
	return battle.ReportOpened{BattleID: "b1", LiveID: name, Partition: 3, Sequence: 7, Index: 1}
}

func reportClosed(name string, total int64) battle.Command {
	return battle.ReportClosed{BattleID: "b1", LiveID: name, Closing: battle.Closing{Total: total}}
}

var advance battle.Command = battle.Advance{BattleID: "b1"}

// departs is the reading of group 9 of COHOST_00, in which lives leave connection x.
func departs(reason battle.ExitReason, names ...string) battle.Command {
	c := battle.ReadCohost{Sequence: 9}
	for _, n := range names {
		c.Facts = append(c.Facts, battle.ConnectionFact{ConnectionID: "x", Live: battle.Participant{LiveID: n}, Left: reason})
	}
	return c
}

// departed is what departs records besides its effects.
func departed(name string) history {
	return history{battle.CohostRead{Sequence: 9}, left("x", name)}
}
