package events_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/events"
	ledgerjs "github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// BenchmarkStore stores events of 400 bytes in EVENTS, one copy on file, each call synced before it is answered: one at a
// time, and together. See docs/architecture/events.md.
func BenchmarkStore(b *testing.B) {
	for _, together := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			stores, err := ledgerjs.NewStores(natstest.Connect(b, natstest.Start(b)), 1)
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
