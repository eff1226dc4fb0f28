package partition

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

var lives = []string{"l1", "l2"}

// newFold makes a partition that forgets gifts and boards in the time of a test.
func newFold() *Partition {
	return newPartition(Config{Settings: score.Settings{
		Partitions: 1, MaxAge: time.Second, MaxAhead: time.Second, LateWindow: 10 * time.Second, MaxIDs: 1000, KeepBoards: 20 * time.Second,
		Rules: rules.Book,
	}}, newHub())
}

// commit folds a group as the ledger does.
func (p *Partition) commit(g ledger.Group[score.Event]) {
	for _, e := range g.Events {
		p.state.Evolve(e.Place, e.Event)
	}
	p.state.Commit()
	p.committed(g)
}

// history makes a partition fold random groups, and another one the same.
type history struct {
	t     *rapid.T
	whole *Partition
	other *Partition // may be nil
	now   time.Time
	seq   uint64
	read  uint64
}

func (h *history) group() {
	steps := []int{0, 10, 900, 3000, 20_000, 90_000}
	h.now, h.seq = h.now.Add(time.Duration(rapid.SampledFrom(steps).Draw(h.t, "ms"))*time.Millisecond), h.seq+1
	g := ledger.Group[score.Event]{Seq: h.seq}
	for range rapid.IntRange(1, 4).Draw(h.t, "commands") {
		for _, c := range append(h.whole.state.Due(h.now), h.command()) {
			events, _ := h.whole.state.Decide(h.now, c)
			for _, e := range events {
				at := es.Place{Seq: h.seq, Index: uint32(len(g.Events)), At: h.now, Chain: [32]byte{byte(h.seq)}}
				h.whole.state.Evolve(at, e)
				g.Events = append(g.Events, ledger.Placed[score.Event]{Place: at, Event: e})
			}
		}
	}
	h.whole.state.Commit()
	h.whole.committed(g)
	if h.other != nil {
		h.other.commit(g)
	}
}

func (h *history) command() score.Command {
	live := rapid.SampledFrom(lives).Draw(h.t, "live")
	if rapid.IntRange(0, 2).Draw(h.t, "gift or not") > 0 {
		sent := h.now.Add(-time.Duration(rapid.IntRange(0, 1100).Draw(h.t, "age")) * time.Millisecond)
		return score.CountGifts{LiveID: live, Gifts: []score.Gift{{
			EventID: fmt.Sprint("e", rapid.IntRange(0, 200).Draw(h.t, "event")), Category: score.Basic, UnitValue: 2, Count: 1, SentAt: sent,
			Sender: score.User{ID: fmt.Sprint("u", rapid.IntRange(0, 15).Draw(h.t, "user")), Name: "Name"}, Hash: 7,
		}}}
	}
	h.read++
	battle := fmt.Sprint("b", rapid.IntRange(0, 12).Draw(h.t, "battle"))
	ends := h.now.Add(time.Duration(rapid.IntRange(1, 30).Draw(h.t, "s")) * time.Second)
	fact := rapid.SampledFrom([]score.Fact{
		score.BattleStarting{BattleID: battle, StartsAt: h.now, EndsAt: ends, RuleSet: rules.Default, Participants: []score.Participant{
			{LiveID: "l1", Host: score.User{ID: "h1"}}, {LiveID: "l2", Host: score.User{ID: "h2"}},
		}},
		score.BattleStarting{BattleID: battle, StartsAt: h.now, EndsAt: ends, RuleSet: rules.Default, Participants: []score.Participant{{LiveID: live}}},
		score.BattleRuns{BattleID: battle},
		score.UserExited{BattleID: battle, LiveID: live},
		score.UserRejoined{BattleID: battle, LiveID: live, EndsAt: ends, Rejoins: 1},
		score.BattleExtended{BattleID: battle, EndsAt: ends},
		score.TotalRecorded{BattleID: battle, LiveID: live},
		score.BattleEnding{BattleID: battle, TimeOver: true},
		score.BattleEnding{BattleID: battle},
		score.BattleEnded{BattleID: battle, Settled: true},
		score.BattleEnded{BattleID: battle},
	}).Draw(h.t, "fact")
	return score.ReadBattle{Position: score.Position{Sequence: h.read}, Facts: []score.Fact{fact}}
}

// TestSnapshot: from a snapshot at any group, taken while others are committed, and the groups after it, follows what
// follows from all groups.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, whole: newFold(), now: estest.T0}
		for range rapid.IntRange(1, 40).Draw(t, "groups before") {
			h.group()
		}
		still := h.whole.folded().Freeze()
		want := read(t, still)
		for range rapid.IntRange(0, 8).Draw(t, "groups meanwhile") {
			h.group()
		}
		if got := read(t, still); !slices.Equal(got, want) {
			t.Fatalf("what was frozen has changed:\n%q\n%q", want, got)
		}
		for !still.Thaw() {
		}
		still = h.whole.folded().Freeze()
		h.other = newFold()
		records, err := ledgertest.Records(still)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledgertest.Restore(h.other.folded(), records); err != nil {
			t.Fatal(err)
		}
		for !still.Thaw() {
		}
		same(h)
		shared(h)
		for range rapid.IntRange(1, 25).Draw(t, "groups after") {
			h.group()
		}
		same(h)
	})
}

