package partition_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
	"github.com/faceoff-live/faceoff/services/score/internal/battletest"
	"github.com/faceoff-live/faceoff/services/score/internal/gift"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/report"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

const partitions = 4

// world is what replicas share: the logs, in memory, and the battle service.
type world struct {
	logs   [partitions]ledger.Log
	leases *memory.Leases
	peers  ledger.Peers
	log    *gated
	battle *battletest.Battle
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{leases: memory.NewLeases(), peers: memory.NewPeers(), log: &gated{Log: memory.NewLog()}}
	for i := range w.logs {
		w.logs[i] = memory.NewLog()
	}
	w.battle = battletest.Start(t, w.log.Log, w.leases.Lease("BATTLE_00", "played"), w.peers)
	return w
}

// replica runs a set of all partitions; stop ends it.
func (w *world) replica(t *testing.T, name string, change func(*partition.Config)) (set *partition.Set, stop func()) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	cfg := partition.Config{MaxParked: 100, Log: logger, Settings: score.Settings{
		MaxAge: 24 * time.Hour, MaxAhead: 5 * time.Minute, LateWindow: 10 * time.Second, MaxIDs: 1_000_000, KeepBoards: time.Hour, Rules: rules.Book,
	}}
	if change != nil {
		change(&cfg)
	}
	set = partition.NewSet(partitions, cfg, nil)
	for i, p := range set.All() {
		p.Add(report.New(p, battlev1.NewBattleCoordinationServiceClient(battletest.Client{B: w.battle}), logger))
		p.Bind(ledger.Store{Log: w.logs[i], Lease: w.leases.Lease(partition.LogName(i), name), Peers: w.peers}, w.log)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- set.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return set, stop
}

// gated is a log whose readers can be held up.
type gated struct {
	ledger.Log
	mu   sync.Mutex
	shut chan struct{}
}

func (g *gated) gate(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if shut {
		g.shut = make(chan struct{})
		return
	}
	close(g.shut)
	g.shut = nil
}

