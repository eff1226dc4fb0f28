// Package ledgertest is the conformance suite of ledger: it attacks a ledger on any implementation of its log.
package ledgertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// patience bounds every wait of the suite; it is far beyond what any of them takes.
const patience = 30 * time.Second

// Run attacks ledgers on the logs that newLog makes, each empty.
func Run(t *testing.T, newLog func(t *testing.T) ledger.Log) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T, *Faulty)
	}{
		{"commands are decided, folded, and folded again after a restart", testRestart},
		{"the same command again gets the first answer", testRepeat},
		{"a repeat on another replica gets the first answer", testRepeatElsewhere},
		{"a refusal is given and stores nothing", testRefusal},
		{"an answer without events rests on the group it was decided in", testNothingToDo},
		{"a lost answer is settled from the log", testLostAnswer},
		{"a lost request is decided again", testLostRequest},
		{"a delayed first copy that lands after the retry is refused", testDelayedCopyLosesToRetry},
		{"a delayed first copy that lands before the retry stands", testDelayedCopyWins},
		{"no refusal is given at a contested position", testNoRefusalWhileContested},
		{"a crash between publish and answer", testCrashAfterPublish},
		{"two writers at once", testTwoWriters},
		{"a paused writer that wakes up changes nothing", testPausedWriter},
		{"a stale writer does not refuse", testStaleWriterDoesNotRefuse},
		{"a follower forwards and reads its own writes", testForward},
		{"clocks that jump", testClockJumps},
		{"deadlines come due after a restart", testDeadline},
		{"a machine that panics", testPanic},
		{"a command that is too large", testTooLarge},
		{"groups stay within their bounds", testBounds},
		{"a void group is passed over by all", testVoidGroup},
		{"a damaged log stops the partition", testDamage},
		{"a command whose time is over is not decided", testNotAfter},
		{"a feed hands over every group and catches up", testFeed},
		{"a lost reply to a read stops nothing", testLostReadReply},
		{"what was refused elsewhere is not carried out by a writer that wakes up", testRefusedElsewhere},
		{"a repeat of a refusal, or of nothing to do, gets the same", testRefusedTwice},
		{"a writer among another's groups answers", testNotStarved},
		{"answers outlive a takeover by a clock that is ahead", testAnswersAfterJump},
		{"a feed that starts before a void group passes it over", testFeedBeforeVoid},
		{"a replica that stops in mid-append still answers", testStopInMidAppend},
		{"a log that lost its tail stops who had read it", testLostTail},
		{"a log that is damaged under a writer with effects stops it", testDamageWhileWriting},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			attack.run(t, &Faulty{Log: newLog(t)})
		})
	}
}

// replica is one running ledger.
type replica struct {
	*ledger.Ledger[Command, Event]
	counters *Counters
	stop     func()
	ready    chan struct{}
	failed   chan error
}

type setup struct {
	log    ledger.Log
	lease  ledger.Lease
	peers  ledger.Peers
	wall   func() time.Time
	during func(context.Context)
}

// start runs a replica until the test ends or stop is called, and waits until it is ready.
func start(t *testing.T, s setup) *replica {
	t.Helper()
	r := launch(t, s)
	r.waitReady(t)
	return r
}

func launch(t *testing.T, s setup) *replica {
	t.Helper()
	if s.lease == nil {
		s.lease = memory.NewLease("r1")
	}
	if s.peers == nil {
		s.peers = memory.NewPeers()
	}
	r := &replica{counters: new(Counters), ready: make(chan struct{}), failed: make(chan error, 1)}
	r.Ledger = ledger.New(ledger.Config[Command, Event]{
		Name: "TEST", Log: s.log, Lease: s.lease, Peers: s.peers, Machine: r.counters, Codec: Codec{}, Wall: s.wall, WhileWriting: s.during,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})

	go func() {
		defer close(done)
		if err := r.Run(ctx, func() { close(r.ready) }); err != nil {
			r.failed <- err
		}
	}()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)

	return r
}

