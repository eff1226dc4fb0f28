package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// host is somebody who hosts a live with a device that gives signs of life. Now and then the device dies, freezes, is cut off, or
// another one takes its place.
type host struct {
	*actor
	id      string // of the live
	devices int
	old     *device          // that another one has taken the place of, if it still goes on
	fought  *battlev1.Battle // that it fell silent in last, nil if none

	mu   sync.Mutex
	dead bool // it gives no sign of life any more
}

// crew are the hosts of a run. resting says that they are to do no more than show that they are there, and ended that it is over.
type crew struct {
	hosts          []*host
	working        sync.WaitGroup
	resting, ended chan struct{}
}

// newCrew has the hosts begin.
func newCrew(w *world, h *history, seed uint64) *crew {
	c := &crew{resting: make(chan struct{}), ended: make(chan struct{})}
	for i, live := range w.shape.hosted {
		x := &host{id: live, actor: &actor{
			client: newClient(w, h, "host-"+live, 0), rng: rand.New(rand.NewPCG(seed, uint64(1000+i))), shape: w.shape, heard: map[string]int64{},
		}}
		c.hosts = append(c.hosts, x)
		c.working.Go(func() { x.work(c) })
	}
	return c
}

// stop ends the hosts' work.
func (c *crew) stop() {
	close(c.ended)
	c.working.Wait()
}

// rests reports whether a host is to do no more than show that it is there.
func (c *crew) rests() bool {
	select {
	case <-c.resting:
		return true
	default:
		return false
	}
}

// passes lets time pass, and reports whether it has before a host was to rest.
func (c *crew) passes(d time.Duration) bool {
	select {
	case <-time.After(d):
		return !c.rests()
	case <-c.resting:
		return false
	}
}

func (h *host) renew() time.Duration { return milliseconds(h.limits.Renew) }

// work has a host live its life.
func (h *host) work(c *crew) {
	if !c.passes(time.Duration(h.rng.Int64N(int64(3 * time.Second)))) {
		h.dies()
		return
	}
	d := h.another()
	for {
		for span := h.between(2, 12); span > 0 && !c.rests(); span -= h.renew() {
			h.goOn(d)
			if !c.passes(h.between(0, 1) / 4) {
				break
			}
			if h.rng.IntN(3) == 0 {
				h.does(d)
			}
			c.passes(h.renew())
		}
		if c.rests() {
			h.rest(c, d)
			return
		}
		if d = h.mishap(c, d); d == nil {
			return
		}
	}
}

// between is a time of so many renewals.
func (h *host) between(least, most int64) time.Duration {
	return time.Duration(least)*h.renew() + time.Duration(h.rng.Int64N(int64(time.Duration(most-least)*h.renew())))
}

// rest shows that the host is there, until all is over.
func (h *host) rest(c *crew, d *device) {
	for {
		if _, outcome := d.beat(); outcome == "LIVE_NOT_FOUND" {
			h.dies()
			return
		}
		select {
		case <-time.After(h.renew()):
		case <-c.ended:
			return
		}
	}
}

func (h *host) dies() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = true
}

func (h *host) isDead() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead
}

// goOn gives a sign of life with a device, and with the one before, if that has not noticed. A live that has ended begins anew.
func (h *host) goOn(d *device) {
	if h.old != nil {
		_, _ = h.old.beat()
		if h.rng.IntN(2) == 0 {
			h.does(h.old)
		}
		if h.old.over.Load() && h.rng.IntN(3) == 0 || h.rng.IntN(6) == 0 {
			h.old = nil
		}
	}
	p, outcome := d.beat()
	if outcome == "LIVE_NOT_FOUND" && h.rng.IntN(2) == 0 {
		h.create(h.id)
	}
	if p.GetRejoinUntil() != nil {
		h.comesBack(d, p)
	}
}

// does does something that hosts do, as the host or as a backend that names its session.
func (h *host) does(d *device) {
	d.as = ""
	if h.rng.IntN(2) == 0 {
		d.as = h.id
	}
	other := h.live()
	for other == h.id {
		other = h.live()
	}
	b, known := h.running()
	switch n := h.rng.IntN(14); {
	case n < 4:
		d.invite(&cohostv1.RequestHostConnectionRequest{LiveId: h.id, TargetLiveIds: []string{other}, TimeoutSeconds: 1 + h.rng.Int32N(3)})
	case n < 6:
		if i, ok := recent(h.h, &h.h.invited, h.rng.IntN(100)); ok {
			d.accept(h.id, i.from, h.info())
		}
	case n < 7:
		d.setLayout(h.id, h.template(h.id))
	case n < 8:
		d.mute(h.id, other, h.rng.IntN(2) == 0)
	case n < 9:
		d.rejoin(h.id)
	case n < 10 && known:
		d.inBattle(rejoins(b, h.id))
	case n < 11 && known:
		d.inBattle(extends(b, h.id, 1))
	case n < 12 && known:
		d.inBattle(answers(check.AcceptBattle, b, h.id))
	case n < 13:
		d.requestBattle(&battlev1.RequestBattleRequest{
			InviterLiveId: h.id, TargetLiveIds: []string{other}, TimeoutSeconds: 2, Config: &battlev1.BattleConfig{DurationSeconds: 4 + h.rng.Int32N(4)},
		})
	default:
		name := fmt.Sprintf("Host %d", h.rng.IntN(3))
		d.updateLive(h.id, &cohostv1.UpdateLiveRequest_HostProfile{UserName: &name})
	}
	d.as = ""
}

