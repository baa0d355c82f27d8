package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// richModel has fields with examples of every type and rule, and relations in both directions.
func richModel() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	jar := []core.FieldSpec{
		id, {Name: "shelf", ToOne: "shelf"}, {Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		{Name: "state", Type: core.Text, Transitions: map[string][]string{"": {"new"}, "new": {"old"}, "old": nil}},
		{Name: "size", Type: core.Decimal, Scale: new(2), Min: "0.5", Max: 10}, {Name: "kind", Type: core.Text, OneOf: []any{"b", "a"}},
		{Name: "code", Type: core.Text, MinLength: 20, MaxLength: 20, Required: true}, {Name: "slug", Type: core.Text, Pattern: "^[0-9]+$"},
		{Name: "meta", Type: core.JSON, Schema: document{}}, {Name: "tags", Type: core.List, Schema: document{}},
	}
	for _, typ := range core.Types() {
		jar = append(jar, core.FieldSpec{Name: "a_" + typ.String(), Type: typ})
	}
	return core.MustModel("rich",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{id, {Name: "type", Type: core.Text, Required: true}, {Name: "jar", ToOne: "jar", Required: true}}},
		core.ResourceSpec{Name: "jar", Fields: jar},
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}, {Name: "length", Type: core.Float, Max: 0.5}}},
		core.ResourceSpec{Name: "report", ReadOnly: true, Fields: []core.FieldSpec{id, {Name: "jars", ToMany: "jar"}}},
	)
}

func TestDocumentHasTheRelationsOfItsDepth(t *testing.T) {
	h, err := rest.New(newEngine(t, richModel()), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string][3]string{ // the answer, its relation jar, whether depth is required
		"/openapi.json":             {"#/components/schemas/cookie", "integer", "false"},
		"/openapi.json?depth=0":     {"integer", "", "true"},
		"/openapi.json?depth=1":     {"#/components/schemas/cookie", "integer", "false"},
		"/openapi-3.0.json?depth=2": {"#/components/schemas/cookie", "#/components/schemas/jar_depth1", "true"},
		"/openapi.json?depth=5":     {"#/components/schemas/cookie", "#/components/schemas/jar_depth4", "true"},
	} {
		status, text := request(h, http.MethodGet, target, "")
		doc, err := validate(text)
		if status != http.StatusOK || err != nil {
			t.Fatalf("%s: %d %v", target, status, err)
		}
		answer := doc.Paths.Value("/cookie/{id}").Get.Responses.Status(http.StatusOK).Value.Content.Get("application/json").Schema
		var relation *openapi3.SchemaRef
		if answer.Value.Properties != nil {
			relation = answer.Value.Properties["jar"]
		}
		got := [3]string{formOf(answer), formOf(relation), strconv.FormatBool(doc.Components.Parameters["depth"].Value.Required)}
		if got != want {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
	if status, text := request(h, http.MethodGet, "/openapi.json?depth=6", ""); status != http.StatusBadRequest || !strings.Contains(string(text), "0 to 5") {
		t.Errorf("depth 6: %d %s", status, text)
	}
}

// formOf returns the reference or the type of a schema.
func formOf(s *openapi3.SchemaRef) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref
	}
	return strings.Join(s.Value.Type.Slice(), " ")
}

func TestOldDocumentHasNoKeywordsOfTheNewVersion(t *testing.T) {
	for name, m := range map[string]*core.Model{"rich": richModel(), "odd": oddModel(), "all types": allTypes()} {
		h, err := rest.New(newEngine(t, m), rest.Options{Aggregates: true})
		if err != nil {
			t.Fatal(err)
		}
		_, text := request(h, http.MethodGet, "/openapi-3.0.json", "")
		doc, err := validate(text)
		if err != nil || doc.OpenAPI != "3.0.3" {
			t.Errorf("%s: version %s, %v", name, doc.OpenAPI, err)
		}
		for _, newer := range []string{`"null"`, `"type":[`, `"const"`, `"contains"`, `"contentEncoding"`} {
			if i := strings.Index(string(text), newer); i >= 0 {
				t.Errorf("%s: %s in %s", name, newer, text[max(0, i-100):i+50])
			}
		}
	}
}

