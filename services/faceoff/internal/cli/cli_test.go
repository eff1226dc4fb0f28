package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

// execute runs a command line.
func execute(args ...string) (code int, out, complaints string) {
	var stdout, stderr bytes.Buffer
	code = Main(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

var secret = strings.Repeat("s", 32)

func TestTokenCreate(t *testing.T) {
	t.Parallel()
	code, out, complaints := execute("token", "create", "--key", "k", "--secret", secret, "--user", "ann", "--live", "red", "--role", "host", "--ttl", "2h")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, complaints)
	}
	token := strings.TrimSuffix(out, "\n")
	keys := auth.Keys{"k": secret}
	got, err := keys.Verify(token, time.Now())
	if want := (auth.Principal{Key: "k", User: "ann", Live: "red", Role: auth.Host}); err != nil || got != want {
		t.Errorf("the token is for %v (%v)", got, err)
	}
	if _, err := keys.Verify(token, time.Now().Add(2*time.Hour+2*time.Minute)); err == nil {
		t.Error("the token is valid for ever")
	}
}

func TestLinesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"":        "expected",
		"fly":     "fly",
		"live":    "expected",
		"live go": "go",
		"token create --key k --secret s --user u --live l":              "--role",
		"token create --key k --secret s --user u --live l --role king":  "--role",
		"token create --key k --secret s --user u! --live l --role host": "sub",
		"token create --key k --secret s --user u --live l --role admin": "live.room",
		"dev --http 0.0.0.0:0":             "loopback",
		"dev --grpc :0":                    "loopback",
		"dev --nats 10.0.0.1:4222":         "loopback",
		"demo --scenario opera":            "--scenario",
		"bench battles --pairs 0":          "--pairs",
		"bench battles --callers 101":      "--callers",
		"battle list --status LOST":        "--status",
		"cohost --fly":                     "--fly",
		"battle --min-duration 1ms":        "min-duration",
		"live list --grpc 10.0.0.1:9090":   "--key",
		"live list --key k":                "--secret",
		"gift send red --category PRICELY": "--category",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			code, out, complaints := execute(strings.Fields(line)...)
			if code != exitUsage || !strings.Contains(complaints, says) || out != "" {
				t.Errorf("exit code %d, out %q, complaints %q", code, out, complaints)
			}
		})
	}
}

func TestServiceSettings(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		code, out, complaints := execute(s.name, "--check-config", "--keys", "k="+secret)
		if code != 0 || !strings.Contains(out, `"grpc"`) || strings.Contains(out, secret) {
			t.Errorf("%s: exit code %d, %s%s", s.name, code, out, complaints)
		}
	}
}

// `battle` is a service and what operators call battles by.
func TestBattleIsBoth(t *testing.T) {
	t.Parallel()
	for line, service := range map[string]bool{
		"battle": true, "battle --grpc x": true, "battle list": false, "battle get x": false, "score": true, "dev": false, "": false,
	} {
		if _, _, got := asService(strings.Fields(line)); got != service {
			t.Errorf("%q is a service: %v", line, got)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	code, out, _ := execute("--help")
	for _, word := range []string{"dev", "demo", "token create", "battle replay", "gift receipt", "cohost | battle | score | gateway"} {
		if code != 0 || !strings.Contains(out, word) {
			t.Errorf("exit code %d, %q is missing in: %s", code, word, out)
		}
	}
}
