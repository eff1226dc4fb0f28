package view_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/services/score/internal/view"
	"github.com/faceoff-live/faceoff/services/score/internal/view/viewtest"
)

// TestContract runs against miniredis, or against the Redis of FACEOFF_REDIS_URL, which it empties.
func TestContract(t *testing.T) {
	t.Parallel()
	viewtest.Run(t, func(t *testing.T) redis.UniversalClient {
		o := &redis.Options{}
		if url := os.Getenv("FACEOFF_REDIS_URL"); url != "" {
			var err error
			if o, err = redis.ParseURL(url); err != nil {
				t.Fatal(err)
			}
		} else {
			o.Addr = miniredis.RunT(t).Addr()
		}
		client := redis.NewClient(o)
		t.Cleanup(func() { _ = client.Close() })
		return client
	})
}

// empty is a Source without rows.
type empty struct{}

func (empty) Rows() []view.Key                                   { return nil }
func (empty) Open(int) []view.Key                                { return nil }
func (empty) Row(view.Key, map[string]struct{}) (view.Row, bool) { return view.Row{}, false }

// TestRedisDown marks far more than is remembered while nobody answers: marking must neither wait nor grow without bound.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	addr := server.Addr()
	server.Close()
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: 100 * time.Millisecond})
	defer func() { _ = client.Close() }()
	v := view.New(client, 0, empty{}, time.Hour, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); v.Run(ctx) }()
	began := time.Now()
	for i := range 200_000 {
		v.Mark(view.Key{BattleID: "b", LiveID: "l"}, string(rune(i)))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("200000 marks took %v", took)
	}
	cancel()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Run does not end while Redis is away")
	}
}

// Redis is away while there is nothing to write: that is told once, and for as long as it lasts.
func TestRedisDownWhileIdle(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: 100 * time.Millisecond})
	defer func() { _ = client.Close() }()
	told := make(chan string, 100)
	v := view.New(client, 0, empty{}, time.Hour, slog.New(slog.NewTextHandler(lines(told), nil)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); v.Run(ctx) }()
	failing := func(is func(time.Duration) bool) {
		t.Helper()
		again := time.NewTicker(10 * time.Millisecond)
		defer again.Stop()
		for began := time.Now(); ; <-again.C {
			took, why := v.Failing()
			if is(took) {
				if (took > 0) != (why != nil) {
					t.Errorf("it has failed for %v: %v", took, why)
				}
				return
			}
			if time.Since(began) > 20*time.Second {
				t.Fatalf("it has failed for %v: %v", took, why)
			}
		}
	}
	server.Close()
	failing(func(took time.Duration) bool { return took > 2*time.Second })
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	failing(func(took time.Duration) bool { return took == 0 })
	cancel()
	<-done
	close(told)
	changes, away := 0, false
	for line := range told { // on a busy machine it may be away once more, for a moment
		if was := away; was == strings.Contains(line, "does not take") {
			t.Errorf("told again: %s", line)
		}
		changes, away = changes+1, !away
	}
	if changes == 0 || away {
		t.Errorf("told of %d changes; the last: away %t", changes, away)
	}
}

// lines gets what is logged.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}
