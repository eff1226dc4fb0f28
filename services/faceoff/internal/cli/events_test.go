package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// What lives were told can be printed from EVENTS, for one live or for all, in words or as CloudEvents.
func TestEvents(t *testing.T) {
	t.Parallel()
	a := stack(t)
	run := func(want int, line string) []string {
		t.Helper()
		code, out, complaints := execute(strings.Fields(line)...)
		if code != want {
			t.Fatalf("%s: exit code %d: %s%s", line, code, out, complaints)
		}
		return strings.Split(strings.TrimSpace(out+complaints), "\n")
	}
	for _, live := range []string{"red", "blue"} {
		run(0, "live create "+live+" --host of-"+live+" --grpc "+a.GRPC)
		run(0, "live update "+live+" --host-name Somebody --grpc "+a.GRPC)
	}
	run(0, "live end blue --grpc "+a.GRPC)
	// read reads until the projector has come as far.
	read := func(flags string, n int) []string {
		t.Helper()
		for tick := time.Tick(100 * time.Millisecond); ; <-tick {
			lines := run(0, "events --no-follow --nats-url "+a.NATS+" "+flags)
			if len(lines) >= n && lines[0] != "" {
				return lines
			}
			if t.Context().Err() != nil {
				t.Fatalf("%d lines: %q", n, lines)
			}
		}
	}
	if all := read("--since all", 3); len(all) != 3 {
		t.Errorf("all: %q", all)
	}
	if red := read("--since 1h --live red", 1); len(red) != 1 || !strings.Contains(red[0], " red 1 faceoff.cohost.v1.LiveUpdated {") || !strings.Contains(red[0], `"user_name":"Somebody"`) {
		t.Errorf("red: %q", red)
	}
	blue := read("--since 2020-01-01T00:00:00Z --live blue --json", 2)
	var e cloudEvent
	told := new(cohostv1.Event)
	err := json.Unmarshal([]byte(blue[1]), &e)
	if err = errors.Join(err, protojson.Unmarshal(e.Data, told)); err != nil || e.SpecVersion != "1.0" || e.Type != "faceoff.cohost.v1.LiveEnded" || e.Source != "/faceoff/cohost" ||
		!strings.HasPrefix(e.ID, "COHOST_00-") || e.Subject != "blue" || e.DataContentType != "application/json" || told.GetNumber() != 2 || told.GetLiveEnded().GetLiveId() != "blue" {
		t.Errorf("%v: %+v in %q", err, e, blue)
	}
	if stored := run(0, "events --no-follow --nats-url "+a.NATS); len(stored) != 3 {
		t.Errorf("all that is stored: %q", stored)
	}
	if now, err := (eventsCommand{Follow: true}).consumer(time.Now()); err != nil || now.DeliverPolicy != natsjs.DeliverNewPolicy {
		t.Errorf("from now on: %+v, %v", now, err)
	}
	run(exitUsage, "events --since yesterday")
	run(exitUsage, "events --live red.>")
	run(exitFailed, "events --nats-url nats://127.0.0.1:1")
}
