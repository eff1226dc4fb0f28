package codec

import (
	"errors"
	"fmt"
	"time"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// SnapshotVersion is that of the records of a snapshot. It changes whenever they, or what they mean, do.
const SnapshotVersion = 2

// Record is a piece of state as a snapshot holds it.
func Record(piece score.Piece) (*scorev1.Snapshot, error) {
	switch p := piece.(type) {
	case score.KeptRead:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Read{Read: &scorev1.Snapshot_Position{
			Sequence: p.Sequence, Entries: p.Entries,
		}}}, nil
	case score.KeptPart:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Part_{Part: &scorev1.Snapshot_Part{
			Window: scorev1.Snapshot_Window(p.Window), StartMs: p.Start.UnixMilli(), LastMs: p.Last.UnixMilli(), Size: uint32(p.Len),
		}}}, nil
	case score.KeptBattle:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Battle_{Battle: keptBattle(p.Battle)}}, nil
	case score.KeptPast:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Past{Past: &scorev1.Snapshot_PastBattle{
			Part: uint32(p.Part), Battle: keptBattle(p.Battle),
		}}}, nil
	case score.KeptRecent:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Recent_{Recent: &scorev1.Snapshot_Recent{
			BattleId: p.BattleID, AtMs: keptTime(p.At),
		}}}, nil
	case score.KeptLast:
		last := &scorev1.Snapshot_LastRoom{Part: uint32(p.Part), BattleId: p.BattleID, LiveId: p.LiveID}
		if p.Room != nil {
			last.Room = keptRoom(p.Room)
		}
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Last{Last: last}}, nil
	case score.KeptOpening:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Opening_{Opening: &scorev1.Snapshot_LeftOpening{
			LiveId: p.LiveID, Opening: keptOpening(p.Opening),
		}}}, nil
	case score.KeptGifts:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Gifts_{Gifts: keptGifts(p)}}, nil
	case score.KeptBoard:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Board_{Board: &scorev1.Snapshot_Board{
			Open: p.Open, Part: uint32(p.Part), BattleId: p.BattleID, LiveId: p.LiveID,
			Total: p.Tally.Total, Gifts: p.Tally.Gifts, Sequence: p.Tally.Seq, Index: p.Tally.Index,
		}}}, nil
	case score.KeptGifters:
		return &scorev1.Snapshot{Record: &scorev1.Snapshot_Gifters_{Gifters: &scorev1.Snapshot_Gifters{
			BattleId: p.BattleID, LiveId: p.LiveID, Gifters: ToGifters(p.Gifters),
		}}}, nil
	default:
		return nil, fmt.Errorf("no record for %T", piece)
	}
}

// Piece is the way back from Record; rules finds the rules of battles.
func Piece(record *scorev1.Snapshot, rules score.RuleBook) (score.Piece, error) {
	d := pieces{rules}
	switch r := record.GetRecord().(type) {
	case *scorev1.Snapshot_Read:
		return score.KeptRead{Position: score.Position{Sequence: r.Read.GetSequence(), Entries: r.Read.GetEntries()}}, nil
	case *scorev1.Snapshot_Part_:
		p := r.Part
		return score.KeptPart{
			Window: score.Window(p.GetWindow()), Start: keptMillis(p.GetStartMs()), Last: keptMillis(p.GetLastMs()), Len: int(p.GetSize()),
		}, nil
	case *scorev1.Snapshot_Battle_:
		return score.KeptBattle{Battle: d.battle(r.Battle)}, nil
	case *scorev1.Snapshot_Past:
		return score.KeptPast{Part: int(r.Past.GetPart()), Battle: d.battle(r.Past.GetBattle())}, nil
	case *scorev1.Snapshot_Recent_:
		return score.KeptRecent{BattleID: r.Recent.GetBattleId(), At: keptMillis(r.Recent.GetAtMs())}, nil
	case *scorev1.Snapshot_Last:
		last := score.KeptLast{Part: int(r.Last.GetPart()), BattleID: r.Last.GetBattleId(), LiveID: r.Last.GetLiveId()}
		if r.Last.GetRoom() != nil {
			last.Room = d.room(r.Last.GetRoom())
		}
		return last, nil
	case *scorev1.Snapshot_Opening_:
		return score.KeptOpening{LiveID: r.Opening.GetLiveId(), Opening: d.opening(r.Opening.GetOpening())}, nil
	case *scorev1.Snapshot_Gifts_:
		return giftsOf(r.Gifts)
	case *scorev1.Snapshot_Board_:
		b := r.Board
		return score.KeptBoard{
			Open: b.GetOpen(), Part: int(b.GetPart()), BattleID: b.GetBattleId(), LiveID: b.GetLiveId(),
			Tally: score.Tally{Total: b.GetTotal(), Gifts: b.GetGifts(), Seq: b.GetSequence(), Index: b.GetIndex()},
		}, nil
	case *scorev1.Snapshot_Gifters_:
		g := r.Gifters
		return score.KeptGifters{BattleID: g.GetBattleId(), LiveID: g.GetLiveId(), Gifters: fromGifters(g.GetGifters())}, nil
	default:
		return nil, fmt.Errorf("unknown record %T", record.GetRecord())
	}
}

