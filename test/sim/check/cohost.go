package check

import (
	"maps"
	"slices"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// Limits are the settings that cohost and battle decide by; what is 0 is not known.
type Limits struct {
	// Members of a connection, and Pending invitations of a live in each direction.
	Members, Pending int
	// LiveRate and UserRate are how many invitations a live, and a user with all lives, may send in a minute of log time.
	LiveRate, UserRate int
	// BattleLiveRate and BattleUserRate are how many battles they may request.
	BattleLiveRate, BattleUserRate int
	// LongestBattle is how long a battle may take in all, and Proposal how long a proposal waits for consent, in ms.
	LongestBattle, Proposal int64
	// Renew is how often a host is to give a sign of life, Unreachable, Grace and EndAfter how long the stages of its silence last, and
	// Rejoin how long it may rejoin, in ms.
	Renew, Unreachable, Grace, EndAfter, Rejoin int64
	// Sessions is how many may take a live over in a minute of log time.
	Sessions int
}

// minute in which invitations are counted, in ms.
const minute = 60_000

// layout is what a template shows: lives of a kind, and so many of them.
type layout struct {
	kind  cohostv1.Live_Kind
	seats int
}

var layouts = map[string]layout{
	"hostDynamicGrid":               {cohostv1.Live_VIDEO, 9},
	"hostDynamic1v6":                {cohostv1.Live_VIDEO, 7},
	"HostVideoLandscapeFixed2Seats": {cohostv1.Live_VIDEO, 2},
	"hostDynamicFloat":              {cohostv1.Live_VIDEO, 7},
	"hostFixedFloat":                {cohostv1.Live_VIDEO, 7},
	"hostVoiceConnection":           {cohostv1.Live_VOICE, 9},
}

// layoutOr is the layout that a request asks for.
func layoutOr(template string, kind cohostv1.Live_Kind) string {
	switch {
	case template != "":
		return template
	case kind == cohostv1.Live_VOICE:
		return "hostVoiceConnection"
	}
	return "hostDynamicGrid"
}

// pair is inviter and invitee.
type pair [2]string

// life is an active live. Lives, invitations and connections are never changed, only replaced.
type life struct {
	kind  cohostv1.Live_Kind
	host  *userv1.User
	since int64
	// muted are the lives that it does not hear, in the order of muting.
	muted    []string
	presence presence
}

// invite is a pending invitation.
type invite struct {
	id     string
	number int // of all that were sent
	at     int64
	until  int64 // when it times out, in log time
	layout string
	info   string
}

// member of a connection.
type member struct {
	live string
	at   int64
}

type connection struct {
	layout  string
	members []member // in the order of joining
}

// sending is an invitation that was sent, as rates count it.
type sending struct {
	live, user string
	at         int64
}

// rooms is what COHOST_00 says.
type rooms struct {
	lives       map[string]life
	member      map[string]string // live to connection
	pending     map[pair]invite
	connections map[string]connection
	sent        []sending        // all, in order; shared by all states
	taken       []sending        // all sessions that took a live over, in order, as sent
	told        map[string]int64 // number of a live's last event, if that was asked for
	at          int64            // log time
}

func (r rooms) clone() rooms {
	return rooms{maps.Clone(r.lives), maps.Clone(r.member), maps.Clone(r.pending), maps.Clone(r.connections), r.sent, r.taken, maps.Clone(r.told), r.at}
}

func (r rooms) active(live string) bool {
	_, ok := r.lives[live]
	return ok
}

// noInvitation reports whether there is none, or one whose time is over.
func (r rooms) noInvitation(p pair) bool { return r.pending[p].id == "" || r.pending[p].until <= r.at }

// size of a live's connection.
func (r rooms) size(live string) int { return len(r.connections[r.member[live]].members) }

// full reports whether a live's connection has no room.
func (r rooms) full(live string, most int) bool { return r.fullIs(r.member[live], most) }

func (r rooms) fullIs(id string, most int) bool {
	c := r.connections[id]
	l, known := layouts[c.layout]
	return id != "" && (len(c.members) >= most || known && len(c.members) >= l.seats)
}

func (r rooms) together(a, b string) bool { return r.member[a] != "" && r.member[a] == r.member[b] }

// waiting counts the pending invitations that a live has sent, and those that it has received.
func (r rooms) waiting(live string) (sent, received int) {
	for p := range r.pending {
		switch live {
		case p[0]:
			sent++
		case p[1]:
			received++
		}
	}
	return sent, received
}

// pace is how many invitations a live, and a user, have sent in the last minute.
func (r rooms) pace(live, user string) (byLive, byUser int) {
	for _, s := range slices.Backward(r.sent) {
		if r.at-s.at >= minute {
			break
		}
		if s.live == live {
			byLive++
		}
		if s.user == user {
			byUser++
		}
	}
	return byLive, byUser
}

// sessions counts those that have taken a live over in the last minute.
func (r rooms) sessions(live string) (n int) {
	for _, s := range slices.Backward(r.taken) {
		if r.at-s.at >= minute {
			break
		}
		if s.live == live {
			n++
		}
	}
	return n
}

// cohostLog is COHOST_00 read.
type cohostLog struct {
	decisions []decision[*cohostv1.Entry]
	states    []state[rooms]
	byID      map[string]decision[*cohostv1.Entry]
	places    map[string]int // of decisions, by id
	spans     []Span
	// told is what each live is told, in order, if that was asked for.
	told map[string][]news
	// stages are the changes of hosts' presence.
	stages []turnOf
	// parted are the departures of lives whose hosts were lost.
	parted []departure
	// sizes counts connections by the most lives that they had.
	sizes map[int]int
}

// now is the last state.
func (l *cohostLog) now() rooms { return l.states[len(l.states)-1].s }

// at is the state after the group seq.
func (l *cohostLog) at(seq uint64) rooms { return at(l.states, seq) }

// before is the state that a decision with an id found, when it was made.
func (l *cohostLog) before(d decision[*cohostv1.Entry]) rooms {
	r := l.states[l.places[d.id]].s
	r.at = d.at
	return r
}

// readCohost folds COHOST_00: a live is in one connection at most, with others of its kind, into which an accepted invitation
// leads; a connection's layout has a seat for each; and every invitation has a deadline and ends once, by it or before it.
// From the group after the rest on, it ends in time.
func readCohost(f *Findings, run Run) *cohostLog {
	l := &cohostLog{
		decisions: readLog(f, cohostName, run.Logs[cohostName], func() *cohostv1.Entry { return new(cohostv1.Entry) }),
		places:    map[string]int{}, told: map[string][]news{}, sizes: map[int]int{},
	}
	l.byID = byID(l.decisions)
	x := &cohostFold{
		f: f, log: l, limits: run.Limits, tells: len(run.Told) > 0, restAt: never,
		sent: map[string]place{}, ended: map[string]bool{}, most: map[string]int{},
	}
	x.rooms = rooms{map[string]life{}, map[string]string{}, map[pair]invite{}, map[string]connection{}, nil, nil, map[string]int64{}, 0}
	l.states = []state[rooms]{{0, x.rooms}}
	for i, d := range l.decisions {
		if _, again := l.places[d.id]; !again {
			l.places[d.id] = i
		}
		if d.seq <= run.Rest[cohostName] {
			x.restAt = d.at
		}
		x.decide(d)
		l.states = append(l.states, state[rooms]{d.seq, x.rooms})
	}
	for _, n := range x.most {
		l.sizes[n]++
	}
	return l
}
