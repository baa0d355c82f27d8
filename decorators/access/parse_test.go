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

// schema is the published one, compiled by a library that knows nothing of us.
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

// valid reports what the schema says.
func valid(s *jsonschema.Schema, text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// examples are documents and what they mean.
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

func TestADocumentMeansWhatTheSameGoValuesMean(t *testing.T) {
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

// mistaken are documents with a mistake that needs no model to be seen, and what
// is said about it. A rule stands for a document with that rule alone.
var mistaken = []struct{ text, want string }{
	{`[]`, "is not an object"},
	{`{}`, "rules: is not a list"},
	{`{"rules": {}}`, "rules: is not a list"},
	{`{"rules": [], "rule": 1}`, `has the unknown name "rule"`},
	{`{"$schema": 5, "rules": []}`, "$schema: is not a text"},
	{`{"$schema": null, "rules": []}`, "$schema: is not a text"},
	{`{"rules": [1, 2]}`, "rule 1: is not an object\naccess policy: rule 2: is not an object"},
	{`"role": "r"`, `rule 1: has the unknown name "role"`},
	{`"roles": ["r"], "resource": "bread"`, "rule 1: has no operations, so it would allow nothing"},
	{`"resource": "bread", "operations": ["read"]`, "rule 1: has no roles, so it would be for nobody"},
	{`"roles": ["r"], "operations": ["read"]`, "rule 1: names no resource"},
	{`"roles": "r", "resource": "bread", "operations": ["read"]`, "rule 1: roles: is not a list of texts"},
	{`"roles": [], "resource": "bread", "operations": ["read"]`, "rule 1: has no roles, so it would be for nobody"},
	{`"roles": ["r", ""], "resource": "bread", "operations": ["read"]`, "rule 1: roles: [1] is not a text with something in it"},
	{`"roles": ["r", "r"], "resource": "bread", "operations": ["read"]`, `rule 1: roles: has "r" twice`},
	{`"roles": ["r"], "resource": 1, "operations": ["read"]`, "rule 1: resource: is not a text with something in it"},
	{`"name": "", "roles": ["r"], "resource": "bread", "operations": ["read"]`, "rule 1: name: is not a text with something in it"},
	{`"roles": ["r"], "resource": "bread", "operations": ["write"]`, `rule 1: operations: "write" is no operation; there are read, insert, update, delete, choose_key`},
	{`"roles": ["r"], "resource": "bread", "operations": ["read", "read"]`, `rule 1: operations: has "read" twice`},
	{`"roles": ["r"], "resource": "bread", "operations": []`, "rule 1: has no operations, so it would allow nothing"},
	{`"name": "all", "role": "r"`, `rule 1 (all): has the unknown name "role"`},
	{`"name": "all", "roles": ["r"], "resource": "bread", "operations": ["write"]`,
		`rule 1 (all): operations: "write" is no operation; there are read, insert, update, delete, choose_key`},
	{`"name": "all", "roles": ["r"], "operations": ["read"]`, "rule 1 (all): names no resource"},
	{`"name": 1, "roles": ["r"], "operations": ["read"]`, "rule 1: name: is not a text with something in it"},
	{right(`"fields": null`), "rule 1: fields: is not a list of texts"},
	{right(`"fields": ["name", "name"]`), `rule 1: fields: has "name" twice`},
	{`"roles": ["r"], "resource": "bread", "operations": ["delete"], "fields": ["name"]`,
		"rule 1: has fields and delete, which is about whole rows; make delete a rule of its own"},
	{`"roles": ["r"], "resource": "bread", "operations": ["insert"], "using": {"id": 1}`,
		"rule 1: has a using and insert alone, before which there is no row; make it a check"},
	{`"roles": ["r"], "resource": "bread", "operations": ["choose_key", "insert"], "using": {"id": 1}`,
		"rule 1: has a using and insert alone, before which there is no row; make it a check"},
	{`"roles": ["r"], "resource": "bread", "operations": ["choose_key"]`,
		"rule 1: has choose_key without insert, so it would allow nothing; add insert"},
	{`"roles": ["r"], "resource": "bread", "operations": ["read", "update", "choose_key"]`,
		"rule 1: has choose_key without insert, so it would allow nothing; add insert"},
	{`"roles": ["r"], "resource": "bread", "operations": ["read", "delete"], "check": {"id": 1}`,
		"rule 1: has a check and only read, delete, which leaves no row behind; make it a using"},
	{right(`"using": {}`), "rule 1: using: says nothing; leave it out, or say true"},
	{right(`"using": false`), "rule 1: using: is not an object of conditions"},
	{right(`"using": null`), "rule 1: using: is not an object of conditions"},
	{right(`"check": [{"id": 1}]`), "rule 1: check: is not an object of conditions"},
	{right(`"using": {"$xor": []}`), "rule 1: using: $xor: is neither a field nor $and, $or or $not"},
	{right(`"using": {"": 1}`), "rule 1: using: : is neither a field nor $and, $or or $not"},
	{right(`"using": {"$and": []}`), "rule 1: using: $and: is not a list of conditions with something in it"},
	{right(`"using": {"$or": [{"id": 1}, true]}`), "rule 1: using: $or: [1] is not an object of conditions"},
	{right(`"using": {"$not": [{"id": 1}]}`), "rule 1: using: $not: is not an object of conditions"},
	{right(`"using": {"id": {}}`), "rule 1: using: id: says nothing"},
	{right(`"using": {"id": {"like": 1}}`), "rule 1: using: id: like: is no operator; there are eq, ne, lt, le, gt, ge, in, prefix"},
	{right(`"using": {"id": {"in": 1}}`), "rule 1: using: id: in: is neither a list nor a claim"},
	{right(`"using": {"id": {"in": [1, {"a": 1}]}}`), `rule 1: using: id: in: [1] is an object, but neither {"$principal": "id"} nor {"$claim": "NAME"}`},
	{right(`"using": {"id": {"eq": {"$principal": "name"}}}`),
		`rule 1: using: id: eq: is an object, but neither {"$principal": "id"} nor {"$claim": "NAME"}`},
	{right(`"using": {"id": {"$claim": ""}}`), `rule 1: using: id: is an object, but neither {"$principal": "id"} nor {"$claim": "NAME"}`},
	{right(`"using": {"id": {"$principal": "name"}}`), `rule 1: using: id: is an object, but neither {"$principal": "id"} nor {"$claim": "NAME"}`},
	{right(`"using": {"id": {"$claim": "a", "$principal": "id"}}`),
		`rule 1: using: id: is an object, but neither {"$principal": "id"} nor {"$claim": "NAME"}`},
	{right(`"using": {"notes": {"ne": [{"$claim": "a"}]}}`),
		"rule 1: using: notes: ne: [0] a claim or the principal's id is a value of its own, not a part of one"},
	{right(`"using": {"notes": {"in": [1, [{"a": [{"$principal": "id"}]}]]}}`),
		"rule 1: using: notes: in: [1] [0] a: [0] a claim or the principal's id is a value of its own, not a part of one"},
}

// right is a right rule with something more.
func right(more string) string {
	return `"roles": ["r"], "resource": "bread", "operations": ["read", "update"], ` + more
}

func TestWhatIsWrongWithADocumentIsSaidWithItsPlaceAndTheSchemaRefusesItToo(t *testing.T) {
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

func TestADocumentIsStrictlyJSON(t *testing.T) {
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

func FuzzParseAcceptsWhatTheSchemaAccepts(f *testing.F) {
	for _, e := range examples {
		f.Add(e.text)
	}
	for _, m := range mistaken {
		f.Add(m.text)
		f.Add(`{"rules": [{` + m.text + `}]}`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := core.ParseJSON([]byte(text), 0); err == nil { // else it is no document at all
			sameVerdict(t, schema(t), text)
		}
	})
}

// sameVerdict checks that both accept the document, or neither.
func sameVerdict(t rapid.TB, s *jsonschema.Schema, text string) {
	_, parsed := access.Parse([]byte(text))
	if refused := valid(s, text); (parsed == nil) != (refused == nil) {
		t.Fatalf("%s\nParse: %v\nschema: %v", text, parsed, refused)
	}
}