// pieces makes pieces of records.
type pieces struct{ rules score.RuleBook }

func keptBattle(b *score.Battle) *scorev1.Snapshot_Battle {
	kept := &scorev1.Snapshot_Battle{BattleId: b.ID}
	for _, r := range b.Rooms {
		kept.Rooms = append(kept.Rooms, keptRoom(r))
	}
	return kept
}

func (d pieces) battle(b *scorev1.Snapshot_Battle) *score.Battle {
	battle := &score.Battle{ID: b.GetBattleId()}
	for _, r := range b.GetRooms() {
		battle.Rooms = append(battle.Rooms, d.room(r))
	}
	return battle
}

func keptRoom(r *score.Room) *scorev1.Snapshot_Room {
	kept := &scorev1.Snapshot_Room{
		Opening: keptOpening(r.Opening), LiveId: r.LiveID, Phase: uint32(r.Phase), CloseAtMs: keptTime(r.CloseAt),
		OpenedAt: keptPlace(r.OpenedAt), ClosedAt: keptPlace(r.ClosedAt), Started: r.Started, Plays: r.Plays, Reported: r.Reported,
		Settled: r.Settled, Total: r.Total, Gifts: r.Gifts, Rejoins: r.Rejoins,
	}
	if len(r.Top) > 0 {
		kept.Top = ToGifters(r.Top)
	}
	return kept
}

func (d pieces) room(r *scorev1.Snapshot_Room) *score.Room {
	return &score.Room{
		Opening: d.opening(r.GetOpening()), LiveID: r.GetLiveId(), Phase: score.Phase(r.GetPhase()), CloseAt: keptMillis(r.GetCloseAtMs()),
		OpenedAt: placeOf(r.GetOpenedAt()), ClosedAt: placeOf(r.GetClosedAt()), Started: r.GetStarted(), Plays: r.GetPlays(),
		Reported: r.GetReported(), Settled: r.GetSettled(), Total: r.GetTotal(), Gifts: r.GetGifts(), Top: fromGifters(r.GetTop()), Rejoins: r.GetRejoins(),
	}
}

func keptOpening(o *score.Opening) *scorev1.Snapshot_Opening {
	kept := &scorev1.Snapshot_Opening{BattleId: o.BattleID, StartsAtMs: keptTime(o.StartsAt), EndsAtMs: keptTime(o.EndsAt)}
	if o.Rules != nil {
		kept.RuleSet = o.Rules.Version()
	}
	for _, p := range o.Participants {
		kept.Participants = append(kept.Participants, &scorev1.Snapshot_Participant{LiveId: p.LiveID, Host: ToUser(p.Host)})
	}
	return kept
}

