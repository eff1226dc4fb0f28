package partition

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Scores of a battle at one moment.
type Scores struct {
	*score.Opening
	Status scorev1.BattleScores_Status
	ByUser map[string]int64
	// Seq is where in the partitions' logs they stand.
	Seq string
	// Now is log time.
	Now time.Time
}

// Proto is the scores as they are told.
func (s Scores) Proto() *scorev1.BattleScores {
	return &scorev1.BattleScores{
		BattleId: s.BattleID, Scores: s.ByUser, Seq: s.Seq, Status: s.Status, ServerNow: timestamppb.New(s.Now),
	}
}

// Until returns how long it takes until the status changes by time alone; 0 if it does not.
func (s Scores) Until() time.Duration {
	switch s.Status {
	case scorev1.BattleScores_STARTING:
		return max(s.StartsAt.Sub(s.Now), 0)
	case scorev1.BattleScores_RUNNING:
		return max(s.EndsAt.Sub(s.Now), 0)
	default:
		return 0
	}
}

// Scores returns the scores of a battle, as committed; false if no partition knows it.
func (s *Set) Scores(battleID string) (Scores, bool) {
	for _, p := range s.partitions {
		var opening *score.Opening
		p.View(func(s *score.State, _ Place) {
			if b := s.Battle(battleID); b != nil {
				for _, r := range b.Rooms {
					if r.Phase != score.Tombstoned {
						opening = r.Opening
					}
				}
			}
		})
		if opening != nil {
			return s.scores(opening), true
		}
	}
	return Scores{}, false
}

// Current returns the scores of the battle that the live is in, or was in last; false if there was none.
func (s *Set) Current(liveID string) (Scores, bool) {
	var opening *score.Opening
	s.Of(liveID).View(func(s *score.State, _ Place) {
		if r := s.Current(liveID); r != nil {
			opening = r.Opening
		}
	})
	if opening == nil {
		return Scores{}, false
	}
	return s.scores(opening), true
}

// Has tells whether a live takes part in the battle.
func (x Scores) Has(liveID string) bool {
	return slices.ContainsFunc(x.Participants, func(p score.Participant) bool { return p.LiveID == liveID })
}

// scores gathers what the partitions of the battle's lives have, one after another.
func (s *Set) scores(o *score.Opening) Scores {
	x := Scores{Opening: o, ByUser: make(map[string]int64, len(o.Participants))}
	var phases []score.Phase
	places := make(map[int]uint64)
	for _, participant := range o.Participants {
		p := s.Of(participant.LiveID)
		if l := p.bound(); l != nil {
			if now := l.Now(); now.After(x.Now) {
				x.Now = now
			}
		}
		p.View(func(s *score.State, at Place) {
			if _, ok := places[p.Number()]; !ok {
				places[p.Number()] = at.Seq
			}
			var total int64
			phase := score.Unknown
			if r := s.Battle(o.BattleID).Room(participant.LiveID); r != nil {
				total, phase = s.Tally(r).Total, r.Phase
			}
			x.ByUser[participant.Host.ID] = total
			phases = append(phases, phase)
		})
	}
	x.Seq = vector(places)
	x.Status = status(o, x.Now, phases)
	return x
}

func vector(places map[int]uint64) string {
	var parts []string
	for p, seq := range places {
		parts = append(parts, fmt.Sprintf("%02d:%d", p, seq))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// status of a battle by the phases of its lives and log time.
func status(o *score.Opening, now time.Time, phases []score.Phase) scorev1.BattleScores_Status {
	final := func(p score.Phase) bool { return p == score.Closed || p == score.Tombstoned }
	switch {
	case slices.Contains(phases, score.Void):
		return scorev1.BattleScores_VOID
	case !slices.ContainsFunc(phases, func(p score.Phase) bool { return !final(p) }):
		return scorev1.BattleScores_CLOSED
	case now.Before(o.StartsAt):
		return scorev1.BattleScores_STARTING
	case now.Before(o.EndsAt):
		return scorev1.BattleScores_RUNNING
	default:
		return scorev1.BattleScores_SETTLING
	}
}
