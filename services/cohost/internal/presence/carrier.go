package presence

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
)

// Carrier takes what replicas say from one to all of them, itself included. It may lose it.
type Carrier interface {
	// Publish has a message brought to all that listen to a subject. The error says that it was not sent.
	Publish(subject string, data []byte) error
	// Listen has what is published to the subjects come into a channel, until ctx ends.
	Listen(ctx context.Context, into chan *nats.Msg, subjects ...string) error
	// Missed counts how often something may not have come in: it grows with each message that there was no room for, and when the
	// link was made anew.
	Missed() int
}

// core is the Carrier that core NATS is.
type core struct {
	nc   *nats.Conn
	subs []*nats.Subscription
}

// Over returns the Carrier that a NATS connection is, nil if that is nil: then there is one replica.
func Over(nc *nats.Conn) Carrier {
	if nc == nil {
		return nil
	}
	return &core{nc: nc}
}

func (c *core) Publish(subject string, data []byte) error { return c.nc.Publish(subject, data) }

func (c *core) Listen(ctx context.Context, into chan *nats.Msg, subjects ...string) error {
	for _, subject := range subjects {
		sub, err := c.nc.ChanSubscribe(subject, into)
		if err != nil {
			return fmt.Errorf("%s: %w", subject, err)
		}
		context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
		c.subs = append(c.subs, sub)
	}
	return nil
}

func (c *core) Missed() int {
	missed := int(c.nc.Stats().Reconnects)
	for _, sub := range c.subs {
		dropped, _ := sub.Dropped()
		missed += dropped
	}
	return missed
}
