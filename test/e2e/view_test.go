package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
)

type message = gatewayv1.WatchLiveResponse

// view is what a watcher of a live was told. It goes on from its offset when the stream breaks.
type view struct {
	live string

	mu       sync.Mutex
	changed  chan struct{} // closed with every message and at the end
	messages []*message
	offset   string
	last     map[string]int64
	gap      string
	err      error // why it ended
}

// watch watches a live until the test ends; the events must be numbered without a gap.
func watch(t testing.TB, a actor, live, offset string) *view {
	t.Helper()
	v := &view{live: live, offset: offset, changed: make(chan struct{}), last: make(map[string]int64)}
	ctx, cancel := context.WithCancel(a.in(context.WithoutCancel(t.Context())))
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.follow(ctx, a.s)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if v.gap != "" {
			t.Errorf("the events of %s: %s", live, v.gap)
		}
	})
	if offset == "" {
		await(t, v, "the snapshot", func(m *message) (bool, bool) { return true, m.GetConnected() != nil })
	}
	return v
}

func (v *view) follow(ctx context.Context, s *stack) {
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := v.once(ctx, s)
		if ctx.Err() != nil || !unknown(err) {
			v.mu.Lock()
			v.err = err
			v.tell()
			v.mu.Unlock()
			return
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
		}
	}
}

func (v *view) once(ctx context.Context, s *stack) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.gateway.WatchLive(ctx, &gatewayv1.WatchLiveRequest{LiveId: v.live, Offset: v.at()})
	for err == nil {
		var m *message
		if m, err = stream.Recv(); err == nil {
			v.take(m)
		}
	}
	return err
}

func (v *view) at() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.offset
}

func (v *view) take(m *message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch p := m.GetPayload().(type) {
	case *gatewayv1.WatchLiveResponse_Connected_:
		if p.Connected.GetRecovered() {
			break
		}
		if v.offset != "" {
			v.wrong("a snapshot came instead of the events after " + v.offset)
		}
		v.last["cohost"], v.last["battle"] = p.Connected.GetCohost().GetNumber(), p.Connected.GetBattle().GetNumber()
	case *gatewayv1.WatchLiveResponse_Cohost:
		v.number("cohost", p.Cohost.GetNumber())
	case *gatewayv1.WatchLiveResponse_Battle:
		v.number("battle", p.Battle.GetNumber())
	}
	v.offset = m.GetOffset()
	v.messages = append(v.messages, m)
	v.tell()
}

func (v *view) number(of string, n int64) {
	if last, ok := v.last[of]; ok && n != last+1 {
		v.wrong(of + " events are not dense")
	}
	v.last[of] = n
}

func (v *view) wrong(what string) {
	if v.gap == "" {
		v.gap = what
	}
}

func (v *view) tell() {
	close(v.changed)
	v.changed = make(chan struct{})
}

// await returns what the first message holds that has what is looked for, from the first message on.
func await[T any](t testing.TB, v *view, what string, find func(*message) (T, bool)) T {
	t.Helper()
	return awaitFor(t, v, patience, what, find)
}

// lossPatience is how long the loss of a host may take that takes 23 s: its silence counts anew whenever a busy machine stands still.
const lossPatience = 4 * time.Minute

// awaitFor is await with a limit of its own.
func awaitFor[T any](t testing.TB, v *view, limit time.Duration, what string, find func(*message) (T, bool)) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	next := 0
	for {
		v.mu.Lock()
		messages, changed, err := v.messages, v.changed, v.err
		v.mu.Unlock()
		for ; next < len(messages); next++ {
			if found, ok := find(messages[next]); ok {
				return found
			}
		}
		if err != nil {
			t.Fatalf("waiting for %s on %s: the stream ended: %v", what, v.live, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("the watchers of %s were not told: %s; they were told %v", v.live, what, messages)
		}
	}
}

// all is what was told so far.
func (v *view) all() []*message {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.messages
}
