package view_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
)

// picture is what somebody knows of a live who is told what happens to it: its battles, the newest last.
type picture struct {
	live    string
	battles []*battlev1.Battle
	pardons map[string]bool // whose punishment is over
}

// Whatever is done, what a live is told makes of the battle that it is in what a fresh state says, but for the totals of lives
// that have closed, which BattleEnded brings.
func TestToldIsWhatIsSo(t *testing.T) {
	t.Parallel()
	lives := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(rt *rapid.T) {
		s := newStory(t)
		pictures := make(map[string]*picture)
		for _, live := range lives {
			pictures[live] = &picture{live: live, pardons: make(map[string]bool)}
		}
		s.battles.Tell(func(live string, e *battlev1.Event) { pictures[live].take(rt, e) })
		w := &walk{story: s, t: rt, lives: lives}
		w.connect(lives...)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			c := w.step()
			for _, live := range lives {
				var want *battlev1.Battle
				if b, ok := s.battles.Current(live); ok {
					want = shown(codec.Battle(b, s.now))
				}
				if got := pictures[live].current(); !proto.Equal(want, got) {
					rt.Fatalf("after %+v: live %s (-is +told):\n%s", c, live, cmp.Diff(want, got, protocmp.Transform()))
				}
			}
		}
	})
}

// shown is a battle without what no event tells of.
func shown(b *battlev1.Battle) *battlev1.Battle {
	b = proto.CloneOf(b)
	b.ServerNow = nil
	if b.GetStatus() != battlev1.Battle_ENDED {
		for _, u := range b.GetUsers() {
			u.Score = 0
		}
	}
	return b
}

func (p *picture) of(id string) *battlev1.Battle {
	i := slices.IndexFunc(p.battles, func(b *battlev1.Battle) bool { return b.GetBattleId() == id })
	if i < 0 {
		return &battlev1.Battle{}
	}
	return p.battles[i]
}

// show takes a battle as it is told; a round of a series replaces those before it.
func (p *picture) show(b *battlev1.Battle) {
	b = shown(b)
	if i := slices.IndexFunc(p.battles, func(x *battlev1.Battle) bool { return x.GetBattleId() == b.GetBattleId() }); i >= 0 {
		p.battles[i] = b
		return
	}
	p.battles = append(slices.DeleteFunc(p.battles, func(x *battlev1.Battle) bool {
		return x.GetSeries() != nil && x.GetSeries().GetSeriesId() == b.GetSeries().GetSeriesId()
	}), b)
}

func (p *picture) user(id string, u *battlev1.BattleUser) {
	for i, old := range p.of(id).GetUsers() {
		if old.GetLiveId() == u.GetLiveId() {
			p.of(id).Users[i] = u
		}
	}
}

func (p *picture) take(t *rapid.T, event *battlev1.Event) {
	switch e := event.GetEvent().(type) {
	case *battlev1.Event_BattleRequestSent:
		p.show(e.BattleRequestSent.GetBattle())
	case *battlev1.Event_BattleRequestReceived:
		p.show(e.BattleRequestReceived.GetBattle())
	case *battlev1.Event_BattleStarting:
		p.show(e.BattleStarting.GetBattle())
	case *battlev1.Event_BattleStarted:
		p.show(e.BattleStarted.GetBattle())
	case *battlev1.Event_BattleSettling:
		p.show(e.BattleSettling.GetBattle())
	case *battlev1.Event_BattleEnded:
		p.show(e.BattleEnded.GetBattle())
	case *battlev1.Event_BattleExtended:
		p.show(e.BattleExtended.GetBattle())
	case *battlev1.Event_PunishmentStarted:
		p.show(e.PunishmentStarted.GetBattle())
	case *battlev1.Event_SeriesEnded:
		p.show(e.SeriesEnded.GetBattle())
	case *battlev1.Event_BattleRequestAccept:
		p.user(e.BattleRequestAccept.GetBattleId(), e.BattleRequestAccept.GetInvitee())
	case *battlev1.Event_BattleRequestReject:
		p.user(e.BattleRequestReject.GetBattleId(), e.BattleRequestReject.GetInvitee())
	case *battlev1.Event_BattleRequestTimeout:
		p.user(e.BattleRequestTimeout.GetBattleId(), e.BattleRequestTimeout.GetInvitee())
	case *battlev1.Event_BattleRequestCancelled:
		p.user(e.BattleRequestCancelled.GetBattleId(), e.BattleRequestCancelled.GetInvitee())
	case *battlev1.Event_UserJoinBattle:
		p.user(e.UserJoinBattle.GetBattleId(), e.UserJoinBattle.GetUser())
	case *battlev1.Event_UserExitBattle:
		exit := e.UserExitBattle
		p.user(exit.GetBattleId(), exit.GetUser())
		if s := p.of(exit.GetBattleId()).GetSeries(); s != nil {
			s.WaitingLiveIds = slices.DeleteFunc(s.WaitingLiveIds, func(live string) bool { return live == exit.GetUser().GetLiveId() })
		}
	case *battlev1.Event_BattleProposal:
		p.propose(e.BattleProposal)
	case *battlev1.Event_PunishmentEnded:
		b := p.of(e.PunishmentEnded.GetBattleId())
		p.pardons[b.GetBattleId()] = true
		if event.GetAt().AsTime().Before(b.GetPunishmentEndsAt().AsTime()) {
			b.PunishmentEndsAt = event.GetAt()
		}
	default:
		t.Fatalf("told %v", event)
	}
}

