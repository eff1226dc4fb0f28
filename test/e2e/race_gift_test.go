package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// Gifts come through every door within 5 ms of a battle's start and of its end, some through two doors at once: one counts
// if and only if starts_at <= log time < ends_at.
func TestRaceGifts(t *testing.T) {
	t.Parallel()
	const stagger = 60 * time.Millisecond
	s, r := shared, newRecord(t, shared)
	lives, mine := openMany(t, s, size(10, 50))
	for pair := range slices.Chunk(lives, 2) {
		r.invite(t, pair[0], pair[1], 0, time.Now())
		r.accept(t, pair[1], pair[0], time.Now())
	}
	now := func(ctx context.Context) (*timestamppb.Timestamp, error) {
		a, err := s.cohost.GetCoHostState(lives[0].host.in(ctx), &cohostv1.GetCoHostStateRequest{LiveId: lives[0].live})
		return a.GetState().GetServerNow(), err
	}
	race := &giftRace{
		record: r, starts: takeAim(t, now), ends: takeAim(t, now), doors: s.doors(t),
		battles: make(map[string]*battlev1.Battle), perDoor: make(map[string]int),
	}
	var playing sync.WaitGroup
	for i, pair := range slices.Collect(slices.Chunk(lives, 2)) {
		playing.Go(func() {
			wait(t.Context(), time.Duration(i)*stagger)
			for n := 0; n == 0 || n < 20 && race.count() < size(10, 10_000); n++ {
				if b := r.fight(t, pair[0], pair[1], 1); b != nil {
					race.play(t, b, pair)
					r.awaitEnd(t, b.GetBattleId())
				}
			}
		})
	}
	playing.Wait()
	for id := range race.battles {
		mine[id] = true
	}
	logs, found := r.judge(t, mine)
	replays := 0
	for id := range race.battles {
		out, code, err := faceoff("battle", "replay", id, "--grpc", s.GRPC, "--key", s.Key, "--secret", s.Secret)
		if err != nil || code != 0 {
			t.Errorf("the replay of %s: exit code %d (%v): %s", id, code, err, out)
			continue
		}
		replays++
	}
	race.figures(found, logs)
	found["replays_equal"] = replays
	r.refold(t, found, slices.Sorted(maps.Keys(race.battles)))
	figures(t, "gifts at start and end", found)
	if least := size(10, 10_000); race.timely < least {
		t.Errorf("%d gifts came within %v of their moment, want %d", race.timely, near, least)
	}
}

// near is how far from its moment, before or after, a gift is to come.
const near = 5 * time.Millisecond

// giftRace sends gifts at the start and at the end of battles.
type giftRace struct {
	*record
	starts, ends *aim
	doors        map[string]door

	mu      sync.Mutex
	battles map[string]*battlev1.Battle
	timely  int // gifts that came near their moment
	calls   int
	perDoor map[string]int // gifts
}

func (g *giftRace) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.timely
}

// play sends a hundred gifts at each moment of a battle, and some of them twice.
func (g *giftRace) play(t testing.TB, b *battlev1.Battle, pair []*side) {
	g.mu.Lock()
	g.battles[b.GetBattleId()] = b
	g.mu.Unlock()
	names := []string{"gRPC", "REST", "NATS"}
	var shots sync.WaitGroup
	for start, moment := range map[bool]time.Time{true: b.GetStartsAt().AsTime(), false: b.GetEndsAt().AsTime()} {
		for n, gifts := range volley(pair, 100) {
			uses := names[n%3:][:1]
			if n%10 == 9 {
				uses = names[:2]
			}
			for _, name := range uses {
				shots.Go(func() { g.shoot(t, start, moment, gifts, name) })
			}
		}
	}
	shots.Wait()
}

