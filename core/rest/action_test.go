package rest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// jarModel has a to-many relation, and a resource with a key of several fields.
func jarModel() *core.Model {
	return core.MustModel("pantry",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "label", Type: core.Text}, {Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "jar", ToOne: "jar"}}},
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{{Name: "room", Type: core.Text, Key: true}, {Name: "number", Type: core.Int, Key: true}}},
	)
}

func nothing(context.Context, *rest.Call) error { return nil }

func TestNewRejectsInvalidActions(t *testing.T) {
	input := func(f core.FieldSpec) []rest.Action {
		f.Name = "f"
		return []rest.Action{{Resource: "jar", Name: "a", Run: nothing, Input: []core.FieldSpec{f}}}
	}
	for _, row := range []struct {
		actions []rest.Action
		want    string
	}{
		{[]rest.Action{{Resource: "pot", Name: "a", Run: nothing}}, `action "a" of resource "pot": the model has no such resource`},
		{[]rest.Action{{Resource: "jar", Name: "a"}}, "needs a Run function"},
		{[]rest.Action{{Resource: "jar", Name: "a", Run: nothing}, {Resource: "jar", Name: "a", Run: nothing}}, "exists already"},
		{[]rest.Action{{Resource: "jar", Name: "cookies", Run: nothing}}, "has the name of a to-many relation"},
		{[]rest.Action{{Resource: "jar", Name: "aggregate", Whole: true, Run: nothing}}, "has the name of an operation"},
		{[]rest.Action{{Resource: "jar", Name: "", Run: nothing}}, `action "" of resource "jar": needs a Name of`},
		{[]rest.Action{{Resource: "jar", Name: "a/b", Run: nothing}}, `action "a/b" of resource "jar": needs a Name of`},
		{[]rest.Action{{Resource: "jar", Name: "$a", Run: nothing}}, `action "$a" of resource "jar": needs a Name of letters, digits, "_" and inner "-"; Whole adds the "$" of the URL`},
		{[]rest.Action{{Resource: "jar", Name: "a", Run: nothing, Output: []core.FieldSpec{{Name: "n"}}}}, "output: "},
		{input(core.FieldSpec{ToOne: "pot"}), `field "f": the model has no resource "pot" for ToOne`},
		{input(core.FieldSpec{ToOne: "jar", Type: core.Int}), `field "f": a relation has no type of its own`},
		{input(core.FieldSpec{ToMany: "jar"}), `field "f": can have Name`},
		{input(core.FieldSpec{Type: core.Int, Hidden: true}), `field "f": can have Name`},
		{input(core.FieldSpec{Type: core.Int, Unique: true}), `field "f": can have Name`},
		{input(core.FieldSpec{Type: core.Text, Pattern: "("}), "Pattern"},
	} {
		_, err := rest.New(newEngine(t, jarModel()), rest.Options{Actions: row.actions})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
	good := []rest.Action{
		{Resource: "jar", Name: "cookies", Whole: true, Run: nothing}, {Resource: "jar", Name: "aggregate", Run: nothing},
		{Resource: "cookie", Name: "a", Run: nothing}, {Resource: "jar", Name: "a", Run: nothing}, {Resource: "jar", Name: "a", Whole: true, Run: nothing},
	}
	if _, err := rest.New(newEngine(t, jarModel()), rest.Options{Actions: good}); err != nil {
		t.Error(err)
	}
}

func TestActionsAreDescribed(t *testing.T) {
	text := documentOf(t, jarModel(), rest.Options{RequireIfMatch: true, Actions: []rest.Action{
		{Resource: "jar", Name: "fill", Description: "Fills the jar.", Run: nothing, Input: []core.FieldSpec{
			{Name: "n", APIName: "number", Type: core.Int, Min: 1, Max: 9, Required: true, Description: "Cookies to add."},
			{Name: "kind", Type: core.Text, OneOf: []any{"muffin", "pie"}, Default: "pie", Required: true},
			{Name: "shelf", ToOne: "shelf"},
		}},
		{Resource: "jar", Name: "sort", Whole: true, Run: nothing},
		{Resource: "jar", Name: "größe", Whole: true, Run: nothing, Output: []core.FieldSpec{{Name: "total", Type: core.Decimal, Required: true}, {Name: "least", Type: core.Int}}},
	}})
	doc, err := validate(text)
	if err != nil {
		t.Fatal(err)
	}
	fill, order, size := doc.Paths.Value("/jar/{id}/fill"), doc.Paths.Value("/jar/$sort"), doc.Paths.Value("/jar/$gr%C3%B6%C3%9Fe")
	if fill == nil || order == nil || size == nil {
		t.Fatalf("paths %v", doc.Paths.Keys())
	}
	if fill.Post.Description != "Fills the jar." || len(fill.Parameters) != 1 || fill.Post.OperationID == order.Post.OperationID {
		t.Errorf("fill is %+v", fill.Post)
	}
	for status, op := range map[int]map[bool]string{200: {true: "fill", false: "sort"}, 204: {true: "sort", false: "größe"}, 412: {true: "fill", false: "sort"}, 428: {true: "fill", false: "sort"}} {
		for has, name := range op {
			described := map[string]bool{
				"fill": fill.Post.Responses.Status(status) != nil, "sort": order.Post.Responses.Status(status) != nil, "größe": size.Post.Responses.Status(status) != nil,
			}
			if described[name] != has {
				t.Errorf("%s has a %d: %v", name, status, !has)
			}
		}
	}
	input := doc.Components.Schemas["jar_fill_input"].Value
	if !slices.Equal(input.Required, []string{"number"}) || *input.Properties["number"].Value.Max != 9 || len(input.Properties["kind"].Value.Enum) != 2 {
		t.Errorf("input is %+v", input)
	}
	if shelf := input.Properties["shelf"].Value; shelf.Type.Slice()[0] != "string" || shelf.Description != "The id of a record of shelf." {
		t.Errorf("shelf is %v", shelf)
	}
	output := doc.Components.Schemas["jar_gr__e_output"]
	if output == nil || !slices.Equal(output.Value.Required, []string{"total"}) || output.Value.Properties["least"].Value.Type.Slice()[0] != "integer" {
		t.Errorf("output is %+v", output)
	}
	if !strings.Contains(string(text), `"jar_sort_input":{"additionalProperties":false,"properties":{},"type":"object"}`) {
		t.Error("an action without input has no schema of an empty object")
	}
}

func TestActionTakesAKeyOfSeveralFields(t *testing.T) {
	var got core.Record
	api := newEngine(t, jarModel())
	h, err := rest.New(api, rest.Options{Actions: []rest.Action{{Resource: "jar", Name: "größe", Whole: true, Input: []core.FieldSpec{{Name: "shelf", ToOne: "shelf"}}, Run: func(_ context.Context, call *rest.Call) error {
		got = call.Input
		return nil
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Create(t.Context(), "shelf", engine.Write{}, map[string]any{"room": "hall", "number": 1}); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{`{"shelf": "hall,1"}`: 204, `{"shelf": "hall,2"}`: 404, `{"shelf": "hall"}`: 400, `{}`: 204, `{"shelf": null}`: 204} {
		r := httptest.NewRequest(http.MethodPost, "/jar/$gr%C3%B6%C3%9Fe", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
		if want == 204 && got.Get("shelf").IsSet() != strings.Contains(body, "hall") {
			t.Errorf("%s: input %v", body, got)
		}
	}
}

func TestWriteErrorAnswersAsTheHandlerDoes(t *testing.T) {
	var log bytes.Buffer
	h, err := rest.New(newEngine(t, jarModel()), rest.Options{Challenge: `Basic realm="x"`, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	secret := errors.New("secret")
	for _, row := range []struct {
		err    error
		accept string
		status int
		body   string
		header string // name and value
		logged bool
	}{
		{&core.Error{Code: core.NotFound, Resource: "jar", Key: core.IntValue(7)}, "", 404, `{"error":{"code":"OBJECT_DOES_NOT_EXIST","message":"There is no jar with the id 7, or you may not see it.","details":{"object_name":"jar","object_id":7}}}`, "Cache-Control no-store", false},
		{fmt.Errorf("%w: %w", secret, core.Forbidden), "application/problem+json", 403, `{"type":"about:blank","title":"Forbidden","status":403,"detail":"You may not do this.","code":"FORBIDDEN","details":{}}`, "Content-Type application/problem+json", false},
		{secret, "", 500, `{"error":{"code":"SERVER_ERROR","message":"The server failed. Its log has the reason.","details":{}}}`, "X-Content-Type-Options nosniff", true},
		{nil, "", 500, `{"error":{"code":"SERVER_ERROR","message":"The server failed. Its log has the reason.","details":{}}}`, "", true},
		{core.Unauthorized, "", 401, "", `Www-Authenticate Basic realm="x"`, true},
		{context.DeadlineExceeded, "", 503, "", "Retry-After 1", true},
		{&core.Error{Code: core.ReadOnly, Resource: "jar"}, "", 405, "", "Allow GET", false},
	} {
		log.Reset()
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/restore", nil)
		r.Header.Set("Accept", row.accept)
		w.Header().Set("Allow", "GET")
		h.WriteError(w, r, row.err)
		name, value, _ := strings.Cut(row.header, " ")
		if w.Code != row.status || row.body != "" && w.Body.String() != row.body || name != "" && w.Header().Get(name) != value {
			t.Errorf("%v: %d %v %s", row.err, w.Code, w.Header(), w.Body)
		}
		if (log.Len() > 0) != row.logged {
			t.Errorf("%v: logged %q", row.err, log.String())
		}
	}
}

// An action moves a cookie, announces the move once it is stored, and fails like every other request.
func ExampleAction() {
	store, err := core.New(context.Background(), jarModel(), memory.New())
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Actions: []rest.Action{{
		Resource: "cookie", Name: "transfer",
		Input: []core.FieldSpec{{Name: "jar", ToOne: "jar", Required: true}},
		Run: func(ctx context.Context, call *rest.Call) error {
			call.Tx.AfterCommit(func(context.Context) { fmt.Println("cookie", call.ID, "is in jar", call.Input.Get("jar")) })
			_, err := call.Tx.Update(ctx, "cookie", call.ID, engine.Write{}, call.Input.Map())
			return err
		},
	}}})
	if err != nil {
		panic(err)
	}
	post := func(path, body string) {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	post("/jar", `[{}, {"cookies": [{}]}]`)
	post("/cookie/1/transfer", `{"jar": 1}`)
	post("/cookie/1/transfer", `{"jar": 3}`)
	post("/cookie/1/transfer", `{}`)
	// Output:
	// 201 [{"id":1,"cookies":[]},{"id":2,"cookies":[1]}]
	// cookie 1 is in jar 1
	// 200 {"id":1,"jar":1}
	// 404 {"error":{"code":"OBJECT_DOES_NOT_EXIST","message":"There is no jar with the id 3, or you may not see it.","details":{"object_name":"jar","object_id":3}}}
	// 400 {"error":{"code":"VALIDATION_FAILED","message":"Values are not acceptable: transfer/jar breaks the rule required (accepted: a value other than null).","details":{"violations":[{"accepted":"a value other than null","object_name":"transfer","path":["jar"],"rule":"required"}]}}}
}

// A handler beside that of the resources answers its errors in the same form.
func ExampleHandler_WriteError() {
	store, err := core.New(context.Background(), jarModel(), memory.New())
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	api := engine.New(store, engine.Options{})
	h, err := rest.New(api, rest.Options{})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("GET /label/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := api.Get(r.Context(), "jar", r.PathValue("id"), 1); err != nil {
			h.WriteError(w, r, err)
			return
		}
		_, _ = fmt.Fprintln(w, "a label to print")
	})
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/label/7", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 404 {"error":{"code":"OBJECT_DOES_NOT_EXIST","message":"There is no jar with the id 7, or you may not see it.","details":{"object_name":"jar","object_id":7}}}
}
