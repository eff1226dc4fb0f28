package battle_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// world runs random commands against a machine and checks after every decision what must always hold. It folds the events
// a second time by itself, as a reader of the log would.
type world struct {
	t       *rapid.T
	machine *battle.State
	now     time.Time
	seq     uint64

	connection map[string]string // by live
	cohostRead uint64
	battles    map[string]battle.Battle
	started    map[string]bool
	settled    map[string]int
	requests   int
	proposals  map[string]map[battle.Subject]*consent // by battle
	deciding   battle.Command
}

func newWorld(t *rapid.T) *world {
	return &world{
		t: t, machine: battle.New(settings()), now: t0,
		connection: map[string]string{}, battles: map[string]battle.Battle{}, started: map[string]bool{}, settled: map[string]int{},
		proposals: map[string]map[battle.Subject]*consent{},
	}
}

// do decides a command, maybe loses the group once, and folds it.
func (w *world) do(c battle.Command) error {
	events, err := w.machine.Decide(w.now, c)
	if rapid.IntRange(0, 9).Draw(w.t, "lost") == 0 {
		w.evolve(events)
		w.machine.Discard()
		again, errAgain := w.machine.Decide(w.now, c)
		if !cmp.Equal(events, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			w.t.Fatalf("%T after a lost group: %v %v, was %v %v", c, again, errAgain, events, err)
		}
	}
	if err != nil {
		return err
	}
	w.evolve(events)
	w.machine.Commit()
	w.deciding = c
	for _, e := range events {
		w.fold(e)
	}
	w.check()
	return nil
}

func (w *world) evolve(events []battle.Event) {
	for i, e := range events {
		w.machine.Evolve(es.Place{Seq: w.seq + 1, Index: uint32(i), At: w.now}, e)
	}
}

func (w *world) fold(event battle.Event) {
	switch e := event.(type) {
	case battle.CohostRead:
		if e.Sequence <= w.cohostRead {
			w.t.Fatalf("group %d read again", e.Sequence)
		}
		w.cohostRead = e.Sequence
	case battle.ConnectionJoined:
		w.connection[e.Live.LiveID] = e.ConnectionID
	case battle.ConnectionLeft:
		delete(w.connection, e.LiveID)
	default:
		id := battle.BattleOf(event)
		b, known := w.battles[id]
		if _, isRequest := event.(battle.BattleRequested); isRequest == known {
			w.t.Fatalf("%T for battle %s, known: %v", event, id, known)
		}
		if known && !b.Open() && !b.Lingers() {
			w.t.Fatalf("%T after the end of battle %s", event, id)
		}
		next := b.After(w.now, event)
		if next.Phase < b.Phase {
			w.t.Fatalf("%T put battle %s back from phase %d to %d", event, id, b.Phase, next.Phase)
		}
		w.foldProposal(b, event)
		w.battles[id] = next
		w.foldEnd(id, event)
		w.foldSeries(b, next, event)
	}
}

func (w *world) foldEnd(id string, event battle.Event) {
	switch e := event.(type) {
	case battle.BattleStarted:
		w.started[id] = true
	case battle.BattleEnding:
		if e.Reason == battle.EndTimeOver && w.now.Before(e.EndsAt) {
			w.t.Fatalf("battle %s: its time is over %s too early", id, e.EndsAt.Sub(w.now))
		}
	case battle.BattleEnded:
		if (e.Result != nil) != (w.started[id] && e.Reason != battle.EndVoided) {
			w.t.Fatalf("battle %s: started %v, result %v", id, w.started[id], e.Result)
		}
		w.settled[id]++
		if e.Result != nil {
			w.checkResult(*e.Result)
			w.checkTeams(w.battles[id], *e.Result)
		}
	}
}

func (w *world) checkResult(r battle.Result) {
	best := len(r.Winners)
	if len(r.Teams) > 0 {
		best = len(r.WinnerTeams)
	}
	if len(r.Winners) == 0 || r.Draw != (best > 1) || r.Lives[0].Exited {
		w.t.Fatalf("winners of %+v", r)
	}
	for i, l := range r.Lives[1:] {
		if before := r.Lives[i]; before.Rank > l.Rank || !before.Exited && !l.Exited && before.Score < l.Score || before.Exited && !l.Exited {
			w.t.Fatalf("order of %+v", r)
		}
	}
}

