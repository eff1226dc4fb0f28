package main

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// addSchema adds the JSON Schema of a message and of all that it holds, and returns a reference to it.
func (d document) addSchema(m protoreflect.MessageDescriptor) object {
	name := string(m.FullName())
	if _, there := d.schemas[name]; !there {
		schema := object{"type": "object", "description": comment(m)}
		d.schemas[name] = schema // before its fields: a message may hold itself
		schema["properties"] = d.properties(m)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (d document) properties(m protoreflect.MessageDescriptor) object {
	properties := object{}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		properties[string(f.Name())] = d.field(f)
	}
	return properties
}

// field is the schema of a field as protobuf's JSON form has it. Only what says more than the type has a description.
func (d document) field(f protoreflect.FieldDescriptor) object {
	said := comment(f)
	switch {
	case f.IsMap():
		return described(object{"type": "object", "additionalProperties": d.value(f.MapValue())}, said)
	case f.IsList():
		return described(object{"type": "array", "items": d.value(f)}, said)
	}
	return described(d.value(f), said)
}

// value is the schema of a field's value, or of one of its values.
func (d document) value(f protoreflect.FieldDescriptor) object {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return object{"type": "integer", "format": "int32"}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return object{"type": "integer", "format": "uint32", "minimum": 0}
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return object{"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return object{"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return object{"type": "number"}
	case protoreflect.BytesKind:
		return object{"type": "string", "contentEncoding": "base64"}
	case protoreflect.EnumKind:
		return d.addEnum(f.Enum())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if f.Message().FullName() == "google.protobuf.Timestamp" {
			return object{"type": "string", "format": "date-time"}
		}
		return d.addSchema(f.Message())
	default:
		return object{"type": "string"}
	}
}

// addEnum adds the schema of an enum, whose values are names, and returns a reference to it.
func (d document) addEnum(e protoreflect.EnumDescriptor) object {
	name := string(e.FullName())
	if _, there := d.schemas[name]; !there {
		names, said := []string{}, []string{}
		if about := comment(e); about != "" {
			said = append(said, about)
		}
		for i := range e.Values().Len() {
			v := e.Values().Get(i)
			names = append(names, string(v.Name()))
			if about := comment(v); about != "" {
				said = append(said, "`"+string(v.Name())+"`: "+about)
			}
		}
		d.schemas[name] = described(object{"type": "string", "enum": names}, strings.Join(said, " "))
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// described adds a description. Beside a $ref it would not count.
func described(schema object, said string) object {
	if said == "" {
		return schema
	}
	if _, refers := schema["$ref"]; refers {
		return object{"allOf": []any{schema}, "description": said}
	}
	schema["description"] = said
	return schema
}
