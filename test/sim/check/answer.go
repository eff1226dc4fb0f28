package check

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

// Kind of a command.
type Kind string

// The commands.
const (
	CreateLive    Kind = "CreateLive"
	EndLive       Kind = "EndLive"
	Invite        Kind = "RequestHostConnection"
	Cancel        Kind = "CancelHostConnection"
	Accept        Kind = "AcceptHostConnection"
	Reject        Kind = "RejectHostConnection"
	Exit          Kind = "ExitHostConnection"
	SetLayout     Kind = "SetLayoutTemplate"
	Mute          Kind = "MuteRemoteHostAudio"
	UpdateLive    Kind = "UpdateLive"
	RequestBattle Kind = "RequestBattle"
	AcceptBattle  Kind = "AcceptBattle"
	RejectBattle  Kind = "RejectBattle"
	CancelBattle  Kind = "CancelBattleRequest"
	ExitBattle    Kind = "ExitBattle"
	EndBattle     Kind = "EndBattle"
	ExtendBattle  Kind = "ExtendBattle"
	VoidBattle    Kind = "VoidBattle"
	Rematch       Kind = "Rematch"
	Rejoin        Kind = "RejoinHostConnection"
	RejoinBattle  Kind = "RejoinBattle"
)

// Outcome of a command, as its caller knows it after the last try.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused"
	Unknown Outcome = "unknown"
)

// Op is one command with its answer.
type Op struct {
	Kind Kind
	Live string
	// Others are the targets of a request; the other side of an invitation; whom a live mutes.
	Others []string
	// Request is what was sent, nil if that was not kept.
	Request proto.Message
	Battle  string
	// Made is the battle that an answered request has made; of a RequestBattle Battle can say it as well.
	Made string
	// As is the live whose host has sent it; empty for a backend or an admin, who may do everything.
	As string
	// Session that it names, empty if none.
	Session string
	// ID of the command in the log.
	ID string
	// Cohost and Own are the windows of the last try in COHOST_00 and in the log that decides.
	Cohost, Own Window
	// Tried says that Since and SinceCohost are set: the heads when the command was tried for the first time. A repeat gets
	// the first answer, so it may rest on what was so then.
	Tried              bool
	Since, SinceCohost uint64
	Outcome            Outcome
	// Reason of the refusal.
	Reason string
	// Accepted are the targets of an invitation that were answered with ok.
	Accepted []string
	// Refusals are the reasons of the other targets, where the caller was told them.
	Refusals map[string]string
}

// commandFor is the id of the command that invites one target of a request.
func (o Op) commandFor(target string) string {
	if target == o.Others[0] {
		return o.ID
	}
	return o.ID + "/" + target
}

// InCohost reports whether COHOST_00 decides commands of this kind, else BATTLE_00 does.
func (k Kind) InCohost() bool {
	switch k {
	case CreateLive, EndLive, Invite, Cancel, Accept, Reject, Exit, Rejoin, SetLayout, Mute, UpdateLive:
		return true
	}
	return false
}

type answers struct {
	f      *Findings
	cohost *cohostLog
	battle *battleLog
	limits Limits
}

// requestedBy: what is done for a host, a host has asked for.
func requestedBy(f *Findings, ops []Op, cohost *cohostLog, battle *battleLog, limits Limits) {
	known := map[string]bool{}
	for _, o := range ops {
		known[o.ID] = true
		if o.Kind == Invite {
			for _, target := range o.Others {
				known[o.commandFor(target)] = true
			}
		}
	}
	for _, d := range cohost.decisions {
		expired := has(d, func(e *cohostv1.Entry) bool {
			return e.GetInvitationEnded().GetEnding() == cohostv1.Entry_InvitationEnded_TIMED_OUT
		})
		if !known[d.id] && (d.id != "" || !expired && !ofPresence(d)) {
			f.add(Violation, "COHOST_00/%d: nobody has asked for command %q: %v", d.seq, d.id, d.entries)
		}
	}
	a := answers{f, cohost, battle, limits}
	for _, d := range battle.decisions {
		o, known := battle.asked[d.id]
		for _, e := range d.entries {
			if ofHost(e) && (!known || o.Kind.InCohost() || o.denied() || !a.asks(o, e, battle.before(d).found(o))) {
				f.add(Violation, "BATTLE_00/%d: nobody has asked for command %q: %v", d.seq, d.id, e)
			}
		}
	}
}

func (a answers) check(o Op) {
	if o.Kind.InCohost() {
		a.cohostCheck(o)
	} else {
		a.battleCheck(o)
	}
}

func has[E any](d decision[E], ok func(E) bool) bool { return slices.ContainsFunc(d.entries, ok) }

func (a answers) happened(o Op, decided bool, seq uint64, effect bool) {
	switch {
	case !decided:
		a.f.add(Lost, "%s %s of %s: answered ok, not in the log", o.Kind, o.ID, o.Live)
	case seq > o.Own.After:
		a.f.add(Violation, "%s %s of %s: answered ok at head %d, decided in group %d", o.Kind, o.ID, o.Live, o.Own.After, seq)
	case !effect:
		a.f.add(Violation, "%s %s of %s: answered ok, the decision in group %d does something else", o.Kind, o.ID, o.Live, seq)
	}
}

func (a answers) untrue(o Op, others []string, reason string) {
	a.f.add(Violation, "%s %s of %s with %v %s: refused with %s, which was not so between %d and %d",
		o.Kind, o.ID, o.Live, others, o.Battle, reason, o.Since, o.Own.After)
}

// kept: the log has the refusal of a command, from before the answer on; reason is empty if the caller was not told.
func (a answers) kept(o Op, id, reason string, ok bool, seq uint64, refusal *ledgerv1.Decision_Refusal) {
	told := cmp.Or(reason, "some reason")
	switch {
	case !ok:
		a.f.add(Lost, "%s %s of %s: refused with %s, not in the log", o.Kind, id, o.Live, told)
	case seq > o.Own.After:
		a.f.add(Violation, "%s %s of %s: refused with %s at head %d, decided in group %d", o.Kind, id, o.Live, told, o.Own.After, seq)
	case refusal == nil:
		a.f.add(Violation, "%s %s of %s: refused with %s at %d to %d, the log has it in group %d", o.Kind, id, o.Live, told, o.Own.Before, o.Own.After, seq)
	case reason != "" && refusal.GetReason() != reason:
		a.f.add(Violation, "%s %s of %s: refused with %s, with %s in group %d", o.Kind, id, o.Live, reason, refusal.GetReason(), seq)
	}
}