func (r *replica) waitReady(t *testing.T) {
	t.Helper()
	select {
	case <-r.ready:
	case err := <-r.failed:
		t.Fatalf("stopped: %v", err)
	case <-time.After(patience):
		t.Fatal("not ready")
	}
}

func (r *replica) total(key string) (n int64) {
	r.View(func() { n = r.counters.Total(key) })
	return n
}

func (r *replica) want(t *testing.T, key string, total int64) {
	t.Helper()
	if got := r.total(key); got != total {
		t.Fatalf("%s is %d, want %d", key, got, total)
	}
}

// waitFor waits until a counter has a value in committed state.
func (r *replica) waitFor(t *testing.T, key string, total int64) {
	t.Helper()
	ctx := patiently(t)
	for seq := r.Applied(); r.total(key) != total; seq++ {
		if err := r.WaitApplied(ctx, seq+1); err != nil {
			t.Fatalf("%s is %d, want %d", key, r.total(key), total)
		}
	}
}

func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func add(id, key string, n int64) ledger.Command[Command] {
	return ledger.Command[Command]{ID: id, Body: Command{Key: key, Add: n}}
}

func (r *replica) must(t *testing.T, c ledger.Command[Command]) ledger.Result[Event] {
	t.Helper()
	res, err := r.Submit(patiently(t), c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return res
}

func wantRefused(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *es.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != reason {
		t.Fatalf("got %v, want refusal %s", err, reason)
	}
}

func head(t *testing.T, log ledger.Log) uint64 {
	t.Helper()
	n, err := log.Head(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkChain makes sure that every group holds the hash of the one before.
func checkChain(t *testing.T, log ledger.Log) {
	t.Helper()
	var before []byte
	for seq := uint64(1); seq <= head(t, log); seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			t.Fatal(err)
		}
		if string(g.GetPrevious()) != string(before) {
			t.Fatalf("group %d does not fit the one before", seq)
		}
		sum := sha256.Sum256(raw)
		before = sum[:]
	}
}

func testRestart(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	for i := range 100 {
		a.must(t, add(fmt.Sprint("c", i), "k", int64(i)))
	}
	a.want(t, "k", 4950)
	a.stop()
	b := start(t, setup{log: log})
	b.want(t, "k", 4950)
	checkChain(t, log)
}

func testRepeat(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	first := a.must(t, add("c1", "k", 5))
	stored := head(t, log)
	again := a.must(t, add("c1", "k", 5))
	if first.Seq != again.Seq || len(again.Events) != 1 || first.Events[0] != again.Events[0] {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	_, err := a.Submit(patiently(t), add("c1", "k", 6))
	wantRefused(t, err, es.ReasonPayloadMismatch)
	if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c2", Payload: []byte("p"), Body: Command{Key: "k", Add: 1}}); err != nil {
		t.Fatal(err)
	}
	same := a.must(t, ledger.Command[Command]{ID: "c2", Payload: []byte("p"), Body: Command{Key: "made anew", Add: 1}})
	if same.Events[0].Event.Key != "k" {
		t.Fatal("a repeat with the same payload got another answer")
	}
	if got := head(t, log); got != stored+1 {
		t.Fatalf("repeats were stored: head %d, want %d", got, stored+1)
	}
	a.want(t, "k", 6)
	a.stop()
	b := start(t, setup{log: log})
	if res := b.must(t, add("c1", "k", 5)); res.Events[0] != first.Events[0] {
		t.Fatalf("after a restart: %+v, want %+v", res.Events[0], first.Events[0])
	}
	_, err = b.Submit(patiently(t), add("c1", "k", 6))
	wantRefused(t, err, es.ReasonPayloadMismatch)
}

func testRepeatElsewhere(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	first := a.must(t, add("c1", "k", 5))
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	again := b.must(t, add("c1", "k", 5))
	if again.Events[0] != first.Events[0] {
		t.Fatalf("first %+v, elsewhere %+v", first, again)
	}
	b.want(t, "k", 5)
}

func testRefusal(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 5))
	stored := head(t, log)
	_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c2", Body: Command{Key: "k", Add: 1, Max: 5}})
	wantRefused(t, err, "FULL")
	if got := head(t, log); got != stored {
		t.Fatalf("a refusal was stored: head %d, want %d", got, stored)
	}
}

