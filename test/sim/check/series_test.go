package check

import (
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// follows is a second battle, which x wins or nobody does, with what follows its end.
func follows(s *battlev1.Entry_Series, punishmentEndsAt int64, draw bool, entries ...proto.Message) func(*book) {
	return func(k *book) {
		end := settles("b2", 1, 0)
		end.GetBattleEnded().Series, end.GetBattleEnded().PunishmentEndsAtMs, end.GetBattleEnded().Result.Draw = s, punishmentEndsAt, draw
		k.write(b, "", 30, asked("b2", "x", "y"), starts("b2", "x", "y"), opened("b2", "x"), opened("b2", "y"))
		k.write(b, "", 40, runs("b2"))
		k.write(b, "", 80, ending("b2"), closed("b2", "x", 1), closed("b2", "y", 0), end)
		if len(entries) > 0 {
			k.write(b, "", 99, entries...)
		}
	}
}

func between(nextAt int64, lives ...string) *battlev1.Entry_Series {
	return &battlev1.Entry_Series{SeriesId: "b2", BestOf: 3, Round: 1, NextRoundAtMs: nextAt, WaitingLiveIds: lives}
}

func won(s *battlev1.Entry_Series) *battlev1.Entry_Series {
	s.Wins = []*battlev1.SeriesWins{{Side: "x", Rounds: 2}}
	return s
}

func pardons(id string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_PunishmentEnded_{PunishmentEnded: &battlev1.Entry_PunishmentEnded{
		BattleId: id, Reason: battlev1.PunishmentEnded_TIME_OVER,
	}}}
}

func goesOn(id, next string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_SeriesContinued_{SeriesContinued: &battlev1.Entry_SeriesContinued{BattleId: id, NextBattleId: next}}}
}

func quits(id, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_SeriesExited_{SeriesExited: &battlev1.Entry_SeriesExited{BattleId: id, LiveId: live}}}
}

func secondRound(id string, lives ...string) *battlev1.Entry {
	e := asked(id, lives...)
	e.GetBattleRequested().Series = &battlev1.Entry_Series{SeriesId: "b2", BestOf: 3, Round: 2}
	return e
}
