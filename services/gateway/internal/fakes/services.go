package fakes

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/watch"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Kept is how many events of a live the fakes keep for those who go on.
const Kept = 4

// Cohost knows the lives that were created, and tells their watchers what Happen says.
type Cohost struct {
	cohostv1.UnimplementedCohostServiceServer
	*Backend

	mu       sync.Mutex
	hub      *watch.Hub[*cohostv1.Event]
	lives    map[string]*cohostv1.Live
	ids      []string // idempotency keys of all commands
	sessions []string // the same of their sessions

	watchers int
	changed  *sync.Cond // watchers
}

// StartCohost starts a Cohost.
func StartCohost(t testing.TB) *Cohost {
	c := &Cohost{hub: watch.New[*cohostv1.Event](Kept), lives: map[string]*cohostv1.Live{}}
	c.changed = sync.NewCond(&c.mu)
	c.Backend = Start(t, func(r grpc.ServiceRegistrar) { cohostv1.RegisterCohostServiceServer(r, c) })
	return c
}

// Happen makes n events happen to a live.
func (c *Cohost) Happen(live string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.hub.Publish(live, &cohostv1.Event{
			Number: c.hub.Number(live) + 1,
			Event: &cohostv1.Event_CoHostRequestRejected{
				CoHostRequestRejected: &cohostv1.CoHostRequestRejected{Reason: strings.Repeat("no ", 300)},
			},
		})
	}
}

// Forget loses all that has happened, as if the log were gone, and keeps n events from now on.
func (c *Cohost) Forget(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hub = watch.New[*cohostv1.Event](n)
}

// AwaitWatchers waits until n calls of WatchLive are under way.
func (c *Cohost) AwaitWatchers(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.watchers != n {
		c.changed.Wait()
	}
}

func (c *Cohost) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers += n
	c.changed.Broadcast()
}

// CommandIDs are the idempotency keys that commands have brought, "" for none.
func (c *Cohost) CommandIDs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.ids...)
}

// Sessions returns what sessions CreateLive was called in.
func (c *Cohost) Sessions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.sessions...)
}