func (g *gated) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	return g.Log.Tail(ctx, from, func(seq uint64, group []byte) error {
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if shut != nil {
			select {
			case <-shut:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return handle(seq, group)
	})
}

func one(t *testing.T, live, id string) gift.Gift {
	t.Helper()
	g, err := gift.Parse(&scorev1.GiftEvent{
		EventId: id, LiveId: live, Sender: &userv1.User{UserId: "u"}, GiftId: "rose", Category: scorev1.GiftEvent_BASIC, UnitValue: 10,
		SentAt: timestamppb.New(time.Now()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func count(ctx context.Context, t *testing.T, set *partition.Set, gifts ...gift.Gift) []*scorev1.GiftVerdict {
	t.Helper()
	verdicts, err := set.Count(ctx, gifts)
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

func words(verdicts []*scorev1.GiftVerdict) string {
	var all []string
	for _, v := range verdicts {
		word := v.GetVerdict().String()
		if v.GetDuplicate() {
			word += " again"
		}
		all = append(all, v.GetLiveId()+"/"+v.GetEventId()+" "+word)
	}
	return strings.Join(all, ", ")
}

func now() time.Time { return time.Now().Truncate(time.Millisecond) }

func TestSeveralLives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", nil)
	w.battle.Begin(t, "b1", now().Add(-time.Second), now().Add(time.Hour), "l1", "l2", "l3", "l4", "l5")
	g := one(t, "l1", "x")
	got := words(count(t.Context(), t, set, g, one(t, "l2", "x"), one(t, "none", "x"), one(t, "l3", "x"), g, one(t, "l1", "y"), one(t, "l5", "x")))
	want := "l1/x COUNTED, l2/x COUNTED, none/x NO_BATTLE, l3/x COUNTED, l1/x COUNTED again, l1/y COUNTED, l5/x COUNTED"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	scores, ok := set.Scores("b1")
	if !ok || scores.ByUser["host-of-l1"] != 100 || scores.ByUser["host-of-l4"] != 0 || len(scores.ByUser) != 5 || scores.Seq == "" {
		t.Errorf("scores %+v", scores)
	}
}

// TestNoBattleIsSaidOnlyAfterReading holds the battle service's log up: a gift of a battle that has begun there must not
// be told that there is none.
func TestNoBattleIsSaidOnlyAfterReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", nil)
	count(t.Context(), t, set, one(t, "l1", "before"))
	w.log.gate(true)
	w.battle.Begin(t, "b1", now().Add(-time.Second), now().Add(time.Hour), "l1", "l2")
	if _, err := set.Count(t.Context(), []gift.Gift{one(t, "l1", "held")}); !errors.Is(err, &es.Refusal{Reason: es.ReasonUnavailable}) {
		t.Errorf("with the log held up: %v, want unavailable", err)
	}
	answer := make(chan string, 1)
	go func() {
		verdicts, err := set.Count(t.Context(), []gift.Gift{one(t, "l1", "x")})
		answer <- fmt.Sprint(words(verdicts), err)
	}()
	w.log.gate(false)
	if got := <-answer; got != "l1/x COUNTED<nil>" {
		t.Errorf("got %s", got)
	}
}

// headed counts how often a log's head is read: a decision that stores nothing reads it once, unless it is stored together
// with something else. The writer itself reads it now and then.
type headed struct {
	ledger.Log
	heads atomic.Int64
}

func (h *headed) Head(ctx context.Context) (uint64, error) {
	h.heads.Add(1)
	return h.Log.Head(ctx)
}

// TestNoBattleIsDecidedOnce: a gift for a live without a battle does not pass the writer twice, neither before the live's
// first battle nor after its last.
func TestNoBattleIsDecidedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live := "l1"
	log := &headed{Log: memory.NewLog()}
	w.logs[score.Partition(live, partitions)] = log
	set, _ := w.replica(t, "a", func(c *partition.Config) { c.Settings.LateWindow = 0 })
	decided := func(id string) {
		t.Helper()
		least := int64(math.MaxInt64)
		for range 3 {
			id += "-again"
			before := log.heads.Load()
			if got := words(count(t.Context(), t, set, one(t, live, id))); got != live+"/"+id+" NO_BATTLE" {
				t.Errorf("got %s", got)
			}
			least = min(least, log.heads.Load()-before)
		}
		if least > 1 {
			t.Errorf("the writer decided %d times", least)
		}
	}
	decided("before")
	ends := now().Add(-100 * time.Millisecond)
	w.battle.Begin(t, "b1", ends.Add(-time.Second), ends, live)
	w.battle.End(t, "b1", battlev1.Battle_TIME_OVER, ends)
	w.battle.WaitClosed(t, "b1", live)
	decided("after")
}

var rateLimited = &es.Refusal{Reason: "RATE_LIMITED"}

func TestParked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", func(c *partition.Config) { c.MaxParked = 2 })
	ends := now().Add(-100 * time.Millisecond)
	w.battle.Begin(t, "b1", ends.Add(-time.Second), ends, "l1", "l2")
	w.battle.WaitOpened(t, "b1", "l1")

	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := set.Count(short, []gift.Gift{one(t, "l1", "short")}); err == nil {
		t.Error("a gift past the end was decided before the close")
	}
	waiting := make(chan string, 2)
	for i := range 2 {
		go func() {
			for {
				verdicts, err := set.Count(t.Context(), []gift.Gift{one(t, "l1", fmt.Sprint("w", i))})
				if !errors.Is(err, rateLimited) {
					waiting <- fmt.Sprint(words(verdicts), " ", err)
					return
				}
			}
		}()
	}
	limited := false
	for try := 0; !limited; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := set.Count(ctx, []gift.Gift{one(t, "l1", fmt.Sprint("full", try))})
		cancel()
		limited = errors.Is(err, rateLimited)
		if try > 500 {
			t.Fatalf("two calls wait, and a third is not refused but: %v", err)
		}
	}
	w.battle.End(t, "b1", battlev1.Battle_TIME_OVER, ends)
	for range 2 {
		if got := <-waiting; got != "l1/w0 LATE <nil>" && got != "l1/w1 LATE <nil>" {
			t.Errorf("after the close: %s", got)
		}
	}
}

// TestReplicas sends through both of two replicas, ends the writing one, and goes on with the other.
func TestReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, stop := w.replica(t, "a", nil)
	b, _ := w.replica(t, "b", nil)
	w.battle.Begin(t, "b1", now().Add(-time.Second), now().Add(time.Hour), "l1", "l2")
	x := one(t, "l1", "x")
	if got := words(count(t.Context(), t, b, x, one(t, "nobody", "x"))); got != "l1/x COUNTED, nobody/x NO_BATTLE" {
		t.Errorf("by the follower: %s", got)
	}
	if got := words(count(t.Context(), t, a, x)); got != "l1/x COUNTED again" {
		t.Errorf("by the writer: %s", got)
	}
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		verdicts, err := b.Count(ctx, []gift.Gift{x, one(t, "l2", "after")})
		if err == nil {
			if verdicts[0].GetVerdict() != scorev1.GiftVerdict_COUNTED || !verdicts[0].GetDuplicate() || verdicts[1].GetVerdict() != scorev1.GiftVerdict_COUNTED {
				t.Errorf("after the takeover: %s", words(verdicts))
			}
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	w.battle.Exit(t, "b1", "l1")
	if c := w.battle.WaitClosed(t, "b1", "l1"); c.GetTotal() != 50 {
		t.Errorf("closed with %v", c)
	}
}

// TestReportsEnd: a live that leaves is reported as closed until the battle service has recorded that, not until the battle
// is settled. Nobody else reports it again.
func TestReportsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, stop := w.replica(t, "a", nil)
		w.battle.Begin(t, "b1", now(), now().Add(time.Hour), "l1", "l2")
		w.battle.WaitOpened(t, "b1", "l2")
		<-time.After(time.Second) // the battle runs
		opened := w.battle.Reports("b1", "l1")
		w.battle.SetDeaf(true)
		w.battle.Exit(t, "b1", "l1")
		w.battle.WaitReports(t, "b1", "l1", opened+5)
		w.battle.SetDeaf(false)
		w.battle.WaitClosed(t, "b1", "l1")
		reports := w.battle.Reports("b1", "l1")
		<-time.After(time.Minute)
		stop()
		w.replica(t, "b", nil)
		<-time.After(time.Minute)
		if n := w.battle.Reports("b1", "l1") - reports; n != 0 {
			t.Errorf("%d reports of what is recorded", n)
		}
	})
}

