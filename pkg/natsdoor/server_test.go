package natsdoor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// options of a door for greetings; a greeting is a User.
func options(inFlight int) Options {
	return Options{
		Name: "greetings", Prefix: "greet.", Queue: "greeters", MaxBytes: 100, InFlight: inFlight, PendingBytes: 1 << 20,
		Timeout: time.Second, Log: slog.New(slog.DiscardHandler),
	}
}

// greeted answers with who greets, at which live.
func greeted(_ context.Context, r *Request) (proto.Message, error) {
	u := new(userv1.User)
	if err := r.Unmarshal(u); err != nil {
		return nil, err
	}
	return &userv1.User{UserId: u.GetUserId() + " at " + r.LiveID}, r.SameLive("avatar_url", &u.AvatarUrl)
}

func serve(t *testing.T, answer Answer, inFlight int) *nats.Conn {
	t.Helper()
	nc := natstest.Connect(t, natstest.Start(t))
	s := New(nc, answer, options(inFlight))
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Component().Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return nc
}

func TestRequests(t *testing.T) {
	t.Parallel()
	nc := serve(t, greeted, 8)
	binary, err := proto.Marshal(&userv1.User{UserId: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	asJSON := nats.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for name, row := range map[string]struct {
		subject string
		header  nats.Header
		data    []byte
		id      string
		refusal string
	}{
		"protobuf":          {"greet.a", nil, binary, "ann at a", ""},
		"protobuf, said so": {"greet.a", nats.Header{"Content-Type": {"application/x-protobuf"}}, binary, "ann at a", ""},
		"JSON":              {"greet.a", asJSON, []byte(`{"user_id": "ann"}`), "ann at a", ""},
		"its live":          {"greet.a", asJSON, []byte(`{"user_id": "ann", "avatar_url": "a"}`), "ann at a", ""},
		"another live":      {"greet.a", asJSON, []byte(`{"avatar_url": "b"}`), "", `INVALID_ARGUMENT: avatar_url: is "b", but the subject says "a"`},
		"no live":           {"greet.a+b", nil, binary, "", "INVALID_ARGUMENT: live_id: "},
		"no protobuf":       {"greet.a", nil, []byte("hello"), "", "INVALID_ARGUMENT: not a User: "},
		"no JSON":           {"greet.a", asJSON, []byte("hello"), "", "INVALID_ARGUMENT: not a User: "},
		"another encoding":  {"greet.a", nats.Header{"Content-Type": {"text/xml"}}, binary, "", "INVALID_ARGUMENT: Content-Type: must be"},
		"another charset":   {"greet.a", nats.Header{"Content-Type": {"application/json; charset=latin1"}}, binary, "", "INVALID_ARGUMENT: Content-Type: must be"},
		"too large":         {"greet.a", nil, make([]byte, 101), "", "INVALID_ARGUMENT: the message has 101 bytes, more than 100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := nc.RequestMsgWithContext(t.Context(), &nats.Msg{Subject: row.subject, Header: row.header, Data: row.data})
			if err != nil {
				t.Fatal(err)
			}
			if row.refusal != "" {
				if code, text := m.Header.Get("Nats-Service-Error-Code"), m.Header.Get("Nats-Service-Error"); code != "400" || !strings.HasPrefix(text, row.refusal) {
					t.Errorf("answered %s %q", code, text)
				}
				return
			}
			u, decode := new(userv1.User), proto.Unmarshal
			if m.Header.Get("Content-Type") == "application/json" {
				decode = protojson.Unmarshal
			}
			if err := decode(m.Data, u); err != nil || u.GetUserId() != row.id {
				t.Errorf("answered %q, %v", m.Data, err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	var fault atomic.Value
	nc := serve(t, func(context.Context, *Request) (proto.Message, error) { return nil, fault.Load().(error) }, 8)
	for _, row := range []struct {
		err               error
		code, text, again string
	}{
		{es.Refuse("RATE_LIMITED", "too\nmany"), "429", "RATE_LIMITED: too many", "1"},
		{es.Refuse("RATE_LIMITED", "too many").After(1500 * time.Millisecond), "429", "RATE_LIMITED: too many", "2"},
		{es.Refuse("CONNECTION_FULL", "no seat"), "429", "CONNECTION_FULL: no seat", ""},
		{fmt.Errorf("somewhere: %w", ledger.ErrUnavailable), "503", "UNAVAILABLE: nobody can answer now; the outcome is not known", "1"},
		{context.DeadlineExceeded, "504", "DEADLINE_EXCEEDED: no answer in the call's time; the outcome is not known", ""},
		{errors.New("a secret"), "500", "INTERNAL: internal error", ""},
	} {
		fault.Store(fmt.Errorf("deciding: %w", row.err))
		m, err := nc.RequestWithContext(t.Context(), "greet.a", nil)
		if err != nil {
			t.Fatal(err)
		}
		code, text, again := m.Header.Get("Nats-Service-Error-Code"), m.Header.Get("Nats-Service-Error"), m.Header.Get("Retry-After")
		if code != row.code || text != row.text || again != row.again {
			t.Errorf("%v became %s %q, again after %q; want %s %q, %q", row.err, code, text, again, row.code, row.text, row.again)
		}
	}
}

// TestSideBySide has requests wait for each other: answered one after another they would never be.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	const n = 64
	arrived := make(chan struct{}, n)
	all := make(chan struct{})
	go func() {
		for range n {
			<-arrived
		}
		close(all)
	}()
	nc := serve(t, func(ctx context.Context, _ *Request) (proto.Message, error) {
		arrived <- struct{}{}
		select {
		case <-all:
			return new(userv1.User), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, n)
	answers := make(chan error, n)
	for range n {
		go func() {
			m, err := nc.RequestWithContext(t.Context(), "greet.a", nil)
			if err == nil && m.Header.Get("Nats-Service-Error") != "" {
				err = fmt.Errorf("%s", m.Header.Get("Nats-Service-Error"))
			}
			answers <- err
		}()
	}
	for range n {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
}
