package check

import (
	"fmt"
	"maps"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// lastMoment is how long before its end, in ms, a battle is not extended any more.
const lastMoment = 1000

// subject is what a proposal is about. A battle has one proposal of a subject at most.
type subject struct {
	kind battlev1.Proposal_Kind
	ms   int64
}

func (s subject) String() string { return fmt.Sprintf("%v by %d ms", s.kind, s.ms) }

var toEnd = subject{kind: battlev1.Proposal_END}

// proposal waits for the consent of all lives in a battle.
type proposal struct {
	by, reason string
	consented  map[string]bool
	until      int64
	since      place
}

// proposing is an entry about a proposal.
type proposing interface {
	GetKind() battlev1.Proposal_Kind
	GetExtendMs() int64
}

// about is what an entry about a proposal is about.
func about(e proposing) subject {
	return subject{e.GetKind(), e.GetExtendMs()}
}

// agreed reports whether every live that is in the battle has consented to what is proposed, at log time at.
func (b fight) agreed(s subject, at int64) bool {
	p, made := b.proposals[s]
	for live := range b.holds {
		made = made && p.consented[live]
	}
	return made && at < p.until
}

// extensible reports whether a battle can take so much longer at log time at.
func (b fight) extensible(ms, at int64, l Limits) bool {
	return b.phase == running && at < b.endsAt-lastMoment && !b.tooLong(ms, l)
}

// tooLong reports whether a battle that takes so much longer takes longer in all than any may.
func (b fight) tooLong(ms int64, l Limits) bool {
	return l.LongestBattle > 0 && b.endsAt-b.startsAt+ms > l.LongestBattle
}

// undone is what all lives have agreed to, and what has not come of it though it could.
func (b fight) undone(at int64, l Limits) (s subject, undone bool) {
	for s := range b.proposals {
		if b.phase == running && b.agreed(s, at) && (s == toEnd || b.extensible(s.ms, at, l)) {
			return s, true
		}
	}
	return s, false
}

// proposal follows proposals: hosts in the battle make them and consent to them, each once, while they wait; and they lapse when their
// time has come.
func (l *battleLog) proposal(d decision[*battlev1.Entry], entry any, change func(string, func(*fight)), wrong func(Class, string, ...any)) {
	switch e := entry.(type) {
	case *battlev1.Entry_ProposalMade_:
		p := e.ProposalMade
		change(p.GetBattleId(), func(b *fight) {
			_, again := b.proposals[about(p)]
			others := false
			for s, other := range b.proposals {
				others = others || other.by == p.GetLiveId() && s.kind == p.GetKind()
			}
			if again || others {
				wrong(Duplicated, "live %s of battle %s proposes %v, which is proposed, or another one of its kind: %v", p.GetLiveId(), p.GetBattleId(), about(p), others)
			}
			if b.phase != running || d.at >= b.endsAt || !b.holds[p.GetLiveId()] || p.GetKind() == battlev1.Proposal_EXTEND && !b.extensible(p.GetExtendMs(), d.at, l.limits) {
				wrong(Violation, "live %s proposes %v to battle %s in phase %d at %d, which ends at %d, with %v", p.GetLiveId(), about(p), p.GetBattleId(), b.phase, d.at, b.endsAt, b.holds)
			}
			if l.limits.Proposal > 0 && p.GetExpiresAtMs() != d.at+l.limits.Proposal {
				wrong(Violation, "a proposal of live %s to battle %s is to lapse at %d, and is made at %d", p.GetLiveId(), p.GetBattleId(), p.GetExpiresAtMs(), d.at)
			}
			b.proposals[about(p)] = proposal{p.GetLiveId(), p.GetReason(), map[string]bool{p.GetLiveId(): true}, p.GetExpiresAtMs(), place{d.seq, d.at}}
		})
	case *battlev1.Entry_ProposalConsented_:
		p := e.ProposalConsented
		change(p.GetBattleId(), func(b *fight) {
			x, made := b.proposals[about(p)]
			switch {
			case x.consented[p.GetLiveId()]:
				wrong(Duplicated, "live %s of battle %s consents to %v twice", p.GetLiveId(), p.GetBattleId(), about(p))
			case !made || d.at >= x.until || d.at >= b.endsAt || !b.holds[p.GetLiveId()]:
				wrong(Violation, "live %s consents to %v of battle %s at %d, proposed: %v until %d, in it are %v", p.GetLiveId(), about(p), p.GetBattleId(), d.at, made, x.until, b.holds)
			}
			x.consented = maps.Clone(x.consented)
			if x.consented == nil {
				x.consented = map[string]bool{}
			}
			x.consented[p.GetLiveId()] = true
			b.proposals[about(p)] = x
		})
	case *battlev1.Entry_ProposalLapsed_:
		p := e.ProposalLapsed
		change(p.GetBattleId(), func(b *fight) {
			x, made := b.proposals[about(p)]
			switch {
			case !made:
				wrong(Duplicated, "proposal %v of battle %s lapses and does not wait", about(p), p.GetBattleId())
			case d.at < x.until || d.at >= b.endsAt:
				wrong(Violation, "proposal %v of battle %s, which ends at %d, lapses at %d; its time is over at %d", about(p), p.GetBattleId(), b.endsAt, d.at, x.until)
			case overdue(d.at, x.until, l.restAt):
				wrong(Violation, "proposal %v of battle %s lapses %d ms late", about(p), p.GetBattleId(), d.at-x.until)
			}
			l.span(d, fmt.Sprintf("proposal %v of battle %s lapses", about(p), p.GetBattleId()), x.since, x.until)
			delete(b.proposals, about(p))
		})
	case *battlev1.Entry_BattleExtended_:
		l.extended(d, e.BattleExtended, change, wrong)
	}
}

// extended: a battle takes so much longer as all have agreed to, or as an admin has said, but not in its last moment nor past the
// longest that there may be.
func (l *battleLog) extended(d decision[*battlev1.Entry], x *battlev1.Entry_BattleExtended, change func(string, func(*fight)), wrong func(Class, string, ...any)) {
	id, s := x.GetBattleId(), subject{battlev1.Proposal_EXTEND, x.GetExtendMs()}
	change(id, func(b *fight) {
		if !b.extensible(x.GetExtendMs(), d.at, l.limits) || x.GetEndsAtMs() != b.endsAt+x.GetExtendMs() {
			wrong(Violation, "battle %s in phase %d, which takes from %d to %d, is extended at %d to %d", id, b.phase, b.startsAt, b.endsAt, d.at, x.GetEndsAtMs())
		}
		if !b.agreed(s, d.at) && !l.byAdmin(d, ExtendBattle, id) {
			wrong(Violation, "battle %s is extended by %d ms; no admin has said so, and in it are %v, who have agreed to %v", id, x.GetExtendMs(), b.holds, b.proposals)
		}
		b.endsAt = x.GetEndsAtMs()
		l.ends[id] = append(l.ends[id], place{d.seq, b.endsAt})
		delete(b.proposals, s)
	})
}

// byAdmin reports whether a decision is on an admin's command of a kind to a battle, as far as commands are known.
func (l *battleLog) byAdmin(d decision[*battlev1.Entry], kind Kind, battle string) bool {
	if l.asked == nil {
		return d.id != ""
	}
	o, ok := l.asked[d.id]
	return ok && o.Kind == kind && o.Live == "" && o.Battle == battle
}

// endAt is when a battle was to end after the group seq of BATTLE_00.
func (l *battleLog) endAt(id string, seq uint64) (end int64) {
	for _, x := range l.ends[id] {
		if x.seq <= seq {
			end = x.at
		}
	}
	return end
}
