package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/diagnose"
)

// TestDoorsThatAreNoCalls looks for what a stack answers beside the calls of its gRPC services: docs/access.md names all of
// it, and says who may.
func TestDoorsThatAreNoCalls(t *testing.T) {
	t.Parallel()
	h := startHouse(t)
	doors := make(map[string][]string) // the lines of the page, by what they name
	code := regexp.MustCompile("`([^`]+)`")
	for _, columns := range tables(t) {
		for _, name := range code.FindAllStringSubmatch(columns[0], -1) {
			doors[name[1]] = columns
		}
		if len(columns) == 7 {
			doors[strings.Trim(columns[1], "`")] = columns // REST
		}
	}
	h.diagnoseAs(cellsIn(doors[diagnose.Subject]))
	for _, subject := range h.subjects() {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(doors)), func(name string) bool { return subjectLike(name, subject) }) {
			t.Errorf("docs/access.md does not say who may publish to %s, which is answered", subject)
		}
	}
	var api struct{ Paths map[string]map[string]any }
	h.fetch(h.p.addresses.HTTP+"/openapi.json", &api)
	for path, verbs := range api.Paths {
		for verb := range verbs {
			if doors[strings.ToUpper(verb)+" "+path] == nil && doors[path] == nil {
				t.Errorf("docs/access.md does not say who may %s %s", strings.ToUpper(verb), path)
			}
		}
	}
	for name := range doors {
		if strings.HasPrefix(name, "/") {
			h.fetch(h.p.addresses.HTTP+name, nil)
		}
	}
}

// subjectLike tells whether a subject is one that the page names, where <x> stands for any token.
func subjectLike(name, subject string) bool {
	named, got := strings.Split(name, "."), strings.Split(subject, ".")
	return slices.EqualFunc(named, got, func(n, g string) bool { return n == g || strings.HasPrefix(n, "<") })
}

// fetch gets a document that takes no token.
func (h *house) fetch(url string, into any) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.in(""), http.MethodGet, url, nil)
	h.must(err)
	resp, err := http.DefaultClient.Do(req)
	h.must(err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		h.Errorf("%s without a token: %s", url, resp.Status)
		return
	}
	if into != nil {
		h.must(json.NewDecoder(resp.Body).Decode(into))
	}
}

// subjects are those that the parts of the stack have subscribed to, but for the inboxes of their own requests.
func (h *house) subjects() []string {
	h.Helper()
	var connz struct {
		Connections []struct {
			Subscriptions []string `json:"subscriptions_list"`
		}
	}
	h.fetch(h.p.o.NATSMonitorURL+"/connz?subs=1", &connz)
	seen := make(map[string]bool)
	for _, c := range connz.Connections {
		for _, subject := range c.Subscriptions {
			if !strings.HasPrefix(subject, nats.InboxPrefix) {
				seen[subject] = true
			}
		}
	}
	if len(seen) < 2 {
		h.Errorf("subscriptions: %v", seen)
	}
	return slices.Sorted(maps.Keys(seen))
}

// diagnoseAs asks the replicas as everybody.
func (h *house) diagnoseAs(cells map[auth.Role]string) {
	h.Helper()
	h.diagnose("nobody", "", "UNAUTHENTICATED")
	for role, cell := range cells {
		mine, others := tokens(role)
		refusal := ""
		if cell == no {
			refusal = "PERMISSION_DENIED"
		}
		h.diagnose(fmt.Sprintf("%s of %s", role, mine), sign(role, mine, "u"), refusal)
		if mine == auth.EveryLive {
			h.diagnose(fmt.Sprintf("%s of %s", role, others[0]), sign(role, others[0], "u"), "UNAUTHENTICATED")
		}
	}
}

// diagnose asks the replicas of the three services, each of which must refuse, or tell of its logs if refusal is empty.
func (h *house) diagnose(who, token, refusal string) {
	h.Helper()
	inbox := h.nc.NewRespInbox()
	sub, err := h.nc.SubscribeSync(inbox)
	h.must(err)
	defer func() { _ = sub.Unsubscribe() }()
	request := nats.NewMsg(diagnose.Subject)
	request.Reply = inbox
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	h.must(h.nc.PublishMsg(request))
	ctx, cancel := context.WithTimeout(h.Context(), 20*time.Second)
	defer cancel()
	for range 3 {
		m, err := sub.NextMsgWithContext(ctx)
		h.must(err)
		answer := new(diagnosticsv1.Diagnosis)
		h.must(proto.Unmarshal(m.Data, answer))
		if told := len(answer.GetPartitions()) > 0; told != (refusal == "") || !strings.HasPrefix(answer.GetRefusal(), refusal) {
			h.Errorf("%s asked %s: got %v, want %q", who, answer.GetService(), answer, refusal)
		}
	}
}