func testNothingToDo(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	// Both are decided in one group: the first publish is held until both are queued.
	held, release := make(chan struct{}), make(chan struct{})
	log.Next(func(ctx context.Context, after uint64, group []byte) error {
		close(held)
		<-release
		return log.Log.Append(ctx, after, group)
	})
	go a.Submit(context.Background(), add("c0", "k", 1)) //nolint:errcheck // it only holds the publish
	<-held
	// Only one of the two adds; the other has nothing to do because of it.
	var both sync.WaitGroup
	var results [2]ledger.Result[Event]
	for i := range results {
		both.Go(func() {
			results[i] = a.must(t, ledger.Command[Command]{Body: Command{Key: "once", Add: 1, Once: true}})
		})
	}
	close(release)
	both.Wait()
	added, nothing := results[0], results[1]
	if len(added.Events) == 0 {
		added, nothing = nothing, added
	}
	if len(added.Events) != 1 || len(nothing.Events) != 0 || nothing.Seq < added.Seq {
		t.Fatalf("added: %+v, nothing to do: %+v", added, nothing)
	}
}

func testLostAnswer(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	log.Next(log.LoseAnswer)
	res := a.must(t, add("c1", "k", 5))
	if len(res.Events) != 1 || res.Seq != head(t, log) {
		t.Fatalf("answer %+v, head %d", res, head(t, log))
	}
	a.want(t, "k", 5)
	checkChain(t, log)
}

func testLostRequest(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	log.Next(log.LoseRequest)
	a.must(t, add("c1", "k", 5))
	a.want(t, "k", 5)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 5)
}

func testDelayedCopyLosesToRetry(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	var after uint64
	var copied []byte
	log.Next(func(_ context.Context, seq uint64, group []byte) error {
		after, copied = seq, group
		return errLost
	})
	a.must(t, add("c1", "k", 5))
	if err := log.Log.Append(patiently(t), after, copied); err == nil {
		t.Fatal("the log took a group at a position that was settled")
	}
	a.must(t, add("c2", "k", 1))
	a.want(t, "k", 6)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 6)
	checkChain(t, log)
}

func testDelayedCopyWins(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	// The first copy is on its way while the writer already tries again, and lands just before the second.
	log.Next(func(_ context.Context, after uint64, first []byte) error {
		log.Next(func(ctx context.Context, again uint64, second []byte) error {
			if again != after {
				return fmt.Errorf("decided again at %d, want %d", again, after)
			}
			if err := log.Log.Append(ctx, after, first); err != nil {
				return err
			}
			return log.Log.Append(ctx, again, second)
		})
		return errLost
	})
	res := a.must(t, add("c1", "k", 5))
	if len(res.Events) != 1 {
		t.Fatalf("answer %+v", res)
	}
	a.want(t, "k", 5)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 5)
	checkChain(t, log)
}

func testNoRefusalWhileContested(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 5))
	// A publish is lost on its way; its caller gives up. A command that would be refused must wait until something stands
	// at the position, because the lost copy could have made room for it.
	lost := make(chan struct{})
	settle := make(chan struct{})
	var after uint64
	var copied []byte
	log.Next(func(_ context.Context, seq uint64, group []byte) error {
		after, copied = seq, group
		log.Next(func(ctx context.Context, again uint64, second []byte) error {
			close(lost)
			<-settle
			if err := log.Log.Append(ctx, after, copied); err != nil {
				return err
			}
			return log.Log.Append(ctx, again, second)
		})
		return errLost
	})
	gaveUp, cancel := context.WithCancel(patiently(t))
	go func() { <-lost; cancel() }()
	if _, err := a.Submit(gaveUp, add("c2", "k", -5)); !errors.Is(err, ledger.ErrUnavailable) {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c3", Body: Command{Key: "k", Add: 1, Max: 5}})
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered at a contested position: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(settle)
	if err := <-answered; err != nil {
		t.Fatalf("refused although there was room: %v", err)
	}
	a.want(t, "k", 1)
}

