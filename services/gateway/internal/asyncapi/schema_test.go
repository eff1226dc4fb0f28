package asyncapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/gateway/internal/asyncapi"
)

// schema is what the document uses of JSON Schema.
type schema struct {
	Ref                  string `json:"$ref"`
	AllOf                []schema
	Type, Format         string
	Pattern              string
	Enum                 []string
	Minimum              *float64
	Items                *schema
	Properties           map[string]schema
	Required             []string
	AdditionalProperties *schema
	ContentEncoding      string
	Description          string
}

// schemas are those of the document, by name.
type schemas map[string]schema

// whole is a schema without references.
func (all schemas) whole(s schema) schema {
	for len(s.AllOf) == 1 {
		s = s.AllOf[0]
	}
	if s.Ref != "" {
		return all[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// wrong lists where a value does not fit a schema. A property that the schema has not is wrong.
func (all schemas) wrong(at string, s schema, value any) (faults []string) {
	s = all.whole(s)
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	switch v := value.(type) {
	case map[string]any:
		if s.Type != "object" {
			fault("an object, schema %+v", s)
		}
		for _, name := range s.Required {
			if _, there := v[name]; !there {
				fault("%s is missing", name)
			}
		}
		for name, x := range v {
			property, known := s.Properties[name]
			if !known && s.AdditionalProperties != nil {
				property, known = *s.AdditionalProperties, true
			}
			if !known {
				fault("%s is not in the schema", name)
				continue
			}
			faults = append(faults, all.wrong(at+"."+name, property, x)...)
		}
	case []any:
		if s.Type != "array" || s.Items == nil {
			fault("an array, schema %+v", s)
			break
		}
		for i, x := range v {
			faults = append(faults, all.wrong(fmt.Sprint(at, "[", i, "]"), *s.Items, x)...)
		}
	case string:
		_, noTime := time.Parse(time.RFC3339Nano, v)
		switch {
		case s.Type != "string", s.Enum != nil && !slices.Contains(s.Enum, v), s.Format == "date-time" && noTime != nil:
			fault("%q, schema %+v", v, s)
		case !regexp.MustCompile(s.Pattern).MatchString(v):
			fault("%q is not %s", v, s.Pattern)
		}
	case bool:
		if s.Type != "boolean" {
			fault("a boolean, schema %+v", s)
		}
	case float64:
		if s.Type != "integer" && s.Type != "number" || s.Type == "integer" && v != float64(int64(v)) || s.Minimum != nil && v < *s.Minimum {
			fault("%v, schema %+v", v, s)
		}
	}
	return faults
}

// fill sets all fields of a message; of a oneof only the one that keep takes, or all but the last are overwritten.
func fill(m protoreflect.Message, keep func(protoreflect.FieldDescriptor) bool) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		if !keep(f) {
			continue
		}
		switch {
		case f.IsMap():
			panic("no event has a map yet: " + f.FullName())
		case f.IsList() && f.Message() != nil:
			fill(m.Mutable(f).List().AppendMutable().Message(), keep)
		case f.IsList():
			m.Mutable(f).List().Append(some(f))
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), keep)
		default:
			m.Set(f, some(f))
		}
	}
}

// some is a value that is not the default.
func some(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(f.Enum().Values().Get(f.Enum().Values().Len() - 1).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(1)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{1})
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("x")
	}
	panic("no event has such a field yet: " + f.FullName())
}

// TestPayloads: each event, with every field set, fits the schema of its payload in protobuf's JSON form, and no other event's.
func TestPayloads(t *testing.T) {
	t.Parallel()
	var doc struct {
		Components struct {
			Messages map[string]struct{ Payload schema }
			Schemas  schemas
		}
	}
	if err := json.Unmarshal(asyncapi.Document, &doc); err != nil {
		t.Fatal(err)
	}
	all, payloads := doc.Components.Schemas, make(map[string]any)
	for _, kind := range []proto.Message{new(cohostv1.Event), new(battlev1.Event)} {
		types := kind.ProtoReflect().Descriptor().Oneofs().ByName("event").Fields()
		for i := range types.Len() {
			event := kind.ProtoReflect().New()
			fill(event, func(f protoreflect.FieldDescriptor) bool {
				return f == types.Get(i) || f.ContainingOneof() == nil || f.ContainingMessage() != kind.ProtoReflect().Descriptor()
			})
			text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(event.Interface())
			if err != nil {
				t.Fatal(err)
			}
			var value any
			if err := json.Unmarshal(text, &value); err != nil {
				t.Fatal(err)
			}
			payloads[string(types.Get(i).Message().FullName())] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Messages)) {
		payload := doc.Components.Messages[name].Payload
		for of, value := range payloads {
			switch faults := all.wrong(of, payload, value); {
			case of == name && len(faults) > 0:
				t.Errorf("does not fit its schema:\n%s", strings.Join(faults, "\n"))
			case of != name && len(faults) == 0:
				t.Errorf("%s fits the schema of %s", of, name)
			}
		}
	}
	for name, want := range map[string]string{
		"faceoff.battle.v1.BattleStarting": "BattleStarting goes to all lives", "faceoff.battle.v1.Battle.EndReason": "`FORFEIT`: All others exited",
	} {
		if !strings.Contains(all[name].Description, want) {
			t.Errorf("%s says %q, want %q", name, all[name].Description, want)
		}
	}
	if hash := all["faceoff.battle.v1.ClosingProof"].Properties["chain_hash"]; hash.ContentEncoding != "base64" {
		t.Errorf("bytes are %+v", hash)
	}
	if at := all["faceoff.battle.v1.Battle"].Properties["starts_at"]; at.Format != "date-time" {
		t.Errorf("a time is %+v", at)
	}
	if said := all["faceoff.battle.v1.Battle"].Properties["starts_at"].Description; !strings.HasPrefix(said, "Gifts count from here on.") {
		t.Errorf("of starts_at the schema says %q", said)
	}
}
