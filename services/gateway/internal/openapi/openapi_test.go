package openapi_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/faceoff-live/faceoff/services/gateway/internal/openapi"
	"github.com/faceoff-live/faceoff/services/gateway/internal/rest"
)

type object = map[string]any

func document(t *testing.T) object {
	t.Helper()
	var doc object
	if err := json.Unmarshal(openapi.Document, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestHead(t *testing.T) {
	t.Parallel()
	doc := document(t)
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("OpenAPI %q", v)
	}
	info := doc["info"].(object)
	for _, key := range []string{"title", "version", "summary", "description", "license"} {
		if info[key] == nil {
			t.Errorf("info has no %s", key)
		}
	}
	if fmt.Sprint(doc["security"]) != "[map[bearer:[]]]" {
		t.Errorf("security: %v", doc["security"])
	}
}

// own are the calls that the gateway answers by itself.
var own = []string{"GET /healthz", "GET /openapi.json", "GET /readyz"}

// TestRoutes: the document lists exactly the calls that are served.
func TestRoutes(t *testing.T) {
	t.Parallel()
	var served, described []string
	for _, r := range rest.Routes(rest.Services()...) {
		served = append(served, r.Method+" "+r.Template)
	}
	served = append(served, own...)
	for path, item := range document(t)["paths"].(object) {
		for method := range item.(object) {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served:\n%s\ndescribed:\n%s", strings.Join(served, "\n"), strings.Join(described, "\n"))
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for path, item := range document(t)["paths"].(object) {
		for method, o := range item.(object) {
			operation := o.(object)
			name := strings.ToUpper(method) + " " + path
			id := operation["operationId"].(string)
			if ids[id] {
				t.Errorf("%s: the id %s is used twice", name, id)
			}
			ids[id] = true
			var inPath []string
			key := false
			for _, p := range list(operation["parameters"]) {
				parameter := p.(object)
				if parameter["in"] == "path" {
					inPath = append(inPath, "{"+parameter["name"].(string)+"}")
				}
				key = key || parameter["$ref"] == "#/components/parameters/IdempotencyKey"
			}
			if want := regexp.MustCompile(`{\w+}`).FindAllString(path, -1); !slices.Equal(inPath, want) {
				t.Errorf("%s: describes %v of the path", name, inPath)
			}
			if key != (method != "get") {
				t.Errorf("%s: Idempotency-Key described: %v", name, key)
			}
			responses := operation["responses"].(object)
			if _, ok := responses["200"]; !ok {
				t.Errorf("%s: describes no success", name)
			}
			if _, ok := responses["default"]; ok == slices.Contains(own, name) {
				t.Errorf("%s: errors described: %v", name, ok)
			}
		}
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// TestReferences: what is referred to is there, and all that is there is referred to.
func TestReferences(t *testing.T) {
	t.Parallel()
	doc := document(t)
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
			}
			for _, child := range v {
				walk(child)
			}
		case []any:
			for _, child := range v {
				walk(child)
			}
		}
	}
	walk(doc)
	there := map[string]bool{}
	for kind, parts := range doc["components"].(object) {
		for name := range parts.(object) {
			if kind != "securitySchemes" {
				there["#/components/"+kind+"/"+name] = true
			}
		}
	}
	for ref := range used {
		if !there[ref] {
			t.Errorf("%s is not there", ref)
		}
	}
	for ref := range there {
		if !used[ref] {
			t.Errorf("%s is not used", ref)
		}
	}
}

// TestFieldNames: schemas have the fields of their messages, by the names that the gateway speaks.
func TestFieldNames(t *testing.T) {
	t.Parallel()
	seen := 0
	for name, s := range document(t)["components"].(object)["schemas"].(object) {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		message, ok := d.(protoreflect.MessageDescriptor)
		if err != nil || !ok {
			continue
		}
		seen++
		properties, _ := s.(object)["properties"].(object)
		if len(properties) != message.Fields().Len() {
			t.Errorf("%s has %d of %d fields", name, len(properties), message.Fields().Len())
		}
		for property := range properties {
			if message.Fields().ByName(protoreflect.Name(property)) == nil {
				t.Errorf("%s has no field %s", name, property)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d messages are described", seen)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	openapi.Handler().ServeHTTP(w, nil)
	if w.Header().Get("Content-Type") != "application/json" || w.Body.Len() != len(openapi.Document) {
		t.Errorf("%v, %d bytes", w.Header(), w.Body.Len())
	}
}
