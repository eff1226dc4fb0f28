package check

import (
	"slices"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// Presence is what is known of hosts, and of who was to hear them. Times are of the run's own clock, which is right.
type Presence struct {
	Beats []Beat
	Signs []Sign
	// Deaf are times in which a replica could not hear anybody, or ask the log.
	Deaf []Spell
	// Groups and Began are, by log, the groups that were stored, and when replicas began to write.
	Groups map[string][]Shipped
	Began  map[string][]Turn
	// Leaves are the calls by which battle was asked to let lives leave whose hosts were lost.
	Leaves []Leave
	// Ceased is when faults stopped.
	Ceased time.Duration
}

// Beat is a sign of life that a host has given, with its answer.
type Beat struct {
	Live, Session  string
	Sent, Answered time.Duration
	// Before and After are the heads of COHOST_00 at these times.
	Before, After uint64
	// Reason is empty if it was answered with ok.
	Reason   string
	Presence *cohostv1.Presence
}

// Sign is a sign of life as a replica has passed it on.
type Sign struct {
	Live, Session, By string
	At                time.Duration
	// Heard is when it has come to each replica that it has come to.
	Heard map[string]time.Duration
}

// Spell is a time of one replica, or of all that run on one machine one after another.
type Spell struct {
	Replica     string
	From, Until time.Duration
}

// Shipped is a group of a log: when its writer decided it, and when it was stored.
type Shipped struct {
	Seq             uint64
	By              string
	Decided, Stored time.Duration
}

// Turn is when a replica began to write.
type Turn struct {
	By string
	At time.Duration
}

// Leave is a call by which battle is asked to let a live leave whose host is lost.
type Leave struct {
	Live string
	At   time.Duration
}

// presence is what COHOST_00 says of a live's host. Values are never changed, only replaced.
type presence struct {
	stage   cohostv1.Presence_State
	since   place // of the stage
	current string
	past    []string // sessions before
	fence   int64
	departs bool // it has still to leave the connection
	lostAt  place
	// lostFrom is the connection that it may rejoin, and rejoin until when, in log time; 0 while it may not.
	lostFrom string
	rejoin   int64
}

const (
	unset       = cohostv1.Presence_STATE_UNSPECIFIED
	present     = cohostv1.Presence_PRESENT
	unreachable = cohostv1.Presence_UNREACHABLE
	lost        = cohostv1.Presence_LOST
)

// hosted reports whether the host of any live has shown presence.
func (r rooms) hosted() bool {
	for _, l := range r.lives {
		if l.presence.stage != unset {
			return true
		}
	}
	return false
}

func (p presence) superseded(session string) bool { return slices.Contains(p.past, session) }

// message is what is told of a presence; nil if none was shown.
func (p presence) message() *cohostv1.Presence {
	if p.stage == unset {
		return nil
	}
	m := &cohostv1.Presence{State: p.stage, Since: moment(p.since.at), Fence: p.fence}
	if p.rejoin > 0 {
		m.RejoinConnectionId, m.RejoinUntil = p.lostFrom, moment(p.rejoin)
	}
	return m
}

// changePresence changes what is known of a live's host, unless the live is not active.
func (x *cohostFold) changePresence(live string, change func(*presence)) {
	l, ok := x.lives[live]
	if !ok {
		x.wrong("of %s, which is no live, it is said whether its host is there: %v", live, x.d.entries)
		return
	}
	change(&l.presence)
	x.lives[live] = l
}

// stage: presence begins once, and then goes on by one stage, or back to the first.
func (x *cohostFold) stage(live string, to cohostv1.Presence_State, from ...cohostv1.Presence_State) {
	x.changePresence(live, func(p *presence) {
		if !slices.Contains(from, p.stage) {
			x.found(Duplicated, "the host of live %s is %v, after it was %v", live, to, p.stage)
		}
		x.log.stages = append(x.log.stages, turnOf{live, p.stage, to, p.since, place{x.d.seq, x.at}, x.d.id})
		p.stage, p.since = to, place{x.d.seq, x.at}
	})
}

// turnOf is a change from one stage of a host's presence to another.
type turnOf struct {
	live      string
	from, to  cohostv1.Presence_State
	since, at place
	id        string // of the command
}

func (x *cohostFold) hostLost(live string) {
	x.stage(live, lost, unreachable)
	x.changePresence(live, func(p *presence) {
		if in := x.member[live]; in != "" {
			p.departs, p.lostAt, p.lostFrom, p.rejoin = true, place{x.d.seq, x.at}, in, 0
		}
	})
}

func (x *cohostFold) hostRecovered(e *cohostv1.Entry_HostRecovered) {
	was := x.lives[e.GetLiveId()].presence
	x.stage(e.GetLiveId(), present, unreachable, lost)
	var until int64
	if _, goesOn := x.connections[was.lostFrom]; was.stage == lost && goesOn {
		until = x.at + x.limits.Rejoin
	}
	if e.GetRejoinUntilMs() != until && (x.limits.Rejoin > 0 || until == 0) {
		x.wrong("the host of live %s, which was %v, may rejoin connection %q until %d, should be %d", e.GetLiveId(), was.stage, was.lostFrom, e.GetRejoinUntilMs(), until)
	}
	if e.GetRejoinUntilMs() > 0 {
		x.changePresence(e.GetLiveId(), func(p *presence) { p.rejoin = e.GetRejoinUntilMs() })
	}
}

func (x *cohostFold) sessionTaken(e *cohostv1.Entry_SessionTaken) {
	x.taken = append(x.taken, sending{live: e.GetLiveId(), at: x.at})
	if n := x.sessions(e.GetLiveId()); exceeds(n, x.limits.Sessions) {
		x.wrong("%d sessions take live %s over within a minute", n, e.GetLiveId())
	}
	x.changePresence(e.GetLiveId(), func(p *presence) {
		if s := e.GetSessionId(); s == "" || s == p.current || p.superseded(s) || e.GetFence() != p.fence+1 {
			x.wrong("session %q takes live %s over with fence %d; before it are %v, %q and fence %d", s, e.GetLiveId(), e.GetFence(), p.past, p.current, p.fence)
		}
		if p.current != "" {
			p.past = append(slices.Clip(p.past), p.current)
		}
		p.current, p.fence = e.GetSessionId(), e.GetFence()
	})
}

// joined and left are what joining and leaving change for who was lost.
func (p *presence) joined(connection string) {
	if p.rejoin = 0; p.lostFrom != connection {
		p.lostFrom = ""
	}
}

func (p *presence) left(reason cohostv1.Entry_MemberLeft_Reason) {
	if p.departs = false; reason != cohostv1.Entry_MemberLeft_LOST {
		p.lostFrom, p.rejoin = "", 0
	}
}

// rejoins reports whether a live may join a connection because its host was lost from it.
func (x *cohostFold) rejoins(live, connection string) bool {
	p := x.lives[live].presence
	return p.lostFrom == connection && p.stage != lost && !p.departs && x.at < p.rejoin
}

// ofPresence reports whether a decision is one that replicas make by themselves: that a host was heard, or was not.
func ofPresence(d decision[*cohostv1.Entry]) bool {
	lives := map[string]bool{}
	for _, e := range d.entries {
		switch x := e.GetEntry().(type) {
		case *cohostv1.Entry_PresenceBegan_:
			lives[x.PresenceBegan.GetLiveId()] = true
		case *cohostv1.Entry_HostRecovered_:
			lives[x.HostRecovered.GetLiveId()] = true
		case *cohostv1.Entry_SessionTaken_:
			lives[x.SessionTaken.GetLiveId()] = true
		case *cohostv1.Entry_HostUnreachable_:
			lives[x.HostUnreachable.GetLiveId()] = true
		case *cohostv1.Entry_HostLost_:
			lives[x.HostLost.GetLiveId()] = true
		case *cohostv1.Entry_InvitationEnded_:
			if how := x.InvitationEnded.GetEnding(); how != cohostv1.Entry_InvitationEnded_WITHDRAWN && how != cohostv1.Entry_InvitationEnded_TIMED_OUT {
				return false
			}
		case *cohostv1.Entry_MemberLeft_:
			switch x.MemberLeft.GetReason() {
			case cohostv1.Entry_MemberLeft_LOST:
				lives[x.MemberLeft.GetLiveId()] = true
			case cohostv1.Entry_MemberLeft_DISSOLVED:
			default:
				return false
			}
		case *cohostv1.Entry_ConnectionEnded_:
		case *cohostv1.Entry_LiveEnding_:
			if !x.LiveEnding.GetLost() {
				return false
			}
			lives[x.LiveEnding.GetLiveId()] = true
		default:
			return false
		}
	}
	return len(lives) == 1
}

// hosts counts what became of hosts.
func (l *cohostLog) hosts(n map[string]int) {
	for _, t := range l.stages {
		switch {
		case t.to == unset:
			n["live ended, HOST_LOST"]++
		case t.to != present:
			n["host "+t.to.String()]++
		case t.from != unset:
			n["host back, "+t.from.String()]++
		}
	}
	for _, d := range l.decisions {
		for _, e := range d.entries {
			if e.GetSessionTaken().GetFence() > 1 {
				n["session superseded"]++
			}
		}
	}
}

// departure is that a live has left its connection because its host was lost; since is where that was decided. With its end it has not
// waited for battle any more.
type departure struct {
	live  string
	since place
	at    place
	ends  bool
}

// sessionsOf are the sessions of live hosts by the lives that have any.
func (r rooms) sessionsOf() map[string]string {
	out := map[string]string{}
	for id, l := range r.lives {
		if l.presence.current != "" {
			out[id] = l.presence.current
		}
	}
	return out
}
