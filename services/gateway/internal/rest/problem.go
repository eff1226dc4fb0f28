package rest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/faceoff-live/faceoff/pkg/rpc"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
)

// problem is an error answer as of RFC 9457, with our own members after the standard ones.
type problem struct {
	Type       string      `json:"type"`
	Title      string      `json:"title"`
	Status     int         `json:"status"`
	Detail     string      `json:"detail"`
	Reason     string      `json:"reason"`
	Code       int32       `json:"code"`
	Violations []violation `json:"field_violations"`

	retryAfter time.Duration // 0: not known
}

// violation is a field that is malformed.
type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

// errorDomain is the domain of an ErrorInfo that a service of ours has written; only then its text is for the caller.
const errorDomain = "faceoff"

// maxDetail bounds what of a caller's own input comes back in an error, in bytes.
const maxDetail = 300

// plain is a problem that the HTTP status tells all about (RFC 9457, section 4.2.1).
func plain(httpStatus int, detail string) *problem {
	p := refused(errorsv1.Reason_INVALID_ARGUMENT, httpStatus, detail)
	p.Type, p.Title = "about:blank", http.StatusText(httpStatus)
	return p
}

// malformed is the problem of a request with a malformed field. The field may be empty when none can be named.
func malformed(field, detail string) *problem {
	detail = shorten(detail)
	p := refused(errorsv1.Reason_INVALID_ARGUMENT, http.StatusBadRequest, detail)
	if field != "" {
		p.Detail = field + ": " + detail
		p.Violations = append(p.Violations, violation{Field: field, Description: detail})
	}
	return p
}

func refused(reason errorsv1.Reason, httpStatus int, detail string) *problem {
	return &problem{
		Type:   "/errors/" + reason.String(),
		Title:  words(reason.String()),
		Status: httpStatus, Detail: detail,
		Reason: reason.String(), Code: rpc.ReferenceNumber(reason.String()),
		Violations: []violation{},
	}
}

// ofStatus is the problem that a service's answer means.
func ofStatus(st *status.Status) *problem {
	reason, ours := errorsv1.Reason_REASON_UNSPECIFIED, false
	var violations []violation
	var retryAfter time.Duration
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == errorDomain {
				reason, ours = errorsv1.Reason(errorsv1.Reason_value[d.GetReason()]), true
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				violations = append(violations, violation{Field: v.GetField(), Description: v.GetDescription()})
			}
		case *errdetails.RetryInfo:
			retryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	if !ours {
		return ofCode(st)
	}
	p := refused(reason, rpc.HTTPStatus(st.Code()), st.Message())
	p.Violations, p.retryAfter = append(p.Violations, violations...), retryAfter
	return p
}

// ofCode is the problem of an error that the transport made: of its text nothing goes out but what it says about the
// caller's own input.
func ofCode(st *status.Status) *problem {
	httpStatus := rpc.HTTPStatus(st.Code())
	switch st.Code() {
	case codes.InvalidArgument, codes.OutOfRange:
		return malformed("", st.Message())
	case codes.Unauthenticated:
		return refused(errorsv1.Reason_UNAUTHENTICATED, httpStatus, "the access token was not accepted")
	case codes.PermissionDenied:
		return refused(errorsv1.Reason_PERMISSION_DENIED, httpStatus, "the access token does not permit this")
	case codes.ResourceExhausted:
		return refused(errorsv1.Reason_RATE_LIMITED, httpStatus, "a limit was reached; try again later")
	case codes.Unavailable:
		return refused(errorsv1.Reason_UNAVAILABLE, httpStatus,
			"the service cannot be reached now and the outcome is not known; repeat the call with the same ids")
	case codes.DeadlineExceeded, codes.Canceled:
		return refused(errorsv1.Reason_DEADLINE_EXCEEDED, httpStatus,
			"the service did not answer in time and the outcome is not known; repeat the call with the same ids")
	case codes.Unimplemented:
		return plain(http.StatusNotImplemented, "this server does not offer the call")
	}
	return refused(errorsv1.Reason_INTERNAL, http.StatusInternalServerError, "internal error")
}

// write answers with the problem.
func (p *problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers only
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if wait := rpc.RetryAfter(p.Reason, p.retryAfter); wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(wait, 10))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// words makes "Battle not found" of BATTLE_NOT_FOUND.
func words(name string) string {
	s := strings.ToLower(strings.ReplaceAll(name, "_", " "))
	return strings.ToUpper(s[:1]) + s[1:]
}

func shorten(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	return strings.ToValidUTF8(s[:maxDetail], "") + "…"
}
