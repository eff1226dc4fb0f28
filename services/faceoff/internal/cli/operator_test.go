package cli

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

// stack runs the whole product for the length of the test.
func stack(t *testing.T) dev.Addresses {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	serving := make(chan dev.Addresses, 1)
	ended := make(chan error, 1)
	go func() {
		o := dev.Options{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0", Data: t.TempDir()}
		ended <- dev.Run(ctx, o, slog.New(slog.DiscardHandler), func(a dev.Addresses) { serving <- a })
	}()
	t.Cleanup(stop)
	select {
	case a := <-serving:
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("the stack: %v", err)
			}
		})
		return a
	case err := <-ended:
		t.Fatal(err)
	}
	return dev.Addresses{}
}

// An operator opens a live, looks at it, sends it a gift and ends it; a demo is played, and its battle replayed.
func TestOperatorsCalls(t *testing.T) {
	t.Parallel()
	a := stack(t)
	run := func(want int, line string, words ...string) string {
		t.Helper()
		args := append(strings.Fields(line), "--grpc", a.GRPC)
		code, out, complaints := execute(args...)
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
	run(0, "live list", "LIVE", "HOST")
	run(0, "live create red --host ann", "red", "ann", "ACTIVE")
	run(1, "live create red --host ann", "LIVE_EXISTS: live red is active already")
	run(0, "live get red", "VIDEO")
	run(0, "live heartbeat red --session tab-1", "PRESENT", "1")
	run(0, "live heartbeat red --session tab-2", "PRESENT", "2")
	run(1, "live heartbeat red --session tab-1", "SUPERSEDED")
	run(0, "live get red", "PRESENT", "ACTIVE")
	run(0, "live list --json", `"live_id": "red"`, `"connection_id": ""`)
	run(0, "connection get red --json", `"DISCONNECTED"`)
	run(1, "connection exit red", "CONNECTION_NOT_FOUND")
	run(1, "connection rejoin red", "CONNECTION_NOT_FOUND")
	run(0, "battle list", "BATTLE")
	run(1, "battle get never-was", "BATTLE_NOT_FOUND")
	run(1, "battle replay never-was", "BATTLE_NOT_FOUND")
	run(0, "gift send red --sender fan", "NO_BATTLE")
	run(1, "gift receipt red never-was", "GIFT_NOT_FOUND")
	run(1, "gift send red --sender fan --value 0", "INVALID_ARGUMENT: gifts[0].unit_value")
	run(0, "live end red", "ENDED")
	run(1, "live list --token nonsense", "UNAUTHENTICATED")

	var report struct {
		OK       bool
		BattleID string `json:"battle_id"`
		Lives    []string
		Checks   []json.RawMessage
	}
	out := run(0, "demo --json --duration 1 --url "+a.HTTP+" --nats "+a.NATS+" --redis-url "+a.Redis)
	if err := json.Unmarshal([]byte(out), &report); err != nil || !report.OK || len(report.Checks) == 0 {
		t.Fatalf("the demo (%v): %s", err, out)
	}
	run(0, "battle replay "+report.BattleID, report.Lives[0], "REPLAYED")
	run(0, "battle get "+report.BattleID, "ENDED", "TIME_OVER")
	run(0, "battle list --status ENDED --live "+report.Lives[1], report.BattleID)
	run(1, "battle exit "+report.BattleID+" --live "+report.Lives[0], "BATTLE_ENDED")
	run(1, "battle rejoin "+report.BattleID+" --live "+report.Lives[0], "BATTLE_ENDED")
	run(1, "battle end "+report.BattleID+" --live "+report.Lives[0], "BATTLE_ENDED")
	run(1, "battle extend "+report.BattleID+" --by 60", "BATTLE_ENDED")
	run(1, "battle void "+report.BattleID+" --reason fraud", "BATTLE_ENDED")
	run(1, "battle rematch "+report.BattleID+" --live "+report.Lives[0], "CONNECTION_NOT_FOUND") // they have parted
	run(0, "gift receipt "+report.Lives[0]+" gift-00", "COUNTED")
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	code, _, complaints := execute("live", "list", "--grpc", "127.0.0.1:1", "--timeout", "2s")
	if code != exitFailed || !strings.Contains(complaints, "UNAVAILABLE") {
		t.Errorf("exit code %d: %s", code, complaints)
	}
	if client.Answers(t.Context(), "http://127.0.0.1:1") {
		t.Error("somebody answers where nobody is")
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	a := stack(t)
	for path, word := range map[string]string{"/": "bin/faceoff demo", "/openapi.json": "/v1/battles", "/healthz": ""} {
		resp, err := http.Get(a.HTTP + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), word) {
			t.Errorf("%s: %s %v %.200s", path, resp.Status, err, body)
		}
	}
}
