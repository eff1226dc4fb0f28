// Command generate makes asyncapi.json of the protos: their compiled form, as `buf build` gives it, comes on standard input,
// their texts are under the folder that is its argument. Every message named Event with a oneof `event` is a context of the stream
// EVENTS, every field of that oneof a type of event.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/faceoff-live/faceoff/pkg/events"
)

type object = map[string]any

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("want the folder of the protos, got %q", args)
	}
	image, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	all := new(descriptorpb.FileDescriptorSet)
	if err := proto.Unmarshal(image, all); err != nil {
		return err
	}
	files, err := protodesc.NewFiles(all)
	if err != nil {
		return err
	}
	doc := newDocument()
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		err = doc.addFile(args[0], file)
		return err == nil
	})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(doc.whole())
}

// document collects what the protos say.
type document struct{ channels, operations, messages, schemas object }

func newDocument() document { return document{object{}, object{}, object{}, object{}} }

// addFile adds the events of a proto, if it has any.
func (d document) addFile(folder string, file protoreflect.FileDescriptor) error {
	event := file.Messages().ByName("Event")
	if event == nil || event.Oneofs().ByName("event") == nil {
		return nil
	}
	source, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(file.Path())))
	if err != nil {
		return err
	}
	d.schemas[string(file.Package())+".proto"] = object{"schemaFormat": "application/vnd.google.protobuf;version=3", "schema": string(source)}
	context := strings.Split(string(file.Package()), ".")[1]
	types := event.Oneofs().ByName("event").Fields()
	for i := range types.Len() {
		d.addType(context, types.Get(i))
	}
	return nil
}

// addType adds a type of event, a field of the message that is the payload: its channel, the operation to receive it, and its message.
func (d document) addType(context string, field protoreflect.FieldDescriptor) {
	m, payload := field.Message(), field.ContainingMessage()
	e := events.Event{Context: context, Type: string(m.Name()), FullType: string(m.FullName()), Key: "{live_id}"}
	id := context + "." + e.Type
	said := comment(m)
	d.channels[id] = object{
		"address":    e.Subject(),
		"summary":    said,
		"messages":   object{e.Type: object{"$ref": "#/components/messages/" + e.FullType}},
		"parameters": object{"live_id": object{"$ref": "#/components/parameters/live_id"}},
	}
	d.operations[id] = object{
		"action":   "receive",
		"summary":  said,
		"channel":  object{"$ref": "#/channels/" + id},
		"messages": []any{object{"$ref": "#/channels/" + id + "/messages/" + e.Type}},
	}
	d.messages[e.FullType] = object{
		"name":               e.FullType,
		"title":              e.Type,
		"summary":            said,
		"contentType":        e.Headers()["ce-datacontenttype"][0],
		"headers":            headers(e),
		"payload":            d.payload(field),
		"x-protobuf-message": payload.FullName(),
		"x-protobuf-event":   e.FullType,
		"x-protobuf-schema":  "#/components/schemas/" + string(payload.ParentFile().Package()) + ".proto",
	}
}

// payload is the JSON Schema of a payload in which that event is set: of the others none is.
func (d document) payload(event protoreflect.FieldDescriptor) object {
	m, properties, required := event.ContainingMessage(), object{}, []string{}
	for i := range m.Fields().Len() {
		if f := m.Fields().Get(i); f == event || f.ContainingOneof() == nil {
			properties[string(f.Name())] = d.field(f)
			required = append(required, string(f.Name()))
		}
	}
	return object{"type": "object", "description": comment(m), "properties": properties, "required": required}
}

// comment is what the proto says of a message, a field, an enum or a value, in one line.
func comment(m protoreflect.Descriptor) string {
	said := m.ParentFile().SourceLocations().ByDescriptor(m).LeadingComments
	return strings.Join(strings.Fields(said), " ")
}

// headers describes the headers of a type of event. What all events of the type have is a constant.
func headers(e events.Event) object {
	other := events.Event{Log: "x", Place: events.Place{Seq: 1}, Context: e.Context, Type: e.Type, FullType: e.FullType, Key: "x", At: time.UnixMilli(1)}
	properties, required := object{}, []string{}
	theirs := other.Headers()
	for name, value := range e.Headers() {
		property := object{"type": "string"}
		if value[0] == theirs[name][0] {
			property["const"] = value[0]
		}
		properties[name] = property
		required = append(required, name)
	}
	return object{"type": "object", "properties": properties, "required": slices.Sorted(slices.Values(required))}
}

func (d document) whole() object {
	return object{
		"asyncapi": "3.0.0",
		"info": object{
			"title":   "Faceoff events",
			"version": "1.0.0",
			"description": "What lives are told, in the JetStream stream `EVENTS`: one message for each event, with a protobuf payload and CloudEvents 1.0 headers in " +
				"binary mode. `ce-id` is `<log>-<seq>-<index>` and never changes; `number` in the payload counts a live's events of a context without a gap. " +
				"On the wire the payload is protobuf in its binary form, never JSON: the message that `x-protobuf-message` names, whose field that is set is of the type that " +
				"`x-protobuf-event` names. Its proto is in the schema that `x-protobuf-schema` points to; what that imports is in the folder `proto`. The payload's JSON Schema " +
				"describes the same message in protobuf's JSON form with the names of the protos, which `faceoff events --json` and REST give: " +
				"64-bit integers are strings, enums their values' names, and a field that has its default, empty, 0, false or the first value of its enum, may be left out.",
			"license": object{"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
		},
		"servers": object{"nats": object{
			"host": "127.0.0.1:4222", "protocol": "nats", "description": "The NATS of the deployment; this is where `make run` has it.",
		}},
		"defaultContentType": "application/protobuf",
		"channels":           d.channels,
		"operations":         d.operations,
		"components": object{
			"messages":   d.messages,
			"schemas":    d.schemas,
			"parameters": object{"live_id": object{"description": "The live that is told, 1 to 48 of A-Z a-z 0-9 _ -; `*` subscribes to all."}},
		},
	}
}
