package cohost_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// picture is what somebody knows of a live who has had its state once, and is told what happens from there on.
type picture struct {
	host           cohost.User
	sent, received []cohost.Invitation
	connection     cohost.Connection
	muted          []string
}

// pictureOf is what the state shows.
func pictureOf(s *cohost.State, id string) *picture {
	live, ok := s.Live(id)
	if !ok || !live.Active() {
		return nil
	}
	c, _ := s.Connection(live.ConnectionID)
	c.Members = slices.Clone(c.Members)
	return &picture{live.Host, s.Invitations(live.Sent), s.Invitations(live.Received), c, slices.Clone(live.Muted)}
}

// hear has everybody told of the last group; who watches a live then knows what its state shows.
func (w *world) hear(t *rapid.T) {
	for _, n := range w.state.Told() {
		if _, ended := n.News.(cohost.Ended); ended {
			delete(w.pictures, n.To)
		} else if p := w.pictures[n.To]; p != nil {
			p.take(n.To, n.News)
		}
	}
	for _, id := range w.ids {
		want := pictureOf(w.state, id)
		if _, watched := w.pictures[id]; !watched && want != nil {
			w.pictures[id] = want
		}
		if is, told := fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", w.pictures[id]); is != told {
			t.Fatalf("live %s is\n%s\nand its watchers were told\n%s", id, is, told)
		}
	}
}

func (p *picture) take(self string, news cohost.News) {
	switch n := news.(type) {
	case cohost.RequestSent:
		p.sent = append(p.sent, n.Invitation)
	case cohost.RequestReceived:
		p.received = append(p.received, n.Invitation)
	case cohost.RequestCancelled:
		p.over(n.Invitation)
	case cohost.RequestAccepted:
		p.over(n.Invitation)
	case cohost.RequestRejected:
		p.over(n.Invitation)
	case cohost.RequestTimedOut:
		p.over(n.Invitation)
	case cohost.UserJoined:
		p.connection.ID, p.connection.Layout = n.ConnectionID, n.Layout
		p.connection.Members = append(p.connection.Members, n.Member)
	case cohost.UserLeft:
		left := n.Member.LiveID
		if p.muted = slices.DeleteFunc(p.muted, func(id string) bool { return id == left }); left == self {
			p.connection, p.muted = cohost.Connection{}, nil
		}
		p.connection.Members = slices.DeleteFunc(p.connection.Members, func(m cohost.Member) bool { return m.LiveID == left })
	case cohost.LayoutChanged:
		p.connection.Layout = n.Layout
	case cohost.RemoteMuteChanged:
		if p.muted = slices.DeleteFunc(p.muted, func(id string) bool { return id == n.Target.LiveID }); n.Muted {
			p.muted = append(p.muted, n.Target.LiveID)
		}
	case cohost.HostShown:
		p.show(self, n)
	}
}

// over takes an invitation away.
func (p *picture) over(i cohost.Invitation) {
	is := func(x cohost.Invitation) bool { return x.ID == i.ID }
	p.sent, p.received = slices.DeleteFunc(p.sent, is), slices.DeleteFunc(p.received, is)
}

func (p *picture) show(self string, n cohost.HostShown) {
	if n.LiveID == self {
		p.host = n.Host
	}
	show := func(m *cohost.Member) {
		if m.LiveID == n.LiveID {
			m.Host = n.Host
		}
	}
	for i := range p.connection.Members {
		show(&p.connection.Members[i])
	}
	for _, list := range [][]cohost.Invitation{p.sent, p.received} {
		for i := range list {
			show(&list[i].Inviter)
			show(&list[i].Invitee)
		}
	}
}
