package config_test

import (
	"io"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/config"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.Bytes{"0": 0, "1000": 1000, "1KiB": 1024, "64MiB": 64 << 20, "1536MiB": 1536 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40} {
		var b config.Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want || b.String() != text {
			t.Errorf("%s: %d, %v, as text %s", text, b, err, b)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1MB", "1.5GiB", "9999999999TiB", "1 GiB"} {
		if err := new(config.Bytes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestBytesAsFlag(t *testing.T) {
	t.Parallel()
	cfg := struct {
		Size config.Bytes `help:"A size."`
	}{Size: 1 << 30}
	if run, err := config.Parse("test", &cfg, nil, io.Discard); !run || err != nil || cfg.Size != 1<<30 {
		t.Fatalf("default: %v, %v, %d", run, err, cfg.Size)
	}
	if run, err := config.Parse("test", &cfg, []string{"--size=64MiB"}, io.Discard); !run || err != nil || cfg.Size != 64<<20 {
		t.Fatalf("given: %v, %v, %d", run, err, cfg.Size)
	}
}