func testCrashAfterPublish(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	published := make(chan struct{})
	log.Next(func(ctx context.Context, after uint64, group []byte) error {
		err := log.Log.Append(ctx, after, group)
		close(published)
		<-ctx.Done() // the process ends here
		return errors.Join(ctx.Err(), err)
	})
	gone := make(chan error, 1)
	go func() {
		_, err := a.Submit(patiently(t), add("c1", "k", 5))
		gone <- err
	}()
	<-published
	a.stop()
	if err := <-gone; err == nil || errors.As(err, new(*es.Refusal)) {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	b := start(t, setup{log: log})
	res := b.must(t, add("c1", "k", 5))
	if len(res.Events) != 1 {
		t.Fatalf("answer %+v", res)
	}
	b.want(t, "k", 5)
}

func testTwoWriters(t *testing.T, log *Faulty) {
	writers := []*replica{start(t, setup{log: log, lease: memory.NewLease("a")}), start(t, setup{log: log, lease: memory.NewLease("b")})}
	const callers, each, limit = 8, 40, 200
	var accepted atomic.Int64
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				id := fmt.Sprint("c", c, "-", i)
				cmd := ledger.Command[Command]{ID: id, Body: Command{Key: "k", Add: 1, Max: limit}}
				res, err := writers[(c+i)%2].Submit(patiently(t), cmd)
				// The same command again through the other writer: the same answer.
				again, errAgain := writers[(c+i+1)%2].Submit(patiently(t), cmd)
				if err == nil {
					accepted.Add(1)
					if errAgain != nil || again.Events[0] != res.Events[0] {
						t.Errorf("%s: first %+v, again %+v %v", id, res, again, errAgain)
					}
				} else if !errors.As(err, new(*es.Refusal)) || !errors.As(errAgain, new(*es.Refusal)) {
					t.Errorf("%s: %v, again %v", id, err, errAgain)
				}
			}
		})
	}
	all.Wait()
	if n := accepted.Load(); n != limit {
		t.Errorf("%d accepted, want %d", n, limit)
	}
	for _, w := range writers {
		if err := w.Sync(patiently(t)); err == nil {
			continue
		}
		t.Error("does not catch up")
	}
	checkChain(t, log)
	start(t, setup{log: log, lease: memory.NewLease("c")}).want(t, "k", limit)
}

func testPausedWriter(t *testing.T, log *Faulty) {
	paused, wake := make(chan struct{}), make(chan struct{})
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	a.must(t, add("c0", "k", 1))
	log.Next(func(_ context.Context, after uint64, group []byte) error {
		close(paused)
		<-wake
		return log.Log.Append(context.Background(), after, group)
	})
	answered := make(chan ledger.Result[Event], 1)
	go func() {
		res, err := a.Submit(context.Background(), ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 10, Max: 11}})
		if err != nil {
			t.Error(err)
		}
		answered <- res
	}()
	<-paused
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	b.must(t, ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 10, Max: 11}})
	close(wake)
	res := <-answered
	if len(res.Events) != 1 {
		t.Fatalf("answer %+v", res)
	}
	a.want(t, "k", 11)
	b.want(t, "k", 11)
	checkChain(t, log)
}

func testStaleWriterDoesNotRefuse(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log, lease: memory.NewLease("a")})
	a.must(t, add("c1", "k", 5))
	b := start(t, setup{log: log, lease: memory.NewLease("b")})
	b.must(t, add("c2", "k", -5))
	// a still believes that k is 5.
	if _, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c3", Body: Command{Key: "k", Add: 1, Max: 5}}); err != nil {
		t.Fatalf("refused from stale state: %v", err)
	}
	a.want(t, "k", 1)
}

