package sim

import (
	"context"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

func (c *client) create(live string) check.Op {
	return c.do(check.Op{Kind: check.CreateLive, Live: live}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.CreateLive(ctx, &cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VIDEO, Host: user(live)})
		return err
	})
}

func (c *client) endLive(live string) check.Op {
	return c.do(check.Op{Kind: check.EndLive, Live: live}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: live})
		return err
	})
}

func (c *client) invite(live string, targets []string, timeout int32) check.Op {
	return c.do(check.Op{Kind: check.Invite, Live: live, Others: targets}, func(ctx context.Context, o *check.Op) error {
		r, err := c.cohost.RequestHostConnection(ctx, &cohostv1.RequestHostConnectionRequest{LiveId: live, TargetLiveIds: targets, TimeoutSeconds: timeout})
		o.Accepted = nil
		for target, result := range r.GetResults() {
			if result.GetOk() {
				o.Accepted = append(o.Accepted, target)
			}
		}
		return err
	})
}

func (c *client) accept(live, from string) check.Op {
	return c.do(check.Op{Kind: check.Accept, Live: live, Others: []string{from}}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.AcceptHostConnection(ctx, &cohostv1.AcceptHostConnectionRequest{LiveId: live, FromLiveId: from})
		return err
	})
}

func (c *client) reject(live, from string) check.Op {
	return c.do(check.Op{Kind: check.Reject, Live: live, Others: []string{from}}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.RejectHostConnection(ctx, &cohostv1.RejectHostConnectionRequest{LiveId: live, FromLiveId: from})
		return err
	})
}

func (c *client) cancel(live, to string) check.Op {
	return c.do(check.Op{Kind: check.Cancel, Live: live, Others: []string{to}}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.CancelHostConnection(ctx, &cohostv1.CancelHostConnectionRequest{LiveId: live, ToLiveId: to})
		return err
	})
}

func (c *client) exit(live string) check.Op {
	return c.do(check.Op{Kind: check.Exit, Live: live}, func(ctx context.Context, _ *check.Op) error {
		_, err := c.cohost.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: live})
		return err
	})
}
