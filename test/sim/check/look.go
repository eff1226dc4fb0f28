package check

import (
	"maps"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Look is what a read of some replica said: a CoHostState, a Battle, BattleScores, or a gift's GiftVerdict. It may be old, but
// it must have been so.
type Look struct {
	Said proto.Message
	// After is the head of the log that it rests on, when the answer was there. For scores it is not used.
	After uint64
}

// looks checks reads. Readers see whole groups only.
type looks struct {
	f      *Findings
	cohost *cohostLog
	battle *battleLog
	scores *scoreLogs
}

func (l looks) check(x Look) {
	was := true
	switch said := x.Said.(type) {
	case *cohostv1.CoHostState:
		was = ever(l.cohost.states, x.After, func(r rooms) bool { return r.shows(said) })
	case *battlev1.Battle:
		was = ever(l.battle.states, x.After, func(s fights) bool { return s.shows(said) }) &&
			(said.GetStatus() != battlev1.Battle_ENDED || proto.Equal(said.GetResult(), l.battle.results[said.GetBattleId()]))
	case *scorev1.BattleScores:
		for _, p := range l.battle.starts[said.GetBattleId()].GetParticipants() {
			score := said.GetScores()[p.GetHost().GetUserId()]
			r := l.scores.rooms[[2]string{said.GetBattleId(), p.GetLiveId()}]
			was = was && (score == 0 || r != nil && r.totals[score])
		}
	case *scorev1.GiftVerdict:
		g, ok := l.scores.gifts[GiftID{said.GetLiveId(), said.GetEventId()}]
		was = ok && g.seq <= x.After && g.GetVerdict() == said.GetVerdict() && g.GetPoints() == said.GetPoints() && g.GetBattleId() == said.GetBattleId()
	}
	if !was {
		l.f.add(Violation, "read at head %d, and never so: %v", x.After, x.Said)
	}
}

// ever reports whether ok held after one of the groups up to head, looking backwards.
func ever[S any](states []state[S], head uint64, ok func(S) bool) bool {
	seq := head + 1
	for i := len(states) - 1; i >= 0; i-- {
		if x := states[i]; x.seq < seq {
			if ok(x.s) {
				return true
			}
			seq = x.seq
		}
	}
	return false
}

func (r rooms) shows(said *cohostv1.CoHostState) bool {
	connected, sent, received := map[string]bool{}, map[pair]string{}, map[pair]string{}
	for live := range r.member {
		if r.together(said.GetLiveId(), live) {
			connected[live] = true
		}
	}
	for p, id := range r.pending {
		switch said.GetLiveId() {
		case p[0]:
			sent[p] = id
		case p[1]:
			received[p] = id
		}
	}
	shown := map[string]bool{}
	for _, m := range said.GetConnected() {
		shown[m.GetLiveId()] = true
	}
	return maps.Equal(connected, shown) && maps.Equal(sent, pairs(said.GetInvitees())) && maps.Equal(received, pairs(said.GetApplicants()))
}

func pairs(of []*cohostv1.Invitation) map[pair]string {
	all := make(map[pair]string, len(of))
	for _, i := range of {
		all[pair{i.GetInviter().GetLiveId(), i.GetInvitee().GetLiveId()}] = i.GetInvitationId()
	}
	return all
}

func (s fights) shows(said *battlev1.Battle) bool {
	b, open := s.open[said.GetBattleId()]
	switch said.GetStatus() {
	case battlev1.Battle_REQUESTED:
		return open && b.phase == requested
	case battlev1.Battle_STARTING:
		return open && b.phase == starting
	case battlev1.Battle_RUNNING:
		return open && b.phase == running
	case battlev1.Battle_SETTLING:
		return open && b.phase == settling
	}
	return s.ended[said.GetBattleId()]
}
