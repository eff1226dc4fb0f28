// Package client reaches a running Faceoff through its doors: gRPC, REST and NATS. Every call can be repeated with the same
// ids until its outcome is known.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/natsd"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Stack says where a running Faceoff is, and who may call it.
type Stack struct {
	// HTTP is the base URL of REST, GRPC a gRPC target, NATS a NATS URL. What is empty cannot be used.
	HTTP, GRPC, NATS string
	// Key and Secret sign the tokens of all callers.
	Key, Secret string
}

// Client calls one Stack. It is safe for concurrent use.
type Client struct {
	stack Stack
	conn  *grpc.ClientConn
	http  *http.Client

	Cohost  cohostv1.CohostServiceClient
	Battle  battlev1.BattleServiceClient
	Score   scorev1.ScoreServiceClient
	Gateway gatewayv1.GatewayServiceClient

	natsOnce sync.Once
	nats     *nats.Conn
	natsErr  error
}

// New makes a Client; it connects when the first call needs it.
func New(s Stack) (*Client, error) {
	conn, err := rpc.Dial(s.GRPC, rpc.DialOptions{})
	if err != nil {
		return nil, fmt.Errorf("gRPC at %s: %w", s.GRPC, err)
	}
	return &Client{
		stack:   s,
		conn:    conn,
		http:    &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext}},
		Cohost:  cohostv1.NewCohostServiceClient(conn),
		Battle:  battlev1.NewBattleServiceClient(conn),
		Score:   scorev1.NewScoreServiceClient(conn),
		Gateway: gatewayv1.NewGatewayServiceClient(conn),
	}, nil
}

// Close gives up all connections.
func (c *Client) Close() error {
	c.natsOnce.Do(func() { c.natsErr = nats.ErrConnectionClosed })
	if c.nats != nil {
		c.nats.Close()
	}
	c.http.CloseIdleConnections()
	return c.conn.Close()
}

// Token signs a token for an hour.
func (c *Client) Token(user, live string, role auth.Role) (string, error) {
	return auth.Sign(c.stack.Key, c.stack.Secret, auth.Principal{User: user, Live: live, Role: role}, time.Hour, time.Now())
}

// As returns a context for gRPC calls by the holder of token; id, if not empty, is the call's idempotency-key.
func As(ctx context.Context, token, id string) context.Context {
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	if id != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "idempotency-key", id)
	}
	return ctx
}

// NATS returns the connection to NATS.
func (c *Client) NATS() (*nats.Conn, error) {
	c.natsOnce.Do(func() {
		if c.stack.NATS == "" {
			c.natsErr = errors.New("the address of NATS is not known")
			return
		}
		c.nats, c.natsErr = natsd.Connect(c.stack.NATS, "faceoff-cli", slog.New(slog.DiscardHandler), nil,
			nats.RetryOnFailedConnect(true), nats.NoCallbacksAfterClientClose())
	})
	return c.nats, c.natsErr
}

// Answers reports whether a Faceoff answers at the base URL of REST.
func Answers(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Path joins the segments of a REST path, escaped.
func Path(segments ...string) string {
	var path string
	for _, s := range segments {
		path += "/" + url.PathEscape(s)
	}
	return path
}
