package sim

import (
	"context"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// told takes in the state that the answer to a command holds.
func (c *client) told(o *check.Op, s *cohostv1.CoHostState, err error) error {
	if err == nil {
		c.saw(cohostLog, check.Read{Question: check.AskCoHost, ID: o.Live, CoHost: s, Of: o.ID}, nil)
		c.h.connected(s)
	}
	return err
}

func (c *client) create(live string) check.Op {
	r := &cohostv1.CreateLiveRequest{LiveId: live, Kind: kind(live), Host: user(live)}
	return c.do(check.Op{Kind: check.CreateLive, Live: live, Request: r}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.CreateLive(ctx, r)
		return err
	})
}

func (c *client) endLive(live string) check.Op {
	return c.do(check.Op{Kind: check.EndLive, Live: live}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: live})
		return err
	})
}

func (c *client) updateLive(live string, host *cohostv1.UpdateLiveRequest_HostProfile) check.Op {
	r := &cohostv1.UpdateLiveRequest{LiveId: live, Host: host}
	return c.do(check.Op{Kind: check.UpdateLive, Live: live, Request: r}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.UpdateLive(ctx, r)
		c.saw(cohostLog, check.Read{Question: check.AskLive, ID: live, Live: a.GetLive(), Of: o.ID}, err)
		return err
	})
}

func (c *client) invite(r *cohostv1.RequestHostConnectionRequest) check.Op {
	o := check.Op{Kind: check.Invite, Live: r.GetLiveId(), Others: r.GetTargetLiveIds(), Request: r}
	return c.do(o, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.RequestHostConnection(ctx, r)
		o.Accepted, o.Refusals = nil, map[string]string{}
		for _, target := range r.GetTargetLiveIds() {
			if result := a.GetResults()[target]; result.GetOk() {
				o.Accepted = append(o.Accepted, target)
			} else {
				o.Refusals[target] = result.GetReason()
			}
		}
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) accept(live, from, info string) check.Op {
	r := &cohostv1.AcceptHostConnectionRequest{LiveId: live, FromLiveId: from, ExtensionInfo: info}
	return c.do(check.Op{Kind: check.Accept, Live: live, Others: []string{from}, Request: r}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.AcceptHostConnection(ctx, r)
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) reject(r *cohostv1.RejectHostConnectionRequest) check.Op {
	o := check.Op{Kind: check.Reject, Live: r.GetLiveId(), Others: []string{r.GetFromLiveId()}, Request: r}
	return c.do(o, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.RejectHostConnection(ctx, r)
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) cancel(live, to string) check.Op {
	return c.do(check.Op{Kind: check.Cancel, Live: live, Others: []string{to}}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.CancelHostConnection(ctx, &cohostv1.CancelHostConnectionRequest{LiveId: live, ToLiveId: to})
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) exit(live string) check.Op {
	return c.do(check.Op{Kind: check.Exit, Live: live}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: live})
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) rejoin(live string) check.Op {
	return c.do(check.Op{Kind: check.Rejoin, Live: live}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.RejoinHostConnection(ctx, &cohostv1.RejoinHostConnectionRequest{LiveId: live})
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) setLayout(live, template string) check.Op {
	r := &cohostv1.SetLayoutTemplateRequest{LiveId: live, LayoutTemplate: template}
	return c.do(check.Op{Kind: check.SetLayout, Live: live, Request: r}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.SetLayoutTemplate(ctx, r)
		return c.told(o, a.GetState(), err)
	})
}

func (c *client) mute(live, target string, muted bool) check.Op {
	r := &cohostv1.MuteRemoteHostAudioRequest{LiveId: live, TargetLiveId: target, Muted: muted}
	return c.do(check.Op{Kind: check.Mute, Live: live, Others: []string{target}, Request: r}, func(ctx context.Context, o *check.Op) error {
		a, err := c.cohost.MuteRemoteHostAudio(ctx, r)
		return c.told(o, a.GetState(), err)
	})
}
