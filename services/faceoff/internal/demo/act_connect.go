package demo

import (
	"context"
	"net/http"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// openLives makes both lives, one by REST and one by gRPC, and starts watching them.
func (p *play) openLives(ctx, watching context.Context) error {
	for _, h := range p.sides {
		open := p.openByREST
		if h == p.ben {
			open = p.openByGRPC
		}
		if err := p.openLive(ctx, watching, h, open); err != nil {
			return err
		}
	}
	return nil
}

type opening func(context.Context, *cohostv1.CreateLiveRequest) (*cohostv1.CreateLiveResponse, error)

func (s *stage) openByREST(ctx context.Context, in *cohostv1.CreateLiveRequest) (*cohostv1.CreateLiveResponse, error) {
	out := new(cohostv1.CreateLiveResponse)
	return out, s.post(ctx, s.service, "/v1/lives", in, out)
}

func (s *stage) openByGRPC(ctx context.Context, in *cohostv1.CreateLiveRequest) (out *cohostv1.CreateLiveResponse, err error) {
	id := ids.New()
	_, err = client.Repeat(ctx, func(ctx context.Context) (err error) {
		out, err = s.c.Cohost.CreateLive(client.As(ctx, s.service, id), in)
		return err
	})
	return out, err
}

// openLive makes a host's live and starts watching it.
func (s *stage) openLive(ctx, watching context.Context, h *host, open opening) error {
	out, err := open(ctx, &cohostv1.CreateLiveRequest{
		LiveId: h.live, Kind: cohostv1.Live_VIDEO,
		Host: &userv1.User{UserId: h.user, UserName: h.user},
	})
	if err != nil {
		return err
	}
	live := out.GetLive()
	s.tell("backend", "opens the live %s of %s", h.live, h.user)
	s.check("the live "+h.live+" is open and free", live.GetStatus() == cohostv1.Live_ACTIVE && live.GetConnectionId() == "" &&
		live.GetHost().GetUserId() == h.user, "it is %v", live)
	h.viewer.start(watching)
	_, err = await(ctx, h.viewer, "the snapshot", func(m *message) (bool, bool) {
		return true, m.GetConnected() != nil
	})
	return err
}

// connect has ann invite ben, who accepts.
func (p *play) connect(ctx context.Context) error {
	in := &cohostv1.RequestHostConnectionRequest{
		LiveId: p.ann.live, TargetLiveIds: []string{p.ben.live}, TimeoutSeconds: 60, ExtensionInfo: `{"from":"demo"}`,
	}
	out := new(cohostv1.RequestHostConnectionResponse)
	if err := p.post(ctx, p.ann.token, client.Path("v1", "lives", p.ann.live)+"/cohost:request", in, out); err != nil {
		return err
	}
	p.tell(p.ann.user, "invites %s", p.ben.live)
	result := out.GetResults()[p.ben.live]
	p.check("the invitation is sent", result.GetOk() && len(out.GetState().GetInvitees()) == 1, "the answer is %v", out)

	invitation, err := await(ctx, p.ben.viewer, "the invitation", func(m *message) (*cohostv1.Invitation, bool) {
		e := m.GetCohost().GetCoHostRequestReceived()
		return e.GetInvitation(), e != nil
	})
	if err != nil {
		return err
	}
	p.tell(p.ben.live, "CoHostRequestReceived from %s", invitation.GetInviter().GetLiveId())
	p.check("the invitation names the inviter and passes its extension info on",
		invitation.GetInviter().GetLiveId() == p.ann.live && invitation.GetExtensionInfo() == in.GetExtensionInfo(), "it is %v", invitation)

	id := ids.New()
	var accepted *cohostv1.AcceptHostConnectionResponse
	if _, err := client.Repeat(ctx, func(ctx context.Context) (err error) {
		accepted, err = p.c.Cohost.AcceptHostConnection(client.As(ctx, p.ben.token, id),
			&cohostv1.AcceptHostConnectionRequest{LiveId: p.ben.live, FromLiveId: p.ann.live})
		return err
	}); err != nil {
		return err
	}
	p.tell(p.ben.user, "accepts")
	if _, err := await(ctx, p.ann.viewer, "CoHostRequestAccepted", func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostRequestAccepted().GetInvitee().GetLiveId() == p.ben.live
	}); err != nil {
		return err
	}
	p.tell(p.ann.live, "CoHostRequestAccepted by %s", p.ben.live)
	for _, h := range p.sides {
		for _, member := range p.sides {
			if _, err := await(ctx, h.viewer, "CoHostUserJoined of "+member.live, func(m *message) (bool, bool) {
				return true, m.GetCohost().GetCoHostUserJoined().GetMember().GetLiveId() == member.live
			}); err != nil {
				return err
			}
			p.tell(h.live, "CoHostUserJoined: %s", member.live)
		}
	}
	connection := accepted.GetState().GetConnectionId()
	for _, h := range p.sides {
		state, err := p.cohostState(ctx, h)
		if err != nil {
			return err
		}
		p.check(h.live+" is connected with the other", state.GetStatus() == cohostv1.CoHostState_CONNECTED && connection != "" &&
			state.GetConnectionId() == connection && len(state.GetConnected()) == 2, "its state is %v", state)
	}
	return nil
}

