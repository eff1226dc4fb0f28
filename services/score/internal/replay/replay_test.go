package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
	"github.com/faceoff-live/faceoff/services/score/internal/battletest"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/partition"
	"github.com/faceoff-live/faceoff/services/score/internal/replay"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// logs are one score partition and the battle service's log.
// logs are those of one partition and of the battle service.
func logs(of, battle ledger.Log) func(string) ledger.Log {
	return func(name string) ledger.Log {
		if name == partition.BattleLog {
			return battle
		}
		return of
	}
}

func settings(book score.RuleBook) score.Settings {
	return score.Settings{
		Partitions: 1, MaxAge: 24 * time.Hour, MaxAhead: 5 * time.Minute, LateWindow: 10 * time.Second, MaxIDs: 1000, KeepBoards: time.Hour, Rules: book,
	}
}

// play writes the log of a battle b1 of l1 and l2 with two gifts for l1, and returns its settlement.
func play(t *testing.T, book score.RuleBook) (ledger.Log, *battlev1.BattleResult) {
	t.Helper()
	return playWith(t, book, score.BattleEnding{BattleID: "b1"})
}

// playFacts writes the log of the same battle, to which other things happen.
func playFacts(t *testing.T, facts ...score.Fact) ledger.Log {
	t.Helper()
	log, _ := playWith(t, rules.Book, facts...)
	return log
}

func playWith(t *testing.T, book score.RuleBook, facts ...score.Fact) (ledger.Log, *battlev1.BattleResult) {
	t.Helper()
	log := memory.NewLog()
	l := ledger.New(ledger.Config[score.Command, score.Event]{
		Name: "SCORE_00", Store: ledger.Store{Log: log, Lease: memory.NewLease("a"), Peers: memory.NewPeers()}, Machine: score.New(settings(book)), Codec: codec.Codec{},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx, func() { close(ready) }) }()
	defer func() { cancel(); <-done }()
	<-ready

	now := time.Now().UTC().Truncate(time.Millisecond)
	gift := score.Gift{EventID: "g1", Sender: score.User{ID: "u"}, GiftID: "rose", Category: score.Basic, UnitValue: 10, Count: 1, SentAt: now, Hash: 1}
	again := gift
	again.EventID = "g2"
	result := &battlev1.BattleResult{}
	proofs := make(map[string]*battlev1.ClosingProof)
	for _, c := range []score.Command{
		score.ReadBattle{Position: score.Position{Sequence: 1}, Facts: []score.Fact{score.BattleStarting{
			BattleID: "b1", StartsAt: now.Add(-time.Second), EndsAt: now.Add(time.Hour), RuleSet: rules.Default,
			Participants: []score.Participant{{LiveID: "l1", Host: score.User{ID: "h1"}}, {LiveID: "l2", Host: score.User{ID: "h2"}}},
		}}},
		score.CountGifts{LiveID: "l1", Gifts: []score.Gift{gift, again, gift}},
		score.ReadBattle{Position: score.Position{Sequence: 2}, Facts: facts},
	} {
		r, err := l.Submit(ctx, ledger.Command[score.Command]{Body: c})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Events {
			switch x := e.Event.(type) {
			case score.LiveOpened:
				proofs[x.LiveID] = codec.Proof(0, e.Place, es.Place{}, 0)
			case score.LiveClosed:
				proof := codec.Proof(0, es.Place{Seq: proofs[x.LiveID].GetOpenedSequence(), Index: proofs[x.LiveID].GetOpenedIndex()}, e.Place, x.Gifts)
				result.Lives = append(result.Lives, &battlev1.LiveResult{LiveId: x.LiveID, Score: x.Total, Proof: proof})
			}
		}
	}
	return log, result
}

// settle writes what the battle service tells of b1.
func settle(t *testing.T, ended *battlev1.Entry_BattleEnded, before ...*battlev1.Entry) ledger.Log {
	t.Helper()
	log := memory.NewLog()
	b := battletest.Start(t, log, memory.NewLease("b"), memory.NewPeers())
	entries := []*battlev1.Entry{{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{
		BattleId: "b1", Participants: []*battlev1.Entry_Participant{
			{LiveId: "l1", Host: &userv1.User{UserId: "h1"}}, {LiveId: "l2", Host: &userv1.User{UserId: "h2"}},
		},
	}}}}
	entries = append(entries, before...)
	if ended != nil {
		ended.BattleId = "b1"
		entries = append(entries, &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: ended}})
	}
	b.Write(t, entries...)
	return log
}

