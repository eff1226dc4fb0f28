// Package gift turns the gift events that come in at any door into well-formed gifts, or says what is wrong with them.
// It is the only such place: gRPC, NATS and commands forwarded between replicas all pass it.
package gift

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Bounds of a gift event and of a call.
const (
	MaxValue = 1_000_000_000_000
	MaxCount = 1_000_000
	MaxGifts = 500
)

// Gift is a well-formed gift with the live that receives it.
type Gift struct {
	LiveID string
	score.Gift
}

// ParseAll parses the gifts of a call: all of them, or none and a *es.Refusal that names the first malformed field, like
// gifts[3].sent_at.
func ParseAll(events []*scorev1.GiftEvent) ([]Gift, error) {
	if len(events) == 0 || len(events) > MaxGifts {
		return nil, es.Invalid("gifts", "must have 1 to %d gifts, has %d", MaxGifts, len(events))
	}
	gifts := make([]Gift, len(events))
	for i, e := range events {
		g, err := Parse(e)
		if err != nil {
			return nil, within(fmt.Sprintf("gifts[%d]", i), err)
		}
		gifts[i] = g
	}
	return gifts, nil
}

// within puts a field name before that of a refusal.
func within(field string, err error) error {
	var r *es.Refusal
	if !errors.As(err, &r) {
		return err
	}
	inner := *r
	inner.Field = strings.TrimSuffix(field+"."+r.Field, ".")
	return &inner
}

// Parse parses one gift event. The error is a *es.Refusal that names the malformed field.
func Parse(e *scorev1.GiftEvent) (Gift, error) {
	g := Gift{LiveID: e.GetLiveId(), Gift: score.Gift{
		EventID:    e.GetEventId(),
		Sender:     score.User{ID: e.GetSender().GetUserId(), Name: e.GetSender().GetUserName(), AvatarURL: e.GetSender().GetAvatarUrl()},
		GiftID:     e.GetGiftId(),
		UnitValue:  e.GetUnitValue(),
		Count:      max(e.GetCount(), 1),
		FixedScore: e.GetFixedScore(),
	}}
	if err := ids.Event("event_id", g.EventID); err != nil {
		return g, err
	}
	if err := ids.Live("live_id", g.LiveID); err != nil {
		return g, err
	}
	if err := checkSender(e.GetSender()); err != nil {
		return g, err
	}
	if err := ids.Event("gift_id", g.GiftID); err != nil {
		return g, err
	}
	if c := e.GetCategory(); c <= scorev1.GiftEvent_CATEGORY_UNSPECIFIED || c > scorev1.GiftEvent_LIKE {
		return g, es.Invalid("category", "must be BASIC, INTERMEDIATE, ADVANCED, SPECIAL or LIKE")
	}
	g.Category = score.Category(e.GetCategory())
	special := g.Category == score.Special
	switch {
	case g.UnitValue < 0 || g.UnitValue > MaxValue:
		return g, es.Invalid("unit_value", "must be 0 to %d, is %d", MaxValue, g.UnitValue)
	case g.UnitValue == 0 && !special:
		return g, es.Invalid("unit_value", "must be at least 1 unless the category is SPECIAL")
	case e.GetCount() < 0 || e.GetCount() > MaxCount:
		return g, es.Invalid("count", "must be 1 to %d, or 0 for 1, is %d", MaxCount, e.GetCount())
	case special && (g.FixedScore < 1 || g.FixedScore > MaxValue):
		return g, es.Invalid("fixed_score", "must be 1 to %d for the category SPECIAL, is %d", MaxValue, g.FixedScore)
	case !special && g.FixedScore != 0:
		return g, es.Invalid("fixed_score", "is for the category SPECIAL alone")
	case e.GetSentAt() == nil:
		return g, es.Invalid("sent_at", "is required")
	}
	if err := e.GetSentAt().CheckValid(); err != nil {
		return g, es.Invalid("sent_at", "%s", err)
	}
	g.SentAt = e.GetSentAt().AsTime().Truncate(time.Millisecond)
	g.Hash = hash(&g)
	return g, nil
}

// hash is the first 8 bytes of the SHA-256 of the gift's canonical bytes: all that makes it this gift. What is only
// shown, the sender's name and picture, may differ from one repeat to the next.
func hash(g *Gift) uint64 {
	var buffer [512]byte
	b := buffer[:0]
	for _, s := range [...]string{g.LiveID, g.EventID, g.Sender.ID, g.GiftID} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	for _, n := range [...]int64{int64(g.Category), g.UnitValue, g.Count, g.FixedScore, g.SentAt.UnixMilli()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}