func (w *world) check() {
	holder := map[string]string{}
	for id, b := range w.battles {
		sides := map[string]bool{}
		for _, m := range b.Members {
			if !b.Holds(m) {
				continue
			}
			sides[sideOf(b, m.LiveID)] = true
			if other, taken := holder[m.LiveID]; taken {
				w.t.Fatalf("live %s is in battles %s and %s", m.LiveID, other, id)
			}
			holder[m.LiveID] = id
			if b.Phase != battle.PhaseSettling && w.connection[m.LiveID] != b.ConnectionID {
				w.t.Fatalf("live %s is in battle %s of connection %s, and in connection %q", m.LiveID, id, b.ConnectionID, w.connection[m.LiveID])
			}
		}
		if (b.Open() && b.Phase != battle.PhaseSettling || b.Series.Awaits()) && len(sides) < 2 {
			w.t.Fatalf("battle %s in phase %d goes on with %d sides", id, b.Phase, len(sides))
		}
		if len(b.Proposals) != len(w.proposals[id]) {
			w.t.Fatalf("battle %s in phase %d has proposals %+v, open are %v", id, b.Phase, b.Proposals, w.proposals[id])
		}
	}
}

// due decides what is due, as the ledger does: again and again until nothing is.
func (w *world) due() {
	for range 100 {
		due := w.machine.Due(w.now)
		if len(due) == 0 {
			return
		}
		for _, c := range due {
			if err := w.do(c); err != nil {
				w.t.Fatalf("%#v: %v", c, err)
			}
		}
	}
	w.t.Fatalf("something stays due for ever: %v", w.machine.Due(w.now))
}

// quiet lets time pass and all reports come, after which every battle and every series has ended, once.
func (w *world) quiet() {
	for round := range 3 * 5 { // of the longest series
		for id, b := range w.battles {
			for _, m := range b.Members {
				_ = w.do(battle.ReportOpened{BattleID: id, LiveID: m.LiveID})
			}
		}
		w.now = w.now.Add(2 * time.Hour)
		w.due()
		for id, b := range w.battles {
			if round > 0 && b.Open() && b.Phase != battle.PhaseSettling && b.Series.Round < 2 {
				w.t.Fatalf("battle %s is in phase %d after all its deadlines", id, b.Phase)
			}
		}
		for id, b := range w.battles {
			for _, m := range b.Members {
				_ = w.do(battle.ReportClosed{BattleID: id, LiveID: m.LiveID, Closing: battle.Closing{Total: total(id, m.LiveID)}})
			}
		}
	}
	for id, b := range w.battles {
		if b.Open() || w.settled[id] != 1 {
			w.t.Fatalf("battle %s in phase %d has ended %d times", id, b.Phase, w.settled[id])
		}
	}
	if next, ok := w.machine.NextDue(); ok {
		w.t.Fatalf("a timer is left at %s", next)
	}
	for _, n := range names {
		err := w.do(battle.RequestBattle{BattleID: "free", Inviter: n, TargetLives: []string{"nobody"}})
		if reason := reasonOf(err); reason != battle.ReasonNoValidTarget && reason != battle.ReasonConnectionNotFound {
			w.t.Fatalf("live %s is stuck: %v", n, err)
		}
	}
}

// total of a live, the same whenever it is asked for; ties are common.
func total(battleID, liveID string) int64 { return int64(len(battleID)*7+int(liveID[0])*5) % 4 }

var names = []string{"a", "b", "c", "d", "e"}

// cohost moves a live between connections, as the cohost service would: of two members either exit dissolves.
func (w *world) cohost() {
	name := rapid.SampledFrom(names).Draw(w.t, "live")
	c := battle.ReadCohost{Sequence: w.cohostRead + uint64(rapid.IntRange(0, 2).Draw(w.t, "sequence"))}
	if from, ok := w.connection[name]; ok {
		leave := func(n string, reason battle.ExitReason) {
			c.Facts = append(c.Facts, battle.ConnectionFact{ConnectionID: from, Live: battle.Participant{LiveID: n}, Left: reason})
		}
		leave(name, battle.ExitReason(rapid.IntRange(2, 4).Draw(w.t, "reason")))
		var rest []string
		for _, n := range names {
			if n != name && w.connection[n] == from {
				rest = append(rest, n)
			}
		}
		if len(rest) == 1 {
			leave(rest[0], battle.ExitLeftConnection)
		}
	} else {
		c.Facts = []battle.ConnectionFact{{ConnectionID: rapid.SampledFrom([]string{"x", "x", "x", "y"}).Draw(w.t, "connection"), Live: live(name)}}
	}
	if err := w.do(c); err != nil {
		w.t.Fatal(err)
	}
}

