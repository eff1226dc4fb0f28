package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// runHeads attacks what notices a log that has lost its end, or become another one.
func runHeads(t *testing.T, open func(t *testing.T) ledger.Store) {
	for _, attack := range []struct {
		name string
		run  func(*testing.T, ledger.Store)
	}{
		{"the head is saved while a replica writes, and at the end", testHeadSaved},
		{"a log that ends before its saved head stops who starts", testBehindHead},
		{"another history of the same length stops who starts", testOtherHistory},
		{"another history before the saved head stops who starts", testOtherPast},
		{"without a saved head a replica goes on", testNoHead},
		{"a saved head that cannot be understood stops who starts", testWrongHead},
		{"a stale writer does not save an older head", testStaleHead},
		{"answers do not wait for the saving of heads", testSlowHeads},
		{"a replica waits for the saved head", testUnreadableHead},
		{"a follower of a log that gets shorter stops", testShorterLog},
		{"a feed of a log that gets shorter stops", testShorterFeed},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			attack.run(t, open(t))
		})
	}
}

// copied is a log in memory with the first n groups of another; change may give other bytes for a group.
func copied(t *testing.T, log ledger.Log, n uint64, change func(seq uint64, raw []byte) []byte) ledger.Log {
	t.Helper()
	out := memory.NewLog()
	for seq := uint64(1); seq <= n; seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			raw = change(seq, raw)
		}
		if err := out.Append(patiently(t), seq-1, raw); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// wantStopped makes sure that a replica ends with ErrLog, without ever being ready, and says all of that.
func wantStopped(t *testing.T, r *replica, says ...string) {
	t.Helper()
	select {
	case err := <-r.failed:
		if !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("stopped with %v, want ErrLog", err)
		}
		for _, s := range says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%q does not say %q", err, s)
			}
		}
	case <-time.After(patience):
		t.Fatal("goes on")
	}
	select {
	case <-r.ready:
		t.Fatal("was ready before it stopped")
	default:
	}
}

func savedHead(t *testing.T, h ledger.Heads) *ledgerv1.Head {
	t.Helper()
	raw, _, err := h.Load(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	saved := new(ledgerv1.Head)
	if err := proto.Unmarshal(raw, saved); err != nil {
		t.Fatal(err)
	}
	return saved
}

// waitSaved waits until a head at seq or later is saved.
func waitSaved(t *testing.T, h ledger.Heads, seq uint64) {
	t.Helper()
	ctx := patiently(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for savedHead(t, h).GetSeq() < seq {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("saved head: %v, want %d", savedHead(t, h), seq)
		}
	}
}

func testHeadSaved(t *testing.T, s ledger.Store) {
	a := start(t, setup{log: s.Log, heads: s.Heads})
	res := a.must(t, add("c1", "k", 1))
	waitSaved(t, s.Heads, res.Seq)
	res = a.must(t, add("c2", "k", 1))
	a.stop()
	if saved := savedHead(t, s.Heads); saved.GetSeq() != res.Seq || saved.GetLog() != "TEST" {
		t.Fatalf("saved at the end: %v, want %d", saved, res.Seq)
	}
	b := start(t, setup{log: s.Log, heads: s.Heads})
	b.want(t, "k", 2)
}

func testBehindHead(t *testing.T, s ledger.Store) {
	Fill(t, s, 9)
	full := head(t, s.Log)
	short := copied(t, s.Log, full-2, nil)
	b := launch(t, setup{log: short, heads: s.Heads})
	wantStopped(t, b, "TEST", fmt.Sprint(full-2), fmt.Sprint(full))
}

func testOtherHistory(t *testing.T, s ledger.Store) {
	Fill(t, s, 9)
	other := memory.NewLog()
	b := start(t, setup{log: other})
	for i := range 9 {
		b.must(t, add(fmt.Sprint("other", i), "k", 1))
	}
	b.stop()
	if head(t, other) != head(t, s.Log) {
		t.Fatalf("the histories end at %d and %d", head(t, other), head(t, s.Log))
	}
	wantStopped(t, launch(t, setup{log: other, heads: s.Heads}), "TEST", fmt.Sprint(head(t, other)))
}

func testOtherPast(t *testing.T, s ledger.Store) {
	Fill(t, s, 9)
	full := head(t, s.Log)
	changed := copied(t, s.Log, full, func(seq uint64, raw []byte) []byte {
		if seq != full-1 {
			return raw
		}
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			t.Fatal(err)
		}
		g.Writer += "?"
		raw, err := proto.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	})
	wantStopped(t, launch(t, setup{log: changed, heads: s.Heads}), "TEST", fmt.Sprint(full))
}