// CreateLive implements cohostv1.CohostServiceServer.
func (c *Cohost) CreateLive(ctx context.Context, req *cohostv1.CreateLiveRequest) (*cohostv1.CreateLiveResponse, error) {
	id := ""
	if values := metadata.ValueFromIncomingContext(ctx, "idempotency-key"); len(values) > 0 {
		id = values[0]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	c.sessions = append(c.sessions, strings.Join(metadata.ValueFromIncomingContext(ctx, "faceoff-session"), ", "))
	if c.lives[req.GetLiveId()] != nil {
		return nil, es.Refuse("LIVE_EXISTS", "there is an active live %s", req.GetLiveId())
	}
	live := &cohostv1.Live{LiveId: req.GetLiveId(), Kind: req.GetKind(), Host: req.GetHost(), Status: cohostv1.Live_ACTIVE}
	c.lives[req.GetLiveId()] = live
	return &cohostv1.CreateLiveResponse{Live: live}, nil
}

// GetLive implements cohostv1.CohostServiceServer.
func (c *Cohost) GetLive(ctx context.Context, req *cohostv1.GetLiveRequest) (*cohostv1.GetLiveResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if live := c.lives[req.GetLiveId()]; live != nil {
		return &cohostv1.GetLiveResponse{Live: live}, nil
	}
	return nil, es.Refuse("LIVE_NOT_FOUND", "there is no live %s", req.GetLiveId())
}

// EndLive implements cohostv1.CohostServiceServer.
func (c *Cohost) EndLive(_ context.Context, req *cohostv1.EndLiveRequest) (*cohostv1.EndLiveResponse, error) {
	return &cohostv1.EndLiveResponse{Live: &cohostv1.Live{LiveId: req.GetLiveId(), Status: cohostv1.Live_ENDED}}, nil
}

// ListLives implements cohostv1.CohostServiceServer. There are none.
func (c *Cohost) ListLives(context.Context, *cohostv1.ListLivesRequest) (*cohostv1.ListLivesResponse, error) {
	return &cohostv1.ListLivesResponse{}, nil
}

// GetCoHostState implements cohostv1.CohostServiceServer.
func (c *Cohost) GetCoHostState(_ context.Context, req *cohostv1.GetCoHostStateRequest) (*cohostv1.GetCoHostStateResponse, error) {
	return &cohostv1.GetCoHostStateResponse{State: &cohostv1.CoHostState{LiveId: req.GetLiveId()}}, nil
}

// WatchLive implements cohostv1.CohostServiceServer.
func (c *Cohost) WatchLive(req *cohostv1.WatchLiveRequest, stream grpc.ServerStreamingServer[cohostv1.WatchLiveResponse]) error {
	c.count(1)
	defer c.count(-1)
	c.mu.Lock()
	sub, recovered := c.hub.Subscribe(req.GetLiveId(), req.GetAfterNumber())
	c.mu.Unlock()
	if !recovered {
		if err := stream.Send(&cohostv1.WatchLiveResponse{Payload: &cohostv1.WatchLiveResponse_Snapshot_{
			Snapshot: &cohostv1.WatchLiveResponse_Snapshot{Number: sub.After(), Live: &cohostv1.Live{LiveId: req.GetLiveId()}},
		}}); err != nil {
			return err
		}
	}
	for {
		_, e, err := sub.Next(stream.Context())
		if err != nil {
			return err
		}
		if err := stream.Send(&cohostv1.WatchLiveResponse{Payload: &cohostv1.WatchLiveResponse_Event{Event: e}}); err != nil {
			return err
		}
	}
}

// Battle knows no battles but tells watchers what Happen says.
type Battle struct {
	battlev1.UnimplementedBattleServiceServer
	battlev1.UnimplementedBattleCoordinationServiceServer
	*Backend

	mu      sync.Mutex
	hub     *watch.Hub[*battlev1.Event]
	running *battlev1.Battle
}

// StartBattle starts a Battle.
func StartBattle(t testing.TB) *Battle {
	b := &Battle{hub: watch.New[*battlev1.Event](Kept)}
	b.Backend = Start(t, func(r grpc.ServiceRegistrar) {
		battlev1.RegisterBattleServiceServer(r, b)
		battlev1.RegisterBattleCoordinationServiceServer(r, b)
	})
	return b
}

// Happen makes n events happen to a live.
func (b *Battle) Happen(live string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		b.hub.Publish(live, &battlev1.Event{Number: b.hub.Number(live) + 1})
	}
}

// Run makes snapshots tell of a battle.
func (b *Battle) Run(battle *battlev1.Battle) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = battle
}

// GetBattle implements battlev1.BattleServiceServer.
func (b *Battle) GetBattle(_ context.Context, req *battlev1.GetBattleRequest) (*battlev1.GetBattleResponse, error) {
	return nil, es.Refuse("BATTLE_NOT_FOUND", "there is no battle %s", req.GetBattleId())
}

// AcceptBattle implements battlev1.BattleServiceServer.
func (b *Battle) AcceptBattle(context.Context, *battlev1.AcceptBattleRequest) (*battlev1.AcceptBattleResponse, error) {
	return nil, es.Refuse("BATTLE_ENDED", "the battle has ended")
}

// LeaveBattle implements battlev1.BattleCoordinationServiceServer.
func (b *Battle) LeaveBattle(context.Context, *battlev1.LeaveBattleRequest) (*battlev1.LeaveBattleResponse, error) {
	return &battlev1.LeaveBattleResponse{}, nil
}

