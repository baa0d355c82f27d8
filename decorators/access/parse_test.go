package access_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// schema returns the published schema, compiled by an independent library.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(access.Schema))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := doc.(map[string]any)["$id"].(string)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(id, doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid validates the document against the schema.
func valid(s *jsonschema.Schema, text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// examples are documents and the policies that they mean.
var examples = []struct {
	text string
	want access.Policy
}{
	{`{"rules": []}`, access.Policy{}},
	{`{"$schema": "policy.schema.json", "rules": [{"name": "n", "roles": ["anonymous", "guest"], "resource": "bread", "operations": ["read"],
		"fields": ["name"], "using": {"on_sale": true}}]}`,
		access.Policy{{Name: "n", Roles: []string{"anonymous", "guest"}, Resource: "bread", Operations: access.Read,
			Fields: []string{"name"}, Using: access.Eq("on_sale", true)}}},
	{`{"rules": [{"roles": ["r"], "resource": "bread", "operations": ["read", "insert", "update", "delete", "choose_key"], "using": {"baker": {"$principal": "id"}}, "check": true}]}`,
		access.Policy{{Roles: []string{"r"}, Resource: "bread", Operations: everything, Using: access.Eq("baker", access.PrincipalID()), Check: access.All()}}},
	{`{"rules": [{"roles": ["r"], "resource": "bread", "operations": ["insert"], "fields": [],
		"check": {"name": {"prefix": {"$claim": "c"}}, "price": {"ge": 1, "lt": 9}, "$not": {"notes": null}}}]}`,
		access.Policy{{Roles: []string{"r"}, Resource: "bread", Operations: access.Insert, Fields: []string{},
			Check: access.And(access.Not(access.Eq("notes", nil)), access.Prefix("name", access.PrincipalClaim("c")),
				access.Ge("price", json.Number("1")), access.Lt("price", json.Number("9")))}}},
	{`{"rules": [{"roles": ["r"], "resource": "bread", "operations": ["update"], "using":
		{"$or": [{"id": {"in": [1, {"$principal": "id"}]}}, {"name": {"in": {"$claim": "names"}}}, {"$and": [{"price": {"ne": null}}, {"notes": {"eq": [{"a": [1]}]}}]}]}}]}`,
		access.Policy{{Roles: []string{"r"}, Resource: "bread", Operations: access.Update, Using: access.Or(
			access.In("id", json.Number("1"), access.PrincipalID()), access.In("name", access.PrincipalClaim("names")),
			access.And(access.Ne("price", nil), access.Eq("notes", []any{map[string]any{"a": []any{json.Number("1")}}})))}}},
	{`{"rules": [{"roles": ["r"], "resource": "bread", "operations": ["read"], "using": {"price": {"le": 5, "gt": 1, "eq": 2}}}]}`,
		access.Policy{{Roles: []string{"r"}, Resource: "bread", Operations: access.Read,
			Using: access.And(access.Eq("price", json.Number("2")), access.Gt("price", json.Number("1")), access.Le("price", json.Number("5")))}}},
}

func TestParsedPolicyEqualsGoValues(t *testing.T) {
	s := schema(t)
	for _, e := range examples {
		got, err := access.Parse([]byte(e.text))
		if err != nil || !reflect.DeepEqual(got, e.want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", e.text, got, err, e.want)
		}
		if err := valid(s, e.text); err != nil {
			t.Errorf("%s: %v", e.text, err)
		}
		if _, err := got.Compile(bakery()); err != nil {
			t.Errorf("%s: %v", e.text, err)
		}
	}
}

// mistaken are documents with a mistake that Parse finds without a model, and the error. A text that begins with a
// member is a document of one rule.
var mistaken = []struct{ text, want string }{
	{`[]`, "must be an object"},
	{`{}`, "rules: must be a list"},
	{`{"rules": {}}`, "rules: must be a list"},
	{`{"rules": [], "rule": 1}`, `unknown name "rule"`},
	{`{"$schema": 5, "rules": []}`, "$schema: must be a string"},
	{`{"$schema": null, "rules": []}`, "$schema: must be a string"},
	{`{"rules": [1, 2]}`, "rule 1: must be an object\naccess policy: rule 2: must be an object"},
	{`"role": "r"`, `rule 1: unknown name "role"`},
	{`"roles": ["r"], "resource": "bread"`, "rule 1: has no operations; add at least one of read, insert, update, delete, choose_key, restore"},
	{`"resource": "bread", "operations": ["read"]`, "rule 1: has no roles; name at least one"},
	{`"roles": ["r"], "operations": ["read"]`, "rule 1: has no resource; name one"},
	{`"roles": "r", "resource": "bread", "operations": ["read"]`, "rule 1: roles: must be a list of strings"},
	{`"roles": [], "resource": "bread", "operations": ["read"]`, "rule 1: has no roles; name at least one"},
	{`"roles": ["r", ""], "resource": "bread", "operations": ["read"]`, "rule 1: roles: [1] must be a non-empty string"},
	{`"roles": ["r", "r"], "resource": "bread", "operations": ["read"]`, `rule 1: roles: "r" is listed twice; remove one`},
	{`"roles": ["r"], "resource": 1, "operations": ["read"]`, "rule 1: resource: must be a non-empty string"},
	{`"name": "", "roles": ["r"], "resource": "bread", "operations": ["read"]`, "rule 1: name: must be a non-empty string"},
	{`"roles": ["r"], "resource": "bread", "operations": ["write"]`, `rule 1: operations: unknown operation "write"; use read, insert, update, delete, choose_key, restore`},
	{`"roles": ["r"], "resource": "bread", "operations": ["read", "read"]`, `rule 1: operations: "read" is listed twice; remove one`},
	{`"roles": ["r"], "resource": "bread", "operations": []`, "rule 1: has no operations; add at least one of read, insert, update, delete, choose_key, restore"},
	{`"name": "all", "role": "r"`, `rule 1 (all): unknown name "role"`},
	{`"name": "all", "roles": ["r"], "resource": "bread", "operations": ["write"]`,
		`rule 1 (all): operations: unknown operation "write"; use read, insert, update, delete, choose_key, restore`},
	{`"name": "all", "roles": ["r"], "operations": ["read"]`, "rule 1 (all): has no resource; name one"},
	{`"name": 1, "roles": ["r"], "operations": ["read"]`, "rule 1: name: must be a non-empty string"},
	{ruleWith(`"fields": null`), "rule 1: fields: must be a list of strings"},
	{ruleWith(`"fields": ["name", "name"]`), `rule 1: fields: "name" is listed twice; remove one`},
	{`"roles": ["r"], "resource": "bread", "operations": ["delete"], "fields": ["name"]`,
		"rule 1: has fields and delete, which removes whole rows; put delete into a rule of its own"},
	{`"roles": ["r"], "resource": "bread", "operations": ["insert"], "using": {"id": 1}`,
		"rule 1: has using and only insert, before which there is no row; use check"},
	{`"roles": ["r"], "resource": "bread", "operations": ["choose_key", "insert"], "using": {"id": 1}`,
		"rule 1: has using and only insert, before which there is no row; use check"},
	{`"roles": ["r"], "resource": "bread", "operations": ["choose_key"]`,
		"rule 1: has choose_key without insert and so permits nothing; add insert"},
	{`"roles": ["r"], "resource": "bread", "operations": ["read", "update", "choose_key"]`,
		"rule 1: has choose_key without insert and so permits nothing; add insert"},
	{`"roles": ["r"], "resource": "bread", "operations": ["read", "delete"], "check": {"id": 1}`,
		"rule 1: has check and only read, delete, after which there is no row to check; use using"},
	{ruleWith(`"using": {}`), "rule 1: using: is empty; leave it out or use true"},
	{ruleWith(`"using": false`), "rule 1: using: must be an object of conditions"},
	{ruleWith(`"using": null`), "rule 1: using: must be an object of conditions"},
	{ruleWith(`"check": [{"id": 1}]`), "rule 1: check: must be an object of conditions"},
	{ruleWith(`"using": {"$xor": []}`), "rule 1: using: $xor: must be a field, $and, $or or $not"},
	{ruleWith(`"using": {"": 1}`), "rule 1: using: : must be a field, $and, $or or $not"},
	{ruleWith(`"using": {"$and": []}`), "rule 1: using: $and: must be a non-empty list of conditions"},
	{ruleWith(`"using": {"$or": [{"id": 1}, true]}`), "rule 1: using: $or: [1] must be an object of conditions"},
	{ruleWith(`"using": {"$not": [{"id": 1}]}`), "rule 1: using: $not: must be an object of conditions"},
	{ruleWith(`"using": {"id": {}}`), "rule 1: using: id: must not be empty; use an operator: eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between"},
	{ruleWith(`"using": {"id": {"like": 1}}`), "rule 1: using: id: like: unknown operator; use eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between, or $any, $all or $none for a relation"},
	{ruleWith(`"using": {"id": {"in": 1}}`), "rule 1: using: id: in: must be a list of values"},
	{ruleWith(`"using": {"id": {"in": [1, {"a": 1}]}}`), `rule 1: using: id: an object must be {"$principal": "id"} or {"$claim": "NAME"}`},
	{ruleWith(`"using": {"id": {"eq": {"$principal": "name"}}}`),
		`rule 1: using: id: eq: an object must be {"$principal": "id"} or {"$claim": "NAME"}`},
	{ruleWith(`"using": {"id": {"$claim": ""}}`), `rule 1: using: id: an object must be {"$principal": "id"} or {"$claim": "NAME"}`},
	{ruleWith(`"using": {"id": {"$principal": "name"}}`), `rule 1: using: id: an object must be {"$principal": "id"} or {"$claim": "NAME"}`},
	{ruleWith(`"using": {"id": {"$claim": "a", "$principal": "id"}}`),
		`rule 1: using: id: an object must be {"$principal": "id"} or {"$claim": "NAME"}`},
	{ruleWith(`"using": {"notes": {"ne": [{"$claim": "a"}]}}`),
		"rule 1: using: notes: ne: [0] the principal's id or a claim cannot be a part of a value; compare the whole field with it"},
	{ruleWith(`"using": {"notes": {"in": [1, [{"a": [{"$principal": "id"}]}]]}}`),
		"rule 1: using: notes: in: [1] [0] a: [0] the principal's id or a claim cannot be a part of a value; compare the whole field with it"},
}

// ruleWith returns the members of a valid rule, and more.
func ruleWith(more string) string {
	return `"roles": ["r"], "resource": "bread", "operations": ["read", "update"], ` + more
}

func TestParseReportsMistakesThatTheSchemaRejects(t *testing.T) {
	s := schema(t)
	for _, m := range mistaken {
		text := m.text
		if text[0] == '"' {
			text = `{"rules": [{` + text + `}]}`
		}
		if _, err := access.Parse([]byte(text)); err == nil || err.Error() != "access policy: "+m.want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, m.want)
		}
		if valid(s, text) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}

func TestParseRequiresStrictJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"rules": [`:               "access policy: ",
		`{"rules": [], "rules":[]}`: "access policy: ",
		`{"rules": []} x`:           "access policy: ",
	} {
		if _, err := access.Parse([]byte(text)); err == nil || len(err.Error()) <= len(want) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func FuzzParseAgreesWithTheSchema(f *testing.F) {
	for _, e := range examples {
		f.Add(e.text)
	}
	for _, m := range mistaken {
		f.Add(m.text)
		f.Add(`{"rules": [{` + m.text + `}]}`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := core.ParseJSON([]byte(text), 0); err == nil { // otherwise it is not JSON
			sameVerdict(t, schema(t), text)
		}
	})
}

// sameVerdict checks that Parse and the schema agree about the document.
func sameVerdict(t rapid.TB, s *jsonschema.Schema, text string) {
	_, parsed := access.Parse([]byte(text))
	if invalid := valid(s, text); (parsed == nil) != (invalid == nil) {
		t.Fatalf("%s\nParse: %v\nschema: %v", text, parsed, invalid)
	}
}