func testNoHead(t *testing.T, s ledger.Store) {
	Fill(t, ledger.Store{Log: s.Log}, 9)
	b := start(t, setup{log: s.Log, heads: s.Heads})
	b.want(t, "k", 9)
	waitSaved(t, s.Heads, 10)
}

func testWrongHead(t *testing.T, s ledger.Store) {
	Fill(t, s, 3)
	good := savedHead(t, s.Heads)
	for name, spoil := range map[string]func(*ledgerv1.Head){
		"another version":   func(h *ledgerv1.Head) { h.Version = 2 },
		"of another log":    func(h *ledgerv1.Head) { h.Log = "OTHER" },
		"no sequence":       func(h *ledgerv1.Head) { h.Seq = 0 },
		"half a hash":       func(h *ledgerv1.Head) { h.Chain = h.Chain[:16] },
		"a bit of the hash": func(h *ledgerv1.Head) { h.Chain[7] ^= 1 },
		"not a head":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte("not a head")
			if spoil != nil {
				bad := proto.CloneOf(good)
				spoil(bad)
				var err error
				if raw, err = proto.Marshal(bad); err != nil {
					t.Fatal(err)
				}
			}
			heads := memory.NewHeads()
			if _, err := heads.Save(patiently(t), raw, 0); err != nil {
				t.Fatal(err)
			}
			wantStopped(t, launch(t, setup{log: s.Log, heads: heads}), "TEST")
		})
	}
}

func testStaleHead(t *testing.T, s ledger.Store) {
	paused := &pausedHeads{Heads: s.Heads, paused: make(chan struct{}), wake: make(chan struct{})}
	a := start(t, setup{log: s.Log, heads: paused, lease: memory.NewLease("a")})
	wake := sync.OnceFunc(func() { close(paused.wake) })
	t.Cleanup(wake)
	a.must(t, add("c1", "k", 1))
	await(t, paused.paused) // about to save
	b := start(t, setup{log: s.Log, heads: s.Heads, lease: memory.NewLease("b")})
	last := b.must(t, add("c2", "k", 1))
	waitSaved(t, s.Heads, last.Seq)
	wake()
	a.stop() // it has not read what b wrote
	if saved := savedHead(t, s.Heads); saved.GetSeq() < last.Seq {
		t.Fatalf("%d was saved after %d", saved.GetSeq(), last.Seq)
	}
	last = b.must(t, add("c3", "k", 1))
	b.stop()
	if saved := savedHead(t, s.Heads); saved.GetSeq() != last.Seq || saved.GetWriter() != "b" {
		t.Fatalf("saved: %v, want %d", saved, last.Seq)
	}
}

// pausedHeads wait before they save for the first time.
type pausedHeads struct {
	ledger.Heads
	once         sync.Once
	paused, wake chan struct{}
}

func (h *pausedHeads) Save(ctx context.Context, head []byte, revision uint64) (uint64, error) {
	h.once.Do(func() {
		close(h.paused)
		<-h.wake
	})
	return h.Heads.Save(context.WithoutCancel(ctx), head, revision) // the pause outlasts the caller's patience
}

