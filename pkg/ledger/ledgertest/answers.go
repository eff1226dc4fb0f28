package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// Answers without events: refusals, and that there was nothing to do.

// full is refused while k is above 4; done has nothing to do while k is not 0.
var (
	full = ledger.Command[Command]{ID: "full", Body: Command{Key: "k", Add: 1, Max: 5}}
	done = ledger.Command[Command]{ID: "done", Body: Command{Key: "k", Add: 1, Once: true}}
)

// answered gets both answers from a replica.
func answered(t *testing.T, r *replica) {
	t.Helper()
	_, err := r.Submit(patiently(t), full)
	wantRefused(t, err, "FULL")
	if res := r.must(t, done); len(res.Events) != 0 {
		t.Fatalf("carried out: %+v", res)
	}
}

// groups reads a log.
func groups(t *testing.T, log ledger.Log) []*ledgerv1.Group {
	t.Helper()
	var all []*ledgerv1.Group
	for seq := uint64(1); seq <= head(t, log); seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return all
}

func testRefusal(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 5))
	stored := head(t, log)
	for _, c := range []Command{{Key: "k", Add: 1, Max: 5}, {Key: "k", Add: 1, Max: 5, Passing: true}} {
		if _, err := a.Submit(patiently(t), ledger.Command[Command]{Body: c}); !errors.As(err, new(*es.Refusal)) {
			t.Fatalf("got %v, want a refusal", err)
		}
	}
	passing := ledger.Command[Command]{ID: "c2", Body: Command{Key: "k", Add: 1, Max: 5, Passing: true}}
	_, err := a.Submit(patiently(t), passing)
	wantRefused(t, err, es.ReasonRateLimited)
	if got := head(t, log); got != stored {
		t.Fatalf("head %d, want %d: refusals without an id, or passing ones, were stored", got, stored)
	}
	_, err = a.Submit(patiently(t), full)
	wantRefused(t, err, "FULL")
	if res := a.must(t, done); res.Seq != head(t, log) {
		t.Errorf("an answer of group %d rests on %d", head(t, log), res.Seq)
	}
	answered(t, a)
	all := groups(t, log)
	if got := all[stored:]; len(got) != 2 || got[0].GetDecisions()[0].GetRefusal().GetReason() != "FULL" || got[1].GetDecisions()[0].GetRefusal() != nil {
		t.Errorf("stored %v, want a refusal and an answer without events, once", got)
	}
	a.must(t, add("c3", "k", -5))
	a.must(t, passing)
	a.want(t, "k", 1)
}

// What was answered without events is answered so again, though it could be carried out by now, whoever decides.
func testAnswerKept(again func(t *testing.T, log *Faulty, first *replica) *replica) func(*testing.T, *Faulty) {
	return func(t *testing.T, log *Faulty) {
		a := start(t, setup{log: log, lease: memory.NewLease("a")})
		a.must(t, add("c1", "k", 5))
		answered(t, a)
		a.must(t, add("c2", "k", -5))
		b := again(t, log, a)
		answered(t, b)
		b.want(t, "k", 0)
		for _, c := range []ledger.Command[Command]{full, done} {
			if known, err := b.Answered(c); err != nil || !known {
				t.Errorf("%s: has its answer: %v, %v", c.ID, known, err)
			}
			c.Payload = []byte("another")
			_, err := b.Submit(patiently(t), c)
			wantRefused(t, err, es.ReasonPayloadMismatch)
		}
		checkChain(t, log)
		readByOthers(t, log)
	}
}

func afterRestart(t *testing.T, log *Faulty, first *replica) *replica {
	first.stop()
	return start(t, setup{log: log, lease: memory.NewLease("a")})
}

func afterTakeover(t *testing.T, log *Faulty, _ *replica) *replica {
	return start(t, setup{log: log, lease: memory.NewLease("b")})
}

func afterJump(t *testing.T, log *Faulty, first *replica) *replica {
	first.stop()
	b := start(t, setup{log: log, lease: memory.NewLease("b"), wall: func() time.Time { return time.Now().Add(time.Hour) }})
	b.must(t, add("later", "j", 1))
	return b
}

