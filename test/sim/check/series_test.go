package check

import (
	"testing"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// follows is a second battle, which x wins or nobody does, with what follows its end.
func follows(s *battlev1.Entry_Series, punishmentEndsAt int64, draw bool, entries ...proto.Message) func(*book) {
	return func(k *book) {
		end := settles("b2", 1, 0)
		end.GetBattleEnded().Series, end.GetBattleEnded().PunishmentEndsAtMs, end.GetBattleEnded().Result.Draw = s, punishmentEndsAt, draw
		request := asked("b2", "x", "y")
		if s != nil {
			request.GetBattleRequested().Series = &battlev1.Entry_Series{SeriesId: "b2", BestOf: 3, Round: 1}
		}
		request.GetBattleRequested().Config = &battlev1.BattleConfig{PunishmentSeconds: int32(punishmentEndsAt / 1000)}
		k.write(b, "", 30, request, starts("b2", "x", "y"), opened("b2", "x"), opened("b2", "y"))
		k.write(b, "", 40, runs("b2"))
		k.write(b, "", 80, ending("b2"), closed("b2", "x", 1), closed("b2", "y", 0), end)
		if len(entries) > 0 {
			k.write(b, "", 1099, entries...)
		}
	}
}

func between(nextAt int64, lives ...string) *battlev1.Entry_Series {
	return &battlev1.Entry_Series{SeriesId: "b2", BestOf: 3, Round: 1, NextRoundAtMs: nextAt, WaitingLiveIds: lives, Wins: []*battlev1.SeriesWins{{Side: "x", Rounds: 1}}}
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
	e.GetBattleRequested().Config = &battlev1.BattleConfig{Mode: battlev1.BattleConfig_FREE_FOR_ALL}
	return e
}

func seriesEnds(id string, why battlev1.Series_EndReason, winner string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_SeriesEnded_{SeriesEnded: &battlev1.Entry_SeriesEnded{BattleId: id, Reason: why, Winner: winner}}}
}

func TestSeriesFaults(t *testing.T) {
	t.Parallel()
	both := between(1500, "x", "y")
	other := secondRound("b3", "x", "y")
	other.GetBattleRequested().Config.ExtensionInfo = "other"
	find(t, map[string]plant{
		"stopped by no admin":   {follows(both, 0, false, seriesEnds("b2", battlev1.Series_STOPPED, "")), Violation, "the series of battle b2 ends by STOPPED"},
		"ends with two sides":   {follows(both, 0, false, seriesEnds("b2", battlev1.Series_SIDES_LEFT, "x")), Violation, "the series of battle b2 ends by SIDES_LEFT"},
		"won by who has left":   {follows(both, 0, false, quits("b2", "y"), seriesEnds("b2", battlev1.Series_SIDES_LEFT, "y")), Violation, `won by "y"`},
		"one side waits":        {follows(both, 0, false, quits("b2", "y")), Violation, "fewer than two sides wait for the round after battle b2"},
		"before the punishment": {follows(between(1000, "x", "y"), 1080, false), Violation, "is to begin at 1000, before 1080"},
		"fought in another way": {follows(between(90, "x", "y"), 0, false, goesOn("b2", "b3"), other), Violation, "the one before as"},
	})
	settled := func(k *bout) *battlev1.Entry_BattleEnded { return k.step("settled").entry(2).GetBattleEnded() }
	asks := func(k *bout) *battlev1.Entry_BattleRequested { return k.step("asks").entry(0).GetBattleRequested() }
	findInBout(t, map[string]harm{
		"series forgotten":     {func(k *bout) { asks(k).Series = &battlev1.Entry_Series{BestOf: 3, Round: 1} }, Violation, "does not say what becomes of that"},
		"punishment forgotten": {func(k *bout) { asks(k).Config.PunishmentSeconds = 1 }, Violation, "the punishment of battle b1"},
		"punished too long":    {func(k *bout) { asks(k).Config.PunishmentSeconds = 1; settled(k).PunishmentEndsAtMs = 3001 }, Violation, "is to end at 3001"},
		"punished for nothing": {func(k *bout) { settled(k).PunishmentEndsAtMs = 3000 }, Violation, "the punishment of battle b1"},
	})
}
