package score_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// play is a partition that facts and gifts come to, one group each.
type play struct {
	*testing.T
	*score.State
	seq uint64
}

func (p *play) do(now time.Time, c score.Command) []event {
	p.Helper()
	events, err := p.Decide(now, c)
	if err != nil {
		p.Fatal(err)
	}
	estest.Fold(p.State, now, events...)
	return events
}

func (p *play) read(now time.Time, facts ...score.Fact) []event {
	p.Helper()
	p.seq++
	return p.do(now, score.ReadBattle{Position: score.Position{Sequence: p.seq}, Facts: facts})[1:]
}

func (p *play) give(now time.Time, id, user string) score.Verdict {
	p.Helper()
	g := tableGift
	g.EventID, g.Sender, g.SentAt = id, score.User{ID: user}, now
	events := p.do(now, score.CountGifts{LiveID: "live", Gifts: []score.Gift{g}, Fresh: true})
	return events[0].(score.GiftDecided).Verdict
}

// TestReopened: a live that was closed and is back counts on, total, gifts and gifters; what came between is late for good. It does
// so after a snapshot too, and if it comes and goes in one group.
func TestReopened(t *testing.T) {
	t.Parallel()
	exit, back := score.UserExited{BattleID: "b1", LiveID: "live"}, func(n int32) score.UserRejoined {
		return score.UserRejoined{BattleID: "b1", LiveID: "live", EndsAt: newEnds, Rejoins: n}
	}
	for _, restored := range []bool{false, true} {
		p := &play{T: t, State: score.New(settings())}
		now := inBattle
		p.read(now, score.BattleStarting{BattleID: "b1", StartsAt: starts, EndsAt: ends, Participants: hosts[:1]}, score.BattleRuns{BattleID: "b1"})
		p.give(now, "g1", "u")
		first := p.read(now, exit)
		p.read(now, score.TotalRecorded{BattleID: "b1", LiveID: "live"})
		if v := p.give(now, "g2", "u"); v != score.Late {
			t.Errorf("while it was away: %v", v)
		}
		g := tableGift
		g.EventID, g.SentAt = "g9", now
		if events := p.do(now, score.CountGifts{LiveID: "live", Gifts: []score.Gift{g}}); len(events) > 0 {
			t.Errorf("before the battle service's log was read to its head: %v", events)
		}
		if restored {
			x := p.Restore()
			for piece := range p.Freeze() {
				if err := x.Add(piece); err != nil {
					t.Fatal(err)
				}
			}
			p.State = score.New(settings())
			p.Become(x)
		}
		if got := p.read(now, back(1)); !cmp.Equal(got, []event{reopened}) {
			t.Fatalf("back: %+v", got)
		}
		if v := p.give(afterEnd, "g3", "u"); v != score.Counted {
			t.Errorf("once it is back, before the end that was moved: %v", v)
		}
		p.give(afterEnd, "g4", "v")
		top := func(u, v int64) []score.Gifter {
			return []score.Gifter{{User: score.User{ID: "u"}, Points: u}, {User: score.User{ID: "v"}, Points: v}}
		}
		want := score.LiveClosed{BattleID: "b1", LiveID: "live", Total: 150, Gifts: 3, Top: top(100, 50)}
		if diff := cmp.Diff([]event{want}, p.read(afterEnd, exit)); diff != "" {
			t.Errorf("restored %v, closed again (-want +got):\n%s", restored, diff)
		}
		if l := first[0].(score.LiveClosed); l.Total != 50 || l.Gifts != 1 {
			t.Errorf("the first time: %+v", l)
		}
		got := p.read(afterEnd, back(2), exit, back(3), score.BattleEnding{BattleID: "b1"})
		if len(got) != 4 || !cmp.Equal(got[1], event(want)) || !cmp.Equal(got[3], event(want)) {
			t.Errorf("in one group: %+v", got)
		}
		if r := p.Battle("b1").Room("live"); r.Rejoins != 3 || !r.OwesTotal() || p.Tally(r).Total != 150 {
			t.Errorf("%+v", r)
		}
	}
}

// TestBackBeforeAnother: that the battle which closed last is settled does not say that the live is in none: it may be back in one before
// that, which its partition has not read.
func TestBackBeforeAnother(t *testing.T) {
	t.Parallel()
	p := &play{T: t, State: score.New(settings())}
	now := inBattle
	for _, id := range []string{"b1", "b2"} {
		p.read(now, score.BattleStarting{BattleID: id, StartsAt: starts, EndsAt: ends, Participants: hosts[:1]}, score.UserExited{BattleID: id, LiveID: "live"})
	}
	p.read(now, score.BattleEnded{BattleID: "b2", Settled: true})
	g := giftAt("g", now)
	if events := p.do(now, count(g)); len(events) > 0 || p.Expects("live", now) {
		t.Errorf("before the battle service's log was read to its head: %v", events)
	}
	p.read(now, score.UserRejoined{BattleID: "b1", LiveID: "live", EndsAt: ends, Rejoins: 1})
	if got := p.do(now, fresh(g)); !cmp.Equal(got, []event{decided(g, score.Counted, 50, "b1", score.NoReason)}) {
		t.Errorf("after it: %+v", got)
	}
}

// TestReopenedWithoutBoard: of a live whose gifters are forgotten the total goes on, and of the gifters the top ones are known.
func TestReopenedWithoutBoard(t *testing.T) {
	t.Parallel()
	set := settings()
	set.KeepBoards = 0
	p := &play{T: t, State: score.New(set)}
	top := []score.Gifter{{User: score.User{ID: "u"}, Points: 70}}
	estest.Fold(p.State, inBattle, event(opened), event(score.LiveClosed{BattleID: "b1", LiveID: "live", Total: 70, Gifts: 2, Top: top}))
	x := p.Restore()
	for piece := range p.Freeze() {
		switch piece.(type) {
		case score.KeptBoard, score.KeptGifters:
			continue
		}
		if part, ok := piece.(score.KeptPart); ok && part.Window == score.ClosedBoards {
			continue
		}
		if err := x.Add(piece); err != nil {
			t.Fatal(err)
		}
	}
	p.State = score.New(set)
	p.Become(x)
	p.read(inBattle, score.UserRejoined{BattleID: "b1", LiveID: "live", EndsAt: ends, Rejoins: 1})
	p.give(inBattle, "g", "u")
	top = []score.Gifter{{User: score.User{ID: "u"}, Points: 120}}
	want := score.LiveClosed{BattleID: "b1", LiveID: "live", Total: 120, Gifts: 3, Top: top}
	if diff := cmp.Diff([]event{want}, p.read(inBattle, score.UserExited{BattleID: "b1", LiveID: "live"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
