package rest_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// oddModel has names, fields and relations that are hard to describe.
func oddModel() *core.Model {
	get := func(context.Context, core.Record) (any, error) { return nil, nil }
	set := func(context.Context, core.Record, any) (map[string]any, error) { return nil, nil }
	fields := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "int", Type: core.Int}, {Name: "float", Type: core.Float}, {Name: "text", Type: core.Text},
		{Name: "bool", Type: core.Bool}, {Name: "time", Type: core.Time}, {Name: "uuid", Type: core.UUID},
		{Name: "bytes", Type: core.Bytes}, {Name: "json", Type: core.JSON}, {Name: "list", Type: core.List},
		{Name: "ghost", Type: core.Text, Hidden: true}, {Name: "ro", Type: core.Text, ReadOnly: true},
		{Name: "no", Type: core.Int, NumberedBy: "parent"},
		{Name: "inner", APIName: "outer", Type: core.Int},
		{Name: "shown", Computed: &core.Computed{Get: get}},
		{Name: "both", Type: core.Text, Computed: &core.Computed{Get: get, Set: set}},
		{Name: "parent", ToOne: "all"}, {Name: "children", ToMany: "all", Inverse: "parent"}, {Name: "likes", ToMany: "a/{b}"},
	}
	return core.MustModel("odd",
		core.ResourceSpec{Name: "all", Fields: fields},
		core.ResourceSpec{Name: "a/{b}", APIName: "größe", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "gr__e", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}}},
		core.ResourceSpec{Name: "all_create", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "Error", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	)
}

