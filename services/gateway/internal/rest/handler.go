// Package rest is the REST door: it turns requests into calls of the services behind the gateway, by the annotations of
// their protos, and refuses at the door what is malformed. Every error is an application/problem+json.
package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/faceoff-live/faceoff/pkg/auth"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Options are what the door needs.
type Options struct {
	Log *slog.Logger
	// Cohost, Battle and Score lead to the services.
	Cohost, Battle, Score grpc.ClientConnInterface
	// Gateway is the gateway's own service.
	Gateway gatewayv1.GatewayServiceServer
	// Keys tell whose tokens are accepted.
	Keys auth.Keys
	// CallTimeout bounds a call's time at the services.
	CallTimeout time.Duration
}

// Services are the services whose calls the door offers.
func Services() []protoreflect.ServiceDescriptor {
	return []protoreflect.ServiceDescriptor{
		cohostv1.File_faceoff_cohost_v1_cohost_service_proto.Services().ByName("CohostService"),
		battlev1.File_faceoff_battle_v1_battle_service_proto.Services().ByName("BattleService"),
		scorev1.File_faceoff_score_v1_score_service_proto.Services().ByName("ScoreService"),
		gatewayv1.File_faceoff_gateway_v1_gateway_service_proto.Services().ByName("GatewayService"),
	}
}

// Handler answers REST requests.
type Handler struct {
	o      Options
	routes []Route
	mux    *runtime.ServeMux
	own    map[string]http.Handler
}

// New makes the door. `own` are paths that the gateway answers by itself, by GET and without a token.
func New(o Options, own map[string]http.Handler) (*Handler, error) {
	h := &Handler{o: o, routes: Routes(Services()...), own: own}
	h.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newCodec()),
		// An escaped slash stays in the id, where it is refused, instead of becoming part of the path.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptSlash),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithIncomingHeaderMatcher(none),
		runtime.WithOutgoingHeaderMatcher(none),
		runtime.WithOutgoingTrailerMatcher(none),
		runtime.WithMetadata(forwarded),
		runtime.WithErrorHandler(h.refuse),
		runtime.WithRoutingErrorHandler(h.refuseRouting),
	)
	ctx := context.Background() // used for local handlers only
	if err := cohostv1.RegisterCohostServiceHandlerClient(ctx, h.mux, cohostv1.NewCohostServiceClient(o.Cohost)); err != nil {
		return nil, fmt.Errorf("cohost: %w", err)
	}
	if err := battlev1.RegisterBattleServiceHandlerClient(ctx, h.mux, battlev1.NewBattleServiceClient(o.Battle)); err != nil {
		return nil, fmt.Errorf("battle: %w", err)
	}
	if err := scorev1.RegisterScoreServiceHandlerClient(ctx, h.mux, scorev1.NewScoreServiceClient(o.Score)); err != nil {
		return nil, fmt.Errorf("score: %w", err)
	}
	if err := gatewayv1.RegisterGatewayServiceHandlerServer(ctx, h.mux, o.Gateway); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")

	method := r.Method
	if method == http.MethodHead { // net/http leaves the body out of the answer
		method = http.MethodGet
	}
	if own, ok := h.own[r.URL.Path]; ok {
		if method != http.MethodGet {
			refuseMethod(w, []string{http.MethodGet})
			return
		}
		own.ServeHTTP(w, r)
		return
	}
	route, params, allowed := find(h.routes, method, r.URL.EscapedPath())
	switch {
	case len(allowed) == 0:
		plain(http.StatusNotFound, "there is no such path").write(w)
		return
	case route == nil:
		refuseMethod(w, allowed)
		return
	}
	if p := h.authenticate(r); p != nil {
		p.write(w)
		return
	}
	if p := checkHeaders(r); p != nil {
		p.write(w)
		return
	}
	if p := checkQuery(r.URL.RawQuery, route, params); p != nil {
		p.write(w)
		return
	}
	body, p := readBody(w, r, route, params)
	if p != nil {
		p.write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.o.CallTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	r.Method, r.Body = method, body
	h.mux.ServeHTTP(w, r)
}

// authenticate refuses a request without a good token before anything else of it is looked at. What the token permits is
// the services' to judge.
func (h *Handler) authenticate(r *http.Request) *problem {
	values := r.Header.Values("Authorization")
	if len(values) == 1 {
		scheme, token, _ := strings.Cut(values[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			if _, err := h.o.Keys.Verify(token, time.Now()); err == nil {
				return nil
			}
		}
	}
	return refused(errorsv1.Reason_UNAUTHENTICATED, http.StatusUnauthorized,
		"an access token is needed (Authorization: Bearer), and it must be valid")
}

func refuseMethod(w http.ResponseWriter, allowed []string) {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	plain(http.StatusMethodNotAllowed, "the path has no such method").write(w)
}

// none keeps headers from becoming metadata, and metadata from becoming headers.
func none(string) (string, bool) { return "", false }

// forwarded is the metadata that goes with a call, apart from the token.
func forwarded(_ context.Context, r *http.Request) metadata.MD {
	md := metadata.MD{}
	for header, name := range map[string]string{idempotencyKey: "idempotency-key", sessionHeader: "faceoff-session"} {
		if value := r.Header.Get(header); value != "" {
			md.Set(name, value)
		}
	}
	return md
}

// refuse answers with what a service, or the decoding of the request, has refused.
func (h *Handler) refuse(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if body, ok := r.Body.(*requestBody); ok && body.refusal != nil {
		body.refusal.write(w)
		return
	}
	p := ofStatus(status.Convert(err))
	if p.Status == http.StatusInternalServerError {
		h.o.Log.ErrorContext(r.Context(), "call failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	p.write(w)
}

// refuseRouting answers where the mux finds no call although a route was found: it does not happen.
func (h *Handler) refuseRouting(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, httpStatus int) {
	plain(httpStatus, "there is no such call").write(w)
}
