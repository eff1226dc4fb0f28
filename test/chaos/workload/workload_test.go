package workload

import (
	"bufio"
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/check"
	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	sim "github.com/faceoff-live/faceoff/test/sim/check"
)

// A run in which nothing is harmed: the checks find nothing, and say that it proves nothing. All that the load is to do was
// done.
func TestUnharmed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	doors := dev(t, filepath.Join(dir, "data"))
	h, err := history.Open(filepath.Join(dir, check.History))
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(doors, 1, h)
	if err != nil {
		t.Fatal(err)
	}
	load, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	go func() {
		for wait(load, 4*time.Second) {
			if len(w.unacked()) == 0 {
				cancel()
			}
		}
	}()
	if err := w.Run(load); err != nil {
		t.Error(err)
	}
	if err := w.Rest(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if never := w.unacked(); len(never) > 0 {
		t.Errorf("never acknowledged: %v", never)
	}
	export(t, doors.NATSDirect[0], dir)
	r, err := check.Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Green() || r.Inconclusive != "no fault was done" || r.Settled < len(w.lives)/2 || r.Acked < 100 || r.Unknown > 0 {
		t.Errorf("%+v", r)
	}
	records, err := history.Read(filepath.Join(dir, check.History))
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for _, r := range records {
		done[r.F]++
	}
	for _, f := range []string{
		"SendGifts", "GetBattle", "GetBattleScores", "GetGift", "GetLive", "GetCoHostState", "GetLiveState", "ListCandidates", "ReplayBattle", "Redis", "Heads",
		"Told", "Book",
	} {
		if done[f] == 0 {
			t.Errorf("nobody did %s", f)
		}
	}
}

// unacked are the commands that nobody has had acknowledged.
func (w *Workload) unacked() (never []sim.Kind) {
	w.stage.mu.Lock()
	defer w.stage.mu.Unlock()
	for _, kind := range call.Commands {
		if !slices.ContainsFunc(w.stage.done, func(m command) bool { return m.kind == kind }) {
			never = append(never, kind)
		}
	}
	return never
}

// dev runs the whole product in one process, on free ports.
func dev(t *testing.T, data string) (d cluster.Doors) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "faceoff")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/faceoff")
	build.Dir = filepath.Join("..", "..", "..", "services", "faceoff")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const free = "127.0.0.1:0"
	cmd := exec.Command(binary, "dev", "--http", free, "--grpc", free, "--nats", free, "--data", data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if _, rest, ok := strings.Cut(line, "redis://"); ok {
			d.RedisAddr, _, _ = strings.Cut(rest, " ")
		}
		fields, ready := strings.CutPrefix(line, "ready ")
		if !ready {
			continue
		}
		for _, field := range strings.Fields(fields) {
			switch name, value, _ := strings.Cut(field, "="); name {
			case "http":
				d.REST = []string{value}
			case "grpc":
				d.GRPC = []string{value}
			case "nats":
				d.NATS, d.NATSDirect = []string{value}, []string{value}
			case "key":
				d.Key = value
			case "secret":
				d.Secret = value
			}
		}
		return d
	}
	t.Fatal("faceoff dev has ended")
	return d
}

// export saves all logs.
func export(t *testing.T, url, dir string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := logHeads(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	for log, head := range heads {
		stream, err := js.Stream(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		groups := make([][]byte, head)
		for i := range groups {
			m, err := stream.GetMsg(t.Context(), uint64(i+1))
			if err != nil {
				t.Fatal(err)
			}
			groups[i] = m.Data
		}
		if err := history.WriteGroups(filepath.Join(dir, log), groups); err != nil {
			t.Fatal(err)
		}
	}
}
