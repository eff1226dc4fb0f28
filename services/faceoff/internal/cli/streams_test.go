package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/services/battle"
	"github.com/faceoff-live/faceoff/services/cohost"
	"github.com/faceoff-live/faceoff/services/score"
)

// What a stack has made is what the table declares: all of it, and nothing else. What is changed is found, and mended.
func TestStreams(t *testing.T) {
	t.Parallel()
	a := stack(t)
	run := func(want int, line string, words ...string) string {
		t.Helper()
		code, out, complaints := execute(append(strings.Fields(line), "--nats-url", a.NATS)...)
		if code != want {
			t.Fatalf("%s: exit code %d: %s%s", line, code, out, complaints)
		}
		for _, word := range words {
			if !strings.Contains(out+complaints, word) {
				t.Errorf("%s: %q is missing in: %s%s", line, word, out, complaints)
			}
		}
		return out
	}
	nc, err := nats.Connect(a.NATS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}

	var applied []appliedStream
	if err := json.Unmarshal([]byte(run(0, "streams apply --json")), &applied); err != nil {
		t.Fatal(err)
	}
	declared := make(map[string]bool)
	for _, s := range applied {
		declared[s.Stream] = true
		if s.Done != "as declared" {
			t.Errorf("%+v", s)
		}
	}
	for name := range js.StreamNames(t.Context()).Name() {
		if !declared[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
	if len(declared) != 22 {
		t.Errorf("%d streams", len(declared))
	}
	run(0, "streams check", "SCORE_15", "sound")

	s, err := js.Stream(t.Context(), "SCORE_03")
	if err != nil {
		t.Fatal(err)
	}
	changed := s.CachedInfo().Config
	changed.MaxMsgs = 1_000_000
	if _, err := js.UpdateStream(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	var checked checkedStreams
	if err := json.Unmarshal([]byte(run(1, "streams check --json", "max_msgs")), &checked); err != nil || checked.OK || len(checked.Logs) != 18 {
		t.Errorf("%+v, %v", checked, err)
	}
	run(0, "streams apply --log SCORE_03 --log-max-bytes 128MiB", "changed", "max_msgs: 1000000, declared 0", "max_bytes: 67108864, declared 134217728")
	run(0, "streams check")
	run(1, "streams check --log-max-bytes 64MiB", "max_bytes is 134217728, must be 67108864")
	run(1, "streams check --partitions 32", "their number cannot be changed")
	run(2, "streams apply --log NOPE", "there is no log NOPE")
	run(2, "streams apply --log-max-bytes lots", "is not a size")
}

// Logs go on in other streams while battles are played; all that was counted before and after can be counted again.
func TestStreamsGoOn(t *testing.T) {
	t.Parallel()
	a := stack(t)
	run := func(want int, line string, words ...string) string {
		t.Helper()
		code, out, complaints := execute(append(strings.Fields(line), "--nats-url", a.NATS)...)
		if code != want {
			t.Fatalf("%s: exit code %d: %s%s", line, code, out, complaints)
		}
		for _, word := range words {
			if !strings.Contains(out+complaints, word) {
				t.Errorf("%s: %q is missing in: %s%s", line, word, out, complaints)
			}
		}
		return out
	}
	const demos = 3
	var playing sync.WaitGroup
	for range demos {
		playing.Go(func() {
			if code, out, complaints := execute("demo", "--url", a.HTTP, "--grpc", a.GRPC, "--nats", a.NATS); code != 0 {
				t.Errorf("demo: exit code %d: %s%s", code, out, complaints)
			}
		})
	}
	logs := slices.Concat(cohost.Logs(), battle.Logs(), score.Logs(16))
	for range 2 {
		for _, l := range logs {
			run(0, "streams continue "+l.Name, l.Name+"_")
		}
	}
	playing.Wait()
	_, out, _ := execute("battle", "list", "--grpc", a.GRPC)
	battles := strings.Split(strings.TrimSpace(out), "\n")[1:]
	if len(battles) != demos {
		t.Fatalf("%d battles: %s", len(battles), out)
	}
	for _, row := range battles {
		if code, out, complaints := execute("battle", "replay", strings.Fields(row)[0], "--grpc", a.GRPC); code != 0 {
			t.Errorf("replay: exit code %d: %s%s", code, out, complaints)
		}
	}
	run(0, "streams check", "SCORE_00", "sound")
	run(0, "streams apply", "COHOST_00_3")
	dir := t.TempDir()
	run(0, "streams export COHOST_00 "+dir, "COHOST_00_2")
	run(1, "streams drop COHOST_00 --export "+dir, "less than 720h")
	run(1, "streams drop COHOST_00 --now --export "+dir, "no snapshot of COHOST_00")
	run(1, "streams drop COHOST_00_2 --now --export "+dir, "not the oldest")
	run(1, "streams drop COHOST_00 --now --export "+t.TempDir(), "cannot be trusted")
	run(0, "streams restore COHOST_00 "+dir)
	run(2, "streams restore NOPE "+dir, "there is no log NOPE")
	run(2, "streams continue NOPE", "there is no log NOPE")
}
