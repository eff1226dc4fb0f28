package bench

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// What a watcher can be told; a key has the id after it.
const (
	connected = "connected"
	started   = "started "
	ended     = "ended "
	timedOut  = "timed out "
	received  = "received " // the number of the invitation, from 1
)

// news is what a watcher was told of one key.
type news struct {
	battle     *battlev1.Battle
	result     *battlev1.BattleResult
	invitation *cohostv1.Invitation
	// at is the server's time of the event, seen the watcher's own.
	at, seen time.Time
	times    int
}

// told is all that the watcher of one live was told. It is safe for concurrent use.
type told struct {
	mu      sync.Mutex
	changed chan struct{} // closed with every message
	all     map[string]news
	invited int // invitations that were received
}

func newTold() *told { return &told{changed: make(chan struct{}), all: make(map[string]news)} }

// watch watches as the live's host until ctx ends; when the stream breaks it goes on where it was.
func (t *told) watch(ctx context.Context, c *client.Client, l *live) {
	offset := ""
	for ctx.Err() == nil {
		// It ends with ctx alone, or with a refusal, which those who wait find out by waiting.
		_, err := client.Repeat(ctx, func(context.Context) error {
			stream, err := c.Gateway.WatchLive(client.As(ctx, l.token, ""), &gatewayv1.WatchLiveRequest{LiveId: l.id, Offset: offset})
			for err == nil {
				var m *gatewayv1.WatchLiveResponse
				if m, err = stream.Recv(); err == nil {
					t.take(m, time.Now())
					offset = m.GetOffset()
				}
			}
			return err
		})
		if !client.Unknown(err) {
			return
		}
	}
}

func (t *told) take(m *gatewayv1.WatchLiveResponse, seen time.Time) {
	cohost, battle := m.GetCohost(), m.GetBattle()
	switch {
	case m.GetConnected() != nil:
		t.note(connected, news{seen: seen})
	case cohost.GetCoHostRequestReceived() != nil:
		t.invited++ // only here
		t.note(received+strconv.Itoa(t.invited), news{invitation: cohost.GetCoHostRequestReceived().GetInvitation(), at: cohost.GetAt().AsTime(), seen: seen})
	case cohost.GetCoHostRequestTimeout() != nil:
		t.note(timedOut+cohost.GetCoHostRequestTimeout().GetInvitationId(), news{at: cohost.GetAt().AsTime(), seen: seen})
	case battle.GetBattleStarted() != nil:
		b := battle.GetBattleStarted().GetBattle()
		t.note(started+b.GetBattleId(), news{battle: b, at: battle.GetAt().AsTime(), seen: seen})
	case battle.GetBattleEnded() != nil:
		e := battle.GetBattleEnded()
		t.note(ended+e.GetBattle().GetBattleId(), news{battle: e.GetBattle(), result: e.GetResult(), at: battle.GetAt().AsTime(), seen: seen})
	}
}

// note keeps the first news of a key, and counts.
func (t *told) note(key string, n news) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before, ok := t.all[key]; ok {
		n = before
	}
	n.times++
	t.all[key] = n
	close(t.changed)
	t.changed = make(chan struct{})
}

// await waits until the watcher is told of a key.
func (t *told) await(ctx context.Context, key string) (news, error) {
	for {
		t.mu.Lock()
		n, ok := t.all[key]
		changed := t.changed
		t.mu.Unlock()
		if ok {
			return n, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return news{}, fmt.Errorf("the watcher was not told: %s: %w", key, ctx.Err())
		}
	}
}

// times is how often the watcher was told of a key.
func (t *told) times(key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all[key].times
}
