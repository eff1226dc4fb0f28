// Package battletest plays the battle service for tests of score: it keeps a BATTLE log, starts battles, takes reports
// and settles, by the rules of the battle service that score sees.
package battletest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// Battle is the battle service.
type Battle struct {
	battlev1.UnimplementedBattleCoordinationServiceServer
	ledger *ledger.Ledger[[]*battlev1.Entry, *battlev1.Entry]

	mu      sync.Mutex
	deaf    bool
	opened  map[[2]string]*battlev1.ReportOpenedRequest
	closed  map[[2]string]*battlev1.ReportClosedRequest
	lives   map[string][]string
	reports map[[2]string]int
	changed chan struct{}
}

// Start runs a battle service on a log for the length of the test.
func Start(t testing.TB, log ledger.Log, lease ledger.Lease, peers ledger.Peers) *Battle {
	t.Helper()
	b := &Battle{
		opened: make(map[[2]string]*battlev1.ReportOpenedRequest), closed: make(map[[2]string]*battlev1.ReportClosedRequest),
		lives: make(map[string][]string), reports: make(map[[2]string]int), changed: make(chan struct{}),
	}
	b.ledger = ledger.New(ledger.Config[[]*battlev1.Entry, *battlev1.Entry]{
		Name: "BATTLE_00", Store: ledger.Store{Log: log, Lease: lease, Peers: peers}, Machine: machine{}, Codec: codec{},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := b.ledger.Run(ctx, func() { close(ready) }); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	<-ready
	return b
}

// Write stores entries as one group.
func (b *Battle) Write(t testing.TB, entries ...*battlev1.Entry) {
	t.Helper()
	if err := b.write(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func (b *Battle) write(ctx context.Context, entries ...*battlev1.Entry) error {
	_, err := b.ledger.Submit(ctx, ledger.Command[[]*battlev1.Entry]{Body: entries})
	return err
}

// Begin writes the start of a battle between lives; the host of each is "host-of-" and its id.
func (b *Battle) Begin(t testing.TB, battleID string, starts, ends time.Time, lives ...string) {
	t.Helper()
	b.mu.Lock()
	b.lives[battleID] = lives
	b.mu.Unlock()
	var participants []*battlev1.Entry_Participant
	for _, live := range lives {
		participants = append(participants, &battlev1.Entry_Participant{LiveId: live, Host: &userv1.User{UserId: "host-of-" + live}})
	}
	b.Write(t, &battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{
		BattleId: battleID, StartsAtMs: starts.UnixMilli(), EndsAtMs: ends.UnixMilli(), RuleSet: "default@1", Participants: participants,
	}}})
}

// End writes that a battle's time is over.
func (b *Battle) End(t testing.TB, battleID string, reason battlev1.Battle_EndReason, ends time.Time) {
	t.Helper()
	b.Write(t, &battlev1.Entry{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{
		BattleId: battleID, Reason: reason, EndsAtMs: ends.UnixMilli(),
	}}})
}

// Extend writes that a battle takes until another end.
func (b *Battle) Extend(t testing.TB, battleID string, ends time.Time) {
	t.Helper()
	b.Write(t, &battlev1.Entry{Entry: &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{
		BattleId: battleID, EndsAtMs: ends.UnixMilli(),
	}}})
}

// Exit writes that a live leaves a battle.
func (b *Battle) Exit(t testing.TB, battleID, live string) {
	t.Helper()
	b.Write(t, &battlev1.Entry{Entry: &battlev1.Entry_UserExited_{UserExited: &battlev1.Entry_UserExited{BattleId: battleID, LiveId: live}}})
}

// Abort writes that a battle never started.
func (b *Battle) Abort(t testing.TB, battleID string) {
	t.Helper()
	b.Write(t, &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{
		BattleId: battleID, Reason: battlev1.Battle_NEVER_STARTED, Never: battlev1.Entry_BattleEnded_ABORTED,
	}}})
}

// SetDeaf makes it refuse reports, or take them again.
func (b *Battle) SetDeaf(deaf bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deaf = deaf
}

// Reports returns how many reports have come for a live in a battle, refused ones too.
func (b *Battle) Reports(battleID, live string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reports[[2]string{battleID, live}]
}

// WaitClosed waits for a live's report of closing.
func (b *Battle) WaitClosed(t testing.TB, battleID, live string) *battlev1.ReportClosedRequest {
	t.Helper()
	return wait(t, b, "no report of closing", func() *battlev1.ReportClosedRequest { return b.closed[[2]string{battleID, live}] })
}

// WaitOpened waits for a live's report of opening.
func (b *Battle) WaitOpened(t testing.TB, battleID, live string) *battlev1.ReportOpenedRequest {
	t.Helper()
	return wait(t, b, "no report of opening", func() *battlev1.ReportOpenedRequest { return b.opened[[2]string{battleID, live}] })
}

// WaitReports waits until so many reports have come for a live in a battle.
func (b *Battle) WaitReports(t testing.TB, battleID, live string, n int) {
	t.Helper()
	wait(t, b, "too few reports", func() *struct{} {
		if b.reports[[2]string{battleID, live}] >= n {
			return &struct{}{}
		}
		return nil
	})
}