func (d pieces) opening(o *scorev1.Snapshot_Opening) *score.Opening {
	opening := &score.Opening{BattleID: o.GetBattleId(), StartsAt: keptMillis(o.GetStartsAtMs()), EndsAt: keptMillis(o.GetEndsAtMs())}
	if o.GetRuleSet() != "" {
		opening.Rules, _ = d.rules(o.GetRuleSet())
	}
	for _, p := range o.GetParticipants() {
		opening.Participants = append(opening.Participants, score.Participant{LiveID: p.GetLiveId(), Host: fromUser(p.GetHost())})
	}
	return opening
}

// keptGifts makes columns: that is much faster to write and read than a message for each gift.
func keptGifts(p score.KeptGifts) *scorev1.Snapshot_Gifts {
	type live struct{ live, battle string }
	n := len(p.Gifts)
	kept := &scorev1.Snapshot_Gifts{
		Part: uint32(p.Part), Room: make([]uint32, n), EventId: make([]string, n), PayloadHash: make([]uint64, n), Points: make([]int64, n),
		DecidedAtMs: make([]int64, n), Verdict: make([]uint32, n), Reason: make([]uint32, n),
	}
	rooms := make(map[live]uint32)
	for i, g := range p.Gifts {
		k := live{g.LiveID, g.BattleID}
		room, ok := rooms[k]
		if !ok {
			room = uint32(len(kept.Rooms))
			rooms[k] = room
			kept.Rooms = append(kept.Rooms, &scorev1.Snapshot_LiveInBattle{LiveId: k.live, BattleId: k.battle})
		}
		kept.Room[i], kept.EventId[i], kept.PayloadHash[i], kept.Points[i] = room, g.EventID, g.Receipt.Hash, g.Receipt.Points
		kept.DecidedAtMs[i], kept.Verdict[i], kept.Reason[i] = g.Receipt.DecidedAt, uint32(g.Receipt.Verdict), uint32(g.Receipt.Reason)
	}
	return kept
}

func giftsOf(p *scorev1.Snapshot_Gifts) (score.KeptGifts, error) {
	n := len(p.GetEventId())
	for _, column := range []int{
		len(p.GetRoom()), len(p.GetPayloadHash()), len(p.GetPoints()), len(p.GetDecidedAtMs()), len(p.GetVerdict()), len(p.GetReason()),
	} {
		if column != n {
			return score.KeptGifts{}, errors.New("gifts whose columns are not of one length")
		}
	}
	kept := score.KeptGifts{Part: int(p.GetPart()), Gifts: make([]score.KeptGift, n)}
	for i := range n {
		if int(p.GetRoom()[i]) >= len(p.GetRooms()) {
			return kept, errors.New("a gift of a live that is not named")
		}
		room := p.GetRooms()[p.GetRoom()[i]]
		kept.Gifts[i] = score.KeptGift{
			LiveID: room.GetLiveId(), EventID: p.GetEventId()[i], BattleID: room.GetBattleId(),
			Receipt: score.Receipt{
				Points: p.GetPoints()[i], Hash: p.GetPayloadHash()[i], DecidedAt: p.GetDecidedAtMs()[i],
				Verdict: score.Verdict(p.GetVerdict()[i]), Reason: score.Reason(p.GetReason()[i]),
			},
		}
	}
	return kept, nil
}

func keptPlace(p es.Place) *scorev1.Snapshot_Place {
	if p.Seq == 0 {
		return nil
	}
	return &scorev1.Snapshot_Place{Sequence: p.Seq, Index: p.Index, AtMs: keptTime(p.At), Chain: p.Chain[:]}
}

func placeOf(p *scorev1.Snapshot_Place) es.Place {
	if p == nil {
		return es.Place{}
	}
	place := es.Place{Seq: p.GetSequence(), Index: p.GetIndex(), At: keptMillis(p.GetAtMs())}
	copy(place.Chain[:], p.GetChain())
	return place
}

// keptTime gives 0 for no time.
func keptTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func keptMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return millis(ms)
}
