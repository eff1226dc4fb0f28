// Package diagnose is how an operator asks all replicas of all services at once what only they know: how far they have come
// in each log, and what waits. It is a NATS request that everybody answers, since no other door reaches every replica.
package diagnose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/lifecycle"
)

// Subject that replicas are asked on.
const Subject = "diagnose"

// header carries the token of who asks.
const (
	header = "Authorization"
	bearer = "Bearer "
)

// access is who may ask: this door is not of gRPC, so no option says it.
var access = auth.AccessFor(auth.Service)

// Diagnosed is a service that says how its partitions are on this replica: those that are open. It must not wait.
type Diagnosed interface {
	Diagnose() []*diagnosticsv1.Partition
}

// Component answers on nc for a replica of a service; only a service or an admin, by a token of keys, is told anything.
func Component(nc *nats.Conn, keys auth.Keys, service string, d Diagnosed) lifecycle.Component {
	return lifecycle.Component{Name: "diagnosis of " + service, Run: func(ctx context.Context, ready func()) error {
		sub, err := nc.Subscribe(Subject, func(m *nats.Msg) {
			raw, err := proto.Marshal(diagnosis(nc, keys, service, d, m))
			if err == nil {
				_ = m.Respond(raw) // who asks finds that this replica is silent
			}
		})
		if err != nil {
			return err
		}
		ready()
		<-ctx.Done()
		_ = sub.Unsubscribe()
		return nil
	}}
}

// diagnosis is what a request gets.
func diagnosis(nc *nats.Conn, keys auth.Keys, service string, d Diagnosed, m *nats.Msg) *diagnosticsv1.Diagnosis {
	answer := &diagnosticsv1.Diagnosis{Service: service, ServerId: nc.ConnectedServerId()}
	answer.ClientId, _ = nc.GetClientID()
	if err := allow(keys, m.Header.Get(header)); err != nil {
		answer.Refusal = err.Error()
		return answer
	}
	answer.Partitions = d.Diagnose()
	return answer
}

// allow lets those pass who may ask.
func allow(keys auth.Keys, authorization string) error {
	token, _ := strings.CutPrefix(authorization, bearer)
	p, err := keys.Verify(token, time.Now())
	if err != nil {
		return err
	}
	return access.CheckRole(p)
}

// Ask asks all replicas and returns what has been answered when ctx ends: how many there are is not known here. Answers
// that cannot be understood are left out. The error says that NATS cannot be asked.
func Ask(ctx context.Context, nc *nats.Conn, token string) ([]*diagnosticsv1.Diagnosis, error) {
	inbox := nc.NewRespInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("asking the replicas: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	request := nats.NewMsg(Subject)
	request.Reply = inbox
	request.Header.Set(header, bearer+token)
	if err := nc.PublishMsg(request); err != nil {
		return nil, fmt.Errorf("asking the replicas: %w", err)
	}
	var answers []*diagnosticsv1.Diagnosis
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			return nil, nil
		case ctx.Err() != nil:
			return answers, nil
		case err != nil:
			return answers, fmt.Errorf("asking the replicas: %w", err)
		}
		d := new(diagnosticsv1.Diagnosis)
		if proto.Unmarshal(m.Data, d) == nil {
			answers = append(answers, d)
		}
	}
}

// Partition is the status of a log as it is told.
func Partition(s ledger.Status) *diagnosticsv1.Partition {
	p := &diagnosticsv1.Partition{
		Log: s.Log, Replica: s.Replica, Applied: s.Applied, Writes: s.Writes,
		Now: timestamppb.New(s.Now), ClockAhead: durationpb.New(s.ClockAhead),
	}
	if s.Storing > 0 {
		p.Storing = durationpb.New(s.Storing)
	}
	return p
}

// MaxWaiting is how many of each kind a partition tells of.
const MaxWaiting = 100

// Oldest sorts what waits by when it was due, and keeps MaxWaiting.
func Oldest(all []*diagnosticsv1.Waiting) []*diagnosticsv1.Waiting {
	slices.SortFunc(all, func(a, b *diagnosticsv1.Waiting) int {
		return cmp.Or(a.GetSince().AsTime().Compare(b.GetSince().AsTime()), cmp.Compare(a.GetId(), b.GetId()))
	})
	return all[:min(len(all), MaxWaiting)]
}