func here(_ *testing.T, _ *Faulty, first *replica) *replica { return first }

// readByOthers reads a log with two commands that have events as another service does.
func readByOthers(t *testing.T, log ledger.Log) {
	t.Helper()
	events := 0
	count := func(g ledger.Group[Event]) error {
		for _, e := range g.Events {
			if e.Event.Key == "k" {
				events++
			}
		}
		return nil
	}
	if err := ledger.Range(patiently(t), log, Codec{}.DecodeEvent, count); err != nil {
		t.Fatal(err)
	}
	feed := ledger.NewFeed(log, Codec{}.DecodeEvent)
	ctx, stop := context.WithCancel(patiently(t))
	ended := make(chan error, 1)
	go func() {
		ended <- feed.Run(ctx, 0, func(_ context.Context, g ledger.Group[Event]) error { return count(g) })
	}()
	for feed.CatchUp(ctx) != nil && ctx.Err() == nil {
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if events != 2*2 {
		t.Errorf("read %d events, want 2, twice", events)
	}
}

func testRefusalForwarded(t *testing.T, log *Faulty) {
	leases, peers := memory.NewLeases(), memory.NewPeers()
	a := start(t, setup{log: log, lease: leases.Lease("TEST", "a"), peers: peers})
	slow := &slowTail{Log: log, gate: make(chan struct{}, 100)}
	b := launch(t, setup{log: slow, lease: leases.Lease("TEST", "b"), peers: peers})
	for range head(t, log) {
		slow.gate <- struct{}{}
	}
	b.waitReady(t)
	slow.gate <- struct{}{}
	a.must(t, add("c1", "k", 5))
	told := make(chan error, 1)
	go func() {
		_, err := b.Submit(patiently(t), full)
		told <- err
	}()
	if err := a.WaitApplied(patiently(t), 3); err != nil { // a fence, c1, the refusal
		t.Fatal(err)
	}
	select {
	case err := <-told:
		t.Fatalf("told %v before this replica has what it rests on", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(slow.gate)
	wantRefused(t, <-told, "FULL")
	if known, err := b.Answered(full); err != nil || !known {
		t.Errorf("has its answer: %v, %v", known, err)
	}
	answered(t, b)
	_, err := b.Submit(patiently(t), ledger.Command[Command]{Body: Command{Key: "k", Add: 1, Max: 5, Passing: true}})
	if refusal, ok := errors.AsType[*es.Refusal](err); !ok || refusal.Reason != es.ReasonRateLimited || refusal.RetryAfter != retryAfter {
		t.Errorf("refused with %+v, want to be told to try again after %v", refusal, retryAfter)
	}
	a.must(t, add("c2", "k", -5))
	a.stop()
	answered(t, b)
	b.want(t, "k", 0)
	if !b.Writes() {
		t.Error("b does not write")
	}
}

// slowTail hands over a group for each value of gate.
type slowTail struct {
	ledger.Log
	gate chan struct{}
}

func (s *slowTail) Tail(ctx context.Context, from uint64, handle func(uint64, []byte) error) error {
	return s.Log.Tail(ctx, from, func(seq uint64, group []byte) error {
		select {
		case <-s.gate:
			return handle(seq, group)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func testRefusalUnknown(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 5))
	for i, lose := range []func(context.Context, uint64, []byte) error{log.LoseAnswer, log.LoseRequest} {
		log.Next(lose)
		_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("full", i), Body: full.Body})
		wantRefused(t, err, "FULL")
	}
	kept := make(map[string]int)
	for _, g := range groups(t, log) {
		for _, d := range g.GetDecisions() {
			kept[d.GetCommandId()]++
		}
	}
	if kept["full0"] != 1 || kept["full1"] != 1 {
		t.Errorf("kept %v", kept)
	}
	checkChain(t, log)
}

// What a machine says is bounded, and is the same the first time and later.
func testLongRefusal(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	long := ledger.Command[Command]{ID: "long", Body: Command{Key: "\xff" + strings.Repeat("é", 1000), Add: 2, Max: 1}}
	_, err := a.Submit(patiently(t), long)
	wantRefused(t, err, "FULL")
	first := err.Error()
	if n := len(first); n > 600 || !utf8.ValidString(first) {
		t.Errorf("the refusal takes %d bytes, valid: %v", n, utf8.ValidString(first))
	}
	a.stop()
	if _, err := start(t, setup{log: log}).Submit(patiently(t), long); err == nil || err.Error() != first {
		t.Errorf("after a restart: %v", err)
	}
}

func testManyRefusals(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	held, release := make(chan struct{}), make(chan struct{})
	log.Next(func(ctx context.Context, after uint64, group []byte) error {
		close(held)
		<-release
		return log.Log.Append(ctx, after, group)
	})
	go a.Submit(context.Background(), add("c0", "k", 1)) //nolint:errcheck // it only holds the publish
	<-held
	var all sync.WaitGroup
	key := strings.Repeat("x", 500)
	for i := range 1000 {
		all.Go(func() {
			_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("n", i), Body: Command{Key: key, Add: 2, Max: 1}})
			if !errors.Is(err, es.Refuse("FULL", "")) {
				t.Errorf("%d: got %v", i, err)
			}
		})
	}
	close(release)
	all.Wait()
	for i, g := range groups(t, log) {
		if n, bytes := len(g.GetDecisions()), proto.Size(g); n > 512 || bytes > 260<<10 {
			t.Errorf("group %d has %d decisions and %d bytes", i+1, n, bytes)
		}
	}
}

// The time of an answer without events is log time as that of any other.
func testRefusalTime(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, wall: func() time.Time { return time.Now().Add(time.Hour) }})
	_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 2, Max: 1}})
	wantRefused(t, err, "FULL")
	a.stop()
	b := start(t, setup{log: log})
	at := b.must(t, add("c2", "k", 1)).Events[0].At
	for _, g := range groups(t, log) {
		for _, d := range g.GetDecisions() {
			if refused := time.UnixMilli(d.GetAtMs()); d.GetRefusal() != nil && at.Before(refused) {
				t.Errorf("log time went from %v back to %v", refused, at)
			}
		}
	}
}

