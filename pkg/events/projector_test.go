package events_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/events"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// told is a log whose group n tells n modulo 4 events; head is its last group.
type told struct{ head atomic.Uint64 }

func (s *told) events(log, of string, seq uint64) (all []events.Event) {
	for i := range seq % 4 {
		all = append(all, events.Event{
			Log: log, Place: events.Place{Seq: seq, Index: uint32(i)}, Context: of, Type: "Happened", Key: fmt.Sprint("k", i),
			FullType: "test.v1.Happened", At: time.UnixMilli(int64(seq)), Data: fmt.Append(nil, seq, " ", i),
		})
	}
	return all
}

func (s *told) ids(log string) (all []string) {
	for seq := range s.head.Load() {
		for _, e := range s.events(log, "", seq+1) {
			all = append(all, e.ID())
		}
	}
	return all
}

func (s *told) source(log, of string) events.Source {
	return func(ctx context.Context, from uint64, handle func(context.Context, uint64, []events.Event) error) error {
		for seq := from + 1; seq <= s.head.Load(); seq++ {
			if err := handle(ctx, seq, s.events(log, of, seq)); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

func (s *told) options(log, of string, stream events.Stream, marks ledger.Heads) events.Options {
	return events.Options{
		Log: log, Source: s.source(log, of), Stream: stream, Marks: marks,
		Head: func(context.Context) (uint64, error) { return s.head.Load(), nil },
	}
}

// kept is an events.Stream in memory. It harms calls as told.
type kept struct {
	mu   sync.Mutex
	ids  []string
	gone bool // what was stored is no longer there, but for its sequences
	harm func() (before, after bool)
}

func (k *kept) Last(ctx context.Context) (events.Last, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ids) == 0 || k.gone {
		return events.Last{}, ctx.Err()
	}
	return events.Last{ID: k.ids[len(k.ids)-1], Seq: uint64(len(k.ids))}, ctx.Err()
}

var errHarm = errors.New("no answer")

func (k *kept) Store(_ context.Context, all []events.Event, after uint64) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, behind := false, false
	if k.harm != nil {
		before, behind = k.harm()
	}
	last := uint64(len(k.ids))
	if k.gone {
		last = 0
	}
	if before {
		return 0, errHarm
	}
	if after != last {
		return 0, errors.New("wrong last sequence")
	}
	for _, e := range all {
		k.ids = append(k.ids, e.ID())
	}
	k.gone = false
	if behind {
		return 0, errHarm
	}
	return uint64(len(k.ids)), nil
}

// TestNothingIsLostOrDoubled: projectors, several at once, killed at any moment, and left without an answer before or after
// an event is stored.
func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			log := new(told)
			log.head.Store(30)
			h := rand.New(rand.NewPCG(seed, 2)) // under the stream's lock
			stream, marks := &kept{harm: func() (bool, bool) { return h.IntN(5) == 0, h.IntN(5) == 0 }}, memory.NewHeads()
			for range 6 {
				ctx, kill := context.WithCancel(t.Context())
				var running sync.WaitGroup
				for range 2 {
					running.Go(func() { events.NewProjector(log.options("TEST_00", "test", stream, marks)).Run(ctx) })
				}
				stopAfter := time.NewTimer(time.Duration(r.IntN(300)) * time.Millisecond)
				<-stopAfter.C
				kill()
				running.Wait()
				log.head.Add(7)
			}
			ctx, end := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { events.NewProjector(log.options("TEST_00", "test", stream, marks)).Run(ctx) })
			<-time.After(10 * time.Minute)
			end()
			running.Wait()
			if diff := cmp.Diff(log.ids("TEST_00"), stream.ids); diff != "" {
				t.Errorf("seed %d (-told +stored):\n%s", seed, diff)
			}
		})
	}
}