func wait[R any](t testing.TB, b *Battle, fault string, found func() *R) *R {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		r, changed := found(), b.changed
		b.mu.Unlock()
		if r != nil {
			return r
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatal(fault)
		}
	}
}

// take notes a report; the error is what its sender gets.
func (b *Battle) take(battleID, live string, note func()) (lives []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports[[2]string{battleID, live}]++
	close(b.changed)
	b.changed = make(chan struct{})
	if b.deaf {
		return nil, errors.New("deaf")
	}
	note()
	return b.lives[battleID], nil
}

// ReportOpened implements BattleCoordinationService: when all lives are open the battle starts.
func (b *Battle) ReportOpened(ctx context.Context, r *battlev1.ReportOpenedRequest) (*battlev1.ReportOpenedResponse, error) {
	lives, err := b.take(r.GetBattleId(), r.GetLiveId(), func() { b.opened[[2]string{r.GetBattleId(), r.GetLiveId()}] = r })
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	all := true
	for _, live := range lives {
		all = all && b.opened[[2]string{r.GetBattleId(), live}] != nil
	}
	b.mu.Unlock()
	if all {
		err = b.write(ctx, &battlev1.Entry{Entry: &battlev1.Entry_BattleStarted_{BattleStarted: &battlev1.Entry_BattleStarted{BattleId: r.GetBattleId()}}})
	}
	return &battlev1.ReportOpenedResponse{}, err
}

// ReportClosed implements BattleCoordinationService: a live's total is recorded, and when all lives are closed the battle is
// settled.
func (b *Battle) ReportClosed(ctx context.Context, r *battlev1.ReportClosedRequest) (*battlev1.ReportClosedResponse, error) {
	known := false
	lives, err := b.take(r.GetBattleId(), r.GetLiveId(), func() {
		key := [2]string{r.GetBattleId(), r.GetLiveId()}
		known = b.closed[key] != nil
		b.closed[key] = r
	})
	if err != nil || known {
		return &battlev1.ReportClosedResponse{}, err
	}
	entries := []*battlev1.Entry{{Entry: &battlev1.Entry_LiveClosed_{LiveClosed: &battlev1.Entry_LiveClosed{
		BattleId: r.GetBattleId(), LiveId: r.GetLiveId(), Total: r.GetTotal(),
	}}}}
	result := &battlev1.BattleResult{}
	b.mu.Lock()
	for _, live := range lives {
		if c := b.closed[[2]string{r.GetBattleId(), live}]; c != nil {
			result.Lives = append(result.Lives, &battlev1.LiveResult{
				LiveId: live, UserId: "host-of-" + live, Score: c.GetTotal(), TopGifters: c.GetTopGifters(), Proof: c.GetProof(),
			})
		}
	}
	b.mu.Unlock()
	if len(result.GetLives()) == len(lives) {
		entries = append(entries, &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{
			BattleId: r.GetBattleId(), Reason: battlev1.Battle_TIME_OVER, Result: result,
		}}})
	}
	return &battlev1.ReportClosedResponse{}, b.write(ctx, entries...)
}

// Client calls the battle service directly.
type Client struct{ B *Battle }

// Invoke implements grpc.ClientConnInterface.
func (c Client) Invoke(ctx context.Context, method string, args, _ any, _ ...grpc.CallOption) error {
	var err error
	switch method {
	case battlev1.BattleCoordinationService_ReportOpened_FullMethodName:
		_, err = c.B.ReportOpened(ctx, args.(*battlev1.ReportOpenedRequest))
	case battlev1.BattleCoordinationService_ReportClosed_FullMethodName:
		_, err = c.B.ReportClosed(ctx, args.(*battlev1.ReportClosedRequest))
	default:
		err = errors.New("not played: " + method)
	}
	return err
}

// NewStream implements grpc.ClientConnInterface.
func (c Client) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("not played")
}

// machine stores whatever it is told.
type machine struct{}

func (machine) Decide(_ time.Time, c []*battlev1.Entry) ([]*battlev1.Entry, error) { return c, nil }
func (machine) Evolve(es.Place, *battlev1.Entry)                                   {}
func (machine) Due(time.Time) [][]*battlev1.Entry                                  { return nil }
func (machine) NextDue() (time.Time, bool)                                         { return time.Time{}, false }
func (machine) Commit()                                                            {}
func (machine) Discard()                                                           {}

type codec struct{}

func (codec) EncodeEvent(e *battlev1.Entry) ([]byte, error) { return proto.Marshal(e) }
func (codec) DecodeEvent(b []byte) (*battlev1.Entry, error) {
	e := new(battlev1.Entry)
	return e, proto.Unmarshal(b, e)
}

func (codec) EncodeCommand([]*battlev1.Entry) ([]byte, error) {
	return nil, errors.New("not forwarded")
}

func (codec) DecodeCommand([]byte) ([]*battlev1.Entry, error) {
	return nil, errors.New("not forwarded")
}