// shoot sends gifts so that they are decided near a moment, a battle's start or its end.
func (g *giftRace) shoot(t testing.TB, start bool, moment time.Time, gifts []*scorev1.GiftEvent, door string) {
	const step = 20 * time.Microsecond
	target, early := g.ends, scorev1.GiftVerdict_COUNTED
	if start {
		target, early = g.starts, scorev1.GiftVerdict_NO_BATTLE
	}
	verdicts, sent := g.give(t, gifts, target.send(moment.Add(rand.N(2*near)-near)), g.doors[door])
	if len(verdicts) == 0 {
		return
	}
	timely := target.arrives(sent).Sub(moment).Abs() <= near
	if verdicts[0].GetVerdict() == early {
		target.learn(step)
	} else {
		target.learn(-step)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	g.perDoor[door] += len(gifts)
	if timely {
		g.timely += len(gifts)
	}
}

// figures adds what was answered, and what the logs have.
func (g *giftRace) figures(found map[string]any, logs map[string][][]byte) {
	verdicts := map[string]int{}
	repeats := 0
	for _, x := range g.gifts {
		verdicts[x.Verdict.GetVerdict().String()]++
		if x.Verdict.GetDuplicate() {
			repeats++
		}
	}
	all, logged := 0, map[string]int{}
	for _, name := range g.logs[2:] {
		entries(logs[name], func(_ uint64, at time.Time, e *scorev1.Entry) {
			b := g.battles[e.GetGiftDecided().GetBattleId()]
			if b == nil {
				return
			}
			all++
			for moment, of := range map[string]time.Time{"start": b.GetStartsAt().AsTime(), "end": b.GetEndsAt().AsTime()} {
				switch d := at.Sub(of); {
				case d >= -near && d < 0:
					logged["before the "+moment]++
				case d >= 0 && d <= near:
					logged["after the "+moment]++
				}
			}
		})
	}
	found["battles"], found["calls"], found["sent"], found["within_5ms"], found["by_door"] = len(g.battles), g.calls, len(g.gifts), g.timely, g.perDoor
	found["verdicts"], found["repeats"], found["in_the_log"], found["in_the_log_within_5ms"] = verdicts, repeats, all, logged
}

// fight has ann fight ben.
func (r *record) fight(t testing.TB, ann, ben *side, seconds int32) (b *battlev1.Battle) {
	r.command(t, ann, check.Op{Kind: check.RequestBattle, Others: []string{ben.live}}, time.Now(), func(ctx context.Context, o *check.Op) error {
		a, err := r.s.battle.RequestBattle(ctx, &battlev1.RequestBattleRequest{
			InviterLiveId: ann.live, TargetLiveIds: o.Others, Config: &battlev1.BattleConfig{DurationSeconds: seconds},
		})
		b = a.GetBattle()
		o.Battle = b.GetBattleId()
		return err
	})
	return b
}

// awaitEnd waits until a battle is settled.
func (r *record) awaitEnd(t testing.TB, battle string) {
	ctx, cancel := context.WithTimeout(r.s.backend(t).in(t.Context()), patience)
	defer cancel()
	for ctx.Err() == nil {
		a, err := r.s.battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: battle})
		if err == nil && a.GetBattle().GetStatus() == battlev1.Battle_ENDED {
			return
		}
		wait(ctx, 50*time.Millisecond)
	}
	t.Errorf("battle %s does not end", battle)
}

// volley is gifts for both lives, in calls of up to fifteen.
func volley(pair []*side, n int) (calls [][]*scorev1.GiftEvent) {
	for i := 0; n > 0; i++ {
		var gifts []*scorev1.GiftEvent
		for range min(n, 1+i%15) {
			gifts = append(gifts, gift(pair[i%2].live))
		}
		calls = append(calls, gifts)
		n -= len(gifts)
	}
	return calls
}

// door is a way for gifts of one live. Any error means that the outcome is not known.
type door func(context.Context, []*scorev1.GiftEvent) ([]*scorev1.GiftVerdict, error)

// doors that gifts have, by name.
func (s *stack) doors(t testing.TB) map[string]door {
	t.Helper()
	backend := s.backend(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(client.CloseIdleConnections)
	return map[string]door{"gRPC": backend.byGRPC, "REST": backend.byREST(client), "NATS": s.byNATS}
}

func (a actor) byGRPC(ctx context.Context, gifts []*scorev1.GiftEvent) ([]*scorev1.GiftVerdict, error) {
	r, err := a.s.score.SendGifts(a.in(ctx), &scorev1.SendGiftsRequest{Gifts: gifts})
	return r.GetVerdicts(), err
}

func (a actor) byREST(client *http.Client) door {
	return func(ctx context.Context, gifts []*scorev1.GiftEvent) ([]*scorev1.GiftVerdict, error) {
		data, err := protojson.Marshal(&scorev1.SendGiftsRequest{Gifts: gifts})
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.s.HTTP+"/v1/gifts", bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+a.token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		if data, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("HTTP status %d: %s", resp.StatusCode, data)
		}
		var r scorev1.SendGiftsResponse
		err = protojson.Unmarshal(data, &r)
		return r.GetVerdicts(), err
	}
}

func (s *stack) byNATS(ctx context.Context, gifts []*scorev1.GiftEvent) ([]*scorev1.GiftVerdict, error) {
	data, err := proto.Marshal(&scorev1.SendGiftsRequest{Gifts: gifts})
	if err != nil {
		return nil, err
	}
	m := nats.NewMsg("gifts." + gifts[0].GetLiveId())
	m.Header.Set("Faceoff-Message", "SendGiftsRequest")
	m.Data = data
	reply, err := s.nats.RequestMsgWithContext(ctx, m)
	if err != nil {
		return nil, err
	}
	if text := reply.Header.Get("Nats-Service-Error"); text != "" {
		return nil, errors.New(text)
	}
	var r scorev1.SendGiftsResponse
	err = proto.Unmarshal(reply.Data, &r)
	return r.GetVerdicts(), err
}
