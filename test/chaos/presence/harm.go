package presence

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"github.com/faceoff-live/faceoff/test/chaos/fault"
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

const (
	ms     = int64(1e6)
	second = 1000 * ms
	never  = math.MaxInt64
)

// span is a time.
type span struct{ from, to int64 }

func (s span) touches(from, to int64) bool { return s.from <= to && s.to >= from }

// harm is what was done to the client of a live.
type harm struct {
	span
	kind string
}

// The kinds of harm, as the table has them. Unanswered is none: no replica took the signs.
const (
	kill       = "kill"
	freeze     = "freeze"
	cut        = "cut"
	unanswered = "unanswered"
)

// client is one client as it was run and harmed.
type client struct {
	clientID
	span  // from its start to its end, whatever that was
	harms []harm
	lines []host.Line
	gone  string // why it has ended by itself
}

// well are the times that nothing was done to it.
func (c *client) well() (all []span) {
	from := c.from
	for _, h := range c.harms {
		all = append(all, span{from, min(h.from, c.to)})
		from = max(from, h.to)
	}
	if from < c.to {
		all = append(all, span{from, c.to})
	}
	return all
}

// sign is a sign of life, with its answer.
type sign struct {
	session  string
	sent     int64
	now      int64 // log time of the answer; 0: none
	ok       bool
	mayCount bool // it may have been heard: it was neither refused for good nor lost on its way
	fence    int64
	late     int64 // until when it may have waited at a replica that stood still, to be heard then; 0: it did not
}

// signs are those of a client, in the order of sending.
func (c *client) signs() (all []sign) {
	place := make(map[int]int)
	for _, l := range c.lines {
		switch l.Kind {
		case host.Sign:
			place[l.N] = len(all)
			lost := slices.ContainsFunc(c.harms, func(h harm) bool { return h.kind == cut && l.At > h.from+50*ms && l.At < h.to })
			all = append(all, sign{session: c.session, sent: l.At, mayCount: !lost})
		case host.Answer:
			s := &all[place[l.N]]
			s.ok, s.fence = l.Reason == "", l.Fence
			s.now = l.Now * ms
			s.mayCount = s.ok || s.mayCount && (l.Reason == host.Unanswered || l.Reason == "UNAVAILABLE" || l.Reason == "DEADLINE_EXCEEDED")
		}
	}
	return all
}

// times is what was done when.
type times struct {
	scene   Scene
	calm    int64
	over    int64
	created map[string]Live
	clients map[string][]*client // by live, in the order of their start
	last    map[string]Last
	asked   map[string]int64   // when that was said
	exits   map[string][]int64 // when it was asked for, by live
	booked  map[string]string  // why not, by pair

	faults   []replicaFault
	restarts []span  // times in which counts of silence started anew, or may have
	anew     []int64 // moments since which they must have
}

type replicaFault struct {
	span
	kind, replica string
}

func readTimes(in input) (*times, error) {
	t := &times{calm: never, over: never, created: make(map[string]Live), clients: make(map[string][]*client), last: make(map[string]Last), asked: make(map[string]int64), exits: make(map[string][]int64), booked: make(map[string]string)}
	faults := make(map[int]int)
	var stalls []span
	for _, r := range in.records {
		at := t.scene.Began + r.T
		var err error
		switch r.F {
		case Load:
			err = json.Unmarshal(r.Val, &t.scene)
		case Created:
			var l Live
			err = json.Unmarshal(r.Val, &l)
			t.created[r.ID] = l
		case Started, Killed, Frozen, Thawed, CutOff, Healed, Exited:
			var c Client
			err = json.Unmarshal(r.Val, &c)
			t.client(in, r.F, clientID{r.ID, c.Session}, at)
		case fault.F:
			var m fault.Mark
			err = json.Unmarshal(r.Val, &m)
			switch m.Phase {
			case fault.Began:
				faults[m.N] = len(t.faults)
				t.faults = append(t.faults, replicaFault{span{at, never}, m.Kind, m.Targets[0]})
			case fault.Ended:
				t.faults[faults[m.N]].to = at
			}
		case Standing:
			var s Standstill
			err = json.Unmarshal(r.Val, &s)
			stalls = append(stalls, span{at - s.For*ms, at})
		case Calm:
			t.calm = at
		case Over:
			t.over = at
		case Parted:
			t.exits[r.ID] = append(t.exits[r.ID], at)
		case Final:
			var l Last
			err = json.Unmarshal(r.Val, &l)
			t.last[r.ID], t.asked[r.ID] = l, at
		case Booked:
			t.booked[r.ID] = r.Err
		}
		if err != nil {
			return nil, err
		}
	}
	t.restarts, t.anew = t.startAnew(in.writing, stalls), t.mustStartAnew(in.writing)
	return t, nil
}

