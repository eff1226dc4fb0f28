package rpcserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// LetLostLeave has a live whose host is lost leave its battle; see partition.Options.
func (s *Server) LetLostLeave(ctx context.Context, cause, live string) {
	s.leaveBattle(ctx, causedBy(cause), &battlev1.LeaveBattleRequest{LiveId: live, Reason: battlev1.UserExitBattle_LOST})
}

// leaveBattle has a connected live leave its battle before it leaves its connection. Its outcome is logged and otherwise
// ignored: battle reads the departure from our log and acts on it by itself.
func (s *Server) leaveBattle(ctx context.Context, id string, r *battlev1.LeaveBattleRequest) {
	if s.battle == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.LeaveBattleTime)
	defer cancel()
	left, err := s.battle.LeaveBattle(rpc.WithCommandID(ctx, id), r)
	if err != nil {
		s.o.Log.Warn("battle did not let a live leave; it will when it reads the departure", "live_id", r.GetLiveId(), "error", err)
		return
	}
	if left.GetBattleId() != "" {
		s.o.Log.Debug("left the battle", "live_id", r.GetLiveId(), "battle_id", left.GetBattleId())
	}
}

// causedBy derives the id of a command from that of the one that causes it, so that a repeat of one is a repeat of the
// other.
func causedBy(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}
