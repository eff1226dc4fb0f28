package watch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

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
	// firstScores bounds the wait for the scores of a battle that the snapshot tells of. score may have to read battle's log
	// first, which takes it 1 s at most.
	firstScores = 2 * time.Second
)

// errStartAnew ends a run whose events cannot be continued: the caller needs a new snapshot.
var errStartAnew = errors.New("the events cannot be continued")

// session merges the contexts' streams of one live for one caller.
type session struct {
	log            *slog.Logger
	box            *outbox
	cohost, battle *feed
	score          scorev1.ScoreServiceClient
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
	return all(ctx, cancel,
		func(ctx context.Context) error { return s.follow(ctx, s.cohost, &s.at.cohost) },
		func(ctx context.Context) error { return s.follow(ctx, s.battle, &s.at.battle) },
		func(ctx context.Context) error { return followScores(ctx, s.score, s.cohost.live, s.box) },
	)
}

// look returns what there is to know of the live now, as one whom it connects is told, and an offset. It tries once.
func (s *session) look(ctx context.Context, cancel context.CancelFunc) (*gatewayv1.WatchLiveResponse, error) {
	var cohost, battle update
	err := all(ctx, cancel,
		func(ctx context.Context) (err error) {
			cohost, _, err = s.cohost.resume(ctx, -1)
			return err
		},
		func(ctx context.Context) (err error) {
			battle, _, err = s.battle.resume(ctx, -1)
			return err
		},
	)
	if err != nil {
		return nil, err
	}
	return s.anew(ctx, cohost, battle)
}

// anew makes the message that connects a caller with snapshots. The error is that the scores could not be had; they are left
// out of the message then.
func (s *session) anew(ctx context.Context, cohost, battle update) (*gatewayv1.WatchLiveResponse, error) {
	connected := new(gatewayv1.WatchLiveResponse_Connected)
	m := &gatewayv1.WatchLiveResponse{
		Offset:  offset{cohost.number, battle.number}.String(),
		Payload: &gatewayv1.WatchLiveResponse_Connected_{Connected: connected},
	}
	cohost.show(m)
	battle.show(m)
	var err error
	connected.Scores, err = scoresOf(ctx, s.score, connected.GetBattle().GetBattle())
	return m, err
}

// connect opens both streams and tells the caller where it stands.
func (s *session) connect(ctx context.Context, cancel context.CancelFunc, after offset) error {
	var cohost, battle update
	var cohostRecovered, battleRecovered bool
	if err := all(ctx, cancel,
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
	s.connected = true
	if cohostRecovered && battleRecovered {
		s.at = offset{s.cohost.last, s.battle.last}
		return s.box.put(&gatewayv1.WatchLiveResponse{
			Offset: s.at.String(),
			Payload: &gatewayv1.WatchLiveResponse_Connected_{
				Connected: &gatewayv1.WatchLiveResponse_Connected{Recovered: true},
			},
		})
	}
	// A context that could be continued is not: its events up to the snapshot are in the snapshot.
	s.at = offset{cohost.number, battle.number}
	s.cohost.last, s.battle.last = s.at.cohost, s.at.battle
	s.box.putScores(nil) // those of the snapshot are newer
	m, err := s.anew(ctx, cohost, battle)
	if err != nil {
		s.log.DebugContext(ctx, "the scores cannot be had; they will follow", "live", s.cohost.live, "error", err)
	}
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

// all runs several at once, cancels ctx when one of them fails, waits for all, and returns the first error.
func all(ctx context.Context, cancel context.CancelFunc, several ...func(context.Context) error) (first error) {
	ended := make(chan error, len(several))
	for _, one := range several {
		go func() { ended <- one(ctx) }()
	}
	for range several {
		if err := <-ended; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}
