package codec

import (
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Battle returns the message that tells callers of a battle as it is at `now`.
func Battle(b battle.Battle, now time.Time) *battlev1.Battle {
	return &battlev1.Battle{
		BattleId:      b.ID,
		ConnectionId:  b.ConnectionID,
		Config:        toTerms(b.Terms),
		InviterLiveId: b.Inviter().LiveID,
		Users:         each(b.Members, User),
		Status:        battlev1.Battle_Status(b.Phase),
		RequestedAt:   toTimestamp(b.RequestedAt),
		ExpiresAt:     toTimestamp(b.ExpiresAt),
		StartsAt:      toTimestamp(b.StartsAt),
		EndsAt:        toTimestamp(b.EndsAt),
		EndedAt:       toTimestamp(b.EndedAt),
		EndReason:     battlev1.Battle_EndReason(b.Reason),
		Result:        Result(b.Result),
		ServerNow:     toTimestamp(now),
		RuleSet:       b.RuleSet,
		Proposals:     each(b.Proposals, Proposal),

		PunishmentEndsAt: toTimestamp(b.PunishmentEndsAt),
		Series:           series(b.Series),
		RematchOf:        b.RematchOf,
	}
}

// Proposal returns the message that tells callers of a proposal.
func Proposal(p battle.Proposal) *battlev1.Proposal {
	return &battlev1.Proposal{
		Kind: battlev1.Proposal_Kind(p.Kind), ExtendSeconds: Seconds(p.By), LiveId: p.LiveID, Reason: p.Reason,
		ConsentedLiveIds: p.Consented, ExpiresAt: toTimestamp(p.ExpiresAt),
	}
}

// Seconds returns a length of whole seconds that the decider has bounded.
func Seconds(d time.Duration) int32 {
	return int32(d / time.Second) //nolint:gosec // a day at most
}

// User returns the message that tells callers of a live in a battle.
func User(m battle.Member) *battlev1.BattleUser {
	u := &battlev1.BattleUser{
		LiveId: m.LiveID, UserId: m.Host.ID, UserName: m.Host.Name, AvatarUrl: m.Host.Avatar, State: battlev1.BattleUser_State(m.State),
		TeamId: m.Team,
	}
	if m.Closing != nil {
		u.Score = m.Closing.Total
	}
	return u
}
