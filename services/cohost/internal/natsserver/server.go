// Package natsserver is the NATS door of the cohost service: signs of life as requests on heartbeat.<live_id>.
package natsserver

import (
	"context"
	"log/slog"
	"time"

	"buf.build/go/protovalidate"
	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/natsdoor"
)

// Hear takes a sign of life; see rpcserver.Server.Hear.
type Hear func(context.Context, *cohostv1.HeartbeatRequest) (*cohostv1.HeartbeatResponse, error)

// New makes the door.
func New(nc *nats.Conn, hear Hear, log *slog.Logger) *natsdoor.Server {
	return natsdoor.New(nc, func(ctx context.Context, r *natsdoor.Request) (proto.Message, error) {
		heartbeat, err := read(r)
		if err != nil {
			return nil, err
		}
		return hear(ctx, heartbeat)
	}, natsdoor.Options{
		Name: "heartbeats by NATS", Prefix: "heartbeat.", Queue: "cohost",
		MaxBytes: 1 << 10, // far more than one can need
		InFlight: 256, PendingBytes: 16 << 20, Timeout: 5 * time.Second, Log: log,
	})
}

// read decodes a sign of life; an empty one has no session.
func read(r *natsdoor.Request) (*cohostv1.HeartbeatRequest, error) {
	heartbeat := new(cohostv1.HeartbeatRequest)
	if len(r.Data) > 0 {
		if err := r.Unmarshal(heartbeat); err != nil {
			return nil, err
		}
	}
	if err := r.SameLive("live_id", &heartbeat.LiveId); err != nil {
		return nil, err
	}
	return heartbeat, protovalidate.Validate(heartbeat)
}
