package check

import (
	"maps"
	"slices"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// pair is inviter and invitee.
type pair [2]string

// rooms is what COHOST_00 says.
type rooms struct {
	active  map[string]bool
	member  map[string]string // live to connection
	pending map[pair]string   // invitation
	until   map[pair]int64    // when it times out, in log time
	at      int64             // log time
}

func (r rooms) clone() rooms {
	return rooms{maps.Clone(r.active), maps.Clone(r.member), maps.Clone(r.pending), maps.Clone(r.until), r.at}
}

// noInvitation reports whether there is none, or one whose time is over.
func (r rooms) noInvitation(p pair) bool { return r.pending[p] == "" || r.until[p] <= r.at }

// size of a connection.
func (r rooms) size(connection string) (n int) {
	for _, c := range r.member {
		if connection != "" && c == connection {
			n++
		}
	}
	return n
}

func (r rooms) together(a, b string) bool { return r.member[a] != "" && r.member[a] == r.member[b] }

// cohostLog is COHOST_00 read.
type cohostLog struct {
	decisions []decision[*cohostv1.Entry]
	states    []state[rooms]
	byID      map[string]decision[*cohostv1.Entry]
	spans     []Span
}

// now is the last state.
func (l *cohostLog) now() rooms { return l.states[len(l.states)-1].s }

// at is the state after the group seq.
func (l *cohostLog) at(seq uint64) rooms { return at(l.states, seq) }

// before is the state that a decision with an id found.
func (l *cohostLog) before(d decision[*cohostv1.Entry]) rooms {
	return l.states[slices.IndexFunc(l.decisions, func(x decision[*cohostv1.Entry]) bool { return x.id == d.id })].s
}

// readCohost folds COHOST_00: a live is in one connection at most, into which an accepted invitation leads, and every
// invitation has a deadline and ends once, by it or before it. From the group after rest on, it ends in time.
func readCohost(f *Findings, groups [][]byte, most int, rest uint64) *cohostLog {
	const name = "COHOST_00"
	l := &cohostLog{decisions: readLog(f, name, groups, func() *cohostv1.Entry { return new(cohostv1.Entry) })}
	l.byID = byID(l.decisions)
	r := rooms{map[string]bool{}, map[string]string{}, map[pair]string{}, map[pair]int64{}, 0}
	l.states = []state[rooms]{{0, r}}
	sent, ended := map[string]place{}, map[string]bool{}
	restAt := int64(never)
	for _, d := range l.decisions {
		r = r.clone()
		r.at = d.at
		if d.seq <= rest {
			restAt = d.at
		}
		invited := map[string]bool{}
		for _, entry := range d.entries {
			switch e := entry.GetEntry().(type) {
			case *cohostv1.Entry_LiveCreated_:
				if id := e.LiveCreated.GetLiveId(); r.active[id] {
					f.add(Duplicated, "%s/%d: live %s is created twice", name, d.seq, id)
				}
				r.active[e.LiveCreated.GetLiveId()] = true
			case *cohostv1.Entry_LiveEnding_:
				id := e.LiveEnding.GetLiveId()
				if !r.active[id] {
					f.add(Duplicated, "%s/%d: live %s ends twice", name, d.seq, id)
				}
				if r.member[id] != "" {
					f.add(Violation, "%s/%d: live %s ends in connection %s", name, d.seq, id, r.member[id])
				}
				for p := range r.pending {
					if p[0] == id || p[1] == id {
						f.add(Violation, "%s/%d: live %s ends with a pending invitation of %v", name, d.seq, id, p)
					}
				}
				delete(r.active, id)
			case *cohostv1.Entry_InvitationSent_:
				i := e.InvitationSent
				p := pair{i.GetInviterLiveId(), i.GetInviteeLiveId()}
				if sent[i.GetInvitationId()].seq > 0 || r.pending[p] != "" {
					f.add(Duplicated, "%s/%d: %v is invited while %s is pending", name, d.seq, p, r.pending[p])
				}
				if !r.active[p[0]] || !r.active[p[1]] {
					f.add(Violation, "%s/%d: an invitation of %v, one of which is no live", name, d.seq, p)
				}
				if i.GetExpiresAtMs() <= d.at {
					f.add(Violation, "%s/%d: an invitation of %v of which nobody knows when it ends", name, d.seq, p)
				}
				if theirs := (pair{p[1], p[0]}); !r.noInvitation(theirs) {
					f.add(Violation, "%s/%d: an invitation of %v, and one of %v is pending", name, d.seq, p, theirs)
				}
				sent[i.GetInvitationId()] = place{d.seq, d.at}
				r.pending[p], r.until[p] = i.GetInvitationId(), i.GetExpiresAtMs()
			case *cohostv1.Entry_InvitationEnded_:
				i := e.InvitationEnded
				p := pair{i.GetInviterLiveId(), i.GetInviteeLiveId()}
				switch id := i.GetInvitationId(); {
				case sent[id].seq == 0:
					f.add(Violation, "%s/%d: invitation %s of %v ends and was never sent", name, d.seq, id, p)
				case ended[id]:
					f.add(Duplicated, "%s/%d: invitation %s of %v ends twice", name, d.seq, id, p)
				case (i.GetEnding() == cohostv1.Entry_InvitationEnded_TIMED_OUT) != (d.at >= r.until[p]):
					f.add(Violation, "%s/%d: invitation %s of %v ends at %d, %v; its deadline is %d", name, d.seq, id, p, d.at, i.GetEnding(), r.until[p])
				case overdue(d.at, r.until[p], restAt):
					f.add(Violation, "%s/%d: invitation %s of %v ends %d ms late", name, d.seq, id, p, d.at-r.until[p])
				}
				switch i.GetEnding() {
				case cohostv1.Entry_InvitationEnded_ACCEPTED:
					invited[p[0]], invited[p[1]] = true, true
				case cohostv1.Entry_InvitationEnded_TIMED_OUT:
					from := sent[i.GetInvitationId()]
					l.spans = append(l.spans, Span{"invitation " + i.GetInvitationId() + " times out", name, from.seq, d.seq, r.until[p] - from.at})
				}
				ended[i.GetInvitationId()] = true
				delete(r.pending, p)
			case *cohostv1.Entry_MemberJoined_:
				m := e.MemberJoined
				if in := r.member[m.GetLiveId()]; in != "" {
					f.add(Violation, "%s/%d: live %s joins connection %s and is in %s", name, d.seq, m.GetLiveId(), m.GetConnectionId(), in)
				}
				if !r.active[m.GetLiveId()] || !invited[m.GetLiveId()] {
					f.add(Violation, "%s/%d: %s joins a connection and is no live, or no invitation was accepted", name, d.seq, m.GetLiveId())
				}
				r.member[m.GetLiveId()] = m.GetConnectionId()
			case *cohostv1.Entry_MemberLeft_:
				m := e.MemberLeft
				if in := r.member[m.GetLiveId()]; in != m.GetConnectionId() {
					f.add(Duplicated, "%s/%d: live %s leaves connection %s and is in %q", name, d.seq, m.GetLiveId(), m.GetConnectionId(), in)
				}
				delete(r.member, m.GetLiveId())
			}
		}
		sizes := map[string]int{}
		for _, c := range r.member {
			sizes[c]++
		}
		for c, n := range sizes {
			if n < 2 || most > 0 && n > most {
				f.add(Violation, "%s/%d: connection %s has %d lives", name, d.seq, c, n)
			}
		}
		l.states = append(l.states, state[rooms]{d.seq, r})
	}
	return l
}