// openBattles are the ids of the battles that have not ended.
func (w *world) openBattles() []string {
	var ids []string
	for id, b := range w.battles {
		if b.Open() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// reportAll reports all lives of an open battle as open, and as closed.
func (w *world) reportAll() {
	ids := w.openBattles()
	if len(ids) == 0 {
		return
	}
	w.reportAllOf(rapid.SampledFrom(ids).Draw(w.t, "battle"))
}

func (w *world) reportAllOf(id string) {
	for _, m := range w.battles[id].Members {
		_ = w.do(battle.ReportOpened{BattleID: id, LiveID: m.LiveID})
		_ = w.do(battle.ReportClosed{BattleID: id, LiveID: m.LiveID, Closing: battle.Closing{Total: total(id, m.LiveID)}})
	}
}

func (w *world) randomCommand() battle.Command {
	name := rapid.SampledFrom(names).Draw(w.t, "live")
	id := fmt.Sprint("battle", rapid.IntRange(0, w.requests).Draw(w.t, "battle"))
	ids := w.openBattles()
	if len(ids) == 0 || rapid.IntRange(0, 2).Draw(w.t, "over") == 0 {
		ids = append(ids, w.lingering()...)
	}
	if len(ids) > 0 && rapid.IntRange(0, 4).Draw(w.t, "any") > 0 {
		id = rapid.SampledFrom(ids).Draw(w.t, "some battle")
	}
	by := rapid.SampledFrom([]string{"", name, name, name, name}).Draw(w.t, "whose word")
	switch rapid.IntRange(0, 16).Draw(w.t, "command") {
	case 0, 1:
		return w.randomRequest(name, names...)
	case 16:
		w.requests++
		return battle.Rematch{BattleID: fmt.Sprint("battle", w.requests), Of: id, LiveID: name}
	case 10, 11:
		return battle.EndBattle{BattleID: id, LiveID: by}
	case 12, 13, 14:
		return battle.ExtendBattle{BattleID: id, LiveID: by, By: time.Duration(rapid.SampledFrom([]int{1, 60, 3590}).Draw(w.t, "by")) * time.Second}
	case 15:
		if rapid.IntRange(0, 3).Draw(w.t, "void") == 0 {
			return battle.VoidBattle{BattleID: id}
		}
		return battle.Advance{BattleID: id}
	case 2:
		return battle.AcceptBattle{BattleID: id, LiveID: name}
	case 3:
		return battle.RejectBattle{BattleID: id, LiveID: name}
	case 4:
		cancel := battle.CancelBattleRequest{BattleID: id, LiveID: name}
		if rapid.Bool().Draw(w.t, "for some") {
			cancel.TargetLives = []string{rapid.SampledFrom(names).Draw(w.t, "target")}
		}
		return cancel
	case 5:
		if rapid.Bool().Draw(w.t, "back") {
			return battle.RejoinBattle{BattleID: id, LiveID: name}
		}
		return battle.ExitBattle{BattleID: id, LiveID: name}
	case 6:
		return battle.LeaveBattle{LiveID: name, Lost: rapid.Bool().Draw(w.t, "lost")}
	case 7, 8:
		return battle.ReportOpened{BattleID: id, LiveID: name}
	default:
		m, _ := w.battles[id].Member(name)
		return battle.ReportClosed{BattleID: id, LiveID: name, Closing: battle.Closing{Total: total(id, name)}, Rejoins: m.Rejoins}
	}
}

func TestInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for _, n := range names {
			if err := w.do(battle.ReadCohost{Sequence: w.cohostRead + 1, Facts: []battle.ConnectionFact{{ConnectionID: "x", Live: live(n)}}}); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "running") {
			w.run()
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				w.cohost()
			case 4:
				w.reportAll()
			case 5:
				w.agree()
			case 6:
				w.fight()
			case 1, 2, 3:
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 300, 1000, 5300, 10000, 31000}).Draw(t, "ms")) * time.Millisecond)
				if rapid.Bool().Draw(t, "timers") {
					w.due()
				}
			default:
				_ = w.do(w.randomCommand()) // refusals are as good as events here
			}
		}
		w.quiet()
	})
}
