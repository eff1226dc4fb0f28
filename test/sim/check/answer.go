package check

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
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
	case CreateLive, EndLive, Invite, Cancel, Accept, Reject, Exit, SetLayout, Mute, UpdateLive:
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
func requestedBy(f *Findings, ops []Op, cohost *cohostLog, battle *battleLog) {
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
		if !known[d.id] && (d.id != "" || !expired) {
			f.add(Violation, "COHOST_00/%d: nobody has asked for command %q: %v", d.seq, d.id, d.entries)
		}
	}
	for _, d := range battle.decisions {
		if has(d, ofHost) && !known[d.id] {
			f.add(Violation, "BATTLE_00/%d: nobody has asked for command %q: %v", d.seq, d.id, d.entries)
		}
	}
}

// ofHost: a host has asked for it, no deadline has brought it.
func ofHost(e *battlev1.Entry) bool {
	a := e.GetInviteeAnswered()
	r := e.GetBattleRequested()
	return r != nil && !byItself(r) || a != nil && a.GetAnswer() != battlev1.Entry_InviteeAnswered_TIMED_OUT || e.GetUserExited().GetReason() == battlev1.Entry_UserExited_EXITED ||
		e.GetSeriesExited().GetReason() == battlev1.Entry_UserExited_EXITED
}

func (a answers) check(o Op) {
	switch {
	case o.Kind.InCohost():
		a.cohostCheck(o)
	case o.Outcome == OK:
		a.done(o)
	case o.Outcome == Refused:
		a.refused(o)
	}
}

// done: what was answered with ok has happened, before the answer, or was so already.
func (a answers) done(o Op) {
	d, ok := a.battle.byID[o.ID]
	// The battle's deadline comes first, in the same decision, and may leave nothing to do.
	idle := d.refusal == nil && !has(d, ofHost)
	a.happened(o, ok, d.seq, has(d, o.inBattle) || idle && a.before(o, d.seq))
}

func (o Op) inBattle(e *battlev1.Entry) bool {
	answered := func(how battlev1.Entry_InviteeAnswered_Answer) bool {
		i := e.GetInviteeAnswered()
		return i.GetBattleId() == o.Battle && i.GetLiveId() == o.Live && i.GetAnswer() == how
	}
	switch o.Kind {
	case RequestBattle:
		return e.GetBattleRequested().GetBattleId() == o.Battle && e.GetBattleRequested().GetInviter().GetLiveId() == o.Live
	case AcceptBattle:
		return answered(battlev1.Entry_InviteeAnswered_ACCEPTED)
	case RejectBattle:
		return answered(battlev1.Entry_InviteeAnswered_REJECTED)
	case CancelBattle:
		return e.GetBattleEnded().GetBattleId() == o.Battle && e.GetBattleEnded().GetNever() == battlev1.Entry_BattleEnded_CANCELLED
	default:
		x, waiting := e.GetUserExited(), e.GetSeriesExited()
		return x.GetBattleId() == o.Battle && x.GetLiveId() == o.Live || waiting.GetBattleId() == o.Battle && waiting.GetLiveId() == o.Live
	}
}

// nothing reports whether there was nothing to do.
func (d decision[E]) nothing() bool { return len(d.entries) == 0 && d.refusal == nil }

// before reports whether a command that changed nothing in a group had no need to: what it asks for was so.
func (a answers) before(o Op, seq uint64) bool {
	for _, d := range a.battle.decisions {
		if d.seq > seq {
			break
		}
		for _, e := range d.entries {
			switch o.Kind {
			case AcceptBattle, RejectBattle, ExitBattle:
				if o.inBattle(e) || o.Kind == ExitBattle && e.GetBattleEnding().GetBattleId() == o.Battle {
					return true
				}
				if x := e.GetBattleStarting(); o.Kind == AcceptBattle && x.GetBattleId() == o.Battle && slices.ContainsFunc(x.GetParticipants(),
					func(p *battlev1.Entry_Participant) bool { return p.GetLiveId() == o.Live }) {
					return true // no answer was needed
				}
			}
		}
	}
	return false
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

// refused: what was refused has not happened and does not afterwards, since the log keeps the refusal; and the reason held at
// some moment of the call.
func (a answers) refused(o Op) {
	b, ok := a.battle.byID[o.ID]
	a.kept(o, o.ID, o.Reason, ok, b.seq, b.refusal)
	if !a.battleReason(o) {
		a.untrue(o, o.Others, o.Reason)
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