func TestReplay(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		// change tampers with the settlement; nil: there is none.
		change func(*battlev1.BattleResult)
		// difference is part of the only one; empty: none.
		difference string
	}{
		{"as settled", func(*battlev1.BattleResult) {}, ""},
		{"not settled", nil, "no settlement yet"},
		{"another total", func(r *battlev1.BattleResult) { r.Lives[0].Score++ }, "l1: the settlement says 101 points, its gifts make 100"},
		{"another number of gifts", func(r *battlev1.BattleResult) { r.Lives[0].Proof.Gifts-- }, "l1: the settlement counts 1 gifts, its log 2"},
		{"another chain", func(r *battlev1.BattleResult) { r.Lives[1].Proof.ChainHash[0]++ }, "l2: the settlement's chain hash"},
		{"another opening", func(r *battlev1.BattleResult) { r.Lives[1].Proof.OpenedIndex++ }, "l2: the settlement has it opened at"},
		{"another close", func(r *battlev1.BattleResult) { r.Lives[1].Proof.ClosedSequence++ }, "l2: the settlement has it closed at"},
		{"another partition", func(r *battlev1.BattleResult) { r.Lives[1].Proof.Partition++ }, "l2: the settlement names partition 1, it is in 0"},
		{"a live left out", func(r *battlev1.BattleResult) { r.Lives = r.Lives[:1] }, "l2: the settlement does not have it"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			log, result := play(t, rules.Book)
			var ended *battlev1.Entry_BattleEnded
			if row.change != nil {
				row.change(result)
				ended = &battlev1.Entry_BattleEnded{Reason: battlev1.Battle_TIME_OVER, Result: result}
			}
			compare(t, log, settle(t, ended), row.difference)
		})
	}
	t.Run("a live that could not open", func(t *testing.T) {
		t.Parallel()
		unknown := func(string) (score.Rules, bool) { return nil, false }
		log, result := play(t, unknown)
		for _, live := range []string{"l1", "l2"} {
			result.Lives = append(result.Lives, &battlev1.LiveResult{LiveId: live, Proof: codec.Proof(0, es.Place{}, es.Place{}, 0)})
		}
		r, err := replay.New(logs(log, settle(t, &battlev1.Entry_BattleEnded{Result: result})), settings(unknown)).Battle(t.Context(), "b1")
		if err != nil || !r.GetEqual() || len(r.GetLives()) != 2 {
			t.Errorf("the replay is %v (%v)", r, err)
		}
	})
	t.Run("void", func(t *testing.T) {
		t.Parallel()
		log, _ := play(t, rules.Book)
		compare(t, log, settle(t, &battlev1.Entry_BattleEnded{Reason: battlev1.Battle_NEVER_STARTED}), "never started")
	})
	t.Run("voided", func(t *testing.T) {
		t.Parallel()
		log := playFacts(t, score.BattleEnded{BattleID: "b1"})
		if r := compare(t, log, settle(t, &battlev1.Entry_BattleEnded{Reason: battlev1.Battle_VOIDED}), "the battle was voided"); len(r) != 1 {
			t.Errorf("differences %q", r)
		}
	})
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprintf("extended, which the battle service tells: %v", told), func(t *testing.T) {
			t.Parallel()
			ends := time.Now().UTC().Truncate(time.Millisecond).Add(2 * time.Hour)
			log := playFacts(t, score.BattleExtended{BattleID: "b1", EndsAt: ends}, score.BattleEnded{BattleID: "b1"})
			var before []*battlev1.Entry
			want := "l1: its log counts until"
			if told {
				before = append(before, &battlev1.Entry{Entry: &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{
					BattleId: "b1", EndsAtMs: ends.UnixMilli(),
				}}})
				want = "the battle was voided"
			}
			r := compare(t, log, settle(t, &battlev1.Entry_BattleEnded{Reason: battlev1.Battle_VOIDED}, before...), want)
			if (len(r) == 1) != told {
				t.Errorf("differences %q", r)
			}
		})
	}
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprintf("rejoined, which the battle service tells: %v", told), func(t *testing.T) {
			t.Parallel()
			ends := time.Now().UTC().Truncate(time.Millisecond).Add(2 * time.Hour)
			log, result := playWith(t, rules.Book, score.BattleExtended{BattleID: "b1", EndsAt: ends}, score.UserExited{BattleID: "b1", LiveID: "l1"},
				score.UserRejoined{BattleID: "b1", LiveID: "l1", EndsAt: ends, Rejoins: 1}, score.BattleEnding{BattleID: "b1"})
			result.Lives = result.Lives[1:] // what it was closed with at first is no result
			before := []*battlev1.Entry{{Entry: &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{BattleId: "b1", EndsAtMs: ends.UnixMilli()}}}}
			want := "l1: its log opened it again 1 times, it has rejoined the battle 0 times"
			if told {
				want = ""
				before = append(before, &battlev1.Entry{Entry: &battlev1.Entry_UserRejoined_{UserRejoined: &battlev1.Entry_UserRejoined{BattleId: "b1", LiveId: "l1"}}})
			}
			compare(t, log, settle(t, &battlev1.Entry_BattleEnded{Result: result}, before...), want)
		})
	}
	t.Run("gifts counted by other rules", func(t *testing.T) {
		t.Parallel()
		log, result := play(t, func(string) (score.Rules, bool) { return triple{}, true })
		r := compare(t, log, settle(t, &battlev1.Entry_BattleEnded{Result: result}), "l1: gift g1 counted 30 points, the rules default@1 give 50")
		if len(r) != 2 {
			t.Errorf("differences %q", r)
		}
	})
	t.Run("no such battle", func(t *testing.T) {
		t.Parallel()
		_, err := replay.New(logs(memory.NewLog(), memory.NewLog()), settings(rules.Book)).Battle(t.Context(), "b1")
		if !errors.Is(err, &es.Refusal{Reason: "BATTLE_NOT_FOUND"}) {
			t.Errorf("got %v", err)
		}
	})
}

