// Package viewtest is what the view promises of Redis, to be checked against every Redis there is: miniredis, which is
// close but not the same, and a real one.
package viewtest

import (
	"context"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/services/score/internal/view"
)

// Run checks the contract. open returns a client of a Redis that the test may empty.
func Run(t *testing.T, open func(t *testing.T) redis.UniversalClient) {
	for name, check := range map[string]func(*testing.T, redis.UniversalClient){
		"rows":                rows,
		"older writes":        olderWrites,
		"large numbers":       largeNumbers,
		"many gifters":        manyGifters,
		"emptied":             emptied,
		"emptied, no scripts": noScripts,
		"a key deleted":       deleted,
		"closed":              closed,
		"void":                void,
		"expiry":              expiry,
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t)
			if err := client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			check(t, client)
		})
	}
}

// healTime is how long it may take until a Redis that was emptied is exact again.
const healTime = 2 * time.Second

// source is a view.Source of rows that the test sets.
type source struct {
	mu   sync.Mutex
	rows map[view.Key]view.Row
}

func (s *source) set(v *view.View, r view.Row) {
	s.mu.Lock()
	if s.rows == nil {
		s.rows = make(map[view.Key]view.Row)
	}
	s.rows[r.Key] = r
	s.mu.Unlock()
	v.Mark(r.Key, "")
	for u := range r.Gifters {
		v.Mark(r.Key, u)
	}
}

// Rows implements view.Source.
func (s *source) Rows() (keys []view.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.rows {
		keys = append(keys, k)
	}
	return keys
}

// Open implements view.Source.
func (s *source) Open(most int) (keys []view.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, r := range s.rows {
		if r.Status == "OPEN" && len(keys) < most {
			keys = append(keys, k)
		}
	}
	return keys
}

// Row implements view.Source.
func (s *source) Row(k view.Key, users map[string]struct{}) (view.Row, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rows[k]
	if users == nil {
		return r, ok
	}
	part := make(map[string]int64)
	for u := range users {
		if p, ok := r.Gifters[u]; ok {
			part[u] = p
		}
	}
	r.Gifters = part
	return r, ok
}

// start runs a view of partition 7 for the length of the test.
func start(t *testing.T, client redis.UniversalClient, s *source) *view.View {
	t.Helper()
	v := view.New(client, 7, s, time.Hour, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); v.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return v
}

func row(battle, live string, seq uint64, total int64, gifters map[string]int64) view.Row {
	return view.Row{
		Key: view.Key{BattleID: battle, LiveID: live}, Lives: []string{"l1", "l2"}, UserID: "host-" + live, Partition: 7, Seq: seq,
		Total: total, Status: "OPEN", Running: "RUNNING", Gifters: gifters,
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(healTime)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within %v: %s", healTime, what)
		}
	}
}

func field(c redis.UniversalClient, battle, name string) string {
	return c.HGet(context.Background(), view.HashKey(battle), name).Val()
}

func points(c redis.UniversalClient, battle, live, user string) float64 {
	return c.ZScore(context.Background(), view.GiftersKey(battle, live), user).Val()
}

func rows(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	v := start(t, c, s)
	s.set(v, row(b, "l1", 5, 150, map[string]int64{"u": 100, "w": 50}))
	s.set(v, row(b, "l2", 6, 0, nil))
	eventually(t, "both lives are there", func() bool {
		return field(c, b, "host-l1") == "150" && field(c, b, "host-l2") == "0" && points(c, b, "l1", "u") == 100 && points(c, b, "l1", "w") == 50
	})
	if got := field(c, b, "_seq:l1"); got != "5.0" {
		t.Errorf("guard %q", got)
	}
	if field(c, b, "_status") != "RUNNING" || field(c, b, "_gen") == "" || field(c, b, "_seq") == "" {
		t.Errorf("our fields are %v", c.HGetAll(t.Context(), view.HashKey(b)).Val())
	}
	if d := c.TTL(t.Context(), view.HashKey(b)).Val(); d > 0 {
		t.Errorf("an open battle expires in %v", d)
	}
	s.set(v, row(b, "l1", 9, 250, map[string]int64{"u": 200}))
	eventually(t, "the change is there", func() bool {
		return field(c, b, "host-l1") == "250" && points(c, b, "l1", "u") == 200 && points(c, b, "l1", "w") == 50
	})
}

// olderWrites: a replica that is behind changes nothing, compared as numbers.
func olderWrites(t *testing.T, c redis.UniversalClient) {
	ahead, behind, b := &source{}, &source{}, ids.New()
	v := start(t, c, ahead)
	ahead.set(v, row(b, "l1", 100, 500, nil))
	eventually(t, "the first is there", func() bool { return field(c, b, "host-l1") == "500" })
	old := start(t, c, behind)
	behind.set(old, row(b, "l1", 99, 400, nil))
	behind.set(old, row(b, "l2", 99, 7, nil))
	eventually(t, "the old replica has written", func() bool { return field(c, b, "host-l2") == "7" })
	if got := field(c, b, "host-l1"); got != "500" {
		t.Errorf("an older total, %s, replaced a newer one", got)
	}
	behind.set(old, row(b, "l1", 101, 600, nil))
	eventually(t, "it has caught up", func() bool { return field(c, b, "host-l1") == "600" })
}