func testForward(t *testing.T, log *Faulty) {
	leases, peers := memory.NewLeases(), memory.NewPeers()
	a := start(t, setup{log: log, lease: leases.Lease("TEST", "a"), peers: peers})
	b := start(t, setup{log: log, lease: leases.Lease("TEST", "b"), peers: peers})
	if !a.Writes() || b.Writes() {
		t.Fatalf("a writes: %v, b writes: %v", a.Writes(), b.Writes())
	}
	first := b.must(t, add("c1", "k", 5))
	b.want(t, "k", 5)
	if again := a.must(t, add("c1", "k", 5)); again.Events[0] != first.Events[0] {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	_, err := b.Submit(patiently(t), ledger.Command[Command]{ID: "c2", Body: Command{Key: "k", Add: 1, Max: 5}})
	wantRefused(t, err, "FULL")
	a.stop() // releases the lease
	b.must(t, add("c3", "k", 1))
	b.want(t, "k", 6)
	if !b.Writes() {
		t.Fatal("b does not write")
	}
	checkChain(t, log)
}

func testClockJumps(t *testing.T, log *Faulty) {
	var offset atomic.Int64
	wall := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	a := start(t, setup{log: log, wall: wall})
	var last time.Time
	for i, jump := range []time.Duration{0, time.Hour, -time.Hour, -24 * time.Hour, 365 * 24 * time.Hour, 0} {
		offset.Store(int64(jump))
		res := a.must(t, add(fmt.Sprint("c", i), "k", 1)) // the machine panics if log time goes back
		if at := res.Events[0].At; at.Before(last) {
			t.Fatalf("log time went from %v back to %v", last, at)
		} else if i > 0 && at.Sub(last) > patience {
			t.Fatalf("log time jumped from %v to %v", last, at)
		} else {
			last = at
		}
	}
	a.stop()
	offset.Store(int64(-time.Hour))
	b := start(t, setup{log: log, wall: wall})
	if at := b.must(t, add("later", "k", 1)).Events[0].At; at.Before(last) {
		t.Fatalf("after a restart log time went from %v back to %v", last, at)
	}
}

func testDeadline(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	set := a.must(t, ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 5, After: 50 * time.Millisecond}})
	a.waitFor(t, "k", 6)
	a.must(t, ledger.Command[Command]{ID: "c2", Body: Command{Key: "j", Add: 5, After: 50 * time.Millisecond}})
	a.stop()
	b := start(t, setup{log: log})
	b.waitFor(t, "j", 6)
	early := false
	err := ledger.Range(patiently(t), log, Codec{}.DecodeEvent, func(g ledger.Group[Event]) error {
		for _, e := range g.Events {
			early = early || e.Event.Tick && e.Event.Key == "k" && e.At.Before(set.Events[0].Event.Due)
		}
		return nil
	})
	if err != nil || early {
		t.Fatalf("error %v, early %v", err, early)
	}
}

func testPanic(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			fault := []string{"", "decide", "evolve", "encode"}[i%4]
			_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: fmt.Sprint("c", i), Body: Command{Key: "k", Add: 1, Fault: fault}})
			if fault == "" && err != nil {
				t.Errorf("refused with others: %v", err)
			} else if fault != "" && !errors.Is(err, es.Refuse(es.ReasonInternal, "")) {
				t.Errorf("%s: got %v, want INTERNAL", fault, err)
			}
		})
	}
	all.Wait()
	a.want(t, "k", 10)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 10)
}

func testTooLarge(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c1", Body: Command{Key: "k", Add: 1, Size: 200 << 10}})
	wantRefused(t, err, es.ReasonInvalidArgument)
	log.Next(func(context.Context, uint64, []byte) error { return ledger.ErrNotStored })
	_, err = a.Submit(patiently(t), add("c2", "k", 1))
	wantRefused(t, err, es.ReasonInvalidArgument)
	a.must(t, add("c3", "k", 1))
	a.want(t, "k", 1)
}

