package presence

import (
	"fmt"
	"slices"
)

// class is what a finding says: that a host was lost that was alive, that one is stuck that is silent, that a decision has no
// reason, or anything else.
type class string

const (
	lostAlive   class = "lost alive"
	stuck       class = "stuck"
	unexplained class = "unexplained"
	violation   class = "violation"
)

const (
	// slack is how late anything may be that the settings do not delay: the log's own time, the tick of who looks, a busy machine.
	slack = 5 * second
	// leaveTime is how long battle may take to let a live go before the connection does.
	leaveTime = 1 * second
	// tryTime is how long before it is done the platform may have asked for something.
	tryTime = 10 * second
	// clocks is by how much log time may differ from the clock of the clients on the same machine.
	clocks = 5 * ms
)

// run is a run as it is judged.
type run struct {
	*times
	*story
	*Report
	signs map[string][]sign // by live, in the order of sending
}

func judge(in input) (*Report, error) {
	t, err := readTimes(in)
	if err != nil {
		return nil, err
	}
	s, err := fold(in.logs, t.over)
	if err != nil {
		return nil, err
	}
	r := &run{times: t, story: s, Report: newReport(), signs: make(map[string][]sign)}
	for live, clients := range t.clients {
		var newer int64 // when a newer device had taken over
		for _, c := range slices.Backward(clients) {
			all := c.signs()
			for _, x := range all {
				if newer == 0 || x.sent < newer {
					x.late = t.waited(x)
					r.signs[live] = append(r.signs[live], x)
				}
			}
			if i := slices.IndexFunc(all, func(x sign) bool { return x.ok }); i >= 0 {
				newer = all[i].now
			}
			if c.gone != "" && c.gone != "SUPERSEDED" && c.gone != "LIVE_NOT_FOUND" {
				r.found(violation, "the client %s of %s has ended by %s", c.session, live, c.gone)
			}
		}
		slices.SortFunc(r.signs[live], func(a, b sign) int { return int(a.sent - b.sent) })
	}
	r.count(in)
	for live := range t.created {
		if l := s.lives[live]; l != nil {
			r.early(live, l)
			r.late(live, l)
			r.parting(live, l)
			r.returns(live, l)
		}
		r.devices(live)
		r.atTheEnd(live)
	}
	for pair, why := range t.booked {
		if why != "" {
			r.found(stuck, "%s seem to be free and cannot be connected: %s", pair, why)
		}
	}
	slices.Sort(r.Violations)
	return r.Report, nil
}

func (r *run) found(c class, format string, args ...any) {
	r.Found[c]++
	r.Violations = append(r.Violations, string(c)+": "+fmt.Sprintf(format, args...))
}

// tellTime is how soon somebody who can be reached has been told, and has done, what is to be done.
func (r *run) tellTime() int64 { return 2*r.scene.Times.Renew*ms + 2*second }

// moment tells a moment by the clock of the history.
func (r *run) moment(at int64) string { return fmt.Sprintf("%.3f s", float64(at-r.scene.Began)/1e9) }

// last is how long a stage lasts before what a decision says.
func (r *run) last(what decision) int64 {
	switch what {
	case unreachable:
		return r.scene.Times.Unreachable * ms
	case lost:
		return r.scene.Times.Grace * ms
	}
	return r.scene.Times.End * ms
}

// early: no stage is shorter than is published, no host is lost whose signs are answered, and none that could give them all the time.
func (r *run) early(live string, l *life) {
	before := turn{}
	for _, t := range l.turns {
		switch t.what {
		case unreachable, lost, ended:
			if r.created[live].Backend {
				r.found(lostAlive, "%s is driven by a backend, and %s at %s", live, t.what, r.moment(t.at))
			}
			if t.what != unreachable && t.at-before.at < r.last(t.what)-clocks {
				r.found(unexplained, "%s is %s at %s, %d ms after it was %s", live, t.what, r.moment(t.at), (t.at-before.at)/ms, before.what)
			}
			for _, since := range r.anew {
				if took := t.at - since; took > 0 && took < r.last(t.what)-clocks {
					r.found(unexplained, "%s is %s at %s, %d ms after silence must have counted anew", live, t.what, r.moment(t.at), took/ms)
				}
			}
			r.explain(live, before, t)
		case recovered:
			if !slices.ContainsFunc(r.signs[live], func(s sign) bool {
				return s.mayCount && s.sent <= t.at+clocks && max(s.sent+slack, s.late) >= before.at
			}) {
				r.found(unexplained, "%s is back at %s, and has given no sign of life since it was %s at %s", live, r.moment(t.at), before.what, r.moment(before.at))
			}
		case began:
			if r.created[live].Backend {
				r.found(violation, "%s is driven by a backend, and has presence", live)
			}
		}
		before = t
	}
}

