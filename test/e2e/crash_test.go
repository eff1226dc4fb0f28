package e2e

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// The one process is killed twice in mid-battle, while senders go on, and started again on its data: the battle goes on
// and ends, and every gift counts once. A whole demo plays through it as well.
func TestKilledInMidBattle(t *testing.T) {
	t.Parallel()
	p := own(t)
	played := make(chan error, 1)
	go func() { played <- demo(p.stack, "--duration", "5") }()

	ann, ben := connect(t, p.stack)
	b := fight(t, p.stack, ann, ben, 5)
	c := newCrowd(t, p.stack, ann, ben)
	for _, gifts := range []int{200, 800} {
		c.awaitAcknowledged(t, gifts)
		p.kill()
		if err := p.restart(); err != nil {
			t.Fatal(err)
		}
	}
	e := ended(t, ann, b.GetBattleId())
	c.stop()
	if e.GetReason() != battlev1.Battle_TIME_OVER {
		t.Errorf("the battle ended for %s", e.GetReason())
	}
	if !proto.Equal(ended(t, ben, b.GetBattleId()).GetResult(), e.GetResult()) {
		t.Error("the sides were told different results")
	}
	c.compare(t, e.GetResult())
	compareElsewhere(t, p.stack, b.GetBattleId(), map[*side]int64{ann: c.points(ann), ben: c.points(ben)})
	if err := <-played; err != nil {
		t.Errorf("the demo: %v", err)
	}
	t.Logf("%d gifts counted, %d late, %d calls repeated", c.count(scorev1.GiftVerdict_COUNTED), c.count(scorev1.GiftVerdict_LATE), c.repeated)
}

// The battle's time is over while nothing runs: it ends as soon as the process is back.
func TestEndsWhileDown(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *process){
		"killed": func(_ *testing.T, p *process) { p.kill() },
		"stopped": func(t *testing.T, p *process) {
			t.Helper()
			p.stop()
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("the exit code of an orderly stop is %d: %s", code, p.log)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endsWhileDown(t, end)
		})
	}
}

func endsWhileDown(t *testing.T, end func(*testing.T, *process)) {
	t.Helper()
	p := own(t)
	ann, ben := connect(t, p.stack)
	b := fight(t, p.stack, ann, ben, 1)
	verdicts := give(t, p.stack, gift(ann.live), gift(ann.live), gift(ben.live))
	end(t, p)
	over := time.NewTimer(time.Until(b.GetEndsAt().AsTime()))
	defer over.Stop()
	<-over.C
	if err := p.restart(); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	e := ended(t, ben, b.GetBattleId())
	if took := time.Since(back); took > 5*time.Second {
		t.Errorf("the end came %v after the restart", took)
	}
	want := map[*side]int64{ann: 0, ben: 0}
	for i, p := range []*side{ann, ann, ben} {
		if verdicts[i].GetVerdict() == scorev1.GiftVerdict_COUNTED {
			want[p] += giftPoints
		}
	}
	for p, points := range want {
		if got := result(t, e.GetResult(), p).GetScore(); got != points {
			t.Errorf("%s has %d points, was acknowledged %d", p.live, got, points)
		}
	}
	compareElsewhere(t, p.stack, b.GetBattleId(), want)
}

// Redis is a view: emptied in mid-battle, it is exact again within 2 s.
func TestRedisEmptied(t *testing.T) {
	t.Parallel()
	p := own(t)
	ann, ben := connect(t, p.stack)
	b := fight(t, p.stack, ann, ben, long)
	give(t, p.stack, gift(ann.live), gift(ben.live), gift(ben.live))
	want := map[string]int64{ann.user: giftPoints, ben.user: 2 * giftPoints}
	awaitRedis(t, p.stack, b.GetBattleId(), want)
	for range 3 {
		if err := p.stack.redis.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		emptied := time.Now()
		awaitRedis(t, p.stack, b.GetBattleId(), want)
		if took := time.Since(emptied); took > 2*time.Second {
			t.Errorf("the scores were back after %v", took)
		}
	}
}

// own runs a process that the test may kill.
func own(t *testing.T) *process {
	t.Helper()
	p, err := startDev(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stack.close)
	t.Cleanup(p.stop)
	return p
}

// crowd sends gifts through the gRPC and the NATS door, one after another in each of its members, and repeats each under
// its id until it has a verdict. What it was told is its ledger.
type crowd struct {
	s        *stack
	cancel   context.CancelFunc
	sending  sync.WaitGroup
	faults   []error
	progress chan struct{} // a token for each acknowledged gift

	mu       sync.Mutex
	verdicts map[string]*scorev1.GiftVerdict
	repeated int
}

const members = 6

func newCrowd(t *testing.T, s *stack, sides ...*side) *crowd {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c := &crowd{s: s, cancel: cancel, progress: make(chan struct{}, 1<<20), verdicts: make(map[string]*scorev1.GiftVerdict), faults: make([]error, members)}
	backend := s.backend(t)
	for i := range members {
		send := c.byGRPC(backend)
		if i%2 == 1 {
			send = c.byNATS
		}
		c.sending.Go(func() {
			// The gift in hand is followed to its verdict even when the crowd stops.
			for n := i / 2; ctx.Err() == nil && c.faults[i] == nil; n++ {
				c.faults[i] = c.settle(gift(sides[n%len(sides)].live), send)
			}
		})
	}
	t.Cleanup(c.stop)
	return c
}

type sender func(context.Context, *scorev1.GiftEvent) (*scorev1.GiftVerdict, error)

