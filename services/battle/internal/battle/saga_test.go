package battle_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// saga is what happens one after another, with the timers decided as the ledger does.
type saga struct {
	t       *testing.T
	machine *battle.State
	now     time.Time
	seq     uint64
	cohost  uint64
	events  []battle.Event
}

// newSaga has lives a, b, … in connection x.
func newSaga(t *testing.T, s battle.Settings, names ...string) *saga {
	t.Helper()
	g := &saga{t: t, machine: battle.New(s), now: t0}
	for _, n := range names {
		g.join("x", n)
	}
	g.events = nil
	return g
}

// try decides a command, and folds what follows.
func (s *saga) try(c battle.Command) error {
	events, err := s.machine.Decide(s.now, c)
	if err != nil {
		return err
	}
	s.seq++
	for i, e := range events {
		s.machine.Evolve(es.Place{Seq: s.seq, Index: uint32(i), At: s.now}, e)
	}
	s.machine.Commit()
	s.events = append(s.events, events...)
	return nil
}

func (s *saga) do(c battle.Command) {
	s.t.Helper()
	if err := s.try(c); err != nil {
		s.t.Fatalf("%#v: %v", c, err)
	}
}

func (s *saga) refused(c battle.Command, reason string) {
	s.t.Helper()
	if err := s.try(c); reasonOf(err) != reason {
		s.t.Errorf("%#v: %v, want %s", c, err, reason)
	}
}

func reasonOf(err error) string {
	if r, ok := errors.AsType[*es.Refusal](err); ok {
		return r.Reason
	}
	return fmt.Sprint(err)
}

func (s *saga) join(connection, name string) {
	s.t.Helper()
	s.cohost++
	s.do(battle.ReadCohost{Sequence: s.cohost, Facts: []battle.ConnectionFact{{ConnectionID: connection, Live: live(name)}}})
}

func (s *saga) part(reason battle.ExitReason, names ...string) {
	s.t.Helper()
	s.cohost++
	c := battle.ReadCohost{Sequence: s.cohost}
	for _, n := range names {
		c.Facts = append(c.Facts, battle.ConnectionFact{ConnectionID: "x", Live: battle.Participant{LiveID: n}, Left: reason})
	}
	s.do(c)
}

// after lets time pass and decides what is due then.
func (s *saga) after(d time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(d)
	for _, c := range s.machine.Due(s.now) {
		s.do(c)
	}
}

// request requests a battle of a with others, which need not answer.
func (s *saga) request(id string, terms battle.Terms, others ...string) {
	s.t.Helper()
	s.do(battle.RequestBattle{BattleID: id, Inviter: "a", TargetLives: others, Terms: terms})
}

// run opens a starting battle and lets it start.
func (s *saga) run(id string) {
	s.t.Helper()
	for _, m := range s.battle(id).Members {
		s.do(battle.ReportOpened{BattleID: id, LiveID: m.LiveID})
	}
	s.after(300 * time.Millisecond)
}

// settle closes the lives of a battle with the totals given as "a1 b2".
func (s *saga) settle(id, totals string) {
	s.t.Helper()
	for _, word := range strings.Fields(totals) {
		total := int64(word[1] - '0')
		s.do(battle.ReportClosed{BattleID: id, LiveID: word[:1], Closing: battle.Closing{Total: total}})
	}
}

// fight is a starting battle to its end.
func (s *saga) fight(id, totals string) {
	s.t.Helper()
	s.run(id)
	s.after(10 * time.Second)
	s.settle(id, totals)
}

func (s *saga) battle(id string) battle.Battle {
	s.t.Helper()
	b, ok := s.machine.Battle(id)
	if !ok {
		s.t.Fatalf("there is no battle %s", id)
	}
	return b
}

// told are the events since the last time that have to do with what comes after an end, by what matters of them.
func (s *saga) told(want ...string) {
	s.t.Helper()
	var got []string
	for _, event := range s.events {
		switch e := event.(type) {
		case battle.BattleRequested:
			names := []string{e.Inviter.LiveID}
			for _, p := range e.Invitees {
				names = append(names, p.LiveID)
			}
			got = append(got, fmt.Sprintf("%s requested: %s", e.BattleID, strings.Join(names, " ")))
		case battle.BattleEnded:
			line := e.BattleID + " ended"
			if s := e.Series; s.End != 0 {
				line += fmt.Sprintf(", series end %d winner %q", s.End, s.Winner)
			} else if s.ID != "" {
				line += ", next for " + strings.Join(s.Waiting, " ")
			}
			if !e.PunishmentEndsAt.IsZero() {
				line += ", punishment"
			}
			got = append(got, line)
		case battle.PunishmentEnded:
			got = append(got, fmt.Sprintf("%s punishment end %d", e.BattleID, e.Reason))
		case battle.SeriesExited:
			got = append(got, fmt.Sprintf("%s left by %s: %d", e.BattleID, e.LiveID, e.Reason))
		case battle.SeriesEnded:
			got = append(got, fmt.Sprintf("%s series end %d winner %q", e.BattleID, e.End, e.Winner))
		case battle.SeriesContinued:
			got = append(got, fmt.Sprintf("%s goes on as %s", e.BattleID, e.NextBattleID))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
	s.events = nil
}

// still is that no timer is left and nobody is taken by a battle.
func (s *saga) still(names ...string) {
	s.t.Helper()
	if next, ok := s.machine.NextDue(); ok {
		s.t.Errorf("a timer is left at %s", next)
	}
	for _, n := range names {
		if err := s.try(battle.RequestBattle{BattleID: "free", Inviter: n, TargetLives: []string{"free"}, Terms: terms(true)}); reasonOf(err) != battle.ReasonNoValidTarget {
			s.t.Errorf("live %s: %v", n, err)
		}
	}
}