// running is a battle of the live that was heard of not long ago.
func (h *host) running() (*battlev1.Battle, bool) {
	h.h.mu.Lock()
	defer h.h.mu.Unlock()
	for _, b := range slices.Backward(h.h.battles) {
		if slices.ContainsFunc(b.GetUsers(), func(u *battlev1.BattleUser) bool { return u.GetLiveId() == h.id }) {
			return b, true
		}
	}
	return nil, false
}

func rejoins(b *battlev1.Battle, live string) check.Op {
	r := &battlev1.RejoinBattleRequest{BattleId: b.GetBattleId(), LiveId: live}
	return check.Op{Kind: check.RejoinBattle, Live: live, Battle: b.GetBattleId(), Request: r}
}

// comesBack rejoins the connection that the host was lost from, and the battle, at once, in the wrong order, or about when it is too late.
func (h *host) comesBack(d *device, p *cohostv1.Presence) {
	b, known := h.running()
	if h.fought != nil {
		b, known = h.fought, true
	}
	if until := time.Until(p.GetRejoinUntil().AsTime()); h.rng.IntN(4) == 0 && until < 20*time.Second {
		h.at(until)
	}
	if known && h.rng.IntN(4) == 0 {
		d.inBattle(rejoins(b, h.id))
	}
	if h.old != nil && h.rng.IntN(2) == 0 {
		h.old.rejoin(h.id)
	}
	d.rejoin(h.id)
	if known && h.rng.IntN(4) > 0 {
		d.inBattle(rejoins(b, h.id))
	}
	if h.rng.IntN(4) == 0 {
		d.rejoin(h.id)
	}
}

// mishap is what happens to a device. It returns the one that the host goes on with; nil if there is none any more.
func (h *host) mishap(c *crew, d *device) *device {
	switch n := h.rng.IntN(14); {
	case n < 4 && h.limits.Grace < h.limits.LongestBattle: // in the middle of a battle
		h.fightsAll(d)
		h.old = nil
		for patience := 30; patience > 0 && h.notLost() && c.passes(h.renew()/2); {
			patience--
		}
		if !c.passes(time.Duration(h.rng.Int64N(int64(2 * time.Second)))) {
			break
		}
		if h.rng.IntN(2) == 0 {
			return d
		}
		return h.another()
	case n < 6: // another device, and the first goes on
		h.old = d
		return h.another()
	case n < 8: // frozen: what it was about to say comes late, and all at once
		if !c.passes(h.silence()) {
			break
		}
		var late sync.WaitGroup
		for range 1 + h.rng.IntN(4) {
			late.Go(func() { _, _ = d.beat() })
		}
		late.Wait()
		return d
	case n < 10: // cut off: it tries all the while
		h.w.journal.note(h.name, "is cut off")
		if !c.passes(h.silence()) {
			break
		}
		return d
	case n < 11: // dead for good
		h.w.journal.note(h.name, "dies")
		h.dies()
		return nil
	default:
		h.w.journal.note(h.name, "dies for a while")
		if h.old = nil; !c.passes(h.silence()) {
			break
		}
		if h.rng.IntN(3) == 0 {
			return d // the same app, started again with what it kept
		}
		return h.another()
	}
	h.dies()
	return nil
}

// fightsAll begins a long battle with all that the live is connected with.
func (h *host) fightsAll(d *device) {
	others := h.company()
	if len(others) < 2 {
		for _, to := range d.invite(&cohostv1.RequestHostConnectionRequest{LiveId: h.id, TargetLiveIds: h.others(h.id, others, 4), TimeoutSeconds: 3}).Accepted {
			h.accept(to, h.id, "")
		}
		others = h.company()
	}
	if len(others) > 0 {
		_, h.fought = d.requestBattle(&battlev1.RequestBattleRequest{
			InviterLiveId: h.id, TargetLiveIds: others[:min(len(others), 8)], Config: &battlev1.BattleConfig{DurationSeconds: 20 + h.rng.Int32N(20)},
		})
	}
}

// notLost reports whether the host is not known to be lost.
func (h *host) notLost() bool {
	ctx, cancel := patient()
	defer cancel()
	r, _ := h.cohost.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: h.id})
	return r.GetLive().GetPresence().GetState() != cohostv1.Presence_LOST
}

// company are those that the live is connected with.
func (h *host) company() (others []string) {
	s, _ := h.state(h.id)
	for _, m := range s.GetConnected() {
		if m.GetLiveId() != h.id {
			others = append(others, m.GetLiveId())
		}
	}
	return others
}

// silence is how long a device is away: about as long as one of the stages ends, or anything.
func (h *host) silence() time.Duration {
	l := h.limits
	edges := []int64{l.Unreachable, l.Unreachable + l.Grace, l.Unreachable + l.Grace + l.EndAfter}
	if n := h.rng.IntN(8); n < 6 {
		return milliseconds(edges[[]int{0, 1, 1, 1, 1, 2}[n]]+h.rng.Int64N(2000)) - milliseconds(500)
	}
	return time.Duration(h.rng.Int64N(int64(milliseconds(edges[2] * 5 / 4))))
}
