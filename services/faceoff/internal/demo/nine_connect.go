package demo

import (
	"context"
	"fmt"
	"slices"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func (n *nine) openAll(ctx, watching context.Context) error {
	for _, h := range n.hosts {
		if err := n.openLive(ctx, watching, h, n.openByREST); err != nil {
			return err
		}
	}
	return nil
}

// gather has lives join until there are so many, each invited by the one that joined last.
func (n *nine) gather(ctx context.Context, members int) error {
	if len(n.members) == 0 {
		n.members = append(n.members, n.lives[0])
	}
	for _, newcomer := range n.lives[len(n.members):members] {
		inviter := n.members[len(n.members)-1]
		if err := n.invite(ctx, inviter, newcomer); err != nil {
			return err
		}
		if err := n.cohost(ctx, newcomer, "accept", &cohostv1.AcceptHostConnectionRequest{FromLiveId: inviter.live}); err != nil {
			return err
		}
		n.members = append(n.members, newcomer)
		n.tell(newcomer.user, "accepts, and joins %d others", len(n.members)-1)
		if err := n.checkJoined(ctx, inviter, newcomer); err != nil {
			return err
		}
	}
	return nil
}

func (n *nine) invite(ctx context.Context, inviter, target *host) error {
	out := new(cohostv1.RequestHostConnectionResponse)
	in := &cohostv1.RequestHostConnectionRequest{TargetLiveIds: []string{target.live}, TimeoutSeconds: 60}
	if err := n.post(ctx, inviter.token, cohostPath(inviter, "request"), in, out); err != nil {
		return err
	}
	n.tell(inviter.user, "invites %s", target.live)
	n.check("the invitation of "+target.live+" is sent", out.GetResults()[target.live].GetOk(), "the answer is %v", out)
	_, err := await(ctx, target.viewer, "CoHostRequestReceived", func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostRequestReceived().GetInvitation().GetInviter().GetLiveId() == inviter.live
	})
	return err
}

// checkJoined looks at what every member was told of a newcomer, the newcomer of all that were there, and where each is now.
func (n *nine) checkJoined(ctx context.Context, inviter, newcomer *host) error {
	if _, err := await(ctx, inviter.viewer, "CoHostRequestAccepted", func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostRequestAccepted().GetInvitee().GetLiveId() == newcomer.live
	}); err != nil {
		return err
	}
	for _, h := range n.members {
		if err := awaitJoined(ctx, h, newcomer); err != nil {
			return err
		}
		if err := awaitJoined(ctx, newcomer, h); err != nil {
			return err
		}
	}
	n.tell("all members", "CoHostUserJoined: %s", newcomer.live)
	return n.checkMembers(ctx)
}

func awaitJoined(ctx context.Context, h, member *host) error {
	_, err := await(ctx, h.viewer, "CoHostUserJoined of "+member.live, func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostUserJoined().GetMember().GetLiveId() == member.live
	})
	return err
}

// checkMembers compares the state of every member with the own list.
func (n *nine) checkMembers(ctx context.Context) error {
	want := names(n.members)
	connections := make(map[string]bool)
	for _, h := range n.members {
		state, err := n.cohostState(ctx, h)
		if err != nil {
			return err
		}
		var got []string
		for _, m := range state.GetConnected() {
			got = append(got, m.GetLiveId())
		}
		n.check(fmt.Sprintf("%s is connected with all %d, in the order of joining", h.live, len(want)),
			state.GetStatus() == cohostv1.CoHostState_CONNECTED && slices.Equal(got, want), "its state is %v", state)
		n.check("no invitation of "+h.live+" is left", len(state.GetInvitees())+len(state.GetApplicants()) == 0, "its state is %v", state)
		connections[state.GetConnectionId()] = true
	}
	n.check(fmt.Sprintf("the %d are in one connection", len(want)), len(connections) == 1 && !connections[""], "they are in %v", connections)
	return nil
}

// inviteTenth has every member invite one more: there is no room, and it is told nothing.
func (n *nine) inviteTenth(ctx context.Context) error {
	for _, h := range n.members {
		err := n.cohost(ctx, h, "request", &cohostv1.RequestHostConnectionRequest{TargetLiveIds: []string{n.tenth.live}})
		n.checkRefused("the tenth, invited by "+h.live, err, "CONNECTION_FULL")
	}
	n.tell("all members", "invite %s: CONNECTION_FULL", n.tenth.live)
	state, err := n.cohostState(ctx, n.tenth)
	if err != nil {
		return err
	}
	n.check("the tenth has no invitation", len(state.GetApplicants()) == 0, "its state is %v", state)
	return nil
}

// part has the members leave one by one; the last two part together.
func (n *nine) part(ctx context.Context) error {
	for len(n.members) > 0 {
		leaver := n.members[0]
		if err := n.cohost(ctx, leaver, "exit", &cohostv1.ExitHostConnectionRequest{}); err != nil {
			return err
		}
		n.tell(leaver.user, "leaves the connection")
		for _, h := range n.members {
			if err := n.checkLeft(ctx, h, leaver, cohostv1.CoHostUserLeft_EXITED); err != nil {
				return err
			}
		}
		left := n.members[:1]
		n.members = n.members[1:]
		if len(n.members) == 1 { // nobody is left to be connected with
			last := n.members[0]
			if err := n.checkLeft(ctx, last, last, cohostv1.CoHostUserLeft_DISSOLVED); err != nil {
				return err
			}
			left, n.members = []*host{leaver, last}, nil
		}
		for _, h := range left {
			state, err := n.cohostState(ctx, h)
			if err != nil {
				return err
			}
			n.check(h.live+" is free of its connection", state.GetStatus() == cohostv1.CoHostState_DISCONNECTED &&
				state.GetConnectionId() == "" && len(state.GetConnected()) == 0, "its state is %v", state)
		}
		if len(n.members) > 0 {
			if err := n.checkMembers(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *nine) checkLeft(ctx context.Context, h, leaver *host, want cohostv1.CoHostUserLeft_Reason) error {
	reason, err := await(ctx, h.viewer, "CoHostUserLeft of "+leaver.live, func(m *message) (cohostv1.CoHostUserLeft_Reason, bool) {
		left := m.GetCohost().GetCoHostUserLeft()
		return left.GetReason(), left.GetMember().GetLiveId() == leaver.live
	})
	n.check(h.live+" is told why "+leaver.live+" left", err != nil || reason == want, "the reason is %s, not %s", reason, want)
	return err
}

func (n *nine) endAll(ctx context.Context) error {
	for _, h := range n.hosts {
		open, err := n.openBattles(ctx, h)
		if err != nil {
			return err
		}
		n.check(h.live+" is in no battle", len(open) == 0, "it is in %v", open)
		if err := n.endByREST(ctx, h); err != nil {
			return err
		}
	}
	return n.awaitLivesEnded(ctx)
}