func (p *picture) propose(e *battlev1.BattleProposal) {
	b, told := p.of(e.GetBattleId()), e.GetProposal()
	is := func(x *battlev1.Proposal) bool {
		return x.GetKind() == told.GetKind() && x.GetExtendSeconds() == told.GetExtendSeconds()
	}
	switch e.GetChange() {
	case battlev1.BattleProposal_MADE:
		b.Proposals = append(b.Proposals, told)
	case battlev1.BattleProposal_CONSENTED:
		b.Proposals[slices.IndexFunc(b.GetProposals(), is)] = told
	default:
		b.Proposals = slices.DeleteFunc(b.GetProposals(), is)
	}
}

// current is the battle that the live is in: the newest one that holds it, or has it take part in a punishment.
func (p *picture) current() *battlev1.Battle {
	for _, b := range slices.Backward(p.battles) {
		i := slices.IndexFunc(b.GetUsers(), func(u *battlev1.BattleUser) bool { return u.GetLiveId() == p.live })
		in := b.GetUsers()[i].GetState() == battlev1.BattleUser_JOINED || b.GetUsers()[i].GetState() == battlev1.BattleUser_INVITED
		switch {
		case !in:
		case b.GetStatus() != battlev1.Battle_ENDED, b.GetPunishmentEndsAt() != nil && !p.pardons[b.GetBattleId()], slices.Contains(b.GetSeries().GetWaitingLiveIds(), p.live):
			return b
		}
	}
	return nil
}

// walk takes a story on by random commands; most of them concern the newest battles.
type walk struct {
	*story
	t     *rapid.T
	lives []string
	read  uint64 // of COHOST_00
	made  int
}

// connect has lives join the connection.
func (w *walk) connect(lives ...string) {
	for _, live := range lives {
		w.fact(battle.ConnectionFact{ConnectionID: "x", Live: battle.Participant{LiveID: live, Host: battle.User{ID: "u" + live}}})
	}
}

func (w *walk) fact(f battle.ConnectionFact) {
	w.read++
	if err := w.try(battle.ReadCohost{Sequence: w.read, Facts: []battle.ConnectionFact{f}}); err != nil {
		w.t.Fatal(err)
	}
}

// step does something, and returns what.
func (w *walk) step() any {
	live := rapid.SampledFrom(w.lives).Draw(w.t, "live")
	id := fmt.Sprint("b", rapid.IntRange(max(1, w.made-1), max(1, w.made)).Draw(w.t, "battle"))
	if b, ok := w.battles.Current(live); ok && rapid.IntRange(0, 4).Draw(w.t, "its own") > 0 {
		id = b.ID
	}
	var c battle.Command
	switch rapid.IntRange(0, 17).Draw(w.t, "what") {
	case 0, 1:
		w.made++
		others := slices.DeleteFunc(slices.Clone(w.lives), func(other string) bool { return other == live })
		c = battle.RequestBattle{BattleID: fmt.Sprint("b", w.made), Inviter: live, TargetLives: others, Terms: battle.Terms{
			Duration: time.Minute, NeedResponse: rapid.Bool().Draw(w.t, "asked"), BestOf: rapid.SampledFrom([]int32{0, 3}).Draw(w.t, "best of"),
			Punishment: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(w.t, "punishment"),
		}}
	case 2, 3:
		c = battle.AcceptBattle{BattleID: id, LiveID: live}
	case 4:
		c = battle.RejectBattle{BattleID: id, LiveID: live}
	case 5:
		c = battle.CancelBattleRequest{BattleID: id, LiveID: live, TargetLives: rapid.SampledFrom([][]string{nil, {"b"}, {"c"}}).Draw(w.t, "whom")}
	case 6:
		c = battle.ExitBattle{BattleID: id, LiveID: live}
	case 7:
		c = battle.EndBattle{BattleID: id, LiveID: rapid.SampledFrom([]string{live, live, live, ""}).Draw(w.t, "whose word")}
	case 8:
		c = battle.ExtendBattle{BattleID: id, LiveID: live, By: rapid.SampledFrom([]time.Duration{time.Second, time.Minute}).Draw(w.t, "by")}
	case 9:
		c = battle.VoidBattle{BattleID: id}
	case 10:
		w.fact(battle.ConnectionFact{ConnectionID: "x", Live: battle.Participant{LiveID: live}, Left: battle.ExitLeftConnection})
		w.connect(live)
		return "left " + live
	case 11, 12, 13, 14:
		return w.report(id)
	default:
		w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 300, 5000, 10_000, 61_000}).Draw(w.t, "ms")) * time.Millisecond)
		for _, c := range w.machine.Due(w.now) {
			_ = w.try(c)
		}
		return w.now
	}
	_ = w.try(c) // a refusal is as good as anything
	return c
}

// report has all lives of a battle opened and, once it is over, closed.
func (w *walk) report(id string) any {
	b, _ := w.battles.Get(id)
	for i, m := range b.Members {
		_ = w.try(battle.ReportOpened{BattleID: id, LiveID: m.LiveID})
		_ = w.try(battle.ReportClosed{BattleID: id, LiveID: m.LiveID, Closing: battle.Closing{Total: int64(i)}})
	}
	return "reports of " + id
}
