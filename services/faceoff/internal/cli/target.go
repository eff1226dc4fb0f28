package cli

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

// credentials sign tokens.
type credentials struct {
	Key    string `help:"API key; that of dev if the stack is on loopback and none is given." env:"FACEOFF_KEY"`
	Secret string `help:"Its secret." env:"FACEOFF_SECRET"`
}

func (c credentials) keys(grpcAddr string) (key, secret string, err error) {
	switch {
	case c.Key != "" && c.Secret != "":
		return c.Key, c.Secret, nil
	case c.Key != "" || c.Secret != "":
		return "", "", usagef("--key and --secret go together")
	case onLoopback(grpcAddr):
		return dev.Key, dev.Secret, nil
	}
	return "", "", usagef("--key and --secret are needed")
}

func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// target is the stack that an operator calls.
type target struct {
	GRPC    string        `name:"grpc" help:"Address of gRPC." default:"127.0.0.1:9090"`
	Token   string        `help:"Access token to call with, instead of one that key and secret sign." env:"FACEOFF_TOKEN"`
	Timeout time.Duration `help:"How long a call may take." default:"10s"`
	JSON    bool          `name:"json" help:"Print JSON."`
	credentials
}

// call connects and calls with a token that may do everything, or with the given one.
func (t target) call(ctx context.Context, do func(context.Context, *client.Client) error) error {
	s := client.Stack{GRPC: t.GRPC}
	var err error
	if t.Token == "" {
		if s.Key, s.Secret, err = t.keys(t.GRPC); err != nil {
			return err
		}
	}
	c, err := client.New(s)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	token := t.Token
	if token == "" {
		if token, err = c.Token("operator", auth.EveryLive, auth.Admin); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	return do(client.As(ctx, token, ""), c)
}
