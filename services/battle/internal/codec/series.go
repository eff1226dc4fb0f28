package codec

import (
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// series returns the message that tells callers of a series; nil for a single battle.
func series(s battle.Series) *battlev1.Series {
	if s.ID == "" {
		return nil
	}
	return &battlev1.Series{
		SeriesId: s.ID, BestOf: s.BestOf, Round: s.Round, Wins: each(s.Wins, toWins), Decided: s.End != 0,
		EndReason: battlev1.Series_EndReason(s.End), Winner: s.Winner, NextRoundAt: toTimestamp(s.NextAt), WaitingLiveIds: s.Waiting,
		NextBattleId: s.Next,
	}
}

func toSeries(s battle.Series) *battlev1.Entry_Series {
	if s.ID == "" {
		return nil
	}
	return &battlev1.Entry_Series{
		SeriesId: s.ID, BestOf: s.BestOf, Round: s.Round, Wins: each(s.Wins, toWins), EndReason: battlev1.Series_EndReason(s.End),
		Winner: s.Winner, NextRoundAtMs: toMillis(s.NextAt), WaitingLiveIds: s.Waiting, NextBattleId: s.Next,
	}
}

// fromSeries reads a series; one without an id is none.
func fromSeries(s *battlev1.Entry_Series) battle.Series {
	if s.GetSeriesId() == "" {
		return battle.Series{}
	}
	return battle.Series{
		ID: s.GetSeriesId(), BestOf: s.GetBestOf(), Round: s.GetRound(), Wins: each(s.GetWins(), fromWins), End: battle.SeriesEnd(s.GetEndReason()),
		Winner: s.GetWinner(), NextAt: fromMillis(s.GetNextRoundAtMs()), Waiting: s.GetWaitingLiveIds(), Next: s.GetNextBattleId(),
	}
}

func toWins(w battle.Wins) *battlev1.SeriesWins {
	return &battlev1.SeriesWins{Side: w.Side, Rounds: w.Rounds}
}

func fromWins(w *battlev1.SeriesWins) battle.Wins {
	return battle.Wins{Side: w.GetSide(), Rounds: w.GetRounds()}
}
