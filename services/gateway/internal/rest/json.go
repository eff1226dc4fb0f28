package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// maxDepth is how deeply a request's JSON may nest.
const maxDepth = 32

// codec reads and writes JSON: field names as in the protos, values present even if zero, one document and no more,
// no field that the message does not know.
type codec struct{ runtime.JSONPb }

func newCodec() *codec {
	return &codec{runtime.JSONPb{
		MarshalOptions: protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true},
	}}
}

// NewDecoder implements runtime.Marshaler.
func (*codec) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		body, ok := r.(*requestBody)
		if !ok {
			return fmt.Errorf("a body of type %T was not checked", r)
		}
		message, ok := v.(proto.Message)
		if !ok {
			return fmt.Errorf("%T is no message", v)
		}
		if len(body.data) == 0 {
			return io.EOF // stands for the empty object
		}
		if err := protojson.Unmarshal(body.data, message); err != nil {
			body.refusal = explain(body.data, err)
			return err
		}
		return nil
	})
}

// requestBody is the whole body of a request, read and checked.
type requestBody struct {
	io.Reader
	data []byte
	// refusal is why data is not the message that the call wants, once that is known.
	refusal *problem
}

// Close implements io.Closer.
func (*requestBody) Close() error { return nil }

var position = regexp.MustCompile(`\(line (\d+):(\d+)\):\s*(.*)`)

// explain makes an error of protojson one that names the field.
func explain(data []byte, err error) *problem {
	// protojson varies its blanks so that nobody compares whole texts.
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	m := position.FindStringSubmatch(text)
	if m == nil {
		return malformed("", strings.TrimSpace(strings.TrimPrefix(text, "proto:")))
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	return malformed(fieldAt(data, offset(data, line, column)), m[3])
}

// offset returns the index in data of a line and a column, both from 1, the latter in characters.
func offset(data []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return len(data)
		}
		at += i + 1
	}
	for ; column > 1 && at < len(data); column-- {
		_, size := utf8.DecodeRune(data[at:])
		at += size
	}
	return at
}

// fieldAt returns the path of the value or key that stands at an index of a JSON document, such as gifts[3].unit_value.
func fieldAt(data []byte, at int) string {
	type level struct {
		array bool
		index int
		key   string
		inKey bool // the next token of an object is a key
	}
	var levels []level
	path := func() string {
		var b strings.Builder
		for _, l := range levels {
			switch {
			case l.array:
				fmt.Fprintf(&b, "[%d]", l.index)
			case l.key != "":
				if b.Len() > 0 {
					b.WriteByte('.')
				}
				b.WriteString(l.key)
			}
		}
		return shorten(b.String())
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.Token()
		if err != nil {
			return path()
		}
		top := len(levels) - 1
		if top >= 0 && levels[top].inKey {
			if key, ok := token.(string); ok {
				levels[top].key, levels[top].inKey = key, false
				if decoder.InputOffset() > int64(at) {
					return path()
				}
				continue
			}
		}
		if decoder.InputOffset() > int64(at) {
			return path()
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{inKey: true})
			continue
		case json.Delim('['):
			levels = append(levels, level{array: true})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:top]
		}
		// A value is complete: on to the next element or key.
		if top = len(levels) - 1; top >= 0 {
			levels[top].index++
			levels[top].inKey = !levels[top].array
		}
	}
}

// tooDeep tells if a JSON document nests deeper than maxDepth. It does not check anything else.
func tooDeep(data []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
