package codec

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Field numbers of Entry, Entry.GiftDecided and User in the protobuf files; gift_test.go compares with the generated code.
const (
	entryGiftDecided = 1

	giftLiveID      = 1
	giftEventID     = 2
	giftPayloadHash = 3
	giftVerdict     = 4
	giftPoints      = 5
	giftBattleID    = 6
	giftReason      = 7
	giftSender      = 8
	giftGiftID      = 9
	giftCategory    = 10
	giftUnitValue   = 11
	giftCount       = 12
	giftFixedScore  = 13
	giftSentAtMs    = 14

	userID        = 1
	userName      = 2
	userAvatarURL = 3
)

// appendGift encodes a GiftDecided as toEntry and proto.Marshal would, in a fifth of the time: there is one for every
// gift.
func appendGift(b []byte, d *score.GiftDecided) []byte {
	g := &d.Gift
	reason := d.Reason.String()
	user := sizeString(userID, g.Sender.ID) + sizeString(userName, g.Sender.Name) + sizeString(userAvatarURL, g.Sender.AvatarURL)
	size := sizeString(giftLiveID, d.LiveID) + sizeString(giftEventID, g.EventID) +
		sizeInt(giftVerdict, int64(d.Verdict)) + sizeInt(giftPoints, d.Points) + sizeString(giftBattleID, d.BattleID) +
		sizeString(giftReason, reason) + protowire.SizeTag(giftSender) + protowire.SizeBytes(user) +
		sizeString(giftGiftID, g.GiftID) + sizeInt(giftCategory, int64(g.Category)) + sizeInt(giftUnitValue, g.UnitValue) +
		sizeInt(giftCount, g.Count) + sizeInt(giftFixedScore, g.FixedScore) + sizeInt(giftSentAtMs, g.SentAt.UnixMilli())
	if g.Hash != 0 {
		size += protowire.SizeTag(giftPayloadHash) + protowire.SizeFixed64()
	}
	if b == nil {
		b = make([]byte, 0, protowire.SizeTag(entryGiftDecided)+protowire.SizeBytes(size))
	}
	b = protowire.AppendTag(b, entryGiftDecided, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	b = appendString(b, giftLiveID, d.LiveID)
	b = appendString(b, giftEventID, g.EventID)
	if g.Hash != 0 {
		b = protowire.AppendTag(b, giftPayloadHash, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, g.Hash)
	}
	b = appendInt(b, giftVerdict, int64(d.Verdict))
	b = appendInt(b, giftPoints, d.Points)
	b = appendString(b, giftBattleID, d.BattleID)
	b = appendString(b, giftReason, reason)
	b = protowire.AppendTag(b, giftSender, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(user))
	b = appendString(b, userID, g.Sender.ID)
	b = appendString(b, userName, g.Sender.Name)
	b = appendString(b, userAvatarURL, g.Sender.AvatarURL)
	b = appendString(b, giftGiftID, g.GiftID)
	b = appendInt(b, giftCategory, int64(g.Category))
	b = appendInt(b, giftUnitValue, g.UnitValue)
	b = appendInt(b, giftCount, g.Count)
	b = appendInt(b, giftFixedScore, g.FixedScore)
	return appendInt(b, giftSentAtMs, g.SentAt.UnixMilli())
}

func sizeString(field protowire.Number, s string) int {
	if s == "" {
		return 0
	}
	return protowire.SizeTag(field) + protowire.SizeBytes(len(s))
}

func sizeInt(field protowire.Number, n int64) int {
	if n == 0 {
		return 0
	}
	return protowire.SizeTag(field) + protowire.SizeVarint(uint64(n))
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendInt(b []byte, field protowire.Number, n int64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(n))
}