// slowHeads take a head, but do not say so until they may.
type slowHeads struct {
	ledger.Heads
	asked chan struct{}
	may   chan struct{}
}

func (h *slowHeads) Save(ctx context.Context, head []byte, revision uint64) (uint64, error) {
	_, err := h.Heads.Save(ctx, head, revision)
	select {
	case h.asked <- struct{}{}:
	case <-h.may:
	}
	<-h.may
	return 0, errors.Join(errLost, err)
}

func testSlowHeads(t *testing.T, s ledger.Store) {
	slow := &slowHeads{Heads: s.Heads, asked: make(chan struct{}), may: make(chan struct{})}
	a := start(t, setup{log: s.Log, heads: slow})
	release := sync.OnceFunc(func() { close(slow.may) })
	t.Cleanup(release)
	a.must(t, add("c0", "k", 1))
	await(t, slow.asked)
	for i := range 50 {
		a.must(t, add(fmt.Sprint("slow", i), "k", 1))
	}
	release()
	a.stop()
	if saved := savedHead(t, s.Heads); saved.GetSeq() != head(t, s.Log) {
		t.Fatalf("saved: %v, want %d", saved, head(t, s.Log))
	}
	start(t, setup{log: s.Log, heads: s.Heads}).want(t, "k", 51)
}

// shyHeads do not answer until they may.
type shyHeads struct {
	ledger.Heads
	may atomic.Bool
}

func (h *shyHeads) Load(ctx context.Context) ([]byte, uint64, error) {
	if !h.may.Load() {
		return nil, 0, errors.New("not now")
	}
	return h.Heads.Load(ctx)
}

func testUnreadableHead(t *testing.T, s ledger.Store) {
	Fill(t, s, 3)
	shy := &shyHeads{Heads: s.Heads}
	a := launch(t, setup{log: s.Log, heads: shy})
	select {
	case <-a.ready:
		t.Fatal("ready without knowing the saved head")
	case err := <-a.failed:
		t.Fatal(err)
	case <-time.After(500 * time.Millisecond):
	}
	shy.may.Store(true)
	a.waitReady(t)
	a.want(t, "k", 3)
}

func testShorterLog(t *testing.T, s ledger.Store) {
	Fill(t, ledger.Store{Log: s.Log}, 9)
	full := head(t, s.Log)
	swapped := &swappable{Log: s.Log, change: make(chan struct{})}
	b := launch(t, setup{log: swapped, lease: held{memory.NewLease("b")}})
	if err := b.WaitApplied(patiently(t), full); err != nil {
		t.Fatal(err)
	}
	swapped.swap(copied(t, s.Log, full-1, nil))
	wantFault(t, b.failed)
}

// held is a lease that another replica holds for ever.
type held struct{ ledger.Lease }

func (held) Hold(context.Context) (string, error) { return "w", nil }

func testShorterFeed(t *testing.T, s ledger.Store) {
	Fill(t, ledger.Store{Log: s.Log}, 9)
	full := head(t, s.Log)
	swapped := &swappable{Log: s.Log, change: make(chan struct{})}
	feed := ledger.NewFeed(swapped, Codec{}.DecodeEvent)
	ended := make(chan error, 1)
	ctx := patiently(t)
	go func() {
		ended <- feed.Run(ctx, 0, func(context.Context, ledger.Group[Event]) error { return nil })
	}()
	for feed.CatchUp(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("does not catch up")
		}
	}
	swapped.swap(copied(t, s.Log, full-1, nil))
	wantFault(t, ended)
}

// await waits for something that must come.
func await(t *testing.T, it <-chan struct{}) {
	t.Helper()
	select {
	case <-it:
	case <-time.After(patience):
		t.Fatal("it does not come")
	}
}

func wantFault(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if !errors.Is(err, ledger.ErrLog) {
			t.Fatalf("stopped with %v, want ErrLog", err)
		}
	case <-time.After(patience):
		t.Fatal("goes on")
	}
}