// client takes what was done to a client.
func (t *times) client(in input, f string, id clientID, at int64) {
	if f == Started {
		t.clients[id.live] = append(t.clients[id.live], &client{clientID: id, span: span{at, never}, lines: in.clients[id]})
		return
	}
	for _, c := range t.clients[id.live] {
		if c.session == id.session {
			c.take(f, at, t.over != never)
		} else if f == CutOff && c.to == never || f == Healed { // all devices of a host have the same way
			c.take(f, at, false)
		}
	}
}

// take takes what was done to the client; over: in order to end the run.
func (c *client) take(f string, at int64, over bool) {
	begin := func(kind string) { c.harms = append(c.harms, harm{span{at, never}, kind}) }
	end := func(kind string) {
		for i, h := range c.harms {
			if h.kind == kind && h.to == never {
				c.harms[i].to = at
			}
		}
	}
	switch f {
	case Killed:
		if c.to == never && !over {
			begin(kill)
		}
		c.to = min(c.to, at)
	case Frozen:
		begin(freeze)
	case Thawed:
		end(freeze)
	case CutOff:
		begin(cut)
	case Healed:
		end(cut)
	case Exited:
		if c.to == never { // by itself
			c.to, c.gone = at, "a fault"
			for _, l := range c.lines {
				if l.Kind == host.Gone {
					c.gone = l.Reason
				}
			}
		}
	}
}

const (
	// takeover is how long it may take until another replica writes and has read the log.
	takeover = 5 * second
	// settles is how soon after it can do so again a replica counts on.
	settles = 1 * second
	// callTime is how long a client waits for an answer.
	callTime = 2 * second
)

// startAnew are the times in which counts of silence started anew: when another replica began to write, while the one that writes was
// harmed, and when the machine stood still.
func (t *times) startAnew(all []writing, stalls []span) []span {
	writes := func(at int64) (replica string) {
		for _, w := range all {
			if w.at <= at {
				replica = w.replica
			}
		}
		return replica
	}
	var restarts []span
	for _, w := range all {
		restarts = append(restarts, span{w.at, w.at + settles})
	}
	for _, f := range t.faults {
		began := f.from
		for _, w := range all { // it may begin to write while it is harmed
			if w.replica == f.replica && f.touches(w.at, w.at) && writes(f.from) != f.replica {
				began = w.at
			}
		}
		if writes(began) != f.replica {
			continue
		}
		until := f.to
		for _, w := range all {
			if w.at > began && w.at < f.to+takeover {
				until = w.at
				break
			}
		}
		restarts = append(restarts, span{began, until + settles})
	}
	for _, s := range stalls {
		restarts = append(restarts, span{s.from, s.to + t.deaf()})
	}
	slices.SortFunc(restarts, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return restarts
}

// mustStartAnew are moments since which counts have started anew for certain: another replica began to write; or the one that writes
// has stood still, or was cut off, for longer than it takes to notice, and writes on.
func (t *times) mustStartAnew(all []writing) (anew []int64) {
	for i, w := range all {
		anew = append(anew, w.at)
		until := int64(never)
		if i+1 < len(all) {
			until = all[i+1].at
		}
		for _, f := range t.faults {
			if f.replica == w.replica && f.from > w.at && f.to < until && f.to-f.from > 2*t.deaf() {
				switch f.kind {
				case fault.Pause:
					anew = append(anew, f.to-50*ms)
				case fault.Drop:
					anew = append(anew, f.to-t.deaf())
				}
			}
		}
	}
	return anew
}

// deaf is after how much of its own silence a replica knows that it does not hear.
func (t *times) deaf() int64 { return t.scene.Times.Renew * ms / 3 }

// doubtful reports whether an answered sign of life may not have reached the replica that writes: one that is killed, stands still or is
// cut off may have had it on the way, and for as long as it does not know.
func (t *times) doubtful(s sign) bool {
	return slices.ContainsFunc(t.faults, func(f replicaFault) bool {
		return span{f.from - t.deaf(), f.from + 2*t.deaf() + 100*ms}.touches(s.sent, s.now)
	})
}

// waited is until when a sign of life that was not answered may have waited at a replica that stood still, to be heard then.
func (t *times) waited(s sign) (until int64) {
	for _, f := range t.faults {
		if !s.ok && s.mayCount && f.kind == fault.Pause && f.touches(s.sent, s.sent+callTime) {
			until = max(until, f.to+settles)
		}
	}
	return until
}

// harmOf is what was done to a live's clients last between two moments.
func (t *times) harmOf(live string, from, to int64) (kind string) {
	for _, h := range t.silences(live) {
		if h.touches(from, to) {
			kind = h.kind
		}
	}
	return kind
}

// silences are the times in which nobody could give a sign of life for a live: harms, where a kill lasts until the next client starts.
func (t *times) silences(live string) (all []harm) {
	for i, c := range t.clients[live] {
		for _, h := range c.harms {
			if h.kind == kill && i+1 < len(t.clients[live]) {
				h.to = t.clients[live][i+1].from
			}
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b harm) int { return cmp.Compare(a.from, b.from) })
	return all
}