func documentOf(t *testing.T, m *core.Model, opts rest.Options, decorators ...core.Decorator) []byte {
	t.Helper()
	h, err := rest.New(newEngine(t, m, decorators...), opts)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, opts.Prefix+"/openapi.json", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// validate parses the document and validates it as OpenAPI 3.1.
func validate(text []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	err = doc.Validate(context.Background())
	return doc, err
}

func TestDocumentIsValidOpenAPI(t *testing.T) {
	authenticate := func(*http.Request) (*core.Principal, error) { return nil, nil }
	for _, opts := range []rest.Options{{}, {Prefix: "/api", Title: "Odd", Version: "2"}, {Authenticate: authenticate}} {
		doc, err := validate(documentOf(t, oddModel(), opts))
		if err != nil {
			t.Fatalf("%+v: %v", opts, err)
		}
		if closed := opts.Authenticate != nil; len(doc.Security) > 0 != closed || len(doc.Components.SecuritySchemes) > 0 != closed {
			t.Errorf("security %v of %v", doc.Security, doc.Components.SecuritySchemes)
		}
		if !doc.IsOpenAPI31OrLater() || len(doc.Paths.Map()) != 13 {
			t.Errorf("version %s, paths %v", doc.OpenAPI, doc.Paths.Keys())
		}
	}
}

// Without this test, a validator that accepts every document would go unnoticed.
func TestValidatorFindsBrokenDocuments(t *testing.T) {
	text := string(documentOf(t, oddModel(), rest.Options{}))
	for _, broken := range [][2]string{
		{`"type":"integer"`, `"type":"whole"`},
		{`#/components/schemas/all"`, `#/components/schemas/none"`},
		{`"in":"path"`, `"in":"somewhere"`},
		{`"operationId":"get_all"`, `"operationId":"list_all"`},
		{`"description":"The record."`, `"descriptor":"The record."`},
		{`"title":"odd"`, `"title":""`},
		{`/{id}"`, `/{key}"`},
	} {
		other := strings.ReplaceAll(text, broken[0], broken[1])
		if other == text {
			t.Errorf("%s is not in the document", broken[0])
		} else if _, err := validate([]byte(other)); err == nil {
			t.Errorf("the validator accepts %s", broken[1])
		}
	}
}

func TestDocumentOmitsHiddenAndInternalNames(t *testing.T) {
	text := string(documentOf(t, oddModel(), rest.Options{}))
	for _, name := range []string{"ghost", "inner"} {
		if strings.Contains(text, name) {
			t.Errorf("%s is in the document", name)
		}
	}
}

func TestSchemasHaveTheFieldsThatClientsSee(t *testing.T) {
	doc, err := validate(documentOf(t, oddModel(), rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	names := func(schema string) string {
		return strings.Join(slices.Sorted(maps.Keys(doc.Components.Schemas[schema].Value.Properties)), " ")
	}
	read := names(doc.Paths.Value("/all/{id}").Get.OperationID[len("get_"):])
	if want := "bool both bytes children children@next float id int json likes list no outer parent ro shown text time uuid"; read != want {
		t.Errorf("read: %s\nwant: %s", read, want)
	}
	body := doc.Paths.Value("/all/{id}").Patch.RequestBody.Value.Content["application/json"].Schema
	write := strings.Join(slices.Sorted(maps.Keys(body.Value.Properties)), " ")
	if write != read {
		t.Errorf("write: %s\nwant: %s", write, read)
	}
}

func TestAggregationsAreDescribedWhereTheyAreServed(t *testing.T) {
	plain, err := validate(documentOf(t, oddModel(), rest.Options{}))
	if err != nil || plain.Paths.Value("/all/$aggregate") != nil {
		t.Fatalf("by default: %v", err)
	}
	doc, err := validate(documentOf(t, oddModel(), rest.Options{Aggregates: true}))
	if err != nil {
		t.Fatal(err)
	}
	path := doc.Paths.Value("/all/$aggregate")
	if path == nil || path.Get == nil || path.Post != nil {
		t.Fatalf("got %+v", path)
	}
	var names []string
	for _, p := range path.Get.Parameters {
		names = append(names, p.Value.Name)
	}
	if got := strings.Join(names, " "); !strings.HasPrefix(got, "filter group count sum min max avg id ") || strings.Contains(got, "limit") {
		t.Errorf("arguments: %s", got)
	}
}

func TestIdempotencyKeysAreDescribedWhereTheyAreAccepted(t *testing.T) {
	for _, remembers := range []bool{false, true} {
		m := cookieModel()
		if remembers {
			m = rememberingModel()
		}
		doc, err := validate(documentOf(t, m, rest.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if remembers != (len(doc.Paths.Value("/cookie").Post.Parameters) == 3) || len(doc.Paths.Map()) != 3 {
			t.Errorf("remembers %v: paths %v", remembers, doc.Paths.Keys())
		}
		for url, path := range doc.Paths.Map() {
			for method, op := range path.Operations() {
				described := op.Parameters.GetByInAndName("header", "Idempotency-Key") != nil
				want := remembers && method != http.MethodGet && url != "/$batch"
				if described != want || want != (op.Responses.Status(422) != nil) {
					t.Errorf("remembers %v: %s %s: described %v", remembers, method, url, described)
				}
			}
		}
	}
}

func TestListsHaveAnArgumentForEachComparableField(t *testing.T) {
	doc, err := validate(documentOf(t, oddModel(), rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range doc.Paths.Value("/all").Get.Parameters {
		names = append(names, p.Value.Name)
	}
	slices.Sort(names)
	const want = "after before bool bytes count depth fields filter float id int json limit list no offset outer parent ro sort text time uuid"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("arguments: %s\nwant: %s", got, want)
	}
}

func TestToManyRelationsHaveListsOfTheirOwn(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "x_y", ToMany: "b"}, {Name: "secret", ToMany: "b", Hidden: true}, {Name: "one", ToOne: "b"},
		}},
		core.ResourceSpec{Name: "a_x", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, {Name: "ys", APIName: "y", ToMany: "b"}}},
		core.ResourceSpec{Name: "b", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}}},
	)
	doc, err := validate(documentOf(t, m, rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	const want = "/$batch /a /a/{id} /a/{id}/x_y /a_x /a_x/{id} /a_x/{id}/y /b /b/{id}"
	if got := strings.Join(slices.Sorted(maps.Keys(doc.Paths.Map())), " "); got != want {
		t.Errorf("paths: %s\nwant: %s", got, want)
	}
	related := doc.Paths.Value("/a_x/{id}/y")
	if id := related.Parameters[0].Value; id.Name != "id" || id.Schema.Value.Format != "uuid" {
		t.Errorf("the id is %v", id)
	}
	var names []string
	for _, p := range related.Get.Parameters {
		names = append(names, p.Value.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "after before count depth fields filter id limit name offset sort" {
		t.Errorf("arguments: %s", got)
	}
	if related.Post != nil {
		t.Error("a list of related records has POST")
	}
}

func TestSchemasMarkReadOnlyAndNullableFields(t *testing.T) {
	doc, err := validate(documentOf(t, oddModel(), rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	one := doc.Paths.Value("/all/{id}")
	read := doc.Components.Schemas[one.Get.OperationID[len("get_"):]].Value.Properties
	write := one.Patch.RequestBody.Value.Content["application/json"].Schema.Value.Properties
	for name, readOnly := range map[string]bool{"id": true, "ro": true, "no": true, "shown": true, "both": false, "text": false, "parent": false} {
		if strings.HasPrefix(write[name].Value.Description, "Cannot be set") != readOnly || read[name].Value.Description != "" {
			t.Errorf("%s: read-only is not %v, or in answers", name, readOnly)
		}
	}
	if children := read["children"].Value; !read["parent"].Value.Type.Is("integer") || !children.Type.Is("array") || !children.Items.Value.Type.Is("integer") {
		t.Errorf("children are %v, parent is %v", children, read["parent"].Value)
	}
	if either := write["parent"].Value.OneOf; !write["text"].Value.Type.Includes("null") || len(either) != 2 || !either[0].Value.Type.Includes("null") {
		t.Errorf("null is not written: text %v, parent is one of %d", write["text"].Value.Type, len(either))
	}
}

func TestCreateSchemaRequiresAnAssignedKey(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
			{Name: "ean", APIName: "EAN", Type: core.Int, Key: true, Assigned: true}, {Name: "name", Type: core.Text}, {Name: "box", ToOne: "box"},
		}},
		core.ResourceSpec{Name: "box", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "items", ToMany: "item", Inverse: "box"}}},
	)
	text := documentOf(t, m, rest.Options{})
	doc, err := validate(text)
	if err != nil {
		t.Fatal(err)
	}
	created, written := doc.Components.Schemas["item_create"].Value, doc.Components.Schemas["item_patch"].Value
	if !slices.Equal(created.Required, []string{"EAN"}) || created.Properties["EAN"] == nil || created.Properties["name"] == nil {
		t.Errorf("a new record: %v of %v", created.Required, slices.Sorted(maps.Keys(created.Properties)))
	}
	if len(written.Required) > 0 || !strings.HasPrefix(written.Properties["EAN"].Value.Description, "Cannot be set") {
		t.Errorf("item_patch has the key writable")
	}
	for _, want := range []string{
		`"schema":{"$ref":"#/components/schemas/item_create"}`,
		`"items":{"oneOf":[{"format":"int64","type":"integer"},{"$ref":"#/components/schemas/item_create"}]}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in the document", want)
		}
	}
	if box := doc.Components.Schemas["box_create"].Value; box.Properties["id"] != nil || len(box.Required) > 0 {
		t.Error("a new record with a generated key names the key")
	}
}

func TestReadOnlyResourceHasNoWrites(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "report", ReadOnly: true, Fields: []core.FieldSpec{
			{Name: "id", Type: core.Text, Key: true}, {Name: "total", Type: core.Decimal}, {Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "latest", ToOne: "report"}, {Name: "reports", ToMany: "report", Inverse: "jar"},
		}},
	)
	h, err := rest.New(newEngine(t, m), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /report": "200 ", "GET /report/a": "404 ", "OPTIONS /report": "204 GET, HEAD, OPTIONS", "OPTIONS /report/a": "204 GET, HEAD, OPTIONS",
		"POST /report": "405 GET, HEAD, OPTIONS", "PUT /report/a": "405 GET, HEAD, OPTIONS", "POST /jar": "201 ",
	} {
		method, target, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, target, strings.NewReader(`{"id": "a"}`))
		if method != "POST" || target == "/jar" {
			r = httptest.NewRequest(method, target, strings.NewReader(`{}`))
		}
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, r)
		if got := strconv.Itoa(w.Code) + " " + w.Header().Get("Allow"); got != want {
			t.Errorf("%s: %s, want %s; %s", request, got, want, w.Body)
		}
	}
	text := string(documentOf(t, m, rest.Options{}))
	doc, err := validate([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	one, list := doc.Paths.Value("/report/{id}"), doc.Paths.Value("/report")
	if got := len(one.Operations()) + len(list.Operations()); got != 2 || one.Get == nil || list.Get == nil {
		t.Errorf("%d operations, want get and list", got)
	}
	for _, name := range []string{"report_patch", "report_replace", "report_create"} {
		if strings.Contains(text, name) {
			t.Errorf("the document has %s", name)
		}
	}
	written := doc.Components.Schemas["jar_patch"].Value.Properties
	if latest := written["latest"].Value; !latest.Type.Includes("string") || !latest.Type.Includes("null") {
		t.Errorf("a body names the latest report other than by its id: %v", latest)
	}
	if !strings.Contains(written["reports"].Value.Description, "Cannot be set") {
		t.Error("jar.reports can be set")
	}
}

func TestDescriptionsAreShown(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "jar", Description: "Jars on the shelf.", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Text, Key: true, Description: "Code on the lid."},
		{Name: "label", Type: core.Text, Description: "As printed."},
		{Name: "made", Type: core.Date, ReadOnly: true, Description: "Day of the first filling."},
		{Name: "parent", ToOne: "jar", Description: "The larger jar."},
		{Name: "parts", ToMany: "jar", Inverse: "parent", Description: "The smaller jars."},
		{Name: "plain", Type: core.Int},
		{Name: "secret", Type: core.Int, Hidden: true, Description: "Never shown."},
	}})
	doc, err := validate(documentOf(t, m, rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	const echo, digits = "Cannot be set: PATCH accepts the value that a read shows.", "A number is accepted, as the string of its digits."
	for schema, want := range map[string]map[string]string{
		"jar": {
			"id": "Code on the lid.", "label": "As printed.", "made": "Day of the first filling.", "parent": "The larger jar.", "parts": "The smaller jars.", "plain": "",
		},
		"jar_patch":  {"id": "Code on the lid. " + echo, "label": "As printed. " + digits, "made": "Day of the first filling. " + echo, "parent": "The larger jar.", "plain": ""},
		"jar_create": {"id": "Code on the lid.", "parent": "The larger jar."},
	} {
		if got := doc.Components.Schemas[schema].Value.Description; got != "Jars on the shelf." {
			t.Errorf("%s: %q", schema, got)
		}
		for name, text := range want {
			if got := doc.Components.Schemas[schema].Value.Properties[name].Value.Description; got != text {
				t.Errorf("%s.%s: %q, want %q", schema, name, got, text)
			}
		}
	}
}

func TestOperationsListTheirErrorsAndHeaders(t *testing.T) {
	doc, err := validate(documentOf(t, oddModel(), rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	one, list, related := doc.Paths.Value("/all/{id}"), doc.Paths.Value("/all"), doc.Paths.Value("/all/{id}/children")
	for _, row := range []struct {
		op      *openapi3.Operation
		status  int
		headers string
	}{
		{one.Get, 200, "ETag"}, {one.Get, 304, "ETag"}, {one.Put, 201, "ETag Location"}, {one.Patch, 412, ""}, {one.Delete, 200, ""}, {one.Delete, 503, "Retry-After"}, {one.Delete, 429, "RateLimit RateLimit-Policy Retry-After"},
		{list.Get, 200, "Link X-Total-Count"}, {list.Get, 401, "WWW-Authenticate"}, {list.Post, 405, "Allow"}, {list.Post, 409, ""}, {list.Post, 400, ""},
		{related.Get, 200, "Link X-Total-Count"}, {related.Get, 404, ""},
	} {
		answer := row.op.Responses.Status(row.status)
		if answer == nil {
			t.Errorf("%s: no %d", row.op.OperationID, row.status)
		} else if got := strings.Join(slices.Sorted(maps.Keys(answer.Value.Headers)), " "); got != row.headers {
			t.Errorf("%s: %d has headers %q, want %q", row.op.OperationID, row.status, got, row.headers)
		}
	}
}

func TestTypesHaveTheirFormats(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal(documentOf(t, allTypes(), rest.Options{}), &doc); err != nil {
		t.Fatal(err)
	}
	formats := map[string][2]string{
		"int": {"integer", "int64"}, "float": {"number", "double"}, "text": {"string", ""}, "bool": {"boolean", ""},
		"time": {"string", "date-time"}, "uuid": {"string", "uuid"}, "bytes": {"string", "byte"}, "json": {"", ""}, "list": {"array", ""}, "date": {"string", "date"}, "localtime": {"string", ""}, "decimal": {"string", "decimal"},
	}
	for _, typ := range core.Types() {
		name := typ.String()
		want, ok := formats[name]
		if !ok {
			t.Errorf("%s: no format; add one here and to typeSchema", name)
		}
		schema := doc.Components.Schemas["aAzZ09"].Properties[name]
		typ, _ := schema["type"].(string)
		if format, _ := schema["format"].(string); typ != want[0] || format != want[1] {
			t.Errorf("%s: %v, want %v", name, schema, want)
		}
	}
}

// allTypes is a model with a field of every type, named after it.
func allTypes() *core.Model {
	fields := []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}
	for _, typ := range core.Types() {
		fields = append(fields, core.FieldSpec{Name: typ.String(), Type: typ})
	}
	return core.MustModel("types", core.ResourceSpec{Name: "aAzZ09", Fields: fields})
}

func TestDocumentStatesLimitsAndCodes(t *testing.T) {
	text := string(documentOf(t, oddModel(), rest.Options{Prefix: "/api", Title: "Odd things", Version: "7"}))
	for _, want := range []string{
		`at most 5, has the argument depth`, `"default":100,"maximum":1000`, `"url":"/api"`, `"title":"Odd things"`, `"version":"7"`, `"OBJECT_DOES_NOT_EXIST"`, `"PRECONDITION_FAILED"`,
		`"application/merge-patch+json"`, `"/gr%C3%B6%C3%9Fe/{id}"`, `"description":"A number is accepted, as the string of its digits."`,
		`0 checks the request: the page is empty and has no Link."`, `"default":0,"maximum":10000`, `of the operators eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between; for a relation`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestSchemasOfKeysOfSeveralFields(t *testing.T) {
	m := core.MustModel("lines", core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
		{Name: "order", Type: core.Int, Key: true}, {Name: "number", Type: core.Int, Key: true, Default: 1}, {Name: "text", Type: core.Text},
	}})
	doc, err := validate(documentOf(t, m, rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ readOnly, required string }{
		"line": {"", "id"}, "line_patch": {"id number order", ""}, "line_create": {"", "order"},
	} {
		schema := doc.Components.Schemas[name].Value
		var readOnly []string
		for field, property := range schema.Properties {
			if strings.Contains(property.Value.Description, "Cannot be set") {
				readOnly = append(readOnly, field)
			}
		}
		slices.Sort(readOnly)
		if got := strings.Join(readOnly, " "); got != want.readOnly || strings.Join(schema.Required, " ") != want.required {
			t.Errorf("%s: readonly %s, required %v", name, got, schema.Required)
		}
	}
	if id := doc.Paths.Value("/line/{id}").Parameters[0].Value.Schema.Value; !id.Type.Is("string") || id.Pattern == "" {
		t.Errorf("id is %v", id)
	}
}

