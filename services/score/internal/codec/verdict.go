package codec

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Verdict is what a receipt says.
func Verdict(liveID, eventID string, r score.Receipt, voided bool) *scorev1.GiftVerdict {
	v := &scorev1.GiftVerdict{
		EventId: eventID, LiveId: liveID, Verdict: scorev1.GiftVerdict_Verdict(r.Verdict), Points: r.Points,
		Reason: r.Reason.String(), Detail: detail(r, voided), Voided: voided,
		DecidedAt: timestamppb.New(time.UnixMilli(r.DecidedAt)),
	}
	if r.Opening != nil {
		v.BattleId = r.Opening.BattleID
		if r.Opening.Rules != nil {
			v.RuleSet = r.Opening.Rules.Version()
		}
	}
	return v
}

func detail(r score.Receipt, voided bool) string {
	switch {
	case voided:
		return "the battle never started, or was voided, so the points are void"
	case r.Verdict == score.Late:
		return "the live had closed for this battle when the gift was decided"
	case r.Reason == score.TooOld:
		return "the gift was sent too long ago"
	case r.Reason == score.SentAhead:
		return "sent_at is too far in the future"
	case r.Reason == score.Overflow:
		return "the score would leave the range of int64"
	default:
		return ""
	}
}

// NoBattle is the verdict for a live that is in no battle that counts gifts now.
func NoBattle(liveID, eventID string) *scorev1.GiftVerdict {
	return &scorev1.GiftVerdict{
		EventId: eventID, LiveId: liveID, Verdict: scorev1.GiftVerdict_NO_BATTLE, Detail: "the live is in no battle that counts gifts now",
	}
}

// Mismatch is the verdict for an id that is known with another payload.
func Mismatch(liveID, eventID string) *scorev1.GiftVerdict {
	return &scorev1.GiftVerdict{
		EventId: eventID, LiveId: liveID, Verdict: scorev1.GiftVerdict_DUPLICATE, Reason: "PAYLOAD_MISMATCH",
		Detail: "the event id was used before for another gift, which stands",
	}
}

// Proof names the part of a partition's log that a live's total was counted from.
func Proof(partition int, opened, closed es.Place, gifts int64) *battlev1.ClosingProof {
	return &battlev1.ClosingProof{
		Partition: int32(partition), OpenedSequence: opened.Seq, OpenedIndex: opened.Index,
		ClosedSequence: closed.Seq, ClosedIndex: closed.Index, ChainHash: closed.Chain[:], Gifts: gifts,
	}
}
