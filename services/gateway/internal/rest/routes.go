package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Route is one call of the REST API, as the protos declare it.
type Route struct {
	// Method is the HTTP method.
	Method string
	// Template is the path with its parameters in braces: /v1/battles/{battle_id}:accept.
	Template string

	segments []segment
	verb     string
	input    protoreflect.MessageDescriptor
	// body tells that the request is a JSON document; otherwise it is in path and query alone.
	body bool
}

// segment is a part of a path between slashes.
type segment struct {
	literal string
	// param names the field that the segment holds; empty for a literal.
	param string
}

// Routes returns all calls that the annotations of the services declare.
func Routes(services ...protoreflect.ServiceDescriptor) []Route {
	var routes []Route
	for _, service := range services {
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			if !proto.HasExtension(method.Options(), annotations.E_Http) {
				continue
			}
			rule := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
			routes = append(routes, newRoute(method.Input(), rule))
			for _, more := range rule.GetAdditionalBindings() {
				routes = append(routes, newRoute(method.Input(), more))
			}
		}
	}
	return routes
}

func newRoute(input protoreflect.MessageDescriptor, rule *annotations.HttpRule) Route {
	r := Route{input: input, body: rule.GetBody() == "*"}
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.Method, r.Template = http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		r.Method, r.Template = http.MethodPost, p.Post
	case *annotations.HttpRule_Put:
		r.Method, r.Template = http.MethodPut, p.Put
	case *annotations.HttpRule_Patch:
		r.Method, r.Template = http.MethodPatch, p.Patch
	case *annotations.HttpRule_Delete:
		r.Method, r.Template = http.MethodDelete, p.Delete
	}
	path := r.Template
	if i := strings.LastIndexByte(path, ':'); i > strings.LastIndexByte(path, '/') {
		path, r.verb = path[:i], path[i+1:]
	}
	for s := range strings.SplitSeq(path[1:], "/") {
		if strings.HasPrefix(s, "{") {
			r.segments = append(r.segments, segment{param: strings.Trim(s, "{}")})
		} else {
			r.segments = append(r.segments, segment{literal: s})
		}
	}
	return r
}

// match returns the parameters that an escaped path holds for the route, unescaped.
func (r *Route) match(path string) (params map[string]string, ok bool) {
	if r.verb != "" {
		if path, ok = strings.CutSuffix(path, ":"+r.verb); !ok {
			return nil, false
		}
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) != len(r.segments) {
		return nil, false
	}
	params = map[string]string{}
	for i, s := range r.segments {
		if s.param == "" {
			if parts[i] != s.literal {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(parts[i])
		if err != nil || value == "" || !utf8.ValidString(value) {
			return nil, false
		}
		params[s.param] = value
	}
	return params, true
}

// find returns the route of a request, and the methods that its path has. A path that is not exactly one of a route's
// (a doubled or trailing slash, a dot segment) has none.
func find(routes []Route, method, path string) (found *Route, params map[string]string, allowed []string) {
	for i := range routes {
		r := &routes[i]
		p, ok := r.match(path)
		if !ok {
			continue
		}
		if !slices.Contains(allowed, r.Method) {
			allowed = append(allowed, r.Method)
		}
		// The path of a verb is also that of a resource whose id ends like it; the verb is meant.
		if r.Method == method && (found == nil || r.verb != "") {
			found, params = r, p
		}
	}
	slices.Sort(allowed)
	return found, params, allowed
}
