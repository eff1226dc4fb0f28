package partition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

var lives = []string{"a", "b", "c", "d"}

func newFold() *Partition {
	return New(Options{KeptEvents: 4, Settings: battle.Settings{
		MinDuration: time.Second, MaxDuration: time.Hour, DefaultDuration: time.Minute, DefaultTimeout: 30 * time.Second,
		MaxTimeout: 300 * time.Second, MaxTargets: 8, RequestsPerLive: 5, RequestsPerUser: 5, MaxPunishment: 10 * time.Second, MaxBestOf: 3, RoundInterval: time.Second,
		StartDelay: 300 * time.Millisecond, OpenWithin: 5 * time.Second, KeepEnded: 40 * time.Second,
	}})
}

// commit folds a group as the ledger does.
func (p *Partition) commit(g ledger.Group[battle.Event]) {
	for _, e := range g.Events {
		p.state.Evolve(e.Place, e.Event)
	}
	p.state.Commit()
	p.battles.Apply(g)
}

// history makes a partition fold random groups, and another one the same.
type history struct {
	t      *rapid.T
	whole  *Partition
	other  *Partition // may be nil
	now    time.Time
	seq    uint64
	cohost uint64
	asked  int

	connected map[string]bool
}

func (h *history) group() {
	steps := []int{0, 1, 300, 1000, 5300, 10_000, 31_000}
	wait := time.Duration(rapid.SampledFrom(steps).Draw(h.t, "ms")) * time.Millisecond
	var commands []battle.Command
	for range rapid.IntRange(1, 3).Draw(h.t, "commands") {
		commands = append(commands, h.command())
	}
	h.after(wait, commands...)
}

// after is a group of commands some time after the last one, and of what is due then.
func (h *history) after(wait time.Duration, commands ...battle.Command) {
	h.now, h.seq = h.now.Add(wait), h.seq+1
	g := ledger.Group[battle.Event]{Seq: h.seq}
	for _, command := range commands {
		for _, c := range append(h.whole.state.Due(h.now), command) {
			events, _ := h.whole.state.Decide(h.now, c)
			for _, e := range events {
				at := es.Place{Seq: h.seq, Index: uint32(len(g.Events)), At: h.now}
				h.whole.state.Evolve(at, e)
				g.Events = append(g.Events, ledger.Placed[battle.Event]{Place: at, Event: e})
			}
		}
	}
	h.whole.state.Commit()
	h.whole.battles.Apply(g)
	if h.other != nil {
		h.other.commit(g)
	}
}

// round is the first round of a series between all lives, to its end and the beginning of a punishment.
func (h *history) round() {
	h.asked++
	id := fmt.Sprint("battle", h.asked)
	h.after(0, battle.RequestBattle{BattleID: id, Inviter: lives[0], TargetLives: lives[1:], Terms: battle.Terms{
		Duration: 10 * time.Second, Mode: battle.FreeForAll, Punishment: 5 * time.Second, BestOf: 3,
	}})
	var open, closed []battle.Command
	for i, live := range lives {
		open = append(open, battle.ReportOpened{BattleID: id, LiveID: live})
		closed = append(closed, battle.ReportClosed{BattleID: id, LiveID: live, Closing: battle.Closing{Total: int64(i)}})
	}
	h.after(0, open...)
	h.after(300*time.Millisecond, battle.Advance{BattleID: id})
	h.after(10*time.Second, closed...)
}

func (h *history) command() battle.Command {
	live := rapid.SampledFrom(lives).Draw(h.t, "live")
	id := fmt.Sprint("battle", rapid.IntRange(max(h.asked-2, 0), h.asked).Draw(h.t, "battle"))
	switch rapid.IntRange(0, 13).Draw(h.t, "command") {
	case 0, 1:
		h.asked++
		return battle.RequestBattle{
			BattleID: fmt.Sprint("battle", h.asked), Inviter: live,
			TargetLives: rapid.SliceOfNDistinct(rapid.SampledFrom(lives), 1, 3, rapid.ID[string]).Draw(h.t, "targets"),
			Terms: battle.Terms{
				Duration: 10 * time.Second, NeedResponse: rapid.Bool().Draw(h.t, "ask"), Mode: battle.FreeForAll,
				Punishment: time.Duration(rapid.SampledFrom([]int{0, 5, 10}).Draw(h.t, "punishment")) * time.Second,
				BestOf:     rapid.SampledFrom([]int32{0, 3}).Draw(h.t, "best of"),
			},
		}
	case 12:
		h.asked++
		return battle.Rematch{BattleID: fmt.Sprint("battle", h.asked), Of: id, LiveID: live}
	case 13:
		return battle.LeaveBattle{LiveID: live}
	case 2:
		return battle.AcceptBattle{BattleID: id, LiveID: live}
	case 3:
		return battle.RejectBattle{BattleID: id, LiveID: live}
	case 4:
		return battle.ExitBattle{BattleID: id, LiveID: live}
	case 5, 6, 7:
		return battle.ReportOpened{BattleID: id, LiveID: live}
	case 8, 9:
		return battle.ReportClosed{BattleID: id, LiveID: live, Closing: battle.Closing{
			Total: int64(len(id)), Proof: battle.Proof{ClosedSequence: h.seq}, TopGifters: []battle.Gifter{{User: battle.User{ID: "fan"}, Points: 3}},
		}}
	default:
		return h.moved(live)
	}
}

