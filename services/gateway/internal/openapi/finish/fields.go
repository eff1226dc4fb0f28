package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	// Their descriptors name the fields.
	_ "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	_ "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	_ "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	_ "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// nameFields gives all properties and query parameters the names of the protos, and their rules as constraints.
func nameFields(doc object) error {
	schemas := child(child(doc, "components"), "schemas")
	for name, schema := range schemas {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			continue // not of our protos; see describeCalls
		}
		if message, ok := d.(protoreflect.MessageDescriptor); ok && strings.HasPrefix(name, "faceoff.") {
			if err := nameProperties(message, schema.(object)); err != nil {
				return err
			}
		}
	}
	methods := methodsByOperation()
	return operations(doc, func(_, _ string, operation object) error {
		method, ok := methods[operation["operationId"].(string)]
		if !ok {
			return fmt.Errorf("no method is called %v", operation["operationId"])
		}
		if body, ok := operation["requestBody"].(object); ok {
			schema := child(child(child(body, "content"), "application/json"), "schema")
			if err := nameProperties(method.Input(), schema); err != nil {
				return err
			}
			_, some := schema["required"]
			body["required"] = some // a call without required fields needs no body
		}
		parameters, _ := operation["parameters"].([]any)
		for _, p := range parameters {
			parameter := p.(object)
			field := fieldNamed(method.Input(), parameter["name"].(string))
			if field == nil {
				return fmt.Errorf("%s has no field %v", method.Input().FullName(), parameter["name"])
			}
			parameter["name"] = string(field.Name())
			constrain(rulesOf(field), parameter["schema"].(object))
		}
		return nil
	})
}

// methodsByOperation returns all methods by the ids that the generator gives them.
func methodsByOperation() map[string]protoreflect.MethodDescriptor {
	methods := map[string]protoreflect.MethodDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			service := f.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				methods[string(service.Name()+"_"+method.Name())] = method
			}
		}
		return true
	})
	return methods
}

func fieldNamed(message protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if field := message.Fields().ByJSONName(name); field != nil {
		return field
	}
	return message.Fields().ByName(protoreflect.Name(name))
}

func nameProperties(message protoreflect.MessageDescriptor, schema object) error {
	properties, ok := schema["properties"].(object)
	if !ok {
		return nil
	}
	renamed := object{}
	var required []string
	for name, property := range properties {
		field := fieldNamed(message, name)
		if field == nil {
			return fmt.Errorf("%s has no field %s", message.FullName(), name)
		}
		renamed[string(field.Name())] = property
		if constrain(rulesOf(field), property.(object)) {
			required = append(required, string(field.Name()))
		}
	}
	schema["properties"] = renamed
	if len(required) > 0 {
		slices.Sort(required)
		schema["required"] = required
	}
	return nil
}

func rulesOf(field protoreflect.FieldDescriptor) *validate.FieldRules {
	options, ok := field.Options().(*descriptorpb.FieldOptions)
	if !ok || !proto.HasExtension(options, validate.E_Field) {
		return nil
	}
	return proto.GetExtension(options, validate.E_Field).(*validate.FieldRules)
}

// constrain writes the rules into a schema, as far as JSON Schema can say them, and tells if a value must be given.
func constrain(rules *validate.FieldRules, schema object) (required bool) {
	if rules == nil {
		return false
	}
	required = rules.GetRequired()
	switch r := rules.GetType().(type) {
	case *validate.FieldRules_String_:
		if r.String_.GetPattern() != "" {
			schema["pattern"] = r.String_.GetPattern()
			required = required || !regexp.MustCompile(r.String_.GetPattern()).MatchString("")
		}
		// A character has at least one byte, so a limit of bytes is one of characters too.
		if n := max(r.String_.GetMaxLen(), r.String_.GetMaxBytes()); n > 0 {
			if r.String_.GetMaxLen() > 0 {
				n = min(n, r.String_.GetMaxLen())
			}
			schema["maxLength"] = n
		}
		if len(r.String_.GetIn()) > 0 {
			schema["enum"] = r.String_.GetIn()
		}
	case *validate.FieldRules_Int32:
		if g, ok := r.Int32.GetGreaterThan().(*validate.Int32Rules_Gte); ok {
			schema["minimum"] = g.Gte
		}
		if l, ok := r.Int32.GetLessThan().(*validate.Int32Rules_Lte); ok {
			schema["maximum"] = l.Lte
		}
	case *validate.FieldRules_Enum:
		required = required || slices.Contains(r.Enum.GetNotIn(), 0)
	case *validate.FieldRules_Repeated:
		if n := r.Repeated.GetMinItems(); n > 0 {
			schema["minItems"] = n
			required = true
		}
		if n := r.Repeated.GetMaxItems(); n > 0 {
			schema["maxItems"] = n
		}
		if r.Repeated.GetUnique() {
			schema["uniqueItems"] = true
		}
		if items, ok := schema["items"].(object); ok {
			constrain(r.Repeated.GetItems(), items)
		}
	}
	return required
}