// TestPositionsWithoutEffect: groups of the battle service's log that do not concern a partition move its recorded position,
// but not often.
func TestPositionsWithoutEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.replica(t, "a", nil)
		head := func() uint64 {
			t.Helper()
			head, err := w.logs[0].Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return head
		}
		began := head()
		for second := range uint64(3) {
			<-time.After(1100 * time.Millisecond)
			for range 1000 {
				w.battle.Write(t, &battlev1.Entry{Entry: &battlev1.Entry_CohostRead_{CohostRead: &battlev1.Entry_CohostRead{}}})
			}
			synctest.Wait()
			if got, want := head()-began, second+1; got != want {
				t.Errorf("after %d seconds the log has %d positions, want %d", want, got, want)
			}
		}
	})
}

// TestCannotOpen: a live that another battle holds is reported as closed with nothing, so that a battle that goes on without
// it can settle.
func TestCannotOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", nil)
	w.battle.Begin(t, "b1", now(), now().Add(time.Hour), "l1", "l2")
	w.battle.WaitOpened(t, "b1", "l1")
	w.battle.Begin(t, "b2", now(), now().Add(time.Hour), "l1", "l3")
	w.battle.Exit(t, "b2", "l1")
	if c := w.battle.WaitClosed(t, "b2", "l1"); c.GetTotal() != 0 || c.GetProof().GetOpenedSequence() != 0 || c.GetProof().GetClosedSequence() != 0 {
		t.Errorf("reported as %v", c)
	}
	if got := words(count(t.Context(), t, set, one(t, "l1", "x"))); got != "l1/x COUNTED" {
		t.Errorf("in the battle that holds it: %s", got)
	}
}