// explain finds the cause of a decision that follows from silence, and whether it was silence.
func (r *run) explain(live string, before, t turn) {
	from := t.at - r.last(t.what)
	var heard, sent, late int64
	for _, s := range r.signs[live] {
		switch {
		case s.ok && s.now < t.at-clocks && s.sent > from+clocks:
			if r.doubtful(s) && t.what == unreachable {
				r.Doubtful++
				continue
			}
			r.found(unexplained, "%s is %s at %s, %d ms after a sign of life that was answered", live, t.what, r.moment(t.at), (t.at-s.sent)/ms)
		case s.sent >= t.at:
			continue
		}
		if s.ok && s.now < t.at {
			heard = s.sent
		}
		if s.mayCount {
			sent, late = s.sent, max(late, s.late)
		}
	}
	kind := r.harmOf(live, max(heard, from), t.at)
	if kind == "" {
		kind = unanswered
		if heard > from || !r.harmed(from, t.at) {
			r.found(unexplained, "%s is %s at %s, and nothing was done to it or to us", live, t.what, r.moment(t.at))
		}
		if t.what != unreachable {
			r.found(lostAlive, "%s is %s at %s, and its client was well", live, t.what, r.moment(t.at))
		}
	}
	r.decided(kind, t.what)
	if t.what != ended && sent > 0 {
		r.took(t.what, t.at-sent, r.restarted(sent, t.at) || late > sent)
	}
}

// harmed reports whether a replica of cohost was harmed between two moments, or just before.
func (r *run) harmed(from, to int64) bool {
	return slices.ContainsFunc(r.faults, func(f replicaFault) bool { return span{f.from, f.to + takeover}.touches(from, to) })
}

// restarted reports whether counts of silence started anew between two moments.
func (r *run) restarted(from, to int64) bool {
	return slices.ContainsFunc(r.restarts, func(s span) bool { return s.touches(from, to) })
}

// deadline is by when what follows must be in the log if there is silence from a moment on.
func (r *run) deadline(from, stage int64) int64 {
	for _, s := range r.restarts {
		if s.to > from && s.from < from+stage+slack {
			from = s.to
		}
	}
	return from + stage + slack
}

// late: silence has its consequence in time, at every stage.
func (r *run) late(live string, l *life) {
	for i, t := range l.turns {
		next := turn{at: never}
		if i+1 < len(l.turns) {
			next = l.turns[i+1]
		}
		switch t.what {
		case began, recovered:
			r.silent(live, t.at, next, unreachable)
		case unreachable:
			r.silent(live, t.at, next, lost)
		case lost:
			r.silent(live, t.at, next, ended)
		}
	}
}

// silent: from a moment on the stage of a live was one that it was in until next. Was there a silence in it that had to end it before?
func (r *run) silent(live string, from int64, next turn, what decision) {
	check := func(since, until int64) {
		by := r.deadline(since, r.last(what))
		if by < min(until, next.at, r.over) {
			r.found(stuck, "%s is silent from %s on, and not %s by %s", live, r.moment(since), what, r.moment(by))
		}
	}
	since := from
	for _, s := range r.signs[live] {
		if s.mayCount && s.sent > from {
			check(since, s.sent)
		}
		if s.mayCount {
			since = max(since, s.sent, s.late)
		}
	}
	check(since, never)
}

// healed is the first moment from at on that no replica of cohost is harmed at, nor will be within tellTime: who is served by one that is
// cut off hears nothing, and is not heard.
func (r *run) healed(at int64) int64 {
	for _, f := range r.faults { // in the order of their beginning
		if f.touches(at, at+r.tellTime()) {
			at = f.to + settles
		}
	}
	return at
}

// atTheEnd: who can give signs of life is present, who cannot is out of everything.
func (r *run) atTheEnd(live string) {
	l, asked := r.times.last[live]
	if !asked {
		r.found(violation, "%s was not asked for at the end", live)
		return
	}
	backend, alive := r.created[live].Backend, false
	for _, c := range r.clients[live] {
		alive = alive || c.to >= r.over && !slices.ContainsFunc(c.harms, func(h harm) bool { return h.to >= r.over })
	}
	switch {
	case backend && (!l.Active || l.State != 0):
		r.found(lostAlive, "%s is driven by a backend, and at the end there is %+v", live, l)
	case alive && (!l.Active || l.State != 1):
		r.found(lostAlive, "%s has a client that is well, and at the end there is %+v", live, l)
	case !alive && !backend && (l.Active || l.Connection != "" || l.Battles > 0):
		r.found(stuck, "%s has no client, and at the end there is %+v", live, l)
	}
	if l.Active && l.Connection != "" {
		if x := r.lives[live]; x == nil || during(x.stays, r.asked[live]) == nil {
			r.found(violation, "%s is said to be in connection %s, which the log does not say", live, l.Connection)
		}
	}
}
