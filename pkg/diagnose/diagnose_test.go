package diagnose_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/diagnose"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

var keys = auth.Keys{"k": strings.Repeat("s", 32)}

// service has one partition.
type service struct{ log string }

func (s service) Diagnose() []*diagnosticsv1.Partition {
	return []*diagnosticsv1.Partition{{Log: s.log}}
}

// run answers for a replica until stop is called.
func run(t *testing.T, nc *nats.Conn, name string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	serving, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- diagnose.Component(nc, keys, name, service{name + "_00"}).Run(ctx, func() { close(serving) })
	}()
	<-serving
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func ask(t *testing.T, nc *nats.Conn, token string) []*diagnosticsv1.Diagnosis {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	answers, err := diagnose.Ask(ctx, nc, token)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(answers, func(a, b *diagnosticsv1.Diagnosis) int { return strings.Compare(a.GetService(), b.GetService()) })
	return answers
}

func token(t *testing.T, p auth.Principal) string {
	t.Helper()
	token, err := auth.Sign("k", keys["k"], p, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Every replica answers, and says which connection is its own; those that are gone do not.
func TestAllReplicasAnswer(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	a, b, operator := natstest.Connect(t, server), natstest.Connect(t, server), natstest.Connect(t, server)
	admin := token(t, auth.Principal{User: "op", Live: auth.EveryLive, Role: auth.Admin})
	if got := ask(t, operator, admin); len(got) != 0 {
		t.Errorf("nobody is there, and answers: %v", got)
	}
	stopA, stopB := run(t, a, "a"), run(t, b, "b")
	got := ask(t, operator, admin)
	if len(got) != 2 {
		t.Fatalf("answers: %v", got)
	}
	for i, nc := range []*nats.Conn{a, b} {
		id, err := nc.GetClientID()
		if err != nil || got[i].GetClientId() != id || got[i].GetServerId() != nc.ConnectedServerId() || got[i].GetPartitions()[0].GetLog() != got[i].GetService()+"_00" {
			t.Errorf("%v, %v", got[i], err)
		}
	}
	stopA()
	if got := ask(t, operator, admin); len(got) != 1 || got[0].GetService() != "b" {
		t.Errorf("after a has stopped: %v", got)
	}
	stopB()
}

// Only who may serve is told anything.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	replica, operator := natstest.Connect(t, server), natstest.Connect(t, server)
	defer run(t, replica, "a")()
	for name, row := range map[string]struct{ token, refusal string }{
		"admin":    {token(t, auth.Principal{User: "op", Live: auth.EveryLive, Role: auth.Admin}), ""},
		"service":  {token(t, auth.Principal{User: "op", Live: auth.EveryLive, Role: auth.Service}), ""},
		"host":     {token(t, auth.Principal{User: "ann", Live: "red", Role: auth.Host}), "PERMISSION_DENIED"},
		"audience": {token(t, auth.Principal{User: "fan", Live: "red", Role: auth.Audience}), "PERMISSION_DENIED"},
		"no token": {"", "UNAUTHENTICATED"},
		"nonsense": {"nonsense", "UNAUTHENTICATED"},
	} {
		got := ask(t, operator, row.token)
		if len(got) != 1 || (len(got[0].GetPartitions()) > 0) != (row.refusal == "") || !strings.HasPrefix(got[0].GetRefusal(), row.refusal) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOldest(t *testing.T) {
	t.Parallel()
	var all []*diagnosticsv1.Waiting
	for i := range 2 * diagnose.MaxWaiting {
		all = append(all, &diagnosticsv1.Waiting{Id: fmt.Sprint(i), Since: timestamppb.New(time.Unix(int64(1000-i), 0))})
	}
	oldest := diagnose.Oldest(all)
	if len(oldest) != diagnose.MaxWaiting || oldest[0].GetId() != fmt.Sprint(2*diagnose.MaxWaiting-1) {
		t.Errorf("%d, the first is %v", len(oldest), oldest[0])
	}
	if len(diagnose.Oldest(nil)) != 0 {
		t.Error("something of nothing")
	}
}