func (c *crowd) byGRPC(a actor) sender {
	return func(ctx context.Context, g *scorev1.GiftEvent) (*scorev1.GiftVerdict, error) {
		r, err := c.s.score.SendGifts(a.in(ctx), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{g}})
		if err != nil {
			return nil, err
		}
		return r.GetVerdicts()[0], nil
	}
}

func (c *crowd) byNATS(ctx context.Context, g *scorev1.GiftEvent) (*scorev1.GiftVerdict, error) {
	data, err := proto.Marshal(g)
	if err != nil {
		return nil, err
	}
	reply, err := c.s.nats.RequestWithContext(ctx, "gifts."+g.GetLiveId(), data)
	if err != nil {
		return nil, err
	}
	if text := reply.Header.Get("Nats-Service-Error"); text != "" {
		return nil, errors.New(text)
	}
	v := new(scorev1.GiftVerdict)
	return v, proto.Unmarshal(reply.Data, v)
}

// settle sends a gift until there is a verdict. Any error counts as an unknown outcome.
func (c *crowd) settle(g *scorev1.GiftEvent, send sender) error {
	deadline, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		ctx, done := context.WithTimeout(deadline, 2*time.Second)
		v, err := send(ctx, g)
		done()
		if err == nil {
			c.mu.Lock()
			c.verdicts[g.GetLiveId()+"/"+g.GetEventId()] = v
			c.mu.Unlock()
			c.progress <- struct{}{}
			return nil
		}
		c.mu.Lock()
		c.repeated++
		c.mu.Unlock()
		select {
		case <-retry.C:
		case <-deadline.Done():
			return errors.Join(err, deadline.Err(), c.s.nats.LastError())
		}
	}
}

// awaitAcknowledged waits for n more acknowledged gifts.
func (c *crowd) awaitAcknowledged(t *testing.T, n int) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for range n {
		select {
		case <-c.progress:
		case <-limit.C:
			t.Fatalf("%d more gifts were not acknowledged", n)
		}
	}
}

// stop ends the crowd when each has the verdict on the gift in hand.
func (c *crowd) stop() {
	c.cancel()
	c.sending.Wait()
}

func (c *crowd) points(p *side) (points int64) {
	for _, v := range c.verdicts {
		if v.GetLiveId() == p.live && v.GetVerdict() == scorev1.GiftVerdict_COUNTED {
			points += giftPoints
		}
	}
	return points
}

func (c *crowd) count(of scorev1.GiftVerdict_Verdict) (n int) {
	for _, v := range c.verdicts {
		if v.GetVerdict() == of {
			n++
		}
	}
	return n
}

// compare compares what was acknowledged with the result, and looks every receipt up.
func (c *crowd) compare(t *testing.T, r *battlev1.BattleResult) {
	t.Helper()
	if err := errors.Join(c.faults...); err != nil {
		t.Fatal(err)
	}
	for _, l := range r.GetLives() {
		if got, want := l.GetScore(), c.points(&side{live: l.GetLiveId()}); got != want {
			t.Errorf("%s has %d points, its gifts were acknowledged for %d", l.GetLiveId(), got, want)
		}
	}
	backend := c.s.backend(t).ctx(t)
	for id, v := range c.verdicts {
		if v.GetVerdict() == scorev1.GiftVerdict_NO_BATTLE {
			continue // not kept
		}
		r, err := c.s.score.GetGift(backend, &scorev1.GetGiftRequest{LiveId: v.GetLiveId(), EventId: v.GetEventId()})
		if err != nil {
			t.Fatalf("the receipt of %s, acknowledged as %v: %v", id, v, err)
		}
		if r.GetVerdict().GetVerdict() != v.GetVerdict() || r.GetVerdict().GetPoints() != v.GetPoints() {
			t.Errorf("the receipt of %s is %v, acknowledged was %v", id, r.GetVerdict(), v)
		}
	}
}

// compareElsewhere looks at a settled battle's scores in the API, in a replay of the log, and in Redis.
func compareElsewhere(t *testing.T, s *stack, battle string, want map[*side]int64) {
	t.Helper()
	scores := make(map[string]int64)
	for p, points := range want {
		scores[p.user] = points
	}
	backend := s.backend(t).ctx(t)
	got, err := s.score.GetBattleScores(backend, &scorev1.GetBattleScoresRequest{BattleId: battle})
	if err != nil || !maps.Equal(got.GetScores().GetScores(), scores) {
		t.Errorf("the scores are %v (%v), want %v", got, err, scores)
	}
	again, err := s.score.ReplayBattle(backend, &scorev1.ReplayBattleRequest{BattleId: battle})
	if err != nil || !again.GetEqual() || len(again.GetLives()) != len(want) {
		t.Errorf("the replay is %v (%v)", again, err)
	}
	if s.redis != nil {
		awaitRedis(t, s, battle, scores)
	}
}

// awaitRedis waits until Redis has the scores: it follows the log.
func awaitRedis(t *testing.T, s *stack, battle string, want map[string]int64) {
	t.Helper()
	limit := time.NewTimer(5 * time.Second)
	defer limit.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		fields, err := s.redis.HGetAll(t.Context(), "pk:{"+battle+"}").Result()
		right := err == nil
		for user, points := range want {
			right = right && fields[user] == strconv.FormatInt(points, 10)
		}
		if right {
			return
		}
		select {
		case <-poll.C:
		case <-limit.C:
			t.Fatalf("Redis has %v (%v), want %v", fields, err, want)
		}
	}
}