// Each example of the document is sent to the server.
func TestExamplesOfTheDocumentSucceed(t *testing.T) {
	examples := 0
	for name, m := range map[string]*core.Model{"rich": richModel(), "odd": oddModel(), "cookies": cookieModel(), "all types": allTypes()} {
		h, err := rest.New(newEngine(t, m), rest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, text := request(h, http.MethodGet, "/openapi.json", "")
		doc, err := validate(text)
		if err != nil {
			t.Fatal(err)
		}
		created := make(map[string]string)                                                                   // paths of records, by the path of the list
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPatch, http.MethodPut} { // the records exist after POST
			for path, item := range doc.Paths.Map() {
				op := item.GetOperation(method)
				if op == nil {
					continue
				}
				args, body := make(url.Values), ""
				for _, p := range op.Parameters {
					if list, ok := p.Value.Example.([]any); ok {
						args.Set(p.Value.Name, fmt.Sprint(list[0]))
					} else if p.Value.Example != nil {
						args.Set(p.Value.Name, fmt.Sprint(p.Value.Example))
					}
				}
				if op.RequestBody != nil {
					example := op.RequestBody.Value.Content.Get("application/json").Example
					if example == nil {
						continue
					}
					text, err := json.Marshal(example)
					if err != nil {
						t.Fatal(err)
					}
					body = string(text)
				}
				if method == http.MethodPatch && !strings.HasSuffix(path, "{id}") {
					args.Set("max", "100")
				}
				if len(args) == 0 && body == "" {
					continue
				}
				list, _, _ := strings.Cut(path, "/{id}")
				target := strings.Replace(path, list+"/{id}", created[list], 1) + "?" + args.Encode()
				if created[list] == "" && list != path {
					continue // a resource without an example of POST
				}
				examples++
				w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				h.ServeHTTP(w, r)
				if w.Code/100 != 2 {
					t.Errorf("%s: %s %s %s: %d %s", name, method, target, body, w.Code, w.Body)
				}
				if method == http.MethodPost {
					created[path] = w.Header().Get("Location")
				}
			}
		}
	}
	if examples < 40 {
		t.Errorf("%d examples", examples)
	}
}

func TestDocumentHasTheMembersOfTheOptions(t *testing.T) {
	opts := rest.Options{Title: "Bakery", Document: map[string]any{
		"info":       map[string]any{"contact": map[string]any{"email": "bakery@example.com"}, "license": map[string]string{"name": "MIT", "identifier": "MIT"}},
		"servers":    []any{map[string]any{"url": "https://bakery.example.com"}},
		"components": map[string]any{"securitySchemes": map[string]any{"cookie": map[string]any{"type": "apiKey", "in": "cookie", "name": "session"}}},
		"security":   []any{map[string]any{"cookie": []string{}}},
		"tags":       nil,
	}}
	h, err := rest.New(newEngine(t, richModel()), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/openapi.json", "/openapi-3.0.json"} {
		_, text := request(h, http.MethodGet, target, "")
		doc, err := validate(text)
		if err != nil {
			t.Fatal(err)
		}
		if doc.Info.Title != "Bakery" || doc.Info.Description == "" || doc.Info.Contact.Email != "bakery@example.com" || doc.Servers[0].URL != "https://bakery.example.com" ||
			len(doc.Security) != 1 || doc.Components.SecuritySchemes["cookie"] == nil || doc.Tags != nil || len(doc.Components.Schemas) == 0 {
			t.Errorf("%s: info %+v, servers %v, security %v, tags %v", target, doc.Info, doc.Servers, doc.Security, doc.Tags)
		}
		if old := strings.Contains(string(text), `"identifier"`); old != (target == "/openapi.json") {
			t.Errorf("%s: identifier of the licence: %v", target, old)
		}
	}
	_, err = rest.New(newEngine(t, cookieModel()), rest.Options{Document: map[string]any{"x-f": func() {}}})
	if err == nil || !strings.Contains(err.Error(), "option Document") {
		t.Errorf("a function in the document: %v", err)
	}
}

func TestSecurityIsOptionalWhereAnonymousCallersMayDoSomething(t *testing.T) {
	authenticate := func(r *http.Request) (*core.Principal, error) {
		if r.Header.Get("Authorization") == "" {
			return nil, nil
		}
		return &core.Principal{ID: core.IntValue(1)}, nil
	}
	policy := func(open bool) []core.Decorator {
		return []core.Decorator{{Name: "policy", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if !open && core.PrincipalOf(ctx) == nil {
					return core.Result{}, core.Unauthorized
				}
				return next(ctx, op)
			}, nil
		}}}
	}
	for name, row := range map[string]struct {
		decorators []core.Decorator
		want       string
	}{
		"no policy":                     {nil, `[{},{"http":[]}]`},
		"a policy denies all anonymous": {policy(false), `[{"http":[]}]`},
		"a policy denies some requests": {policy(true), `[{},{"http":[]}]`},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := rest.New(newEngine(t, cookieModel(), row.decorators...), rest.Options{Authenticate: authenticate})
			if err != nil {
				t.Fatal(err)
			}
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/openapi.json", nil)
			r.Header.Set("Authorization", "Bearer x")
			h.ServeHTTP(w, r)
			var doc struct{ Security json.RawMessage }
			if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || string(doc.Security) != row.want {
				t.Errorf("security %s, want %s, %v", doc.Security, row.want, err)
			}
		})
	}
}
