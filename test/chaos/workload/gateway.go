package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// gateway is one way in, by gRPC and by REST.
type gateway struct {
	*grpc.ClientConn
	base string
}

func dial(address, base string) (*gateway, error) {
	conn, err := rpc.Dial(address, rpc.DialOptions{}, grpc.WithConnectParams(grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: 500 * time.Millisecond},
		MinConnectTimeout: time.Second,
	}))
	return &gateway{conn, base}, err
}

// Doors of unary calls.
const (
	byGRPC = "gRPC"
	byREST = "REST"
)

// invocation is a unary call as one of the users.
type invocation struct {
	user, key string // key: the idempotency key, if any
	method    string // /package.Service/Method
	request   proto.Message
}

// invoke makes a call through a door of any gateway. The error is a *es.Refusal or a status with one; any other says
// nothing about the outcome.
func (c *client) invoke(ctx context.Context, door string, i invocation) (proto.Message, error) {
	return c.invokeAt(ctx, pick(c, c.gateways), door, i)
}

func (w *Workload) invokeAt(ctx context.Context, g *gateway, door string, i invocation) (proto.Message, error) {
	method, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(i.method[1:], "/", ".")))
	if err != nil {
		return nil, err
	}
	m := method.(protoreflect.MethodDescriptor)
	kind, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if err != nil {
		return nil, err
	}
	response := kind.New().Interface()
	if door == byREST {
		return response, w.rest(ctx, g, i, m, response)
	}
	return response, g.Invoke(w.as(ctx, i.user, i.key), i.method, i.request, response)
}

// as returns a context for gRPC calls of a user.
func (w *Workload) as(ctx context.Context, user, key string) context.Context {
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+w.tokens[user])
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "idempotency-key", key)
	}
	return ctx
}

func (w *Workload) rest(ctx context.Context, g *gateway, i invocation, m protoreflect.MethodDescriptor, response proto.Message) error {
	verb, path, in := route(m, i.request)
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, verb, g.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.tokens[i.user])
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if i.key != "" {
		req.Header.Set("Idempotency-Key", i.key)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var problem struct{ Reason, Title, Detail string }
		if json.Unmarshal(data, &problem) == nil && problem.Reason != "" {
			return es.Refuse(problem.Reason, "%s", problem.Detail)
		}
		return fmt.Errorf("HTTP status %d %s %s", resp.StatusCode, problem.Title, problem.Detail)
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, response)
}

// route is how a call is made by REST, by the annotation of its method. body is nil if there is none.
func route(m protoreflect.MethodDescriptor, request proto.Message) (verb, path string, body proto.Message) {
	rule := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		verb, path = http.MethodGet, p.Get
	case *annotations.HttpRule_Delete:
		verb, path = http.MethodDelete, p.Delete
	case *annotations.HttpRule_Post:
		verb, path = http.MethodPost, p.Post
	case *annotations.HttpRule_Patch:
		verb, path = http.MethodPatch, p.Patch
	}
	rest := proto.Clone(request)
	fields := rest.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if name := "{" + string(field.Name()) + "}"; strings.Contains(path, name) {
			path = strings.ReplaceAll(path, name, url.PathEscape(rest.ProtoReflect().Get(field).String()))
			rest.ProtoReflect().Clear(field)
		}
	}
	if rule.GetBody() == "" {
		return verb, path, nil
	}
	return verb, path, rest
}