// WatchLive implements battlev1.BattleServiceServer.
func (b *Battle) WatchLive(req *battlev1.WatchLiveRequest, stream grpc.ServerStreamingServer[battlev1.WatchLiveResponse]) error {
	b.mu.Lock()
	sub, recovered := b.hub.Subscribe(req.GetLiveId(), req.GetAfterNumber())
	running := b.running
	b.mu.Unlock()
	if !recovered {
		if err := stream.Send(&battlev1.WatchLiveResponse{Payload: &battlev1.WatchLiveResponse_Snapshot_{
			Snapshot: &battlev1.WatchLiveResponse_Snapshot{Number: sub.After(), Battle: running},
		}}); err != nil {
			return err
		}
	}
	for {
		_, e, err := sub.Next(stream.Context())
		if err != nil {
			return err
		}
		if err := stream.Send(&battlev1.WatchLiveResponse{Payload: &battlev1.WatchLiveResponse_Event{Event: e}}); err != nil {
			return err
		}
	}
}

// Score counts every gift as many points as it has units, and tells watchers what Tell says.
type Score struct {
	scorev1.UnimplementedScoreServiceServer
	*Backend

	mu      sync.Mutex
	scores  *scorev1.BattleScores
	changed chan struct{}
}

// StartScore starts a Score.
func StartScore(t testing.TB) *Score {
	s := &Score{changed: make(chan struct{})}
	s.Backend = Start(t, func(r grpc.ServiceRegistrar) { scorev1.RegisterScoreServiceServer(r, s) })
	return s
}

// Tell sets the scores that watchers are told.
func (s *Score) Tell(scores *scorev1.BattleScores) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scores = scores
	close(s.changed)
	s.changed = make(chan struct{})
}

// SendGifts implements scorev1.ScoreServiceServer.
func (s *Score) SendGifts(_ context.Context, req *scorev1.SendGiftsRequest) (*scorev1.SendGiftsResponse, error) {
	return &scorev1.SendGiftsResponse{Verdicts: verdicts(req.GetGifts())}, nil
}

// StreamGifts implements scorev1.ScoreServiceServer.
func (s *Score) StreamGifts(stream grpc.BidiStreamingServer[scorev1.StreamGiftsRequest, scorev1.StreamGiftsResponse]) error {
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&scorev1.StreamGiftsResponse{Verdicts: verdicts(req.GetGifts())}); err != nil {
			return err
		}
	}
}

func verdicts(gifts []*scorev1.GiftEvent) []*scorev1.GiftVerdict {
	var all []*scorev1.GiftVerdict
	for _, g := range gifts {
		all = append(all, &scorev1.GiftVerdict{
			EventId: g.GetEventId(), LiveId: g.GetLiveId(), Verdict: scorev1.GiftVerdict_COUNTED, Points: g.GetUnitValue(),
		})
	}
	return all
}

// GetGift implements scorev1.ScoreServiceServer.
func (s *Score) GetGift(_ context.Context, req *scorev1.GetGiftRequest) (*scorev1.GetGiftResponse, error) {
	return &scorev1.GetGiftResponse{Verdict: &scorev1.GiftVerdict{EventId: req.GetEventId(), LiveId: req.GetLiveId()}}, nil
}

// GetBattleScores implements scorev1.ScoreServiceServer.
func (s *Score) GetBattleScores(_ context.Context, req *scorev1.GetBattleScoresRequest) (*scorev1.GetBattleScoresResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scores.GetBattleId() != req.GetBattleId() {
		return nil, es.Refuse("BATTLE_NOT_FOUND", "battle %s has no scores", req.GetBattleId())
	}
	return &scorev1.GetBattleScoresResponse{Scores: s.scores}, nil
}

// WatchLive implements scorev1.ScoreServiceServer.
func (s *Score) WatchLive(_ *scorev1.WatchLiveRequest, stream grpc.ServerStreamingServer[scorev1.WatchLiveResponse]) error {
	for {
		s.mu.Lock()
		scores, changed := s.scores, s.changed
		s.mu.Unlock()
		if scores != nil {
			if err := stream.Send(&scorev1.WatchLiveResponse{Scores: scores}); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
