package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

const (
	// giftsEvery is how often a batch of gifts is sent.
	giftsEvery = 20 * time.Millisecond
	// batchesAtOnce is how many batches may be on their way; then the gifts wait, and are fewer.
	batchesAtOnce = 64
	giftsPerBatch = 500
	// commandsPerTurn are those of one turn of a pair: request, accept, exit.
	commandsPerTurn = 3
)

// beside is the load that goes on while something else is measured.
type beside struct {
	running        sync.WaitGroup
	gifts, calls   times // one for each gift and for each command
	mu             sync.Mutex
	counted        map[string]int64 // gifts that were acknowledged as counted, by battle
	noVerdict      int              // gifts, and commands, whose outcome stayed unknown
	noAnswer       int
	faults         []error
	giftsS, callsS int
}

// startLoad sends gifts and calls commands, each at its rate, until ctx ends.
func (c *crowd) startLoad(ctx context.Context, o Options) *beside {
	b := &beside{counted: make(map[string]int64), giftsS: o.Gifts, callsS: o.Commands}
	if o.Gifts > 0 {
		b.running.Go(func() { c.giveOn(ctx, b, o.Gifts) })
	}
	if o.Commands > 0 {
		b.running.Go(func() { c.callOn(ctx, b, time.Second*commandsPerTurn/time.Duration(o.Commands)) })
	}
	return b
}

// giveOn sends gifts to the lives that battle, in turn. What is on its way when ctx ends is still answered.
func (c *crowd) giveOn(ctx context.Context, b *beside, perSecond int) {
	slots := make(chan struct{}, batchesAtOnce)
	tick := time.NewTicker(giftsEvery)
	defer tick.Stop()
	begun, sent := time.Now(), 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		n := min(int(time.Since(begun).Seconds()*float64(perSecond))-sent, giftsPerBatch)
		if n <= 0 {
			continue
		}
		batch := make([]*scorev1.GiftEvent, n)
		for i := range batch {
			p := c.fighters[(sent+i)/2%len(c.fighters)]
			batch[i] = newGift([]*live{p.a, p.b}[(sent+i)%2].id)
		}
		sent += n
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		b.running.Go(func() {
			defer func() { <-slots }()
			c.give(context.WithoutCancel(ctx), b, batch)
		})
	}
}

func newGift(live string) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: ids.New(), LiveId: live, GiftId: "rose", Category: scorev1.GiftEvent_BASIC, UnitValue: 10, Count: 1,
		Sender: &userv1.User{UserId: "bench-fan"}, SentAt: timestamppb.New(time.Now().Truncate(time.Millisecond)),
	}
}

// give sends a batch until its verdicts are there.
func (c *crowd) give(ctx context.Context, b *beside, batch []*scorev1.GiftEvent) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	r, err := called(ctx, c.service, c.c.Score.SendGifts, &scorev1.SendGiftsRequest{Gifts: batch})
	took := time.Since(begun)
	b.mu.Lock()
	defer b.mu.Unlock()
	if client.Unknown(err) {
		b.noVerdict += len(batch)
		return
	}
	if err != nil {
		b.faults = append(b.faults, fmt.Errorf("gifts: %w", err))
		return
	}
	for _, v := range r.GetVerdicts() {
		b.gifts.add(took)
		if v.GetVerdict() == scorev1.GiftVerdict_COUNTED {
			b.counted[v.GetBattleId()]++
		}
	}
}

// callOn has pairs connect and part again, one each time.
func (c *crowd) callOn(ctx context.Context, b *beside, every time.Duration) {
	free := make(chan *pair, len(c.others))
	for _, p := range c.others {
		free <- p
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		var p *pair
		select {
		case p = <-free:
		case <-ctx.Done():
			return
		}
		b.running.Go(func() {
			defer func() { free <- p }()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			err := c.turn(ctx, p, func(_ string, took time.Duration, _ size) { b.calls.add(took) })
			b.mu.Lock()
			defer b.mu.Unlock()
			switch {
			case client.Unknown(err):
				b.noAnswer++
			case err != nil:
				b.faults = append(b.faults, fmt.Errorf("commands: %w", err))
			}
		})
	}
}

func (b *beside) fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.faults...)
}

// runs are the load's own figures. What was acknowledged as counted must be what the results have.
func (b *beside) runs(m *measure, ends *dues) (gifts, commands *Run) {
	gifts = ran("gifts beside", fmt.Sprintf("%d a second, a batch every %v; times of SendGifts", b.giftsS, giftsEvery), m, b.gifts.spread())
	gifts.Lost = b.noVerdict
	for id, settled := range ends.gifts() {
		gifts.Lost += int(max(b.counted[id]-settled, 0))
		gifts.Duplicated += int(max(settled-b.counted[id], 0))
	}
	commands = ran("commands beside", fmt.Sprintf("%d a second, by other lives: request, accept and exit of connections", b.callsS), m, b.calls.spread())
	commands.Lost = b.noAnswer
	return gifts, commands
}
