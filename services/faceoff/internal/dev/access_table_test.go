package dev

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	authv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/auth/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

// What the cells of the table say.
const (
	no        = "no"
	yes       = "yes"
	itsLive   = "its live"
	asItself  = "its live, as itself"
	itsBattle = "its battles"
)

// battleScope is the scope of calls that are about a battle of the token's live.
const battleScope = "battle"

const page = "../../../../docs/access.md"

// documented returns the rows of docs/access.md. They must be those that the options of the calls make.
func documented(t *testing.T, calls []call) []row {
	t.Helper()
	var rows []row
	var want []string
	for _, c := range calls {
		for _, r := range c.rows(t) {
			rows, want = append(rows, r), append(want, r.String())
		}
	}
	cells := make(map[string][]string)
	for _, columns := range tables(t) {
		if len(columns) != 7 || !strings.HasPrefix(columns[0], "`") {
			continue
		}
		cells[columns[0]] = columns
		if line := "| " + strings.Join(columns, " | ") + " |"; !slices.Contains(want, line) {
			t.Errorf("docs/access.md has a row that no option says:\n%s", line)
		}
	}
	for i, r := range rows {
		columns := cells[r.name]
		if len(columns) != 7 {
			t.Errorf("docs/access.md lacks a row; if it is meant so, add\n%s", want[i])
			continue
		}
		// What the page says is what is tried.
		r.cells = cellsIn(columns)
		rows[i] = r
	}
	if t.Failed() {
		t.FailNow()
	}
	return rows
}

// tables returns the lines of the tables in docs/access.md, cut into columns.
func tables(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| ") {
			lines = append(lines, strings.Split(strings.Trim(line, "| \n"), " | "))
		}
	}
	return lines
}

// cellsIn are the cells of a line of the table of calls.
func cellsIn(columns []string) map[auth.Role]string {
	return map[auth.Role]string{auth.Audience: columns[3], auth.Host: columns[4], auth.Service: columns[5], auth.Admin: columns[6]}
}

// call is a call of a service.
type call struct {
	protoreflect.MethodDescriptor
	option     *authv1.Access
	verb, path string // of REST; empty if it has none
	body       bool   // the request is the body
}

func callOf(t *testing.T, name string) call {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		t.Fatal(err)
	}
	c := call{MethodDescriptor: d.(protoreflect.MethodDescriptor)}
	c.option = proto.GetExtension(c.Options(), authv1.E_Access).(*authv1.Access)
	if proto.HasExtension(c.Options(), annotations.E_Http) {
		rule := proto.GetExtension(c.Options(), annotations.E_Http).(*annotations.HttpRule)
		c.body = rule.GetBody() == "*"
		for _, way := range []struct{ verb, path string }{
			{http.MethodGet, rule.GetGet()},
			{http.MethodPost, rule.GetPost()},
			{http.MethodPatch, rule.GetPatch()},
			{http.MethodPut, rule.GetPut()},
			{http.MethodDelete, rule.GetDelete()},
		} {
			if way.path != "" {
				c.verb, c.path = way.verb, way.path
			}
		}
	}
	return c
}

func (c call) service() string         { return string(c.Parent().FullName()) }
func (c call) method() string          { return "/" + c.service() + "/" + string(c.Name()) }
func (c call) response() proto.Message { return dynamicpb.NewMessage(c.Output()) }

// row is a call in the table. A call whose live may be left out has two.
type row struct {
	call
	name  string // as the table has it
	scope string // the kind of the field in the option
	field string // that names the live or the battle; empty: none
	left  bool   // the field is left empty
	cells map[auth.Role]string
}

// rows are what the call's option makes of it.
func (c call) rows(t *testing.T) []row {
	t.Helper()
	r := row{call: c, name: fmt.Sprintf("`%s.%s`", c.Parent().Name(), c.Name())}
	held := yes // what those are held to who are of one live
	switch scope := c.option.GetScope().(type) {
	case *authv1.Access_Live:
		r.scope, r.field, held = "live", scope.Live, itsLive
	case *authv1.Access_Battle:
		r.scope, r.field, held = battleScope, scope.Battle, itsBattle
	}
	r.cells = c.cellsOf(held)
	if c.option.GetOwnUser() != "" {
		r.cells[auth.Host] = asItself
	}
	all := []row{r}
	left := r
	left.left, left.name = true, r.name+" without `"+r.field+"`"
	if r.scope == "live" && protovalidate.Validate(left.fill(t, "none")) == nil {
		held = no
		if c.option.GetLiveOptional() {
			held = yes
		}
		left.cells = c.cellsOf(held)
		all = append(all, left)
	}
	return all
}