func compare(t *testing.T, counted, battle ledger.Log, difference string) []string {
	t.Helper()
	r, err := replay.New(logs(counted, battle), settings(rules.Book)).Battle(t.Context(), "b1")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(r.GetDifferences(), "\n")
	if r.GetEqual() != (difference == "") || !strings.HasPrefix(got, difference) && !strings.Contains(got, difference) {
		t.Errorf("equal: %v, differences %q; want %q", r.GetEqual(), got, difference)
	}
	if len(r.GetLives()) != 2 || r.GetLives()[0].GetUserId() != "h1" || r.GetLives()[0].GetProof().GetGifts() != 2 {
		t.Errorf("lives %v", r.GetLives())
	}
	return r.GetDifferences()
}

// triple are rules of default@1's name that give 3 points a unit.
type triple struct{}

func (triple) Version() string                   { return rules.Default }
func (triple) Points(g score.Gift) (int64, bool) { return 3 * g.UnitValue, true }

// stuck is a log whose readers wait.
type stuck struct {
	ledger.Log
	readers chan struct{}
}

func (s stuck) Head(ctx context.Context) (uint64, error) {
	s.readers <- struct{}{}
	<-ctx.Done()
	return 0, ctx.Err()
}

// Two replays read at the same time, some wait for their turn, and more are refused.
func TestManyReplays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 2 + 32
		log := stuck{readers: make(chan struct{}, 100)}
		r := replay.New(func(string) ledger.Log { return log }, settings(rules.Book))
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan error, most)
		for range most {
			go func() {
				_, err := r.Battle(ctx, "b1")
				answers <- err
			}()
		}
		synctest.Wait()
		if len(log.readers) != 2 {
			t.Errorf("%d replays read at the same time", len(log.readers))
		}
		if _, err := r.Battle(ctx, "b1"); !errors.Is(err, &es.Refusal{Reason: "RATE_LIMITED"}) {
			t.Errorf("one more: %v", err)
		}
		cancel()
		for range most {
			if err := <-answers; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if _, err := r.Battle(ctx, "b1"); !errors.Is(err, context.Canceled) {
			t.Errorf("after all have ended: %v", err)
		}
	})
}