// A decision that cannot have been written is damage.
func testImpossibleDecision(t *testing.T, log *Faulty) {
	entry, err := Codec{}.EncodeEvent(Event{Key: "k", Add: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*ledgerv1.Decision{
		"of nothing":             {AtMs: 1},
		"a refusal with entries": {AtMs: 1, CommandId: "c1", Entries: [][]byte{entry}, Refusal: &ledgerv1.Decision_Refusal{Reason: "FULL"}},
	} {
		raw, err := proto.Marshal(&ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{d}})
		if err != nil {
			t.Fatal(err)
		}
		short := memory.NewLog()
		if err := short.Append(patiently(t), 0, raw); err != nil {
			t.Fatal(err)
		}
		log.Log = short
		if err := ledger.Range(patiently(t), log, Codec{}.DecodeEvent, func(ledger.Group[Event]) error { return nil }); !errors.Is(err, ledger.ErrLog) {
			t.Errorf("%s: read with %v, want ErrLog", name, err)
		}
	}
}

// testForgetting: an answer is given again for 10 minutes of log time and then forgotten, also when nothing but refusals passes
// that time.
func testForgetting(t *testing.T) {
	a := start(t, setup{log: memory.NewLog()})
	a.must(t, add("c1", "k", 5))
	answered(t, a)
	a.must(t, add("c2", "k", -5))
	pass := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			<-time.After(20 * time.Second)
			_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint(time.Now()), Body: Command{Key: "j", Add: 2, Max: 1}})
			wantRefused(t, err, "FULL")
		}
	}
	pass(9 * time.Minute)
	answered(t, a)
	pass(3 * time.Minute)
	a.must(t, full)
	a.want(t, "k", 1)
}