func (c call) cellsOf(held string) map[auth.Role]string {
	cells := make(map[auth.Role]string)
	for role, rank := range map[auth.Role]authv1.Role{
		auth.Audience: authv1.Role_AUDIENCE, auth.Host: authv1.Role_HOST, auth.Service: authv1.Role_SERVICE, auth.Admin: authv1.Role_ADMIN,
	} {
		switch {
		case rank < c.option.GetRole():
			cells[role] = no
		case rank < authv1.Role_SERVICE:
			cells[role] = held
		default:
			cells[role] = yes
		}
	}
	return cells
}

func (r row) String() string {
	code := func(s string) string {
		if s == "" {
			return "–"
		}
		return "`" + s + "`"
	}
	rest := code(strings.TrimSpace(r.verb + " " + r.path))
	return "| " + strings.Join([]string{
		r.name, rest, code(r.field), r.cells[auth.Audience], r.cells[auth.Host], r.cells[auth.Service], r.cells[auth.Admin],
	}, " | ") + " |"
}

// ends ranks calls by what is left after them.
func (r row) ends() int {
	switch {
	case r.verb == http.MethodDelete:
		return 2
	case r.verb == http.MethodGet || strings.HasPrefix(string(r.Name()), "Watch"):
		return 0
	}
	return 1
}

// request is a valid request about the live red.
func (r row) request(t *testing.T, battle string) proto.Message {
	t.Helper()
	m := r.fill(t, battle)
	if err := protovalidate.Validate(m); err != nil {
		t.Fatalf("%s: teach fill what goes into its request: %v", r.FullName(), err)
	}
	return m
}

// fill makes a request of what fields are named.
func (r row) fill(t *testing.T, battle string) proto.Message {
	t.Helper()
	values := map[protoreflect.Name]protoreflect.Value{}
	for name, text := range map[protoreflect.Name]string{
		"live_id": "red", "inviter_live_id": "red", "candidates_for": "red", "to_live_id": "blue", "from_live_id": "blue",
		"target_live_id": "blue", "battle_id": battle, "event_id": "e", "layout_template": "hostDynamicGrid",
	} {
		values[name] = protoreflect.ValueOfString(text)
	}
	values["kind"], values["extend_seconds"] = protoreflect.ValueOfEnum(1), protoreflect.ValueOfInt32(1)
	m := dynamicpb.NewMessage(r.Input())
	for i := range r.Input().Fields().Len() {
		field := r.Input().Fields().Get(i)
		value, known := values[field.Name()]
		switch {
		case r.left && string(field.Name()) == r.field:
		case known:
			m.Set(field, value)
		case field.Name() == "host":
			host := m.Mutable(field).Message()
			host.Set(field.Message().Fields().ByName("user_id"), protoreflect.ValueOfString("host-of-red"))
		case field.Name() == "target_live_ids":
			m.Mutable(field).List().Append(protoreflect.ValueOfString("blue"))
		}
	}
	return m
}

// problem is what a refusal by REST says for programs.
type problem struct {
	Reason string
	Code   int32
}

// rest makes a call by REST.
func (h *house) rest(r row, request proto.Message, token string) (int, problem) {
	h.Helper()
	path, query := r.path, url.Values{}
	request.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := string(field.Name())
		switch in := strings.Replace(path, "{"+name+"}", url.PathEscape(fmt.Sprint(v)), 1); {
		case in != path:
			path = in
		case !r.body:
			query.Set(name, fmt.Sprint(v))
		}
		return true
	})
	body := ""
	if r.body {
		m := proto.Clone(request)
		m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			if strings.Contains(r.path, "{"+string(field.Name())+"}") {
				m.ProtoReflect().Clear(field)
			}
			return true
		})
		text, err := protojson.Marshal(m)
		h.must(err)
		body = string(text)
	} else if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(h.in(""), r.verb, h.p.addresses.HTTP+path, strings.NewReader(body))
	h.must(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	h.must(err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	h.must(err)
	var p problem
	if resp.StatusCode >= http.StatusBadRequest {
		h.must(json.Unmarshal(data, &p))
	}
	return resp.StatusCode, p
}

// info is the part of a refusal that is for programs.
func info(err error) *errdetails.ErrorInfo {
	for _, d := range status.Convert(err).Details() {
		if why, ok := d.(*errdetails.ErrorInfo); ok {
			return why
		}
	}
	return nil
}