// TestWhatTheStreamLetGoOfIsNotToldAgain: the mark knows it. What it lost of its end is.
func TestWhatTheStreamLetGoOfIsNotToldAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		harm func(*kept)
	}{
		{"let go of", func(k *kept) { k.gone = true }},
		{"end lost", func(k *kept) { k.ids = k.ids[:5] }},
	} {
		synctest.Test(t, func(t *testing.T) {
			log := new(told)
			log.head.Store(20)
			stream, marks := &kept{}, memory.NewHeads()
			for range 2 {
				ctx, end := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { events.NewProjector(log.options("TEST_00", "test", stream, marks)).Run(ctx) })
				<-time.After(time.Minute)
				end()
				running.Wait()
				if len(stream.ids) == len(log.ids("TEST_00")) && log.head.Load() == 20 {
					row.harm(stream)
					log.head.Store(24)
				}
			}
			if diff := cmp.Diff(log.ids("TEST_00"), stream.ids); diff != "" {
				t.Errorf("%s (-told +stored):\n%s", row.name, diff)
			}
		})
	}
}

// TestOnJetStream: two contexts with two projectors each, killed and started again, in one stream.
func TestOnJetStream(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	contexts := map[string]string{"A_00": "a", "B_00": "b"}
	log := new(told)
	log.head.Store(40)
	run := func(ctx context.Context) *sync.WaitGroup {
		running := new(sync.WaitGroup)
		for name, of := range contexts {
			for range 2 {
				stores, err := ledgerjs.NewStores(natstest.Connect(t, server), 1)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := stores.Open(t.Context(), name, "log."+of); err != nil { // makes HEADS
					t.Fatal(err)
				}
				stream, marks := stores.Events(name, of)
				running.Go(func() { events.NewProjector(log.options(name, of, stream, marks)).Run(ctx) })
			}
		}
		return running
	}
	js, err := natsjs.New(natstest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string][]string
	// read reads the stream until it holds n messages of each context.
	read := func(n int) {
		t.Helper()
		stream, err := js.Stream(t.Context(), "EVENTS")
		for err != nil && t.Context().Err() == nil {
			stream, err = js.Stream(t.Context(), "EVENTS")
		}
		consumer, err := stream.OrderedConsumer(t.Context(), natsjs.OrderedConsumerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		got = make(map[string][]string)
		messages, err := consumer.Messages()
		if err != nil {
			t.Fatal(err)
		}
		defer messages.Stop()
		for len(got["A_00"]) < n || len(got["B_00"]) < n {
			m, err := messages.Next()
			if err != nil {
				t.Fatal(err)
			}
			id := m.Headers().Get("ce-id")
			got[id[:4]] = append(got[id[:4]], id)
		}
	}
	for _, n := range []int{5, 20, len(log.ids("A_00"))} {
		ctx, kill := context.WithCancel(t.Context())
		running := run(ctx)
		read(n)
		kill()
		running.Wait()
	}
	read(len(log.ids("A_00")))
	for name := range contexts {
		if diff := cmp.Diff(log.ids(name), got[name]); diff != "" {
			t.Errorf("%s (-told +stored):\n%s", name, diff)
		}
	}
	info, err := js.Stream(t.Context(), "EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	if n := info.CachedInfo().State.Msgs; n != uint64(2*len(log.ids("A_00"))) {
		t.Errorf("%d messages", n)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	e := events.Event{Log: "COHOST_00", Place: events.Place{Seq: 12, Index: 3}}
	if at, err := events.ParseID("COHOST_00", e.ID()); err != nil || at != e.Place || e.ID() != "COHOST_00-12-3" {
		t.Error(at, err, e.ID())
	}
	for _, bad := range []string{"", "COHOST_00", "COHOST_00-1", "COHOST_00-0-0", "COHOST_00-01-1", "COHOST_00-1--1", "BATTLE_00-1-1", "COHOST_00-1-1-1"} {
		if at, err := events.ParseID("COHOST_00", bad); err == nil {
			t.Errorf("%q is %v", bad, at)
		}
	}
}
