package e2e

import (
	"encoding/json"
	"strconv"
	"testing"
)

// A small bench finds nothing early, lost or duplicated, and has figures for all that it is asked for.
func TestBenchBattles(t *testing.T) {
	t.Parallel()
	const wanted = 20
	out, code, err := faceoff("bench", "battles", "--json", "--url", shared.HTTP, "--grpc", shared.GRPC, "--nats", shared.NATS,
		"--key", shared.Key, "--secret", shared.Secret, "--ends", strconv.Itoa(wanted), "--timeouts", strconv.Itoa(wanted),
		"--pairs", "10", "--callers", "4", "--gifts", "100", "--commands", "30", "--time", "500ms")
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		OK   bool
		Runs []struct {
			Name        string
			Events      int
			EventsPerS  float64 `json:"events_per_s"`
			P50MS       float64 `json:"p50_ms"`
			P99MS       float64 `json:"p99_ms"`
			CPU         float64 `json:"cpu_us_per_event"`
			Ratio       float64 `json:"ratio_to_echo"`
			Early, Lost int
			Duplicated  int
			Parts       map[string]struct{ Events int }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	if code != 0 || !report.OK {
		t.Errorf("exit code %d: %s", code, out)
	}
	parts := map[string][]string{
		"battle ends":                 {"decided", "settled", "told"},
		"invitation timeouts":         {"decided", "told"},
		"gifts beside":                nil,
		"commands beside":             nil,
		"connection commands":         {"request", "accept", "exit"},
		"echo of connection commands": {"request", "accept", "exit"},
		"battle commands":             {"request", "accept", "start", "exit", "end"},
		"echo of battle commands":     {"request", "accept", "exit"},
	}
	events := map[string]int{"battle ends": wanted, "invitation timeouts": wanted}
	for _, r := range report.Runs {
		if want, known := events[r.Name]; r.Events == 0 || known && r.Events != want {
			t.Errorf("%s: %d events", r.Name, r.Events)
		}
		if r.Early+r.Lost+r.Duplicated != 0 {
			t.Errorf("%s: %d early, %d lost, %d duplicated", r.Name, r.Early, r.Lost, r.Duplicated)
		}
		if r.EventsPerS <= 0 || r.CPU <= 0 || r.P50MS < 0 || r.P99MS < r.P50MS || r.P99MS > 30_000 {
			t.Errorf("%s: %+v", r.Name, r)
		}
		if (r.Name == "battle commands" || r.Name == "connection commands") && r.Ratio <= 0 {
			t.Errorf("%s: no ratio to the echo", r.Name)
		}
		for _, name := range parts[r.Name] {
			if r.Parts[name].Events == 0 {
				t.Errorf("%s: nothing of %s", r.Name, name)
			}
		}
		delete(parts, r.Name)
	}
	if len(parts) > 0 {
		t.Errorf("not run: %v", parts)
	}
}