func TestSchemasOfBodiesHaveTheRulesOfTheModel(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "box", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "items", ToMany: "item", Inverse: "box"}}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text, Required: true, MinLength: 1, MaxLength: 9, Pattern: `^[a.]\..$`},
			{Name: "size", Type: core.Int, Min: 1, Max: 10},
			{Name: "ratio", Type: core.Float, Required: true, Default: 0.5, Max: 0.75},
			{Name: "kind", Type: core.Text, OneOf: []any{"b", "a"}},
			{Name: "price", Type: core.Decimal, Scale: new(2), Min: "0.5", Description: "In euros."},
			{Name: "state", Type: core.Text, Required: true, Transitions: map[string][]string{"": {"new"}, "new": {"old", "lost"}, "old": nil}},
			{Name: "secret", Type: core.Text, Hidden: true, OneOf: []any{"s3cret"}},
			{Name: "meta", Type: core.JSON, Schema: document{}},
			{Name: "tags", Type: core.List, Required: true, Schema: document{}},
			{Name: "sizes", Type: core.JSON, Schema: sizes{}},
			{Name: "box", ToOne: "box", Required: true},
			{Name: "other", ToOne: "box", Required: true},
		}},
	)
	text := documentOf(t, m, rest.Options{})
	if _, err := validate(text); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
				Required   []string
			}
		}
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	written := doc.Components.Schemas["item_patch"].Properties
	for name, want := range map[string]string{
		"name":  `{"description":"A number is accepted, as the string of its digits.","maxLength":9,"minLength":1,"pattern":"^[a.]\\.[\\s\\S]$","type":"string"}`,
		"size":  `{"format":"int64","maximum":10,"minimum":1,"type":["integer","null"]}`,
		"ratio": `{"format":"double","maximum":0.75,"type":"number"}`,
		"kind":  `{"description":"A number is accepted, as the string of its digits.","enum":["a","b",null],"type":["string","null"]}`,
		"price": `{"description":"In euros. At least 0.50. A number is accepted, as the string of its digits.","format":"decimal","pattern":"^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$","type":["string","null"]}`,
		"state": `{"description":"New records have one of: new. new may become: old, lost. old is final. A number is accepted, as the string of its digits.","enum":["lost","new","old"],"type":"string"}`,
		"meta":  `{"anyOf":[{"$ref":"#/components/schemas/item_meta"},{"type":"null"}]}`,
		"tags":  `{"$ref":"#/components/schemas/item_tags","items":{},"type":"array"}`,
		"sizes": `{"$ref":"#/components/schemas/item_sizes"}`,
	} {
		if got := string(written[name]); got != want {
			t.Errorf("%s: got  %s\nwant %s", name, got, want)
		}
	}
	for _, want := range []string{`"item_meta":{"items":{"$ref":"#/components/schemas/item_meta_n"}}`, `"item_tags_n":{"type":"number"}`, `"item_sizes":{"type":["object","null"]}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in the document", want)
		}
	}
	if got := doc.Components.Schemas["item_create"].Required; !slices.Equal(got, []string{"name", "state", "tags", "other"}) {
		t.Errorf("a new record requires %v", got)
	}
	if got := doc.Components.Schemas["item_replace"].Required; !slices.Equal(got, []string{"name", "state", "tags", "other"}) {
		t.Errorf("a replaced record requires %v", got)
	}
	if got := doc.Components.Schemas["item_patch"].Required; got != nil {
		t.Errorf("a change requires %v", got)
	}
	if strings.Contains(string(text), "s3cret") || doc.Components.Schemas["box_field"].Properties != nil {
		t.Error("the document has a value of a hidden field, or a schema without purpose")
	}
	author := intercepting(func(context.Context) error { return nil })
	author.Sets = func(f *core.Field) bool { return f.Name() == "name" || f.Name() == "tags" }
	if text := documentOf(t, m, rest.Options{}, author); strings.Count(string(text), `"required":["state","other"]`) != 2 { // POST and PUT
		t.Error("the document requires fields that a decorator sets")
	}
}

// sizes is a schema with a type.
type sizes struct{ document }

func (sizes) Document() json.RawMessage { return json.RawMessage(`{"type": "object"}`) }

// document is a schema with a reference.
type document struct{}

func (document) Violations(any) []core.ContentViolation { return nil }

func (document) Document() json.RawMessage {
	return json.RawMessage(`{"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "number"}}}`)
}

func TestListThroughAJoinResourceIsDescribed(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	m := core.MustModel("m",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{id, {Name: "labels", ToMany: "label", Through: "link", Description: "The topics."}}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id, {Name: "issues", ToMany: "issue", Through: "link", ReadOnly: true}}},
		core.ResourceSpec{Name: "link", APIName: "issue_label", Fields: []core.FieldSpec{
			{Name: "issue", ToOne: "issue", Key: true}, {Name: "label", ToOne: "label", Key: true},
		}},
	)
	doc, err := validate(documentOf(t, m, rest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Paths.Find("/issue/{id}/labels") == nil || doc.Paths.Find("/issue_label/{id}") == nil {
		t.Errorf("paths %v", doc.Paths.Keys())
	}
	const note = "Records of issue_label join the two: a record that joins the list gets one, and a record that leaves it loses its own."
	for schema, field := range map[string]string{"issue": "labels", "issue_patch": "labels", "label": "issues"} {
		list := doc.Components.Schemas[schema].Value.Properties[field].Value
		if list.Type.Slice()[0] != "array" || list.UniqueItems || !strings.Contains(list.Description, note) {
			t.Errorf("%s.%s: %v, %q", schema, field, list.Type, list.Description)
		}
		if doc.Components.Schemas[schema].Value.Properties[field+"@next"] == nil {
			t.Errorf("%s has no %s@next", schema, field)
		}
	}
	if !strings.Contains(doc.Components.Schemas["label_patch"].Value.Properties["issues"].Value.Description, "Cannot be set") {
		t.Error("the read-only list can be written")
	}
}