func (s *stage) cohostState(ctx context.Context, h *host) (*cohostv1.CoHostState, error) {
	out := new(cohostv1.GetCoHostStateResponse)
	err := s.get(ctx, h.token, client.Path("v1", "lives", h.live, "cohost"), out)
	return out.GetState(), err
}

// part has ann leave the connection, which ends it.
func (p *play) part(ctx context.Context) error {
	id := ids.New()
	if _, err := client.Repeat(ctx, func(ctx context.Context) error {
		_, err := p.c.Cohost.ExitHostConnection(client.As(ctx, p.ann.token, id), &cohostv1.ExitHostConnectionRequest{LiveId: p.ann.live})
		return err
	}); err != nil {
		return err
	}
	p.tell(p.ann.user, "leaves the connection")
	for _, h := range p.sides {
		reason, err := await(ctx, h.viewer, "CoHostUserLeft", func(m *message) (cohostv1.CoHostUserLeft_Reason, bool) {
			left := m.GetCohost().GetCoHostUserLeft()
			return left.GetReason(), left.GetMember().GetLiveId() == p.ann.live
		})
		if err != nil {
			return err
		}
		p.tell(h.live, "CoHostUserLeft: %s, %s", p.ann.live, reason)
		p.check(h.live+" is told that the inviter left by itself", reason == cohostv1.CoHostUserLeft_EXITED, "the reason is %s", reason)
		state, err := p.cohostState(ctx, h)
		if err != nil {
			return err
		}
		p.check(h.live+" is free of its connection", state.GetStatus() == cohostv1.CoHostState_DISCONNECTED &&
			state.GetConnectionId() == "" && len(state.GetConnected()) == 0, "its state is %v", state)
		open, err := p.openBattles(ctx, h)
		if err != nil {
			return err
		}
		p.check(h.live+" is in no battle", len(open) == 0, "it is in %v", open)
	}
	return nil
}

// endLives ends both lives, one by gRPC and one by REST.
func (p *play) endLives(ctx context.Context) error {
	id := ids.New()
	if _, err := client.Repeat(ctx, func(ctx context.Context) error {
		_, err := p.c.Cohost.EndLive(client.As(ctx, p.ann.token, id), &cohostv1.EndLiveRequest{LiveId: p.ann.live})
		return err
	}); err != nil {
		return err
	}
	if err := p.endByREST(ctx, p.ben); err != nil {
		return err
	}
	return p.awaitLivesEnded(ctx)
}

func (s *stage) endByREST(ctx context.Context, h *host) error {
	return s.command(ctx, s.service, http.MethodDelete, client.Path("v1", "lives", h.live), nil, nil)
}

// awaitLivesEnded waits until all viewers are told that what they watch has ended.
func (s *stage) awaitLivesEnded(ctx context.Context) error {
	for _, h := range s.hosts {
		if _, err := await(ctx, h.viewer, "LiveEnded", func(m *message) (bool, bool) {
			return true, m.GetCohost().GetLiveEnded() != nil
		}); err != nil {
			return err
		}
		s.tell(h.live, "LiveEnded")
	}
	return nil
}