func TestVoid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", nil)
	w.battle.SetDeaf(true)
	w.battle.Begin(t, "b1", now().Add(-time.Second), now().Add(time.Hour), "l1", "l2")
	x := one(t, "l1", "x")
	if got := words(count(t.Context(), t, set, x)); got != "l1/x COUNTED" {
		t.Fatal(got)
	}
	w.battle.Abort(t, "b1")
	if err := set.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := count(t.Context(), t, set, x, one(t, "l1", "y"))
	if !v[0].GetVoided() || !v[0].GetDuplicate() || v[0].GetPoints() != 50 || v[1].GetVerdict() != scorev1.GiftVerdict_NO_BATTLE {
		t.Errorf("after the battle was aborted: %v", v)
	}
	if scores, _ := set.Scores("b1"); scores.Status != scorev1.BattleScores_VOID {
		t.Errorf("scores %+v", scores)
	}
	if r := set.Gift("l1", "x"); !r.GetVoided() || r.GetDuplicate() {
		t.Errorf("receipt %v", r)
	}
}

// TestLargeGroup begins and ends so many battles in one group that what follows takes several commands.
func TestLargeGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set, _ := w.replica(t, "a", nil)
	const battles = 60
	name := strings.Repeat("n", 60)
	var begin, end []*battlev1.Entry
	for i := range battles {
		var people []*battlev1.Entry_Participant
		for j := range 9 {
			people = append(people, &battlev1.Entry_Participant{LiveId: fmt.Sprintf("l%d-%d", i, j), Host: &userv1.User{UserId: fmt.Sprintf("h%d-%d", i, j), UserName: name}})
		}
		id := fmt.Sprint("b", i)
		begin = append(begin, &battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{
			BattleId: id, StartsAtMs: now().UnixMilli(), EndsAtMs: now().Add(time.Hour).UnixMilli(), RuleSet: rules.Default, Participants: people,
		}}})
		end = append(end, &battlev1.Entry{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{BattleId: id, Reason: battlev1.Battle_FORFEIT}}})
	}
	w.battle.Write(t, begin...)
	check(t, set, battles, scorev1.BattleScores_RUNNING)
	w.battle.Write(t, end...)
	check(t, set, battles, scorev1.BattleScores_CLOSED)
}

func check(t *testing.T, set *partition.Set, battles int, status scorev1.BattleScores_Status) {
	t.Helper()
	// The partitions may need longer for so large a group than a caller would wait.
	for began := time.Now(); ; {
		err := set.CatchUp(t.Context())
		if err == nil {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal(err)
		}
	}
	for i := range battles {
		if s, ok := set.Scores(fmt.Sprint("b", i)); !ok || s.Status != status || len(s.ByUser) != 9 {
			t.Fatalf("b%d is %+v, want %v", i, s, status)
		}
	}
}

// TestManyAtOnce has the same gifts sent by many callers at the same time: each counts once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, _ := w.replica(t, "a", nil)
	b, _ := w.replica(t, "b", nil)
	w.battle.Begin(t, "b1", now().Add(-time.Second), now().Add(time.Hour), "l1", "l2")
	var gifts []gift.Gift
	for i := range 200 {
		gifts = append(gifts, one(t, fmt.Sprint("l", i%2+1), fmt.Sprint("g", i)))
	}
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			set := a
			if i%2 == 1 {
				set = b
			}
			verdicts, err := set.Count(t.Context(), gifts)
			if err != nil {
				t.Error(err)
				return
			}
			for _, v := range verdicts {
				if v.GetVerdict() != scorev1.GiftVerdict_COUNTED || v.GetPoints() != 50 {
					t.Errorf("got %v", v)
				}
			}
		})
	}
	running.Wait()
	if s, _ := a.Scores("b1"); s.ByUser["host-of-l1"] != 5000 || s.ByUser["host-of-l2"] != 5000 {
		t.Errorf("scores %v", s.ByUser)
	}
}
