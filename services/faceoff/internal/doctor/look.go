package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/diagnose"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/natsd"
)

const (
	// answerTime is how long replicas have for their answer, askTime how long NATS has for one.
	answerTime, askTime = time.Second, 2 * time.Second
	// lookAgain is the time after which what was found must still be there: a takeover is over by then, and a machine that
	// is busy has caught up.
	lookAgain = 5 * time.Second
)

// Stack is what is looked at.
type Stack struct {
	NATS   *nats.Conn
	Stores *jetstream.Stores
	// Logs that there should be, by the service that owns them.
	Logs map[string][]string
	// Monitors are the monitoring endpoints of the NATS servers; what only they know is not looked at without them.
	Monitors []string
	// Token of a service or an admin.
	Token string
}

// Examine returns what looks stuck: what is found, and found again 5 s later. The error says why it cannot be looked.
func (s Stack) Examine(ctx context.Context) ([]Finding, error) {
	f := Facts{HeadsAt: time.Now()}
	for service, names := range s.Logs {
		for _, name := range names {
			f.Logs = append(f.Logs, Log{Name: name, Service: service})
		}
	}
	slices.SortFunc(f.Logs, func(a, b Log) int { return strings.Compare(a.Name, b.Name) })
	if err := s.look(ctx, &f); err != nil {
		return nil, err
	}
	first := Findings(f)
	if len(first) == 0 {
		return nil, nil
	}
	again := time.NewTimer(time.Until(f.HeadsAt.Add(lookAgain)))
	defer again.Stop()
	select {
	case <-again.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := s.look(ctx, &f); err != nil {
		return nil, err
	}
	return Lasting(first, Findings(f), f.At, f.At.Sub(f.HeadsAt)), nil
}

// look sees everything anew, but for the heads that were read before: whoever has not come as far by now is behind.
func (s Stack) look(ctx context.Context, f *Facts) error {
	f.Servers, f.Streams = nil, nil
	for _, url := range s.Monitors {
		f.Servers = append(f.Servers, Server{URL: url})
	}
	var looking sync.WaitGroup
	looking.Go(func() { each(f.Servers, func(server *Server) { server.look(ctx) }) })
	looking.Go(func() { each(f.Logs, func(l *Log) { l.look(ctx, s.Stores) }) })
	looking.Go(func() { f.Streams = s.streams(ctx) })
	looking.Wait()
	f.At = time.Now()
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var err error
	if f.Replicas, err = diagnose.Ask(asking, s.NATS, s.Token); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	told := func(d *diagnosticsv1.Diagnosis) bool { return d.GetRefusal() == "" }
	if len(f.Replicas) > 0 && !slices.ContainsFunc(f.Replicas, told) {
		return errors.New(f.Replicas[0].GetRefusal())
	}
	return nil
}

func (l *Log) look(ctx context.Context, stores *jetstream.Stores) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var err error
	if !l.Exists {
		l.Head, l.Exists, err = stores.Stat(ctx, l.Name)
	}
	if err == nil {
		l.Holder, err = stores.Holder(ctx, l.Name)
	}
	l.Fault = ""
	if err != nil {
		l.Fault = err.Error()
	}
}

func (s *Server) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err := natsd.VerifySyncAlways(ctx, s.URL)
	if err == nil || errors.Is(err, natsd.ErrNotSynced) {
		var unseen error
		s.Connections, unseen = natsd.Connections(ctx, s.URL)
		err = errors.Join(err, unseen)
	}
	if err != nil {
		s.Fault = err.Error()
	}
}

// streams returns those that refuse what they have no room for. A server that does not list them does not answer for the logs
// either, which is found there.
func (s Stack) streams(ctx context.Context) (all []Stream) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	js, err := natsjs.New(s.NATS)
	if err != nil {
		return nil
	}
	for info := range js.ListStreams(ctx).Info() {
		if c := info.Config; c.Discard == natsjs.DiscardNew && !c.Sealed && c.MaxBytes > 0 {
			all = append(all, Stream{Name: c.Name, Bytes: info.State.Bytes, MaxBytes: uint64(c.MaxBytes)})
		}
	}
	return all
}

// each does the same for all at once.
func each[T any](all []T, do func(*T)) {
	var doing sync.WaitGroup
	for i := range all {
		doing.Go(func() { do(&all[i]) })
	}
	doing.Wait()
}
