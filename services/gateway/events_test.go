package gateway_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// TestEventsPage: docs/events.md has a row for each event of the protos, in their order, with its arguments and the values
// of those that are enums, and no other; each row says who is told, and what the reference product has.
func TestEventsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for subject, event := range map[string]proto.Message{"events.cohost": new(cohostv1.Event), "events.battle": new(battlev1.Event)} {
		_, section, found := strings.Cut(string(page), ": `"+subject+"`\n")
		if !found {
			t.Errorf("no section %s", subject)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var got []string
		for line := range strings.SplitSeq(section, "\n") {
			cells := strings.Split(line, "|")
			if len(cells) != 7 || !strings.HasPrefix(line, "| `") {
				continue
			}
			if strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[5]) == "" {
				t.Errorf("who is told, or the reference, is missing: %s", line)
			}
			got = append(got, names(cells[1])+"("+names(cells[3])+") "+names(cells[4]))
		}
		var want []string
		fields := event.ProtoReflect().Descriptor().Oneofs().ByName("event").Fields()
		for i := range fields.Len() {
			want = append(want, signature(fields.Get(i).Message()))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-proto +page):\n%s", subject, diff)
		}
	}
}

func names(cell string) string {
	var all []string
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// signature is an event with its arguments and their enums' values.
func signature(m protoreflect.MessageDescriptor) string {
	var arguments, all []string
	for i := range m.Fields().Len() {
		field := m.Fields().Get(i)
		arguments = append(arguments, string(field.Name()))
		if e := field.Enum(); e != nil {
			all = append(all, values(e)...)
		}
	}
	return string(m.Name()) + "(" + strings.Join(arguments, " ") + ") " + strings.Join(all, " ")
}

// values are those of an enum that say something.
func values(e protoreflect.EnumDescriptor) (all []string) {
	for i := range e.Values().Len() {
		if v := e.Values().Get(i); v.Number() != 0 {
			all = append(all, string(v.Name()))
		}
	}
	return all
}
