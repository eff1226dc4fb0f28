package codec

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// DecodeBattle reads an entry of the battle service's log.
func DecodeBattle(b []byte) (*battlev1.Entry, error) {
	e := new(battlev1.Entry)
	if err := proto.Unmarshal(b, e); err != nil {
		return nil, err
	}
	if e.GetEntry() == nil {
		return nil, errors.New("unknown entry of the battle service")
	}
	return e, nil
}

// ToFact returns what an entry of the battle service tells score; nil if nothing.
func ToFact(entry *battlev1.Entry) (score.Fact, error) {
	switch e := entry.GetEntry().(type) {
	case *battlev1.Entry_BattleStarting_:
		s := e.BattleStarting
		return score.BattleStarting{
			BattleID: s.GetBattleId(), StartsAt: millis(s.GetStartsAtMs()), EndsAt: millis(s.GetEndsAtMs()), RuleSet: s.GetRuleSet(),
			Participants: fromParticipants(s.GetParticipants()),
		}, nil
	case *battlev1.Entry_BattleStarted_:
		return score.BattleRuns{BattleID: e.BattleStarted.GetBattleId()}, nil
	case *battlev1.Entry_UserExited_:
		return score.UserExited{BattleID: e.UserExited.GetBattleId(), LiveID: e.UserExited.GetLiveId()}, nil
	case *battlev1.Entry_UserRejoined_:
		x := e.UserRejoined
		return score.UserRejoined{BattleID: x.GetBattleId(), LiveID: x.GetLiveId(), EndsAt: millis(x.GetEndsAtMs()), Rejoins: x.GetRejoins()}, nil
	case *battlev1.Entry_BattleExtended_:
		return score.BattleExtended{BattleID: e.BattleExtended.GetBattleId(), EndsAt: millis(e.BattleExtended.GetEndsAtMs())}, nil
	case *battlev1.Entry_LiveClosed_:
		return score.TotalRecorded{BattleID: e.LiveClosed.GetBattleId(), LiveID: e.LiveClosed.GetLiveId()}, nil
	case *battlev1.Entry_BattleEnding_:
		fact := score.BattleEnding{
			BattleID: e.BattleEnding.GetBattleId(), TimeOver: e.BattleEnding.GetReason() == battlev1.Battle_TIME_OVER,
		}
		if ms := e.BattleEnding.GetEndsAtMs(); ms != 0 {
			fact.EndsAt = millis(ms)
		}
		return fact, nil
	case *battlev1.Entry_BattleEnded_:
		return score.BattleEnded{BattleID: e.BattleEnded.GetBattleId(), Settled: e.BattleEnded.GetResult() != nil}, nil
	case nil:
		return nil, errors.New("unknown entry of the battle service")
	default:
		return nil, nil
	}
}

// fromFact is the way back, for commands that are forwarded; what ToFact leaves out is lost.
func fromFact(fact score.Fact) (*battlev1.Entry, error) {
	switch f := fact.(type) {
	case score.BattleStarting:
		return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{
			BattleId: f.BattleID, StartsAtMs: f.StartsAt.UnixMilli(), EndsAtMs: f.EndsAt.UnixMilli(), RuleSet: f.RuleSet,
			Participants: toParticipants(f.Participants),
		}}}, nil
	case score.BattleRuns:
		return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarted_{BattleStarted: &battlev1.Entry_BattleStarted{BattleId: f.BattleID}}}, nil
	case score.UserExited:
		return &battlev1.Entry{Entry: &battlev1.Entry_UserExited_{UserExited: &battlev1.Entry_UserExited{BattleId: f.BattleID, LiveId: f.LiveID}}}, nil
	case score.UserRejoined:
		return &battlev1.Entry{Entry: &battlev1.Entry_UserRejoined_{UserRejoined: &battlev1.Entry_UserRejoined{
			BattleId: f.BattleID, LiveId: f.LiveID, EndsAtMs: f.EndsAt.UnixMilli(), Rejoins: f.Rejoins,
		}}}, nil
	case score.BattleExtended:
		return &battlev1.Entry{Entry: &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{
			BattleId: f.BattleID, EndsAtMs: f.EndsAt.UnixMilli(),
		}}}, nil
	case score.TotalRecorded:
		return &battlev1.Entry{Entry: &battlev1.Entry_LiveClosed_{LiveClosed: &battlev1.Entry_LiveClosed{BattleId: f.BattleID, LiveId: f.LiveID}}}, nil
	case score.BattleEnding:
		ending := &battlev1.Entry_BattleEnding{BattleId: f.BattleID}
		if f.TimeOver {
			ending.Reason = battlev1.Battle_TIME_OVER
		}
		if !f.EndsAt.IsZero() {
			ending.EndsAtMs = f.EndsAt.UnixMilli()
		}
		return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: ending}}, nil
	case score.BattleEnded:
		ended := &battlev1.Entry_BattleEnded{BattleId: f.BattleID}
		if f.Settled {
			ended.Result = &battlev1.BattleResult{}
		}
		return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: ended}}, nil
	default:
		return nil, fmt.Errorf("no entry for %T", fact)
	}
}
