package bench

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// Parts of lateness.
const (
	decided = "decided"
	settled = "settled"
	seen    = "told"
)

// due is something that was to happen at a deadline, and whether it was told.
type due struct {
	id       string
	deadline time.Time
	by       *told
	key      string
	seen     bool
	news     news
}

// dues collects what was due. It is safe for concurrent use.
type dues struct {
	mu  sync.Mutex
	all []due
}

// lateness has battles end and invitations time out, while gifts and commands go on.
func (c *crowd) lateness(ctx context.Context, o Options) ([]*Run, error) {
	logs, err := c.openLogs(ctx)
	if err != nil {
		return nil, err
	}
	loading, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	beside := c.startLoad(loading, o)
	m := startMeasuring()
	ends, timeouts := new(dues), new(dues)
	faults := make(chan error, 2)
	go func() {
		faults <- repeated(ctx, c.fighters, o.Ends, o.Duration, func(ctx context.Context, p *pair) error { return c.fight(ctx, p, o.Duration, ends) })
	}()
	go func() {
		faults <- repeated(ctx, c.inviters, o.Timeouts, o.Duration, func(ctx context.Context, p *pair) error { return c.invite(ctx, p, o.Duration, timeouts) })
	}()
	err = errors.Join(<-faults, <-faults)
	m.stop()
	stopLoad()
	beside.running.Wait()
	if err := errors.Join(err, beside.fault()); err != nil {
		return nil, err
	}
	ofBattles, err := logs.ends(ctx)
	if err != nil {
		return nil, err
	}
	ofInvitations, err := logs.timeouts(ctx)
	if err != nil {
		return nil, err
	}
	gifts, commands := beside.runs(m, ends)
	return []*Run{
		ends.run(m, ofBattles, "battle ends", "how late after ends_at: p50_ms, p99_ms, max_ms and `decided` by the log time of BattleEnding, "+
			"`settled` by that of BattleEnded, with all totals; `told` is when a watcher has BattleEnded, by this process's clock"),
		timeouts.run(m, ofInvitations, "invitation timeouts", "how late after expires_at: p50_ms, p99_ms, max_ms and `decided` by the log time of InvitationEnded; "+
			"`told` is when a watcher has CoHostRequestTimeout, by this process's clock"),
		gifts, commands,
	}, nil
}

// repeated has the pairs do something n times altogether, each pair again as soon as it is through. They begin spread over
// a period, so that what they wait for is, too.
func repeated(ctx context.Context, pairs []*pair, n int, period time.Duration, do func(context.Context, *pair) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	left := new(atomic.Int64)
	left.Store(int64(n))
	var running sync.WaitGroup
	for i, p := range pairs {
		running.Go(func() {
			begin := time.NewTimer(period * time.Duration(i) / time.Duration(len(pairs)))
			defer begin.Stop()
			select {
			case <-begin.C:
			case <-ctx.Done():
			}
			for ctx.Err() == nil && left.Add(-1) >= 0 {
				if err := do(ctx, p); err != nil {
					stop(err)
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// fight has a pair battle until its time is over.
func (c *crowd) fight(ctx context.Context, p *pair, duration time.Duration, ends *dues) error {
	r, err := called(ctx, p.a.token, c.c.Battle.RequestBattle, p.challenge(duration, false))
	if err != nil {
		return err
	}
	id := r.GetBattle().GetBattleId()
	ends.await(ctx, due{id: id, deadline: r.GetBattle().GetEndsAt().AsTime(), by: p.told, key: ended + id})
	return nil
}

// invite has one live of a pair invite the other, which does not answer. Which invitation it is, the other is told: the
// answer to the request may come when it has timed out.
func (c *crowd) invite(ctx context.Context, p *pair, timeout time.Duration, timeouts *dues) error {
	if _, err := called(ctx, p.a.token, c.c.Cohost.RequestHostConnection, p.invitation(timeout)); err != nil {
		return err
	}
	p.invited++
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n, err := p.told.await(waiting, received+strconv.Itoa(p.invited))
	if err != nil {
		return err
	}
	id := n.invitation.GetInvitationId()
	timeouts.await(ctx, due{id: id, deadline: n.invitation.GetExpiresAt().AsTime(), by: p.told, key: timedOut + id})
	return nil
}

// await waits until the watcher is told of what is due, or has waited for too long.
func (d *dues) await(ctx context.Context, one due) {
	ctx, cancel := context.WithDeadline(ctx, one.deadline.Add(patience))
	defer cancel()
	n, err := one.by.await(ctx, one.key)
	one.news, one.seen = n, err == nil
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, one)
}

// run compares what was due with what the log says.
func (d *dues) run(m *measure, log map[string]recorded, name, what string) *Run {
	parts := map[string]*times{decided: new(times), settled: new(times), seen: new(times)}
	lost, duplicated := 0, 0
	for _, one := range d.all {
		r := log[one.id]
		if len(r.ending) == 0 || !one.seen {
			lost++
			continue
		}
		if len(r.ending) > 1 || len(r.settled) > 1 || one.by.times(one.key) > 1 {
			duplicated++
		}
		parts[decided].add(r.ending[0].Sub(one.deadline))
		if len(r.settled) > 0 { // an invitation has nothing to settle
			parts[settled].add(r.settled[0].Sub(one.deadline))
		}
		parts[seen].add(one.news.seen.Sub(one.deadline))
	}
	r := ran(name, what, m, parts[decided].spread())
	r.Early, r.Lost, r.Duplicated = parts[decided].early(), lost, duplicated
	r.Parts = make(map[string]*Spread)
	for name, late := range parts {
		if s := late.spread(); s.Count > 0 {
			r.Parts[name] = s
		}
	}
	return r
}

// gifts are those that the results of the battles have, by battle.
func (d *dues) gifts() map[string]int64 {
	all := make(map[string]int64)
	for _, one := range d.all {
		all[one.id] = counted(one.news.result)
	}
	return all
}

func counted(r *battlev1.BattleResult) (gifts int64) {
	for _, l := range r.GetLives() {
		gifts += l.GetProof().GetGifts()
	}
	return gifts
}
