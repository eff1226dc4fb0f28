package partition_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/cohostfeed"
	"github.com/faceoff-live/faceoff/services/battle/internal/partition"
	"github.com/faceoff-live/faceoff/services/battle/internal/view"
)

// stage runs a partition on memory, in virtual time.
type stage struct {
	t         *testing.T
	partition *partition.Partition
	stores    *memory.Stores
	cohost    *memory.Log
	groups    uint64 // of cohost
	last      []byte // of them
	log       *buffer
	stop      func() error
}

func newStage(t *testing.T) *stage {
	t.Helper()
	stores := memory.NewStores()
	s := &stage{t: t, stores: stores, cohost: stores.Log(cohostfeed.Log), log: &buffer{}}
	s.partition = partition.New(partition.Options{
		Settings: battle.Settings{
			MinDuration: time.Second, MaxDuration: time.Hour, DefaultDuration: time.Minute, DefaultTimeout: 30 * time.Second,
			MaxTimeout: 300 * time.Second, MaxTargets: 8, RequestsPerLive: 5, RequestsPerUser: 5, MaxPunishment: time.Minute, MaxBestOf: 9, RoundInterval: 5 * time.Second,
			StartDelay: 300 * time.Millisecond, OpenWithin: 5 * time.Second, KeepEnded: time.Hour,
		},
		KeptEvents: 16,
		Stores:     stores.Replica("r1"),
		Log:        slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- s.partition.Component().Run(ctx, func() { close(ready) }) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = s.stop() })
	<-ready
	return s
}

func (s *stage) connect(lives ...string) {
	s.t.Helper()
	d := &ledgerv1.Decision{AtMs: time.Now().UnixMilli()}
	for _, live := range lives {
		b, err := proto.Marshal(&cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{
			ConnectionId: "x", LiveId: live, Host: &userv1.User{UserId: "u" + live},
		}}})
		if err != nil {
			s.t.Fatal(err)
		}
		d.Entries = append(d.Entries, b)
	}
	s.append(&ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{d}})
}

func (s *stage) append(g *ledgerv1.Group) {
	s.t.Helper()
	if s.groups > 0 {
		sum := sha256.Sum256(s.last)
		g.Previous = sum[:]
	}
	raw, err := proto.Marshal(g)
	if err == nil {
		err = s.cohost.Append(s.t.Context(), s.groups, raw)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.groups, s.last = s.groups+1, raw
}

func (s *stage) do(c battle.Command) {
	s.t.Helper()
	if _, err := s.partition.Submit(s.t.Context(), "", nil, c); err != nil {
		s.t.Fatalf("%#v: %v", c, err)
	}
}

func (s *stage) battle(id string) (b battle.Battle) {
	s.t.Helper()
	if err := s.partition.Read(func(battles *view.Battles, _ time.Time) { b, _ = battles.Get(id) }); err != nil {
		s.t.Fatal(err)
	}
	return b
}

// await waits until a battle is in a phase, and returns it with how long after a moment that was seen.
func (s *stage) await(id string, phase battle.Phase, since func(battle.Battle) time.Time) time.Duration {
	s.t.Helper()
	for range 100_000 {
		if b := s.battle(id); b.Phase == phase {
			return time.Since(since(b))
		}
		<-time.After(time.Millisecond)
	}
	s.t.Fatalf("battle %s is %+v, want phase %d", id, s.battle(id), phase)
	return 0
}

func TestDeadlinesAreMet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.connect("a", "b")
		s.do(battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b"}})
		s.do(battle.ReportOpened{BattleID: "b1", LiveID: "a"})
		s.do(battle.ReportOpened{BattleID: "b1", LiveID: "b"})
		const tolerance = 50 * time.Millisecond
		if late := s.await("b1", battle.PhaseRunning, func(b battle.Battle) time.Time { return b.StartsAt }); late < 0 || late > tolerance {
			t.Errorf("started %v late", late)
		}
		if late := s.await("b1", battle.PhaseSettling, func(b battle.Battle) time.Time { return b.EndsAt }); late < 0 || late > tolerance {
			t.Errorf("ended %v late", late)
		}
		s.do(battle.ReportClosed{BattleID: "b1", LiveID: "a"})
		s.do(battle.ReportClosed{BattleID: "b1", LiveID: "b"})

		s.do(battle.RequestBattle{BattleID: "b2", Inviter: "a", TargetLives: []string{"b"}, Terms: battle.Terms{NeedResponse: true}})
		if late := s.await("b2", battle.PhaseEnded, func(b battle.Battle) time.Time { return b.ExpiresAt }); late < 0 || late > tolerance {
			t.Errorf("timed out %v late", late)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if said := s.log.String(); said != "" {
			t.Errorf("logged %s", said)
		}
	})
}

// A settlement that does not come is told once.
func TestSettlingAlarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.connect("a", "b")
		s.do(battle.RequestBattle{BattleID: "b1", Inviter: "a", TargetLives: []string{"b"}})
		s.do(battle.ReportOpened{BattleID: "b1", LiveID: "a"})
		s.do(battle.ReportOpened{BattleID: "b1", LiveID: "b"})
		s.await("b1", battle.PhaseSettling, func(b battle.Battle) time.Time { return b.EndsAt })
		<-time.After(4 * time.Second)
		if said := s.log.String(); said != "" {
			t.Errorf("too early: %s", said)
		}
		<-time.After(30 * time.Second)
		if said := s.log.String(); strings.Count(said, "waits for its settlement") != 1 || !strings.Contains(said, "battle_id=b1") {
			t.Errorf("logged %q", said)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
}

// What another service's log says is not guessed: the partition stops.
func TestUnreadableCohost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.append(&ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{{AtMs: 1, Entries: [][]byte{{0xfa, 0x3f, 0x00}}}}})
		<-time.After(time.Second)
		if err := s.stop(); !errors.Is(err, ledger.ErrLog) {
			t.Errorf("ended with %v", err)
		}
		if _, err := s.partition.Submit(t.Context(), "", nil, battle.LeaveBattle{LiveID: "a"}); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("after the end: %v", err)
		}
		if err := s.partition.Read(func(*view.Battles, time.Time) {}); !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Groups of COHOST_00 that battles do not depend on move the recorded position, but not often. The end of a live that had no session is
// one of them.
func TestPositionsWithoutFacts(t *testing.T) {
	t.Parallel()
	created := &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: "a"}}}
	ended := &cohostv1.Entry{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: "a"}}}
	for name, entries := range map[string][]*cohostv1.Entry{"created": {created}, "ended": {ended}, "both in turn": {created, ended}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				began := s.head()
				for second := range uint64(3) {
					<-time.After(1100 * time.Millisecond)
					for i := range 1000 {
						entry, err := proto.Marshal(entries[i%len(entries)])
						if err != nil {
							t.Fatal(err)
						}
						s.append(&ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{{AtMs: time.Now().UnixMilli(), Entries: [][]byte{entry}}}})
					}
					synctest.Wait()
					if got, want := s.head()-began, second+1; got != want {
						t.Errorf("after %d seconds and %d groups the log has %d positions, want %d", want, s.groups, got, want)
					}
				}
			})
		})
	}
}

// head is how many groups the partition has stored.
func (s *stage) head() uint64 {
	s.t.Helper()
	head, err := s.stores.Log(partition.Log).Head(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return head
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
