package check

import (
	"cmp"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func (r rooms) live(id string, l *cohostv1.Live) bool {
	if l.GetStatus() == cohostv1.Live_ACTIVE {
		return r.active(id) && r.member[id] == l.GetConnectionId() && proto.Equal(l, r.liveMessage(id))
	}
	return !r.active(id) // ended, or not known (any more)
}

func (r rooms) liveMessage(id string) *cohostv1.Live {
	l := r.lives[id]
	return &cohostv1.Live{
		LiveId: id, Kind: l.kind, Host: l.host, Status: cohostv1.Live_ACTIVE, CreatedAt: moment(l.since), ConnectionId: r.member[id],
		Presence: l.presence.message(),
	}
}

// page reports whether a page names the lives that are in it, in the order of their ids.
func (r rooms) page(p *Page, in func(live string) bool) bool {
	var want []string
	next := ""
	for _, id := range slices.Sorted(maps.Keys(r.lives)) {
		if id <= p.After || !in(id) {
			continue
		}
		if len(want) == p.Size {
			next = want[len(want)-1]
			break
		}
		want = append(want, id)
	}
	return p.Next == next && slices.EqualFunc(p.Lives, want, func(l *cohostv1.Live, id string) bool { return l.GetLiveId() == id && r.live(id, l) })
}

// candidates reports whether a page names the lives that a live can invite.
func (r rooms) candidates(of string, p *Page, most int) bool {
	if p == nil {
		return !r.active(of)
	}
	return r.active(of) && r.page(p, func(live string) bool {
		_, received := r.waiting(live)
		return live != of && r.lives[live].presence.stage != lost && r.lives[live].kind == r.lives[of].kind && r.member[live] == "" &&
			r.pending[pair{of, live}].id == "" && r.pending[pair{live, of}].id == "" && (most == 0 || received < most)
	})
}

// coHost reports whether the state of a live is this one.
func (r rooms) coHost(id string, s *cohostv1.CoHostState) bool {
	if s == nil || !r.active(id) {
		return !r.active(id) && s.GetConnectionId() == "" && len(s.GetConnected())+len(s.GetInvitees())+len(s.GetApplicants()) == 0
	}
	c := r.connections[r.member[id]]
	sent, received := r.waiting(id)
	if r.member[id] != s.GetConnectionId() || len(c.members) != len(s.GetConnected()) || sent != len(s.GetInvitees()) || received != len(s.GetApplicants()) {
		return false
	}
	want := &cohostv1.CoHostState{
		LiveId: id, Status: cohostv1.CoHostState_DISCONNECTED, ConnectionId: r.member[id], Layout: c.layout, MutedLiveIds: r.lives[id].muted,
		ServerNow: s.GetServerNow(),
	}
	if want.GetConnectionId() != "" {
		want.Status = cohostv1.CoHostState_CONNECTED
	}
	for _, m := range c.members {
		want.Connected = append(want.Connected, r.memberOf(c, m.live))
	}
	want.Invitees = r.invitations(func(p pair) bool { return p[0] == id })
	want.Applicants = r.invitations(func(p pair) bool { return p[1] == id })
	if received > 0 {
		want.Applicant = want.GetApplicants()[received-1]
	}
	return proto.Equal(s, want)
}

// invitations are the pending ones between some, oldest first.
func (r rooms) invitations(of func(pair) bool) (all []*cohostv1.Invitation) {
	var pairs []pair
	for p := range r.pending {
		if of(p) {
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(r.pending[a].number, r.pending[b].number) })
	for _, p := range pairs {
		all = append(all, r.message(p, r.pending[p]))
	}
	return all
}
