// Package cli is the command line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
	exitBlind  = 2
)

// errFailed ends a command with exit code 1; what failed has been printed.
var errFailed = errors.New("failed")

type commands struct {
	Dev  devCommand  `cmd:"" help:"Run the whole product in one process, on loopback."`
	Demo demoCommand `cmd:"" help:"Play two hosts and their audiences, and check every fact."`

	Bench benchCommands `cmd:"" help:"Load a stack and measure it: battles."`

	Live       liveCommands       `cmd:"" help:"Lives: create, get, list, end."`
	Connection connectionCommands `cmd:"" help:"Co-host connections: get, exit."`
	Battle     battleCommands     `cmd:"" help:"Battles: list, get, exit, replay."`
	Gift       giftCommands       `cmd:"" help:"Gifts: send, receipt."`
	Events     eventsCommand      `cmd:"" help:"Print what lives are told, as it happens."`
	Token      tokenCommands      `cmd:"" help:"Access tokens: create."`
	Streams    streamsCommands    `cmd:"" help:"What is stored in NATS: apply, check."`
	Doctor     doctorCommand      `cmd:"" help:"Find what looks stuck; exit code 1 if anything does, 2 if it could not be looked."`
}

// Main runs a command line and returns the exit code: 1 when the command failed, 2 when it was not understood, or could not
// look at what it is asked about.
func Main(args []string, out, complaints io.Writer) int {
	ctx, stop := lifecycle.Signals(context.Background())
	defer stop()
	if service, rest, ok := asService(args); ok {
		return exitCode(service.run(ctx, rest, out), complaints)
	}
	exited := false
	k, err := kong.New(&commands{},
		kong.Name("faceoff"),
		kong.Description("Cross-room co-hosting and PK battles for live streaming.\n\n"+
			"One service per process: faceoff cohost | battle | score | gateway, each with --help and --check-config."),
		kong.UsageOnError(),
		kong.Writers(out, complaints),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return exitCode(err, complaints)
	}
	parsed, err := k.Parse(args)
	switch {
	case exited: // --help
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(complaints, "faceoff: %v\nTry faceoff --help.\n", err)
		return exitUsage
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(out, (*io.Writer)(nil))
	parsed.Bind(complain{complaints})
	return exitCode(parsed.Run(), complaints)
}

// complain is where a command writes what is not its answer.
type complain struct{ io.Writer }

// usageError is a line that the grammar understood and that makes no sense all the same.
type usageError struct{ error }

func exitCode(err error, complaints io.Writer) int {
	if err == nil {
		return 0
	}
	if !errors.Is(err, errFailed) {
		_, _ = fmt.Fprintln(complaints, "faceoff:", sentence(err))
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[blindError](err); ok {
		return exitBlind
	}
	return exitFailed
}

// sentence is the reason of a refusal and its sentence, or what else went wrong.
func sentence(err error) string {
	// What wraps a status would be repeated in its message.
	if s, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		err = s
	}
	if r, ok := rpc.Refusal(err); ok {
		return r.Error()
	}
	if status.Code(err) == codes.Unavailable {
		return "UNAVAILABLE: nothing answers: " + status.Convert(err).Message()
	}
	return err.Error()
}
