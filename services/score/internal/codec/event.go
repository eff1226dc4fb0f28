// Package codec turns the score domain's events, commands and the battle service's entries into protobuf and back.
package codec

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Codec implements ledger.Codec for score's events and commands.
type Codec struct{}

// EncodeEvent implements ledger.Codec.
func (Codec) EncodeEvent(event score.Event) ([]byte, error) {
	if g, ok := event.(score.GiftDecided); ok {
		return appendGift(nil, &g), nil
	}
	entry, err := toEntry(event)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(entry)
}

// DecodeEvent implements ledger.Codec. Unknown entries are errors: a replica that does not know one must not go on.
func (Codec) DecodeEvent(b []byte) (score.Event, error) {
	entry := new(scorev1.Entry)
	if err := proto.Unmarshal(b, entry); err != nil {
		return nil, err
	}
	return fromEntry(entry)
}

func toEntry(event score.Event) (*scorev1.Entry, error) {
	switch e := event.(type) {
	case score.GiftDecided:
		return &scorev1.Entry{Entry: &scorev1.Entry_GiftDecided_{GiftDecided: &scorev1.Entry_GiftDecided{
			LiveId: e.LiveID, EventId: e.Gift.EventID, PayloadHash: e.Gift.Hash,
			Verdict: scorev1.GiftVerdict_Verdict(e.Verdict), Points: e.Points, BattleId: e.BattleID, Reason: e.Reason.String(),
			Sender: ToUser(e.Gift.Sender), GiftId: e.Gift.GiftID, Category: scorev1.GiftEvent_Category(e.Gift.Category),
			UnitValue: e.Gift.UnitValue, Count: e.Gift.Count, FixedScore: e.Gift.FixedScore, SentAtMs: e.Gift.SentAt.UnixMilli(),
		}}}, nil
	case score.BattleRead:
		return &scorev1.Entry{Entry: &scorev1.Entry_BattleRead_{BattleRead: &scorev1.Entry_BattleRead{
			Sequence: e.Sequence, Entries: e.Entries,
		}}}, nil
	case score.LiveOpened:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveOpened_{LiveOpened: &scorev1.Entry_LiveOpened{
			BattleId: e.BattleID, LiveId: e.LiveID, StartsAtMs: e.StartsAt.UnixMilli(), EndsAtMs: e.EndsAt.UnixMilli(),
			RuleSet: e.RuleSet, Participants: toParticipants(e.Participants),
		}}}, nil
	case score.BattleStarted:
		return &scorev1.Entry{Entry: &scorev1.Entry_BattleStarted_{BattleStarted: &scorev1.Entry_BattleStarted{
			BattleId: e.BattleID, LiveId: e.LiveID,
		}}}, nil
	case score.LiveExtended:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveExtended_{LiveExtended: &scorev1.Entry_LiveExtended{
			BattleId: e.BattleID, LiveId: e.LiveID, EndsAtMs: e.EndsAt.UnixMilli(),
		}}}, nil
	case score.LiveReopened:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveReopened_{LiveReopened: &scorev1.Entry_LiveReopened{
			BattleId: e.BattleID, LiveId: e.LiveID, EndsAtMs: e.EndsAt.UnixMilli(), Rejoins: e.Rejoins,
		}}}, nil
	case score.CloseScheduled:
		return &scorev1.Entry{Entry: &scorev1.Entry_CloseScheduled_{CloseScheduled: &scorev1.Entry_CloseScheduled{
			BattleId: e.BattleID, LiveId: e.LiveID, AtMs: e.At.UnixMilli(),
		}}}, nil
	case score.LiveClosed:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveClosed_{LiveClosed: &scorev1.Entry_LiveClosed{
			BattleId: e.BattleID, LiveId: e.LiveID, Total: e.Total, TopGifters: ToGifters(e.Top), Gifts: e.Gifts,
		}}}, nil
	case score.LiveTombstoned:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveTombstoned_{LiveTombstoned: &scorev1.Entry_LiveTombstoned{
			BattleId: e.BattleID, LiveId: e.LiveID, Plays: e.Plays,
		}}}, nil
	case score.LiveVoided:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveVoided_{LiveVoided: &scorev1.Entry_LiveVoided{
			BattleId: e.BattleID, LiveId: e.LiveID,
		}}}, nil
	case score.BattleSettled:
		return &scorev1.Entry{Entry: &scorev1.Entry_BattleSettled_{BattleSettled: &scorev1.Entry_BattleSettled{
			BattleId: e.BattleID, LiveId: e.LiveID,
		}}}, nil
	case score.LiveReported:
		return &scorev1.Entry{Entry: &scorev1.Entry_LiveReported_{LiveReported: &scorev1.Entry_LiveReported{
			BattleId: e.BattleID, LiveId: e.LiveID,
		}}}, nil
	default:
		return nil, fmt.Errorf("no entry for %T", event)
	}
}

