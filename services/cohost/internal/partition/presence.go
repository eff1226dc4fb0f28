package partition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
	"github.com/faceoff-live/faceoff/services/cohost/internal/presence"
)

const (
	// decideTime is how long a transition may wait to be decided. What is not is due again.
	decideTime = 5 * time.Second
	// departEvery is how often departures that are still to come are tried again.
	departEvery = time.Second
)

// listening is the machine of a replica that hears hosts: that one is silent is looked at again in the moment of the
// decision, behind all signs of life that have come before it.
type listening struct {
	*cohost.State
	leases *presence.Leases
}

// Decide implements es.Machine.
func (l listening) Decide(now time.Time, c cohost.Command) ([]cohost.Event, error) {
	if miss, ok := c.(cohost.MissHost); ok && !l.leases.Silent(miss.LiveID, miss.Stage, time.Now()) {
		return nil, nil
	}
	return l.State.Decide(now, c)
}

// Hear takes a sign of life of a live's host, from whatever door: a heartbeat, a realtime connection, media. session is empty
// if the host does not say. It passes it to all replicas, and returns when the log has what it changes, which is mostly nothing. One that
// its sender has given up counts no more: it may have waited here while this replica stood still, and who sent it be gone since.
func (p *Partition) Hear(ctx context.Context, id, session string) (cohost.Presence, error) {
	if ctx.Err() != nil {
		return cohost.Presence{}, ctx.Err()
	}
	live, known := p.Live(id)
	known = known && live.Active()
	passes := !known || !live.Presence.Superseded(session)
	if passes {
		if err := p.say(id, session); err != nil {
			return cohost.Presence{}, err
		}
	}
	if known && live.Presence.Shows(session) {
		return live.Presence, nil
	}
	if _, err := p.Submit(ctx, ledger.Command[cohost.Command]{Body: cohost.HearHost{LiveID: id, Session: session}}); err != nil {
		if errors.Is(err, &es.Refusal{Reason: es.ReasonRateLimited}) && !live.Presence.Shows("") {
			// Its session may not take the live over now, but somebody is there. If that is not decided, it is at the next sign of life.
			_, _ = p.Submit(ctx, ledger.Command[cohost.Command]{Body: cohost.HearHost{LiveID: id}})
		}
		return cohost.Presence{}, err
	}
	live, _ = p.Live(id)
	if !passes || live.Presence.Superseded(session) { // another live of that id has begun, or another session taken over, since this was looked up
		return p.Hear(ctx, id, session)
	}
	return live.Presence, nil
}

// PresenceSettings returns the times of presence.
func (p *Partition) PresenceSettings() presence.Settings { return p.leases.Settings() }

// say has all replicas hear a sign of life. One that is cut off says so, for the host to go to another: also the one that writes, for it
// does not know whether it still does.
func (p *Partition) say(id, session string) error {
	p.leases.Heard(id, time.Now())
	err := p.ear.Say(id, session)
	if err == nil && !p.ear.Cut() && !p.apart.Load() {
		return nil
	}
	return fmt.Errorf("%w: this replica is cut off from the others", ledger.ErrUnavailable)
}

// followPresence has leases and departures follow an event that is committed.
func (p *Partition) followPresence(event cohost.Event) {
	switch e := event.(type) {
	case cohost.PresenceBegan:
		p.leases.Place(e.LiveID, cohost.Present, time.Now())
	case cohost.HostUnreachable:
		p.leases.Place(e.LiveID, cohost.Unreachable, time.Now())
	case cohost.HostRecovered:
		p.leases.Place(e.LiveID, cohost.Present, time.Now())
	case cohost.HostLost:
		p.leases.Place(e.LiveID, cohost.Lost, time.Now())
		if live, _ := p.state.Live(e.LiveID); live.Presence.Departs != "" {
			p.departing[e.LiveID] = live.Presence.Departs
			select {
			case p.departs <- struct{}{}:
			default:
			}
		}
	case cohost.MemberLeft:
		delete(p.departing, e.LiveID)
	case cohost.LiveEnding:
		p.leases.Place(e.LiveID, 0, time.Now())
	}
}

// listen hears signs of life, and while this replica writes has decided what follows from silence.
func (p *Partition) listen(ctx context.Context) {
	ticks := time.NewTicker(p.leases.Settings().Tick())
	defer ticks.Stop()
	w := newWatcher(p)
	defer w.running.Wait()
	for {
		select {
		case m := <-p.ear.Heard():
			w.take(m)
		case <-ticks.C:
			for range len(p.ear.Heard()) { // all that had come before
				w.take(<-p.ear.Heard())
			}
			w.tick(ctx, time.Now())
		case <-ctx.Done():
			return
		}
	}
}

// whileWriting projects what lives are told, counts silence, and takes lives whose hosts are lost out of their battles and
// their connections.
func (p *Partition) whileWriting(ctx context.Context, project func(context.Context)) {
	if project != nil {
		var projects sync.WaitGroup
		projects.Go(func() { project(ctx) })
		defer projects.Wait()
	}
	p.leases.Count(true, time.Now())
	defer func() { p.leases.Count(false, time.Now()) }()
	again := time.NewTicker(departEvery)
	defer again.Stop()
	underWay, done := make(map[string]bool), make(chan string) // by cause
	for {
		select {
		case <-p.departs:
		case <-again.C:
		case cause := <-done:
			delete(underWay, cause)
			continue
		case <-ctx.Done():
			for range underWay {
				<-done
			}
			return
		}
		for live, cause := range p.departures() {
			if !underWay[cause] {
				underWay[cause] = true
				go func() {
					p.depart(ctx, cause, live)
					done <- cause
				}()
			}
		}
	}
}

// departures returns what names the departures that are to come, by the lives that leave.
func (p *Partition) departures() (all map[string]string) {
	p.ledger.View(func() { all = maps.Clone(p.departing) })
	return all
}

// depart has battle let a live go, and then takes it out of its connection, whatever battle said: it reads that from the log.
func (p *Partition) depart(ctx context.Context, cause, live string) {
	if p.leaveBattle != nil {
		p.leaveBattle(ctx, Name+"-"+cause, live)
	}
	p.have(ctx, cohost.LeaveLost{LiveID: live})
}

// have has something decided that is tried again if it is not.
func (p *Partition) have(ctx context.Context, c cohost.Command) {
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	if _, err := p.Submit(ctx, ledger.Command[cohost.Command]{Body: c}); err != nil && ctx.Err() == nil {
		p.log.Warn("presence not decided; it will be", "command", fmt.Sprintf("%+v", c), "error", err)
	}
}
