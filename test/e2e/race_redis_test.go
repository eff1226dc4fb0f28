package e2e

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// Redis loses everything, again and again, while gifts pour in: each time all scores and gifters are soon again what the
// log has at the place that Redis names.
func TestRaceRedis(t *testing.T) {
	t.Parallel()
	const (
		senders = 8
		fans    = 50
	)
	s, r := shared, newRecord(t, shared)
	if s.redis == nil {
		t.Fatal("there is no Redis to empty: FACEOFF_E2E_REDIS")
	}
	lives, mine := openMany(t, s, 8)
	var rooms []room
	for pair := range slices.Chunk(lives, 2) {
		r.invite(t, pair[0], pair[1], 0, time.Now())
		r.accept(t, pair[1], pair[0], time.Now())
		b := r.fight(t, pair[0], pair[1], 600)
		mine[b.GetBattleId()] = true
		for _, p := range pair {
			rooms = append(rooms, room{b.GetBattleId(), p, r.scoreLog(p.live)})
		}
		until(t.Context(), b.GetStartsAt().AsTime().Add(100*time.Millisecond))
	}
	sums := r.follow(t)
	silent := lives[len(lives)-2:] // what is lost of them nobody sends again
	for _, p := range silent {
		r.give(t, []*scorev1.GiftEvent{gift(p.live)}, time.Now(), s.doors(t)["NATS"])
	}
	loud := lives[:len(lives)-2]
	load, end := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	give := s.doors(t)["gRPC"]
	began := time.Now()
	for i := range senders {
		sending.Go(func() {
			for n := i; load.Err() == nil; n++ {
				var gifts []*scorev1.GiftEvent
				for range 20 {
					g := gift(loud[n%len(loud)].live)
					g.Sender = user("fan-" + strconv.Itoa(rand.IntN(fans)))
					gifts = append(gifts, g)
				}
				r.give(t, gifts, time.Now(), give)
			}
		})
	}
	var took []time.Duration
	for range size(3, 30) {
		r.exact(t, sums, rooms, time.Now()) // as it was before
		wait(t.Context(), rand.N(500*time.Millisecond))
		emptied := time.Now()
		if err := s.redis.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		took = append(took, r.exact(t, sums, rooms, emptied))
	}
	end()
	sending.Wait()
	rate := float64(len(r.gifts)) / time.Since(began).Seconds()
	for i := 0; i < len(rooms); i += 2 {
		r.leaveBattle(t, rooms[i].p, rooms[i].battle)
		r.awaitEnd(t, rooms[i].battle)
	}
	_, found := r.judge(t, mine)
	found["emptied"], found["exact_again_ms"], found["gifts"], found["gifts_per_second"] = len(took), spread(took), len(r.gifts), int(rate)
	figures(t, "Redis emptied", found)
	if p := quantile(took, 0.5); p > 20*time.Second {
		t.Errorf("Redis is exact again after %v", p)
	}
}

// room is a live in a battle, and the log that counts it.
type room struct {
	battle string
	p      *side
	log    string
}

// exact returns how long after a moment Redis was what the logs have, from the heads that they had at that moment on.
func (r *record) exact(t testing.TB, sums *sums, rooms []room, since time.Time) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	heads := make(map[string]uint64)
	for _, x := range rooms {
		if _, ok := heads[x.log]; !ok {
			heads[x.log] = r.head(ctx, x.log)
		}
	}
	var err error
	for ctx.Err() == nil {
		var rows []row
		if rows, err = r.rows(ctx, rooms); err == nil {
			seen := time.Now()
			for i, x := range rooms {
				if err == nil {
					err = sums.compare(ctx, x, rows[i], heads[x.log])
				}
			}
			if err == nil {
				return seen.Sub(since)
			}
		}
		wait(ctx, 5*time.Millisecond)
	}
	t.Fatalf("Redis is not what the logs have: %v", err)
	return 0
}

// row is what Redis has of a live in a battle, at one moment.
type row struct {
	fields map[string]string
	gifts  []redis.Z
}

