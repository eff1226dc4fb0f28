package jetstream_test

import (
	"strings"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
)

// TestTableIsWhatServicesOpen: what a service makes when it opens its log is what the table says, and nothing else.
func TestTableIsWhatServicesOpen(t *testing.T) {
	t.Parallel()
	js := connect(t)
	open(t, js.Conn(), "TEST_00", 1)
	stores, err := jetstream.NewStores(js.Conn(), 1)
	if err != nil {
		t.Fatal(err)
	}
	stores.LimitEvents(jetstream.EventsMaxAge, jetstream.EventsMaxBytes)
	told, _ := stores.Events("TEST_00", "test")
	if _, err := told.Last(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := js.StreamNames(t.Context())
	found := make(map[string]bool)
	for name := range names.Name() {
		found[name] = true
	}
	for _, want := range jetstream.Table([]ledger.LogName{{Name: "TEST_00", Subject: "log.test_00"}}, 1, 0) {
		r, err := jetstream.Compare(t.Context(), js, want, jetstream.Keep{})
		if err != nil || !r.OK() {
			t.Errorf("%+v, %v", r, err)
		}
		delete(found, want.Name)
	}
	if len(found) > 0 {
		t.Errorf("not in the table: %v", found)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	js := connect(t)
	want := jetstream.StreamConfig("TEST_00", "log.test.00", 1)
	want.MaxBytes = 1 << 20
	apply := func(keep jetstream.Keep) (jetstream.Report, error) {
		t.Helper()
		return jetstream.Apply(t.Context(), js, want, keep)
	}
	config := func() natsjs.StreamConfig {
		t.Helper()
		s, err := js.Stream(t.Context(), "TEST_00")
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().Config
	}
	if r, err := apply(jetstream.Keep{}); err != nil || !r.Missing {
		t.Fatalf("created: %+v, %v", r, err)
	}
	if r, err := apply(jetstream.Keep{}); err != nil || !r.OK() {
		t.Fatalf("again: %+v, %v", r, err)
	}
	if _, err := js.Publish(t.Context(), "log.test.00", make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}

	lax := config()
	lax.MaxMsgs, lax.Discard = 1000, natsjs.DiscardOld
	if _, err := js.UpdateStream(t.Context(), lax); err != nil {
		t.Fatal(err)
	}
	want.MaxBytes = 2 << 20
	if r, err := apply(jetstream.Keep{}); err != nil || len(r.Differences) != 3 {
		t.Fatalf("changed: %+v, %v", r, err)
	}
	if c := config(); c.MaxMsgs > 0 || c.Discard != natsjs.DiscardNew || c.MaxBytes != 2<<20 {
		t.Fatalf("changed to %+v", c)
	}

	want.MaxBytes = 500 // less than what is stored
	if _, err := apply(jetstream.Keep{}); err == nil || !strings.Contains(err.Error(), "max_bytes") || config().MaxBytes != 2<<20 {
		t.Fatalf("below what is stored: %v", err)
	}
	if r, err := apply(jetstream.Keep{MaxBytes: true}); err != nil || !r.OK() {
		t.Fatalf("the limit stays: %+v, %v", r, err)
	}

	want.Subjects = []string{"log.elsewhere.00"}
	want.MaxBytes = 4 << 20
	if _, err := apply(jetstream.Keep{}); err == nil || !strings.Contains(err.Error(), "subjects") || config().MaxBytes != 2<<20 {
		t.Fatalf("another subject: %v", err)
	}
}

// TestNoRoomForTheLimit: a server reserves what a stream may take, and says so when it cannot.
func TestNoRoomForTheLimit(t *testing.T) {
	t.Parallel()
	js := connect(t)
	stores, err := jetstream.NewStores(js.Conn(), 1)
	if err != nil {
		t.Fatal(err)
	}
	stores.LimitLogs(1 << 60)
	if _, err := stores.Open(t.Context(), "TEST_00", "log.test.00"); err == nil || !strings.Contains(err.Error(), "max_file_store") {
		t.Fatalf("got %v", err)
	}
}