// moved is a live that joins the connection, or leaves it.
func (h *history) moved(live string) battle.Command {
	h.cohost++
	fact := battle.ConnectionFact{ConnectionID: "x", Live: battle.Participant{LiveID: live, Host: battle.User{ID: "u" + live, Name: "Name"}}}
	if h.connected[live] = !h.connected[live]; !h.connected[live] {
		fact.Left = battle.ExitLeftConnection
	}
	return battle.ReadCohost{Sequence: h.cohost, Facts: []battle.ConnectionFact{fact}}
}

// TestSnapshot: from a snapshot at any group, taken while others are committed, and the groups after it, follows what
// follows from all groups.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, whole: newFold(), now: estest.T0, connected: map[string]bool{}}
		for range rapid.IntRange(1, 40).Draw(t, "groups before") {
			h.group()
		}
		still := h.whole.folded().Freeze()
		want := read(t, still)
		for range rapid.IntRange(0, 8).Draw(t, "groups meanwhile") {
			h.group()
		}
		if diff := cmp.Diff(want, read(t, still)); diff != "" {
			t.Fatalf("what was frozen has changed:\n%s", diff)
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
		for range rapid.IntRange(1, 25).Draw(t, "groups after") {
			h.group()
		}
		same(h)
	})
}

// TestSnapshotBetweenRounds: the end of the punishment, the next round, and who is taken by it until then, follow from a
// snapshot as from all groups.
func TestSnapshotBetweenRounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, whole: newFold(), now: estest.T0, connected: map[string]bool{}}
		for _, live := range lives {
			h.after(0, h.moved(live))
		}
		h.round()
		between := rapid.SampledFrom([]int{0, 4999, 5000, 5999, 6000}).Draw(t, "ms after the round")
		h.after(time.Duration(between)*time.Millisecond, battle.Advance{})
		lingers, _ := h.whole.battles.Get("battle1")
		if next, ok := h.whole.battles.Get("battle1-2"); lingers.Punishing() != (between < 5000) || ok != (between == 6000) || ok == lingers.Series.Awaits() {
			t.Fatalf("%d ms after the round: %+v\n%+v", between, lingers, next)
		}
		still := h.whole.folded().Freeze()
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
		for range rapid.IntRange(1, 15).Draw(t, "groups after") {
			h.group()
		}
		same(h)
	})
}

func same(h *history) {
	h.t.Helper()
	answers := func(p *Partition) (all []any) {
		all = append(all, p.state.CohostRead(), p.state.Due(h.now.Add(10*time.Second)), p.battles.Settling(h.now.Add(time.Second)))
		for i := range h.asked + 1 {
			for _, round := range []string{"", "-2", "-3"} {
				b, ok := p.battles.Get(fmt.Sprint("battle", i, round))
				all = append(all, b, ok)
			}
		}
		for _, f := range []view.Filter{{}, {Phase: battle.PhaseEnded}, {LiveID: "a"}} {
			for token, first := "", true; first || token != ""; first = false {
				l, err := view.NewListing(f, 3, token)
				if err != nil {
					h.t.Fatal(err)
				}
				for !p.battles.Step(l) {
				}
				var page []battle.Battle
				page, token = l.Page()
				all = append(all, page, token)
			}
		}
		for _, live := range lives {
			b, ok := p.battles.Current(live)
			sub, _ := p.battles.Subscribe(live, -1)
			all = append(all, b, ok, sub.After())
			for _, c := range []battle.Command{
				battle.RequestBattle{BattleID: "new", Inviter: live, TargetLives: lives, Terms: battle.Terms{Mode: battle.FreeForAll}},
				battle.LeaveBattle{LiveID: live},
				battle.AcceptBattle{BattleID: fmt.Sprint("battle", h.asked), LiveID: live},
			} {
				events, err := p.state.Decide(h.now, c)
				all = append(all, events, fmt.Sprint(err))
			}
		}
		still := p.folded().Freeze()
		all = append(all, read(h.t, still))
		for !still.Thaw() {
		}
		return all
	}
	if diff := cmp.Diff(answers(h.whole), answers(h.other)); diff != "" {
		h.t.Fatalf("(-folded +restored):\n%s", diff)
	}
}

// read gives what frozen state writes, in order, but for what has an order of its own. The list of all battles is left
// out: what the folded one has forgotten in its middle, the restored one does not have; the listings show what it holds.
func read(t *rapid.T, f ledger.Frozen) (all []string) {
	t.Helper()
	records, err := ledgertest.Records(f)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, raw := range records {
		record := new(battlev1.Snapshot)
		if err := proto.Unmarshal(raw, record); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%x", raw)
		switch {
		case record.GetEndedId() != "":
			line = fmt.Sprintf("ended %d %s", ended, record.GetEndedId())
			ended++
		case record.GetListed() != nil:
			continue // the listings tell
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// TestSnapshotKnowsAllFields: whoever adds state says here how a snapshot has it.
func TestSnapshotKnowsAllFields(t *testing.T) {
	t.Parallel()
	for _, known := range []struct{ got, want []string }{
		{ledgertest.Fields[battle.State](), []string{
			"settings",
			"cohostRead", "connected", "connections", "sessions", "open", // records
			"holds", "punished", "timers", // follow from the open battles
			"ended", "requests",
		}},
		{ledgertest.Fields[view.Battles](), []string{
			"keep",
			"byID", "byLive", // follow from all
			"all", "ended", "settling", // their order; the battles are those of the state
			"hub",  // its numbers
			"told", // a projector's
		}},
		{ledgertest.Fields[Partition](), []string{"o", "state", "battles", "running"}},
	} {
		if diff := cmp.Diff(known.want, known.got); diff != "" {
			t.Errorf("(-known +there):\n%s", diff)
		}
	}
}
