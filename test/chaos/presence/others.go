package presence

import (
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// parting: a live whose host is lost leaves its battle, then its connection, then ends, and the others are told why.
func (r *run) parting(live string, l *life) {
	for _, t := range l.turns {
		if t.what != lost || t.connection == "" {
			continue
		}
		i := slices.IndexFunc(l.stays, func(x stay) bool { return x.in == t.connection && x.from <= t.at && (x.to == 0 || x.to >= t.at) })
		left := l.stays[i]
		if by := r.deadline(t.at, leaveTime); left.to == 0 && by < r.over || left.to > by {
			r.found(stuck, "%s is lost at %s, and in its connection by %s", live, r.moment(t.at), r.moment(by))
		}
		if left.to == 0 {
			continue
		}
		// Two that are lost at the same time: the connection ends with the first, and takes the second along.
		asked := slices.ContainsFunc(r.exits[live], func(at int64) bool { return at < left.to && at > t.at-tryTime })
		if parted := r.parted[t.connection]; !left.lost && parted != left.to && !asked {
			r.found(violation, "%s is lost at %s, and has left its connection for another reason", live, r.moment(t.at))
		}
		var fought *stay
		if left.lost {
			fought = r.fought(live, l, t, left)
		}
		for _, other := range t.others {
			r.told(live, other, t, left, fought)
		}
	}
}

// fought is the stay in the battle that a live was lost from, if it was in one.
func (r *run) fought(live string, l *life, t turn, left stay) *stay {
	b := during(l.battles, t.at)
	if b == nil {
		return nil
	}
	switch f := r.fights[b.in]; {
	case b.to == 0 && r.deadline(t.at, leaveTime) < r.over:
		r.found(stuck, "%s is lost at %s, and in battle %s to the end", live, r.moment(t.at), b.in)
	case b.lost && b.to <= left.to:
		return b
	case b.lost && left.to-t.at >= leaveTime: // battle did not answer in time
		r.Unordered++
		return b
	case b.to == f.to: // it ended meanwhile
	default:
		r.found(violation, "%s is lost at %s, leaves its connection at %s, and battle %s at %s, for its loss: %t",
			live, r.moment(t.at), r.moment(left.to), b.in, r.moment(b.to), b.lost)
	}
	return nil
}

// told: whoever of the others has a client that was there before, and can be reached afterwards, was told each step.
func (r *run) told(live, other string, t turn, left stay, fought *stay) {
	from := r.healed(max(t.at, left.to))
	for _, c := range r.clients[other] {
		reached := slices.ContainsFunc(c.well(), func(s span) bool { return min(s.to, r.over)-max(s.from, from) >= r.tellTime() })
		if !reached {
			continue
		}
		var there, hostLost, exited, gone bool
		for _, line := range c.lines {
			if line.Kind != host.Told {
				continue
			}
			m, err := line.Heard()
			if err != nil {
				r.found(violation, "%s was told what cannot be read: %v", other, err)
				continue
			}
			if x := m.GetConnected(); x != nil && !x.GetRecovered() {
				there = line.At < t.at // else it was told what there is, and not what has been
			}
			hostLost = hostLost || m.GetCohost().GetHostLost().GetLiveId() == live && near(m.GetCohost().GetAt().AsTime().UnixNano(), t.at)
			x := m.GetCohost().GetCoHostUserLeft()
			gone = gone || x.GetMember().GetLiveId() == live && x.GetConnectionId() == t.connection && (x.GetReason() == cohostv1.CoHostUserLeft_LOST || !left.lost)
			y := m.GetBattle().GetUserExitBattle()
			exited = exited || y.GetUser().GetLiveId() == live && fought != nil && y.GetBattleId() == fought.in && y.GetReason() == battlev1.UserExitBattle_LOST
		}
		if !there {
			continue
		}
		// Who has left by then, or leaves in the same moment, need not be told the rest.
		gone = gone || !with(r.lives[other].stays, left)
		exited = exited || fought == nil || !with(r.lives[other].battles, *fought)
		if r.Told++; !hostLost || !exited || !gone {
			r.found(violation, "%s was not told all of the loss of %s at %s: lost %t, left its battle %t, left the connection %t",
				other, live, r.moment(t.at), hostLost, exited, gone)
		}
	}
}

// with reports whether one of the stays is in the same, and goes on when that one ends.
func with(all []stay, x stay) bool {
	other := during(all, x.to)
	return other != nil && other.in == x.in && other.from < x.to
}

func near(a, b int64) bool { return max(a-b, b-a) < second }

// returns: who is back in time, and can act, is in its connection and its battle again.
func (r *run) returns(live string, l *life) {
	for i, t := range l.turns {
		if t.what != recovered || t.until == 0 {
			continue
		}
		from := l.turns[i-1].connection
		for _, c := range r.clients[live] {
			healed := r.healed(t.at)
			if !slices.ContainsFunc(c.well(), func(s span) bool { return s.from <= t.at && min(s.to, r.over)-healed >= r.tellTime() }) || c.gone == "SUPERSEDED" {
				continue
			}
			r.rejoined(live, l, t, from, c)
		}
	}
}

func (r *run) rejoined(live string, l *life, t turn, connection string, c *client) {
	back := slices.IndexFunc(l.stays, func(x stay) bool { return x.in == connection && x.from >= t.at })
	by := r.deadline(r.healed(t.at), r.tellTime())
	if back < 0 || l.stays[back].from > by {
		refused := ""
		for _, line := range c.lines {
			if line.Kind == host.Rejoin && line.Battle == "" && line.At >= t.at && line.At <= by {
				refused = line.Reason
			}
		}
		full := func() bool {
			n := 0
			for _, x := range r.lives {
				if s := during(x.stays, t.at+r.tellTime()); s != nil && s.in == connection {
					n++
				}
			}
			return n >= 9
		}
		parted := r.parted[connection]
		elsewhere := slices.ContainsFunc(l.stays, func(x stay) bool { return x.from >= t.at && x.from <= by && x.in != connection })
		switch {
		case parted != 0 && parted <= by, t.until < by && refused == "CONNECTION_NOT_FOUND", elsewhere, full():
			r.Refused++
		default:
			r.found(violation, "%s is back at %s and not in connection %s by %s; it was told %q", live, r.moment(t.at), connection, r.moment(by), refused)
		}
		return
	}
	r.Rejoined++
	r.foughtOn(live, l, l.stays[back])
}

// foughtOn: the battle that a live was lost from runs on with it.
func (r *run) foughtOn(live string, l *life, in stay) {
	for _, b := range l.battles {
		f := r.fights[b.in]
		if !b.lost || b.to > in.from || f.to != 0 && f.to < in.from+r.tellTime() || in.to != 0 && in.to < in.from+r.tellTime() {
			continue
		}
		if !slices.ContainsFunc(l.battles, func(x stay) bool { return x.in == b.in && x.from >= in.from }) {
			r.found(violation, "%s is in its connection again at %s, and not in battle %s", live, r.moment(in.from), b.in)
			continue
		}
		r.Fighting++
	}
}

// devices: the newer of two devices wins; the older one hears so, and nothing of it is taken any more.
func (r *run) devices(live string) {
	for i, newer := range r.clients[live] {
		var took sign
		for _, s := range newer.signs() {
			if s.ok {
				took = s
				break
			}
		}
		for _, older := range r.clients[live][:i] {
			if took.sent == 0 || older.to < newer.from {
				continue
			}
			if older.gone == "SUPERSEDED" {
				r.Superseded++
			} else if slices.ContainsFunc(older.well(), func(s span) bool { return min(s.to, r.over)-max(s.from, r.healed(took.now)) >= r.tellTime() }) && older.gone == "" {
				r.found(violation, "the device %s of %s does not hear that %s has taken over at %s", older.session, live, newer.session, r.moment(took.now))
			}
			for _, s := range older.signs() {
				// A replica that is behind does not know yet; the one that writes takes no sign of life of it.
				if s.ok && s.sent > took.now+clocks && s.sent < r.deadline(took.now, 0) {
					r.Behind++
				} else if s.ok && s.sent > took.now+clocks {
					r.found(violation, "a sign of life of the device %s of %s is answered at %s, after %s took over at %s",
						older.session, live, r.moment(s.now), newer.session, r.moment(took.now))
				}
				if s.ok && s.fence >= took.fence {
					r.found(violation, "the devices %s and %s of %s have the fences %d and %d", older.session, newer.session, live, s.fence, took.fence)
				}
			}
		}
	}
}