func fromEntry(entry *scorev1.Entry) (score.Event, error) {
	switch e := entry.GetEntry().(type) {
	case *scorev1.Entry_GiftDecided_:
		g := e.GiftDecided
		verdict, category, reason := g.GetVerdict(), g.GetCategory(), score.ReasonOf(g.GetReason())
		if verdict < 0 || verdict > scorev1.GiftVerdict_REJECTED || category < 0 || category > scorev1.GiftEvent_LIKE || reason.String() != g.GetReason() {
			return nil, fmt.Errorf("unknown verdict %d, category %d or reason %q", verdict, category, g.GetReason())
		}
		return score.GiftDecided{
			LiveID: g.GetLiveId(), Verdict: score.Verdict(verdict), Points: g.GetPoints(), BattleID: g.GetBattleId(),
			Reason: reason,
			Gift: score.Gift{
				EventID: g.GetEventId(), Sender: fromUser(g.GetSender()), GiftID: g.GetGiftId(), Category: score.Category(category),
				UnitValue: g.GetUnitValue(), Count: g.GetCount(), FixedScore: g.GetFixedScore(), SentAt: millis(g.GetSentAtMs()),
				Hash: g.GetPayloadHash(),
			},
		}, nil
	case *scorev1.Entry_BattleRead_:
		return score.BattleRead{Position: score.Position{Sequence: e.BattleRead.GetSequence(), Entries: e.BattleRead.GetEntries()}}, nil
	case *scorev1.Entry_LiveOpened_:
		o := e.LiveOpened
		return score.LiveOpened{
			BattleID: o.GetBattleId(), LiveID: o.GetLiveId(), StartsAt: millis(o.GetStartsAtMs()), EndsAt: millis(o.GetEndsAtMs()),
			RuleSet: o.GetRuleSet(), Participants: fromParticipants(o.GetParticipants()),
		}, nil
	case *scorev1.Entry_BattleStarted_:
		return score.BattleStarted{BattleID: e.BattleStarted.GetBattleId(), LiveID: e.BattleStarted.GetLiveId()}, nil
	case *scorev1.Entry_LiveExtended_:
		x := e.LiveExtended
		return score.LiveExtended{BattleID: x.GetBattleId(), LiveID: x.GetLiveId(), EndsAt: millis(x.GetEndsAtMs())}, nil
	case *scorev1.Entry_LiveReopened_:
		x := e.LiveReopened
		return score.LiveReopened{BattleID: x.GetBattleId(), LiveID: x.GetLiveId(), EndsAt: millis(x.GetEndsAtMs()), Rejoins: x.GetRejoins()}, nil
	case *scorev1.Entry_CloseScheduled_:
		c := e.CloseScheduled
		return score.CloseScheduled{BattleID: c.GetBattleId(), LiveID: c.GetLiveId(), At: millis(c.GetAtMs())}, nil
	case *scorev1.Entry_LiveClosed_:
		c := e.LiveClosed
		return score.LiveClosed{
			BattleID: c.GetBattleId(), LiveID: c.GetLiveId(), Total: c.GetTotal(), Top: fromGifters(c.GetTopGifters()), Gifts: c.GetGifts(),
		}, nil
	case *scorev1.Entry_LiveTombstoned_:
		x := e.LiveTombstoned
		return score.LiveTombstoned{BattleID: x.GetBattleId(), LiveID: x.GetLiveId(), Plays: x.GetPlays()}, nil
	case *scorev1.Entry_LiveVoided_:
		return score.LiveVoided{BattleID: e.LiveVoided.GetBattleId(), LiveID: e.LiveVoided.GetLiveId()}, nil
	case *scorev1.Entry_BattleSettled_:
		return score.BattleSettled{BattleID: e.BattleSettled.GetBattleId(), LiveID: e.BattleSettled.GetLiveId()}, nil
	case *scorev1.Entry_LiveReported_:
		return score.LiveReported{BattleID: e.LiveReported.GetBattleId(), LiveID: e.LiveReported.GetLiveId()}, nil
	default:
		return nil, fmt.Errorf("unknown entry %T", entry.GetEntry())
	}
}

// ToUser converts a user.
func ToUser(u score.User) *userv1.User {
	return &userv1.User{UserId: u.ID, UserName: u.Name, AvatarUrl: u.AvatarURL}
}

func fromUser(u *userv1.User) score.User {
	return score.User{ID: u.GetUserId(), Name: u.GetUserName(), AvatarURL: u.GetAvatarUrl()}
}

// ToGifters converts gifters.
func ToGifters(gifters []score.Gifter) []*battlev1.Gifter {
	out := make([]*battlev1.Gifter, len(gifters))
	for i, g := range gifters {
		out[i] = &battlev1.Gifter{User: ToUser(g.User), Points: g.Points}
	}
	return out
}

func fromGifters(gifters []*battlev1.Gifter) []score.Gifter {
	var out []score.Gifter
	for _, g := range gifters {
		out = append(out, score.Gifter{User: fromUser(g.GetUser()), Points: g.GetPoints()})
	}
	return out
}

func toParticipants(participants []score.Participant) []*battlev1.Entry_Participant {
	out := make([]*battlev1.Entry_Participant, len(participants))
	for i, p := range participants {
		out[i] = &battlev1.Entry_Participant{LiveId: p.LiveID, Host: ToUser(p.Host)}
	}
	return out
}

func fromParticipants(participants []*battlev1.Entry_Participant) []score.Participant {
	var out []score.Participant
	for _, p := range participants {
		out = append(out, score.Participant{LiveID: p.GetLiveId(), Host: fromUser(p.GetHost())})
	}
	return out
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
