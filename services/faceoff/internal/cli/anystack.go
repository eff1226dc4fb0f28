package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/faceoff-live/faceoff/pkg/telemetry"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
	"github.com/faceoff-live/faceoff/services/faceoff/internal/dev"
)

const defaultURL = "http://127.0.0.1:8080"

// anyStack is a stack that runs, or one for the time of a command.
type anyStack struct {
	URL  string `name:"url" help:"Base URL of REST. Not given, and nothing answers at http://127.0.0.1:8080: a stack of the command's own." placeholder:"URL"`
	GRPC string `name:"grpc" help:"Address of gRPC." default:"127.0.0.1:9090"`
	NATS string `name:"nats" help:"Where NATS is." default:"nats://127.0.0.1:4222"`
	Own  bool   `help:"Start a stack for the run, on free ports and in a temporary directory."`
	credentials
}

// use has the stack used; own is nil if it was not started for this.
func (s anyStack) use(ctx context.Context, complaints complain, use func(s client.Stack, own *dev.Addresses) error) error {
	if s.Own || s.URL == "" && !client.Answers(ctx, defaultURL) {
		_, _ = fmt.Fprintln(complaints, "this runs a stack of its own, in a temporary directory")
		return withOwnStack(ctx, complaints, func(a dev.Addresses) error {
			return use(client.Stack{HTTP: a.HTTP, GRPC: a.GRPC, NATS: a.NATS, Key: a.Key, Secret: a.Secret}, &a)
		})
	}
	if s.URL == "" {
		s.URL = defaultURL
	}
	key, secret, err := s.keys(s.GRPC)
	if err != nil {
		return err
	}
	return use(client.Stack{HTTP: s.URL, GRPC: s.GRPC, NATS: s.NATS, Key: key, Secret: secret}, nil)
}

// withOwnStack runs a stack for the time of use.
func withOwnStack(ctx context.Context, complaints complain, use func(dev.Addresses) error) (err error) {
	dir, err := os.MkdirTemp("", "faceoff-own-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	serving := make(chan dev.Addresses, 1)
	ended := make(chan error, 1)
	go func() {
		o := dev.Options{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", NATS: "127.0.0.1:0", Data: dir}
		ended <- dev.Run(ctx, o, telemetry.Logger(complaints, "dev", "warn"), func(a dev.Addresses) { serving <- a })
	}()
	select {
	case a := <-serving:
		err = use(a)
		stop()
		return errors.Join(err, <-ended)
	case err := <-ended:
		return err
	}
}
