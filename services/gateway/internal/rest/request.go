package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/faceoff-live/faceoff/pkg/ids"
)

const (
	// maxBody limits a request's body, in bytes.
	maxBody = 64 << 10
	// maxGiftsBody limits it where hundreds of gifts come in one call, in bytes.
	maxGiftsBody = 512 << 10

	idempotencyKey = "Idempotency-Key"
	sessionHeader  = "Faceoff-Session"
)

// checkHeaders refuses a request whose headers ask for or bring what the API does not speak.
func checkHeaders(r *http.Request) *problem {
	if !acceptsJSON(r.Header.Values("Accept")) {
		return plain(http.StatusNotAcceptable, "answers are application/json and application/problem+json only")
	}
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return plain(http.StatusUnsupportedMediaType, "bodies must not be encoded (Content-Encoding)")
	}
	for _, name := range []string{idempotencyKey, sessionHeader} {
		values := r.Header.Values(name)
		if len(values) > 1 {
			return malformed(name, "must be given once")
		}
		if len(values) == 1 && ids.Command(name, values[0]) != nil {
			return malformed(name, "must be 1 to 64 of A-Z a-z 0-9 _ - . :")
		}
	}
	return nil
}

// acceptsJSON tells if the values of Accept (RFC 9110, section 12.5.1) leave room for JSON.
func acceptsJSON(values []string) bool {
	if len(values) == 0 {
		return true
	}
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			kind, params, err := mime.ParseMediaType(one)
			if err != nil || strings.Trim(params["q"], "0.") == "" && params["q"] != "" {
				continue
			}
			switch kind {
			case "*/*", "application/*", "application/json", "application/problem+json":
				return true
			}
		}
	}
	return false
}

// readBody reads the body, and refuses one that is not JSON as the API speaks it. What the call wants of it is checked
// later, when the message is decoded.
func readBody(w http.ResponseWriter, r *http.Request, route *Route, params map[string]string) (*requestBody, *problem) {
	limit := int64(maxBody)
	if route.Template == "/v1/gifts" {
		limit = maxGiftsBody
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, plain(http.StatusRequestEntityTooLarge, "the body is larger than the call allows")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, plain(http.StatusRequestTimeout, "the body did not come in time")
	case err != nil:
		return nil, plain(http.StatusBadRequest, "the body is not complete")
	}
	body := &requestBody{Reader: bytes.NewReader(data), data: data}
	if len(data) == 0 {
		return body, nil
	}
	switch {
	case !route.body:
		return nil, plain(http.StatusBadRequest, "the call takes no body")
	case !isJSON(r.Header.Values("Content-Type")):
		return nil, plain(http.StatusUnsupportedMediaType, "the body must be application/json (charset utf-8)")
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return nil, malformed("", "the body must not begin with a byte order mark")
	case !utf8.Valid(data):
		return nil, malformed("", "the body must be UTF-8")
	case tooDeep(data):
		return nil, malformed("", "the body nests too deeply")
	}
	return body, contradicts(data, route, params)
}

func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	kind, params, err := mime.ParseMediaType(values[0])
	if err != nil || kind != "application/json" {
		return false
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}

// contradicts refuses a body that names another id than the path: the path would win, silently.
func contradicts(data []byte, route *Route, params map[string]string) *problem {
	if len(params) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return nil // refused with a better reason when the message is decoded
	}
	for name, want := range params {
		for _, spelling := range spellings(route.input, name) {
			var got string
			if raw, ok := fields[spelling]; ok && json.Unmarshal(raw, &got) == nil && got != "" && got != want {
				return malformed(name, "differs from the one in the path")
			}
		}
	}
	return nil
}

// spellings are the names that JSON has for a field.
func spellings(message protoreflect.MessageDescriptor, name string) []string {
	if field := message.Fields().ByName(protoreflect.Name(name)); field != nil {
		return []string{name, field.JSONName()}
	}
	return []string{name}
}

// noFilter excludes no field from the query.
var noFilter = utilities.NewDoubleArray(nil)

// checkQuery refuses parameters that the call does not know, or whose value is none for their field.
func checkQuery(rawQuery string, route *Route, params map[string]string) *problem {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return plain(http.StatusBadRequest, "the query is malformed")
	}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !utf8.ValidString(key + strings.Join(values[key], "")) {
			return plain(http.StatusBadRequest, "the query is not UTF-8")
		}
		field := route.input.Fields().ByName(protoreflect.Name(key))
		if field == nil {
			field = route.input.Fields().ByJSONName(key)
		}
		_, inPath := params[key]
		if route.body || inPath || field == nil || field.Message() != nil {
			return malformed(shorten(key), "the call has no such parameter")
		}
		message := dynamicpb.NewMessage(route.input)
		if err := runtime.PopulateQueryParameters(message, url.Values{key: values[key]}, noFilter); err != nil {
			return malformed(string(field.Name()), "the value is none for this parameter")
		}
	}
	return nil
}