func same(h *history) {
	h.t.Helper()
	answers := func(p *Partition) (all []any) {
		s := p.state
		all = append(all, p.at, s.Read(), s.IDs(), s.Due(h.now.Add(10*time.Second)))
		for b := range s.Recent() {
			all = append(all, b.ID)
		}
		for i := range 13 {
			id := fmt.Sprint("b", i)
			all = append(all, s.Pending(id))
			for _, live := range lives {
				if r := s.Battle(id).Room(live); r != nil {
					gifters := slices.Collect(s.Gifters(r))
					slices.SortFunc(gifters, func(a, b score.Gifter) int { return slices.Compare([]byte(a.User.ID), []byte(b.User.ID)) })
					all = append(all, r.Host(), r.OwesTotal(), r.OpenedAt, r.ClosedAt, s.Tally(r), gifters)
					closing, open := s.Closing(id, live)
					all = append(all, closing, open)
				}
			}
		}
		for _, live := range lives {
			for i := range 201 {
				r, ok := s.Gift(live, fmt.Sprint("e", i))
				all = append(all, r.Points, r.Hash, r.DecidedAt, r.Verdict, r.Reason, ok)
				if r.Opening != nil { // of its times a receipt says nothing, and they change while the battle runs
					all = append(all, r.Opening.BattleID, r.Opening.Rules)
				}
			}
			for _, c := range []score.Command{
				score.CountGifts{LiveID: live, Gifts: []score.Gift{{EventID: "new", Category: score.Basic, UnitValue: 1, Count: 1, SentAt: h.now}}},
				score.ReadBattle{Position: score.Position{Sequence: h.read + 1}, Facts: []score.Fact{score.BattleEnding{BattleID: "b1"}}},
				score.Advance{LiveID: live},
			} {
				events, err := s.Decide(h.now, c)
				all = append(all, events, fmt.Sprint(err))
			}
		}
		still := p.folded().Freeze()
		all = append(all, read(h.t, still))
		for !still.Thaw() {
		}
		return all
	}
	whole, other := answers(h.whole), answers(h.other)
	for i := range min(len(whole), len(other)) {
		if !reflect.DeepEqual(whole[i], other[i]) {
			h.t.Fatalf("answer %d:\nfolded   %+v\nrestored %+v", i, whole[i], other[i])
		}
	}
	if len(whole) != len(other) {
		h.t.Fatalf("%d answers, restored %d", len(whole), len(other))
	}
}

// shared makes sure that gifts and rooms of a restored partition share one opening: else it takes many times the memory.
func shared(h *history) {
	h.t.Helper()
	for _, live := range lives {
		r := h.other.state.Current(live)
		if r == nil {
			continue
		}
		if b := h.other.state.Battle(r.BattleID); b != nil && b.Room(live) != r {
			h.t.Fatalf("the room of %s is not its battle's", live)
		}
		for i := range 201 {
			if g, ok := h.other.state.Gift(live, fmt.Sprint("e", i)); ok && g.Opening != nil && g.Opening.BattleID == r.BattleID && g.Opening != r.Opening {
				h.t.Fatalf("gift e%d of %s has an opening of its own", i, live)
			}
		}
	}
}

// read gives what frozen state writes, in order, but for what has an order of its own, and gifts and gifters one by one.
func read(t *rapid.T, f ledger.Frozen) (all []string) {
	t.Helper()
	records, err := ledgertest.Records(f)
	if err != nil {
		t.Fatal(err)
	}
	recent := 0
	for _, raw := range records {
		record := new(scorev1.Snapshot)
		if err := proto.Unmarshal(raw, record); err != nil {
			t.Fatal(err)
		}
		switch r := record.GetRecord().(type) {
		case *scorev1.Snapshot_Gifts_:
			g := r.Gifts
			for i, id := range g.GetEventId() {
				room := g.GetRooms()[g.GetRoom()[i]]
				all = append(all, fmt.Sprint("gift ", g.GetPart(), room.GetLiveId(), " ", room.GetBattleId(), " ", id, g.GetPayloadHash()[i],
					g.GetPoints()[i], g.GetDecidedAtMs()[i], g.GetVerdict()[i], g.GetReason()[i]))
			}
		case *scorev1.Snapshot_Gifters_:
			for _, g := range r.Gifters.GetGifters() {
				all = append(all, fmt.Sprint("gifter ", r.Gifters.GetBattleId(), " ", r.Gifters.GetLiveId(), " ", g.GetUser().GetUserId(), g.GetUser().GetUserName(), g.GetPoints()))
			}
		case *scorev1.Snapshot_Recent_:
			recent++
			all = append(all, fmt.Sprintf("recent %03d %x", recent, raw))
		default:
			all = append(all, fmt.Sprintf("%x", raw))
		}
	}
	slices.Sort(all)
	return all
}

// TestSnapshotKnowsAllFields: whoever adds state says here how a snapshot has it.
func TestSnapshotKnowsAllFields(t *testing.T) {
	t.Parallel()
	for _, known := range []struct{ got, want []string }{
		{ledgertest.Fields[score.State](), []string{
			"set",
			"read", "battles", "past", // records
			"open",            // the battles' rooms that are open
			"last",            // records
			"closes",          // follow from open rooms
			"gifts", "boards", // records
			"recent",
			"touched", "frozen", // of the moment
		}},
		{ledgertest.Fields[Partition](), []string{
			"cfg", "parked", "hub", "effects", "mu", "ledger", "feed", "fault", // not folded
			"state", "at", // records
		}},
		{ledgertest.Fields[score.Room](), []string{
			"Opening", "LiveID", "Phase", "CloseAt", "OpenedAt", "ClosedAt", "Started", "Plays", "Reported", "Settled", "Total", "Gifts", "Top", "Rejoins",
			"board", // records of its own
		}},
		{ledgertest.Fields[score.Tally](), []string{"Total", "Gifts", "Seq", "Index", "gifters"}}, // the last is counted
	} {
		if !slices.Equal(known.want, known.got) {
			t.Errorf("known %q\nthere %q", known.want, known.got)
		}
	}
}