func testBounds(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	const n = 12
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := a.Submit(patiently(t), ledger.Command[Command]{Body: Command{Key: "k", Add: 1, Size: 100 << 10}}); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	a.want(t, "k", n)
	for seq := uint64(1); seq <= head(t, log); seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > 300<<10 {
			t.Fatalf("group %d has %d bytes", seq, len(raw))
		}
	}
}

func testVoidGroup(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 1))
	// Somebody writes a group that does not follow from this log.
	entry, _ := Codec{}.EncodeEvent(Event{Key: "k", Add: 1000})
	raw, err := proto.Marshal(&ledgerv1.Group{Version: 1, Previous: []byte("of another log"), Decisions: []*ledgerv1.Decision{{AtMs: 1, Entries: [][]byte{entry}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Log.Append(patiently(t), head(t, log), raw); err != nil {
		t.Fatal(err)
	}
	a.must(t, add("c2", "k", 1))
	a.want(t, "k", 2)
	a.stop()
	start(t, setup{log: log}).want(t, "k", 2)
	var ranged int64
	err = ledger.Range(patiently(t), log, Codec{}.DecodeEvent, func(g ledger.Group[Event]) error {
		for _, e := range g.Events {
			ranged += e.Event.Add
		}
		return nil
	})
	if err != nil || ranged != 2 {
		t.Fatalf("ranged %d, %v", ranged, err)
	}
}

func testDamage(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	a.must(t, add("c1", "k", 1))
	a.stop()
	if err := log.Log.Append(patiently(t), head(t, log), []byte("no group")); err != nil {
		t.Fatal(err)
	}
	b := launch(t, setup{log: log})
	select {
	case err := <-b.failed:
		if !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("stopped with %v, want ErrLog", err)
		}
	case <-b.ready:
		t.Fatal("ready on a damaged log")
	case <-time.After(patience):
		t.Fatal("goes on with a damaged log")
	}
}

func testNotAfter(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	_, err := a.Submit(patiently(t), ledger.Command[Command]{ID: "c1", NotAfter: time.Now().Add(-time.Second), Body: Command{Key: "k", Add: 1}})
	wantRefused(t, err, es.ReasonDeadlineExceeded)
	a.want(t, "k", 0)
}

func testFeed(t *testing.T, log *Faulty) {
	a := start(t, setup{log: log})
	for i := range 20 {
		a.must(t, add(fmt.Sprint("c", i), "k", 1))
	}
	feed := ledger.NewFeed(log, Codec{}.DecodeEvent)
	ctx, cancel := context.WithCancel(patiently(t))
	var mu sync.Mutex
	var sum int64
	failed := false
	done := make(chan error, 1)
	go func() {
		done <- feed.Run(ctx, 3, func(_ context.Context, g ledger.Group[Event]) error {
			mu.Lock()
			defer mu.Unlock()
			if g.Seq == 7 && !failed {
				failed = true
				return errors.New("not now")
			}
			for _, e := range g.Events {
				sum += e.Event.Add
			}
			return nil
		})
	}()
	a.must(t, add("last", "k", 100))
	for feed.CatchUp(ctx) != nil { // a feed that starts may need longer than a caller would wait
		if ctx.Err() != nil {
			t.Fatal("does not catch up")
		}
	}
	mu.Lock()
	// The first group of the log is the writer's fence, so three groups hold the first two commands.
	if sum != 18+100 || !failed {
		t.Errorf("handed over %d, failed once: %v", sum, failed)
	}
	mu.Unlock()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v", err)
	}
	if err := feed.CatchUp(patiently(t)); err != nil {
		t.Fatalf("a feed that is not behind must answer: %v", err)
	}
	a.must(t, add("more", "k", 1))
	if err := feed.CatchUp(patiently(t)); !errors.Is(err, ledger.ErrUnavailable) {
		t.Fatalf("a feed that does not run says %v", err)
	}
}
