package rpcserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// leaveBattle has a connected live leave its battle before it leaves its connection. Its outcome is logged and otherwise
// ignored: battle reads the departure from our log and acts on it by itself.
func (s *Server) leaveBattle(ctx context.Context, c call, live string) {
	if s.battle == nil {
		return
	}
	if l, _ := c.p.Live(live); l.ConnectionID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.LeaveBattleTime)
	defer cancel()
	left, err := s.battle.LeaveBattle(rpc.WithCommandID(ctx, causedBy(c.id)), &battlev1.LeaveBattleRequest{LiveId: live})
	if err != nil {
		s.o.Log.Warn("battle did not let a live leave; it will when it reads the departure", "live_id", live, "error", err)
		return
	}
	if left.GetBattleId() != "" {
		s.o.Log.Debug("left the battle", "live_id", live, "battle_id", left.GetBattleId())
	}
}

// causedBy derives the id of a command from that of the one that causes it, so that a repeat of one is a repeat of the
// other.
func causedBy(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}
