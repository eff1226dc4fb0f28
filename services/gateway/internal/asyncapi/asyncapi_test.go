package asyncapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/gateway/internal/asyncapi"
)

// TestChannels: there is a channel for each type of event, with the subject and the headers that its messages have.
func TestChannels(t *testing.T) {
	t.Parallel()
	var doc struct {
		Channels map[string]struct {
			Address  string
			Messages map[string]struct {
				Ref string `json:"$ref"`
			}
		}
		Components struct {
			Messages map[string]struct {
				ContentType string
				Headers     struct {
					Properties map[string]struct{ Const string }
				}
				Proto string `json:"x-protobuf-schema"`
			}
			Schemas map[string]struct{ SchemaFormat, Schema string }
		}
	}
	if err := json.Unmarshal(asyncapi.Document, &doc); err != nil {
		t.Fatal(err)
	}
	var want []string
	for context, event := range map[string]proto.Message{"cohost": new(cohostv1.Event), "battle": new(battlev1.Event)} {
		types := event.ProtoReflect().Descriptor().Oneofs().ByName("event").Fields()
		for i := range types.Len() {
			name, full := string(types.Get(i).Message().Name()), string(types.Get(i).Message().FullName())
			id := context + "." + name
			want = append(want, id)
			if c := doc.Channels[id]; c.Address != "events."+id+".{live_id}" || c.Messages[name].Ref != "#/components/messages/"+full {
				t.Errorf("%s: %+v", id, c)
			}
			m := doc.Components.Messages[full]
			if s := doc.Components.Schemas[strings.TrimPrefix(m.Proto, "#/components/schemas/")]; s.SchemaFormat != "application/vnd.google.protobuf;version=3" ||
				!strings.Contains(s.Schema, "message "+name+" {") {
				t.Errorf("%s: its proto in %s is %+v", id, m.Proto, s)
			}
			constants := make(map[string]string)
			for header, p := range m.Headers.Properties {
				constants[header] = p.Const
			}
			if diff := cmp.Diff(map[string]string{
				"ce-specversion": "1.0", "ce-id": "", "ce-source": "/faceoff/" + context, "ce-type": full, "ce-subject": "", "ce-time": "",
				"ce-datacontenttype": "application/protobuf",
			}, constants); diff != "" || m.ContentType != "application/protobuf" {
				t.Errorf("%s: %s, headers (-want +got):\n%s", id, m.ContentType, diff)
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(doc.Channels))); diff != "" {
		t.Errorf("channels (-protos +document):\n%s", diff)
	}
}
