package codec

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/gift"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// EncodeCommand implements ledger.Codec.
func (Codec) EncodeCommand(command score.Command) ([]byte, error) {
	var c scorev1.Command
	switch x := command.(type) {
	case score.CountGifts:
		count := &scorev1.Command_CountGifts{LiveId: x.LiveID, Fresh: x.Fresh}
		for _, g := range x.Gifts {
			count.Gifts = append(count.Gifts, toGiftEvent(x.LiveID, g))
		}
		c.Command = &scorev1.Command_CountGifts_{CountGifts: count}
	case score.ReadBattle:
		read := &scorev1.Command_ReadBattle{Sequence: x.Sequence, Until: x.Entries}
		for _, f := range x.Facts {
			entry, err := fromFact(f)
			if err != nil {
				return nil, err
			}
			read.Entries = append(read.Entries, entry)
		}
		c.Command = &scorev1.Command_ReadBattle_{ReadBattle: read}
	case score.Advance:
		c.Command = &scorev1.Command_Advance_{Advance: &scorev1.Command_Advance{LiveId: x.LiveID}}
	default:
		return nil, fmt.Errorf("no command for %T", command)
	}
	return proto.Marshal(&c)
}

// DecodeCommand implements ledger.Codec.
func (Codec) DecodeCommand(b []byte) (score.Command, error) {
	c := new(scorev1.Command)
	if err := proto.Unmarshal(b, c); err != nil {
		return nil, err
	}
	switch x := c.GetCommand().(type) {
	case *scorev1.Command_CountGifts_:
		count := score.CountGifts{LiveID: x.CountGifts.GetLiveId(), Fresh: x.CountGifts.GetFresh()}
		for _, e := range x.CountGifts.GetGifts() {
			g, err := gift.Parse(e)
			if err != nil {
				return nil, err
			}
			if g.LiveID != count.LiveID {
				return nil, fmt.Errorf("a gift for %q among those for %q", g.LiveID, count.LiveID)
			}
			count.Gifts = append(count.Gifts, g.Gift)
		}
		return count, nil
	case *scorev1.Command_ReadBattle_:
		read := score.ReadBattle{Position: score.Position{Sequence: x.ReadBattle.GetSequence(), Entries: x.ReadBattle.GetUntil()}}
		for _, e := range x.ReadBattle.GetEntries() {
			fact, err := ToFact(e)
			if err != nil {
				return nil, err
			}
			if fact != nil {
				read.Facts = append(read.Facts, fact)
			}
		}
		return read, nil
	case *scorev1.Command_Advance_:
		return score.Advance{LiveID: x.Advance.GetLiveId()}, nil
	default:
		return nil, fmt.Errorf("unknown command %T", c.GetCommand())
	}
}

func toGiftEvent(liveID string, g score.Gift) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: g.EventID, LiveId: liveID, Sender: ToUser(g.Sender), GiftId: g.GiftID,
		Category: scorev1.GiftEvent_Category(g.Category), UnitValue: g.UnitValue, Count: g.Count, FixedScore: g.FixedScore,
		SentAt: timestamppb.New(g.SentAt),
	}
}
