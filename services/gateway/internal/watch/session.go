package watch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

const (
	// firstConnect bounds the time in which a caller is connected, or refused when a service cannot be reached.
	firstConnect = 5 * time.Second
	// Replicas may be behind the offset of a caller for so long, then it is taken for one of other logs; and behind what this
	// gateway has told for longer, then the log is taken for lost.
	behindCaller  = 3 * time.Second
	behindGateway = 10 * time.Second
	// firstScores bounds the wait for the scores of a battle that the snapshot tells of.
	firstScores = 300 * time.Millisecond
)

// errStartAnew ends a run whose events cannot be continued: the caller needs a new snapshot.
var errStartAnew = errors.New("the events cannot be continued")

// session merges the contexts' streams of one live for one caller.
type session struct {
	log            *slog.Logger
	box            *outbox
	cohost, battle *feed
	connected      bool

	mu sync.Mutex
	at offset
}

// run goes on after an offset until ctx ends or a stream fails for good. When events are lost on the way the caller is
// connected anew, with a snapshot.
func (s *session) run(ctx context.Context, after offset) error {
	for {
		err := s.once(ctx, after)
		if !errors.Is(err, errStartAnew) {
			return err
		}
		after = offset{-1, -1}
	}
}

func (s *session) once(ctx context.Context, after offset) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.connect(ctx, cancel, after); err != nil {
		return err
	}
	return both(ctx, cancel,
		func(ctx context.Context) error { return s.follow(ctx, s.cohost, &s.at.cohost) },
		func(ctx context.Context) error { return s.follow(ctx, s.battle, &s.at.battle) },
	)
}

// connect opens both streams and tells the caller where it stands.
func (s *session) connect(ctx context.Context, cancel context.CancelFunc, after offset) error {
	var cohost, battle update
	var cohostRecovered, battleRecovered bool
	if err := both(ctx, cancel,
		func(ctx context.Context) (err error) {
			cohost, cohostRecovered, err = s.resume(ctx, s.cohost, after.cohost)
			return err
		},
		func(ctx context.Context) (err error) {
			battle, battleRecovered, err = s.resume(ctx, s.battle, after.battle)
			return err
		},
	); err != nil {
		return err
	}
	connected := &gatewayv1.WatchLiveResponse_Connected{Recovered: cohostRecovered && battleRecovered}
	m := &gatewayv1.WatchLiveResponse{Payload: &gatewayv1.WatchLiveResponse_Connected_{Connected: connected}}
	if !connected.GetRecovered() {
		cohost.show(m)
		battle.show(m)
		// A context that could be continued is not: its events up to the snapshot are in the snapshot.
		s.cohost.last, s.battle.last = cohost.number, battle.number
		connected.Scores = s.scores(ctx, connected.GetBattle().GetBattle())
	}
	s.at = offset{s.cohost.last, s.battle.last}
	m.Offset = s.at.String()
	s.connected = true
	return s.box.put(m)
}

// resume opens the stream of one context so that it goes on after an event, or else after the snapshot.
func (s *session) resume(ctx context.Context, f *feed, after int64) (snapshot update, recovered bool, err error) {
	limit, behind := firstConnect, behindCaller
	if s.connected {
		limit, behind = 0, behindGateway
	}
	began := time.Now()
	err = persist(ctx, limit, func() error {
		snapshot, recovered, err = f.resume(ctx, after)
		if errors.Is(err, errBehind) && time.Since(began) >= behind {
			return nil
		}
		return err
	})
	return snapshot, recovered, err
}

// scores returns the scores to begin with, if there are any; for those of a running battle it waits a little.
func (s *session) scores(ctx context.Context, b *battlev1.Battle) *scorev1.BattleScores {
	switch b.GetStatus() {
	case battlev1.Battle_STARTING, battlev1.Battle_RUNNING, battlev1.Battle_SETTLING:
		limit := time.NewTimer(firstScores)
		defer limit.Stop()
		select {
		case <-s.box.scored:
		case <-limit.C:
		case <-ctx.Done():
		}
	}
	return s.box.takeScores()
}

// follow passes on the events of one context, and opens its stream again when it breaks.
func (s *session) follow(ctx context.Context, f *feed, at *int64) error {
	defer f.end()
	for {
		u, err := f.next()
		switch {
		case err == nil:
			if err := s.deliver(u, at); err != nil {
				return err
			}
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case forGood(err):
			return err
		}
		s.log.DebugContext(ctx, "a stream broke; opening it again", "of", f.name, "live", f.live, "error", err)
		_, recovered, err := s.resume(ctx, f, f.last)
		if err == nil && !recovered {
			err = errStartAnew
		}
		if err != nil {
			return err
		}
	}
}

func (s *session) deliver(u update, at *int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	*at = u.number
	m := &gatewayv1.WatchLiveResponse{Offset: s.at.String()}
	u.show(m)
	return s.box.put(m)
}

// both runs a and b, cancels ctx when one of them fails, waits for both, and returns the first error.
func both(ctx context.Context, cancel context.CancelFunc, a, b func(context.Context) error) error {
	failed := make(chan error, 2)
	for _, f := range []func(context.Context) error{a, b} {
		go func() { failed <- f(ctx) }()
	}
	first := <-failed
	if first == nil {
		return <-failed
	}
	cancel()
	<-failed
	return first
}