func (r *record) rows(ctx context.Context, rooms []room) ([]row, error) {
	fields, gifters := make([]*redis.MapStringStringCmd, len(rooms)), make([]*redis.ZSliceCmd, len(rooms))
	if _, err := r.s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for i, x := range rooms {
			fields[i] = p.HGetAll(ctx, "pk:{"+x.battle+"}")
			gifters[i] = p.ZRangeWithScores(ctx, "pk:{"+x.battle+"}:gifters:"+x.p.live, 0, -1)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	rows := make([]row, len(rooms))
	for i := range rooms {
		rows[i] = row{fields[i].Val(), gifters[i].Val()}
	}
	return rows, nil
}

// place in a log.
type place struct {
	seq   uint64
	index uint32
}

func (p place) after(q place) bool { return p.seq > q.seq || p.seq == q.seq && p.index > q.index }

// sums follows the logs and knows what lives have reached, at every place.
type sums struct {
	mu      sync.Mutex
	changed chan struct{} // closed with every group
	heads   map[string]uint64
	gifts   map[string][]counted // by live, in the log's order
}

// counted is a gift that counts.
type counted struct {
	place
	battle, sender string
	points         int64
}

// follow reads the logs of scores until the test ends.
func (r *record) follow(t testing.TB) *sums {
	t.Helper()
	s := &sums{changed: make(chan struct{}), heads: make(map[string]uint64), gifts: make(map[string][]counted)}
	for _, name := range r.logs[2:] {
		consumer, err := r.js.OrderedConsumer(t.Context(), name, jetstream.OrderedConsumerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		reading, err := consumer.Consume(func(m jetstream.Msg) { s.add(name, m.Data()) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(reading.Stop)
	}
	return s
}

// add takes the next group of a log. Whether it is as it must be is for the checks to say.
func (s *sums) add(log string, raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heads[log]++
	at := place{seq: s.heads[log]}
	var g ledgerv1.Group
	if proto.Unmarshal(raw, &g) == nil {
		for _, d := range g.GetDecisions() {
			for _, b := range d.GetEntries() {
				var e scorev1.Entry
				if x := e.GetGiftDecided; proto.Unmarshal(b, &e) == nil && x().GetVerdict() == scorev1.GiftVerdict_COUNTED {
					live := x().GetLiveId()
					s.gifts[live] = append(s.gifts[live], counted{at, x().GetBattleId(), x().GetSender().GetUserId(), x().GetPoints()})
				}
				at.index++
			}
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// compare says what is wrong with a row: it must be what the log has at the place that it names, at the head or after it.
func (s *sums) compare(ctx context.Context, x room, r row, head uint64) error {
	var at place
	if _, err := fmt.Sscanf(r.fields["_seq:"+x.p.live], "%d.%d", &at.seq, &at.index); err != nil {
		return fmt.Errorf("%s has no place: %v", x.p.live, r.fields)
	}
	if at.seq < head {
		at = place{seq: head, index: math.MaxUint32} // nothing may have come since
	}
	var total int64
	points := make(map[string]int64)
	for {
		s.mu.Lock()
		read, changed, gifts := s.heads[x.log], s.changed, s.gifts[x.p.live]
		s.mu.Unlock()
		if read >= at.seq {
			for _, g := range gifts {
				if g.battle == x.battle && !g.after(at) {
					total += g.points
					points[g.sender] += g.points
				}
			}
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s was read to %d: %w", x.log, read, ctx.Err())
		}
	}
	if got := r.fields[x.p.user]; got != strconv.FormatInt(total, 10) {
		return fmt.Errorf("%s has %s at %v, the log has %d", x.p.live, got, at, total)
	}
	got := make(map[string]int64)
	for _, z := range r.gifts {
		got[fmt.Sprint(z.Member)] = int64(z.Score)
	}
	if !maps.Equal(got, points) {
		return fmt.Errorf("the gifters of %s at %v are %v, the log has %v", x.p.live, at, got, points)
	}
	return nil
}

// leaveBattle has a live leave a battle.
func (r *record) leaveBattle(t testing.TB, p *side, battle string) {
	r.command(t, p, check.Op{Kind: check.ExitBattle, Battle: battle}, time.Now(), func(ctx context.Context, _ *check.Op) error {
		_, err := r.s.battle.ExitBattle(ctx, &battlev1.ExitBattleRequest{BattleId: battle, LiveId: p.live})
		return err
	})
}
