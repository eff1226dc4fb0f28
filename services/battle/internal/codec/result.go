package codec

import (
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Result returns the message of a settlement; nil for nil.
func Result(r *battle.Result) *battlev1.BattleResult {
	if r == nil {
		return nil
	}
	return &battlev1.BattleResult{
		Lives: each(r.Lives, func(l battle.LiveResult) *battlev1.LiveResult {
			return &battlev1.LiveResult{
				LiveId: l.LiveID, UserId: l.UserID, Score: l.Score, Rank: l.Rank, TopGifters: each(l.TopGifters, toGifter),
				MvpUserId: l.MVP, Exited: l.Exited, Proof: toProof(l.Proof),
			}
		}),
		Draw: r.Draw, WinnerLiveIds: r.Winners, SettledAt: toTimestamp(r.SettledAt),
		Teams: each(r.Teams, func(t battle.TeamResult) *battlev1.TeamResult {
			return &battlev1.TeamResult{TeamId: t.ID, LiveIds: t.LiveIDs, Score: t.Score, Rank: t.Rank, Exited: t.Exited}
		}),
		WinnerTeamIds: r.WinnerTeams,
	}
}

func fromResult(r *battlev1.BattleResult) *battle.Result {
	if r == nil {
		return nil
	}
	return &battle.Result{
		Lives: each(r.GetLives(), func(l *battlev1.LiveResult) battle.LiveResult {
			return battle.LiveResult{
				LiveID: l.GetLiveId(), UserID: l.GetUserId(), Score: l.GetScore(), Rank: l.GetRank(),
				TopGifters: each(l.GetTopGifters(), fromGifter), MVP: l.GetMvpUserId(), Exited: l.GetExited(), Proof: fromProof(l.GetProof()),
			}
		}),
		Draw: r.GetDraw(), Winners: r.GetWinnerLiveIds(), SettledAt: fromTimestamp(r.GetSettledAt()),
		Teams: each(r.GetTeams(), func(t *battlev1.TeamResult) battle.TeamResult {
			return battle.TeamResult{ID: t.GetTeamId(), LiveIDs: t.GetLiveIds(), Score: t.GetScore(), Rank: t.GetRank(), Exited: t.GetExited()}
		}),
		WinnerTeams: r.GetWinnerTeamIds(),
	}
}

func fromClosing(total int64, top []*battlev1.Gifter, proof *battlev1.ClosingProof) battle.Closing {
	return battle.Closing{Total: total, TopGifters: each(top, fromGifter), Proof: fromProof(proof)}
}

func toGifter(g battle.Gifter) *battlev1.Gifter {
	return &battlev1.Gifter{User: toUser(g.User), Points: g.Points}
}

func fromGifter(g *battlev1.Gifter) battle.Gifter {
	return battle.Gifter{User: fromUser(g.GetUser()), Points: g.GetPoints()}
}

func toProof(p battle.Proof) *battlev1.ClosingProof {
	return &battlev1.ClosingProof{
		Partition: p.Partition, OpenedSequence: p.OpenedSequence, OpenedIndex: p.OpenedIndex,
		ClosedSequence: p.ClosedSequence, ClosedIndex: p.ClosedIndex, ChainHash: p.ChainHash, Gifts: p.Gifts,
	}
}

func fromProof(p *battlev1.ClosingProof) battle.Proof {
	return battle.Proof{
		Partition: p.GetPartition(), OpenedSequence: p.GetOpenedSequence(), OpenedIndex: p.GetOpenedIndex(),
		ClosedSequence: p.GetClosedSequence(), ClosedIndex: p.GetClosedIndex(), ChainHash: p.GetChainHash(), Gifts: p.GetGifts(),
	}
}