func largeNumbers(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	v := start(t, c, s)
	s.set(v, row(b, "l1", 1<<53-1, math.MaxInt64-1, map[string]int64{"u": 1 << 52}))
	eventually(t, "the total is exact", func() bool { return field(c, b, "host-l1") == strconv.FormatInt(math.MaxInt64-1, 10) })
	s.set(v, row(b, "l1", 1<<53-1, math.MaxInt64, map[string]int64{"u": 1<<52 + 1}))
	eventually(t, "and the next one too", func() bool {
		return field(c, b, "host-l1") == strconv.FormatInt(math.MaxInt64, 10) && points(c, b, "l1", "u") == 1<<52+1
	})
}

func manyGifters(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	gifters := make(map[string]int64)
	for i := range 1234 {
		gifters["u"+strconv.Itoa(i)] = int64(i)
	}
	v := start(t, c, s)
	s.set(v, row(b, "l1", 1, 5, gifters))
	eventually(t, "all gifters are there", func() bool { return c.ZCard(t.Context(), view.GiftersKey(b, "l1")).Val() == 1234 })
	s.set(v, row(b, "l2", 1, 5, gifters))
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all gifters are there again", func() bool {
		return c.ZCard(t.Context(), view.GiftersKey(b, "l1")).Val() == 1234 && c.ZCard(t.Context(), view.GiftersKey(b, "l2")).Val() == 1234
	})
}

// emptied at any moment, also while nothing happens, it is exact again soon.
func emptied(t *testing.T, c redis.UniversalClient) {
	s := &source{}
	v := start(t, c, s)
	battles := make([]string, 50)
	for i := range battles {
		battles[i] = ids.New()
		s.set(v, row(battles[i], "l1", 1, int64(i), map[string]int64{"u": int64(i)}))
		s.set(v, row(battles[i], "l2", 1, int64(i), nil))
	}
	exact := func() bool {
		for i, b := range battles {
			if field(c, b, "host-l1") != strconv.Itoa(i) || field(c, b, "host-l2") != strconv.Itoa(i) || points(c, b, "l1", "u") != float64(i) {
				return false
			}
		}
		return true
	}
	for range 5 {
		eventually(t, "every total is there", exact)
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "every total is there again", exact)
}

// deleted: keys of open battles are written again though nothing happens in them.
func deleted(t *testing.T, c redis.UniversalClient) {
	s, b, other := &source{}, ids.New(), ids.New()
	v := start(t, c, s)
	for _, battle := range []string{b, other} {
		s.set(v, row(battle, "l1", 5, 150, map[string]int64{"u": 100, "w": 50}))
		s.set(v, row(battle, "l2", 6, 0, nil))
	}
	exact := func() bool {
		for _, battle := range []string{b, other} {
			if field(c, battle, "host-l1") != "150" || field(c, battle, "host-l2") != "0" || points(c, battle, "l1", "u") != 100 || points(c, battle, "l1", "w") != 50 {
				return false
			}
		}
		return true
	}
	for _, key := range []string{view.HashKey(b), view.GiftersKey(b, "l1"), view.HashKey(other)} {
		eventually(t, "every total is there", exact)
		if n := c.Del(t.Context(), key).Val(); n != 1 {
			t.Fatalf("%s was not there", key)
		}
	}
	eventually(t, "every total is there again", exact)
}

func noScripts(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	v := start(t, c, s)
	s.set(v, row(b, "l1", 1, 1, nil))
	eventually(t, "the total is there", func() bool { return field(c, b, "host-l1") == "1" })
	if err := c.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.set(v, row(b, "l1", 2, 2, nil))
	eventually(t, "the next total is there", func() bool { return field(c, b, "host-l1") == "2" })
}

func closed(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	v := start(t, c, s)
	s.set(v, row(b, "l1", 1, 1, map[string]int64{"u": 1}))
	s.set(v, row(b, "l2", 1, 2, map[string]int64{"u": 2}))
	eventually(t, "both are open", func() bool { return field(c, b, "host-l2") == "2" && field(c, b, "host-l1") == "1" })
	one := row(b, "l1", 2, 1, nil)
	one.Status = "CLOSED"
	s.set(v, one)
	eventually(t, "one is closed", func() bool { return field(c, b, "_status:l1") == "CLOSED" })
	if got := field(c, b, "_status"); got != "RUNNING" {
		t.Errorf("with one live closed the battle is %s", got)
	}
	two := row(b, "l2", 2, 2, nil)
	two.Status, two.Running = "CLOSED", "SETTLING"
	s.set(v, two)
	eventually(t, "the battle is closed", func() bool { return field(c, b, "_status") == "CLOSED" })
}

func void(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	v := start(t, c, s)
	r := row(b, "l1", 1, 1, nil)
	r.Status = "VOID"
	s.set(v, r)
	eventually(t, "the battle is void", func() bool { return field(c, b, "_status") == "VOID" })
	if d := c.TTL(t.Context(), view.HashKey(b)).Val(); d <= 0 {
		t.Errorf("a void battle stays for ever (%v)", d)
	}
}

func expiry(t *testing.T, c redis.UniversalClient) {
	s, b := &source{}, ids.New()
	v := start(t, c, s)
	for _, live := range []string{"l1", "l2"} {
		r := row(b, live, 1, 1, map[string]int64{"u": 1})
		r.Status = "CLOSED"
		s.set(v, r)
	}
	eventually(t, "the battle is closed", func() bool { return field(c, b, "_status") == "CLOSED" })
	for _, key := range []string{view.HashKey(b), view.GiftersKey(b, "l1"), view.GiftersKey(b, "l2")} {
		if d := c.TTL(t.Context(), key).Val(); d <= 59*time.Minute || d > time.Hour {
			t.Errorf("%s expires in %v", key, d)
		}
	}
	if d := c.TTL(t.Context(), view.SentinelKey(7)).Val(); d > 0 {
		t.Errorf("the sentinel expires in %v", d)
	}
}
