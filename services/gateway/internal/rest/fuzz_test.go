package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// behind is what stands behind the door: it keeps the calls that pass, and answers each with nothing.
type behind struct {
	grpc.ClientConnInterface
	calls []proto.Message
	keys  []string
}

func (b *behind) Invoke(ctx context.Context, _ string, request, _ any, _ ...grpc.CallOption) error {
	b.calls = append(b.calls, request.(proto.Message))
	md, _ := metadata.FromOutgoingContext(ctx)
	b.keys = md.Get("idempotency-key")
	return nil
}

// own is the gateway's own service, whose calls are kept as well.
type own struct {
	gatewayv1.UnimplementedGatewayServiceServer
	*behind
}

func (o own) GetLiveState(ctx context.Context, request *gatewayv1.GetLiveStateRequest) (*gatewayv1.GetLiveStateResponse, error) {
	return new(gatewayv1.GetLiveStateResponse), o.Invoke(rpc.Forwarded(ctx), "", request, nil)
}

// FuzzRequest: a request of somebody with a good token makes one call, with what stands in its path, or it is refused with
// a problem that says why; nothing that it holds breaks the door.
func FuzzRequest(f *testing.F) {
	keys := auth.Keys{"key": strings.Repeat("s", 32)}
	token, err := auth.Sign("key", keys["key"], auth.Principal{User: "u", Live: auth.EveryLive, Role: auth.Admin}, time.Hour, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	passed := &behind{}
	door, err := New(Options{Log: slog.New(slog.DiscardHandler), Cohost: passed, Battle: passed, Score: passed, Gateway: own{behind: passed}, Keys: keys, CallTimeout: time.Minute}, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range door.routes {
		path := strings.NewReplacer("{live_id}", "a", "{battle_id}", "b", "{event_id}", "e:1").Replace(r.Template)
		f.Add(r.Method, path, "{}", "application/json", "*/*", "id-1")
		f.Add(r.Method, path, "", "", "", "")
	}
	for _, s := range []string{
		"/v1/lives?page_size=3&page_token=x", "/v1/lives?page_size=x", "/v1/lives?pageSize=1&page_size=2", "/v1/lives?page_size=1&page_size=2", "/v1/lives?none=1", "/v1/lives?%zz",
		"/v1/lives/", "/v1//lives", "/v1/lives/a%2fb", "/v1/lives/%00", "/v1/lives/%ff", "/v1/lives/.", "/v1/lives/a?live_id=b", "/v1/battles?status=RUNNING", "/v1/battles?status=99",
		"/v1/battles?status=2", "/v1/lives/a:b", "/v1/lives/a/cohost:request", "/v1/lives/cohost:accept/gifts/e", "/v1/battles?live_id=%20", "/v1/lives?page_size=99999999999", "*", "/v1/lives?a[b]=c",
	} {
		f.Add("GET", s, "", "", "", "")
	}
	f.Add("POST", "/v1/lives", `{"live_id": "a", "kind": "VIDEO", "host": {"user_id": "u"}}`, "application/json; charset=UTF-8", "application/json;q=0", "")
	f.Add("POST", "/v1/lives/a/cohost:request", `{"live_id":"b","target_live_ids":["c"]}`, "application/json", "application/problem+json", "a b")
	f.Add("POST", "/v1/battles", "{\"inviter_live_id\":\"\xff\"}", "application/json", "", "")
	f.Add("POST", "/v1/gifts", strings.Repeat("[", 100), "application/json", "", "")
	f.Add("POST", "/v1/gifts", "\ufeff{}", "application/json", "", "")
	f.Add("DELETE", "/v1/lives/a", "null", "text/json", "text/html", "")
	f.Fuzz(func(t *testing.T, method, target, body, media, accept, key string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // net/http refuses it
		}
		r := (&http.Request{Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "x", Header: http.Header{}, Body: httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).Body}).WithContext(t.Context())
		r.Header.Set("Authorization", "Bearer "+token)
		for name, value := range map[string]string{"Content-Type": media, "Accept": accept, idempotencyKey: key} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		passed.calls, passed.keys = nil, nil
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			if len(passed.calls) != 1 || !json.Valid(w.Body.Bytes()) || len(passed.keys) > 0 && ids.Command("key", passed.keys[0]) != nil {
				t.Fatalf("%s %s: %d calls with key %q, answer %q", method, target, len(passed.calls), passed.keys, w.Body)
			}
			asInPath(t, door, method, u, passed.calls[0])
			return
		}
		if len(passed.calls) > 0 {
			t.Fatalf("%s %s: %d, and the call was made", method, target, w.Code)
		}
		var p problem
		d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil || p.Status != w.Code || p.Status < 400 || p.Status >= 500 || p.Title == "" || p.Detail == "" || errorsv1.Reason_value[p.Reason] == 0 ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Fatalf("%s %s: %d %s, %v", method, target, w.Code, w.Body, err)
		}
	})
}

// asInPath makes sure that a call has the ids that stand in the path.
func asInPath(t *testing.T, door *Handler, method string, u *url.URL, call proto.Message) {
	t.Helper()
	if method == http.MethodHead {
		method = http.MethodGet
	}
	_, params, _ := find(door.routes, method, u.EscapedPath())
	for name, want := range params {
		m := call.ProtoReflect()
		if got := m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name))).String(); got != want {
			t.Fatalf("%s %s: %s is %q", method, u, name, got)
		}
	}
}

// FuzzField: a refusal of protojson names a field of the document, or none, and is short.
func FuzzField(f *testing.F) {
	for _, s := range []string{`{"a":{"b":[1,{"c":x}]}}`, `[[[`, `{"a":1,`, "{\"ä\n\":1}", "\xff", `{"a"`, strings.Repeat(`{"a":`, 100)} {
		f.Add([]byte(s), 1, 1)
		f.Add([]byte(s), 2, len(s))
	}
	f.Fuzz(func(t *testing.T, data []byte, line, column int) {
		at := offset(data, line, column)
		if at < 0 || at > len(data) {
			t.Fatalf("line %d, column %d of %q is at %d", line, column, data, at)
		}
		if path := fieldAt(data, at); len(path) > maxDetail+len("…") {
			t.Fatalf("a path of %d bytes", len(path))
		}
	})
}
