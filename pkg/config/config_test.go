package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/config"
)

type settings struct {
	Listen     string        `help:"Address." default:"127.0.0.1:9090"`
	NATSURL    string        `name:"nats-url" help:"Server." default:"nats://127.0.0.1:4222"`
	Invitation time.Duration `help:"Timeout." default:"30s"`
	Partitions int           `help:"Logs." default:"16"`
	Verbose    bool          `help:"More."`
	Keys       auth.Keys     `help:"API keys." redact:""`
	Password   string        `help:"Of Redis." redact:""`
}

func (s *settings) Validate() error {
	var problems []error
	if s.Partitions < 1 {
		problems = append(problems, errors.New("partitions: must be at least 1"))
	}
	if s.Invitation < time.Second {
		problems = append(problems, errors.New("invitation: must be at least 1s"))
	}
	return errors.Join(problems...)
}

var secret = strings.Repeat("s", 32)

func TestFlagsGoBeforeEnvironmentBeforeFileBeforeDefaults(t *testing.T) {
	t.Setenv("FACEOFF_INVITATION", "20s")
	t.Setenv("FACEOFF_PARTITIONS", "8")
	t.Setenv("FACEOFF_KEYS", "k1="+secret+";k2="+secret)
	file := write(t, `{"invitation": "10s", "partitions": 4, "verbose": true, "nats_url": "nats://n:1"}`)
	var got settings
	run, err := config.Parse("score", &got, []string{"--config", file, "--partitions=2"}, t.Output())
	if err != nil || !run {
		t.Fatalf("run %v, error %v", run, err)
	}
	want := settings{
		Listen: "127.0.0.1:9090", NATSURL: "nats://n:1", Invitation: 20 * time.Second, Partitions: 2, Verbose: true,
		Keys: auth.Keys{"k1": secret, "k2": secret},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsAreWhatTheStructHolds(t *testing.T) {
	t.Setenv("FACEOFF_PARTITIONS", "8")
	got := settings{Listen: "127.0.0.1:1", Invitation: 5 * time.Second, Partitions: 3, Verbose: true}
	want := got
	want.Partitions, want.NATSURL = 8, "nats://127.0.0.1:4222"
	if run, err := config.Parse("score", &got, nil, t.Output()); err != nil || !run {
		t.Fatalf("run %v, error %v", run, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Setenv("FACEOFF_INVITATION", "soon")
	t.Setenv("FACEOFF_KEYS", secret)
	file := write(t, `{"partitions": "many", "lisen": "x", "invitation_": 1}`)
	_, err := config.Parse("score", &settings{}, []string{"--config", file}, t.Output())
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"$FACEOFF_INVITATION", "$FACEOFF_KEYS", "partitions", "lisen: there is no such setting", "invitation_: there is no such setting"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("a secret is told: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown flag":          {"--lisen=x"},
		"argument":              {"x"},
		"value out of range":    {"--partitions=0", "--invitation=1ms"},
		"value of another type": {"--partitions=x"},
		"short secret":          {"--keys=k=short"},
		"no file":               {"--config", filepath.Join(t.TempDir(), "absent.json")},
		"two values":            {"--config", write(t, `{} {}`)},
		"not an object":         {"--config", write(t, `[]`)},
	} {
		t.Run(name, func(t *testing.T) {
			run, err := config.Parse("score", &settings{}, args, t.Output())
			if err == nil || run {
				t.Fatalf("run %v, error %v", run, err)
			}
			t.Log(err)
		})
	}
}

func TestCheckConfigPrintsWithoutSecrets(t *testing.T) {
	var out strings.Builder
	args := []string{"--check-config", "--keys=k=" + secret, "--password=pw", "--nats-url=nats://user:pw@host:1", "--invitation=90s"}
	run, err := config.Parse("score", &settings{}, args, &out)
	if err != nil || run {
		t.Fatalf("run %v, error %v", run, err)
	}
	want := `{
  "invitation": "1m30s",
  "keys": "(redacted)",
  "listen": "127.0.0.1:9090",
  "nats_url": "nats://(redacted)@host:1",
  "partitions": 16,
  "password": "(redacted)",
  "verbose": false
}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestHelpNamesTheEnvironment(t *testing.T) {
	var out strings.Builder
	run, err := config.Parse("score", &settings{}, []string{"--help"}, &out)
	if err != nil || run {
		t.Fatalf("run %v, error %v", run, err)
	}
	if !strings.Contains(out.String(), "$FACEOFF_NATS_URL") {
		t.Error(out.String())
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
