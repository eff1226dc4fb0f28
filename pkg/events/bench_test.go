package events_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/events"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// BenchmarkStore stores events of 400 bytes in EVENTS, one copy on file and three on as many servers, each call synced before it is
// answered: one at a time, and together. See docs/architecture/events.md.
func BenchmarkStore(b *testing.B) {
	for _, copies := range []int{1, 3} {
		b.Run(fmt.Sprint("R", copies), func(b *testing.B) { store(b, copies) })
	}
}

func store(b *testing.B, copies int) {
	b.Helper()
	for _, together := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			server := natstest.Start
			if copies > 1 {
				server = func(t testing.TB) *natsd.Server { return natstest.Cluster(t, copies)[0] }
			}
			stores, err := ledgerjs.NewStores(natstest.Connect(b, server(b)), copies)
			if err != nil {
				b.Fatal(err)
			}
			stream, _ := stores.Events("A_00", "a")
			if _, err := stream.Last(b.Context()); err != nil { // makes it
				b.Fatal(err)
			}
			var all []events.Event
			for i := range together {
				all = append(all, events.Event{
					Log: "A_00", Place: events.Place{Seq: 1, Index: uint32(i)}, Context: "a", Type: "Happened", Key: "k",
					FullType: "test.v1.Happened", At: time.UnixMilli(1), Data: make([]byte, 400),
				})
			}
			last, stored := uint64(0), 0
			for b.Loop() {
				if last, err = stream.Store(b.Context(), all, last); err != nil {
					b.Fatal(err)
				}
				stored += together
			}
			b.ReportMetric(float64(stored)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
