package policytest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// OwnedModel returns the default model of [PolicySpec]. Each record has a field owner, an integer that is hidden from
// clients. The model has relations of each kind, one through a join resource, keys of each type and a key of several fields. Some fields and a
// relation have rules that forbid
// updates, one rule depends on a relation, one field has a default and is read-only for clients, and a computed field
// sets another field.
func OwnedModel() *core.Model { return ownedModel(nil) }

// ownedModel returns the model with further fields in each resource.
func ownedModel(further []core.FieldSpec) *core.Model {
	specs := ownedResources()
	for i := range specs[:len(specs)-1] { // the last one is of the answers to repeated writes
		specs[i].Fields = append(specs[i].Fields, further...)
	}
	return core.MustModel("owned", specs...)
}

func ownedResources() []core.ResourceSpec {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return []core.ResourceSpec{
		{Name: "jar", APIName: "Jar", Fields: []core.FieldSpec{
			{Name: "id", APIName: "Id", Type: core.Int, Key: true},
			owner,
			{Name: "label", APIName: "Label", Type: core.Text, Unique: true, Searchable: true},
			{Name: "size", Type: core.Int, Writable: func(jar core.Record) bool { return jar.Get("label").Text() != "b" }},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
			{Name: "lid", ToOne: "lid", Inverse: "jar"},
		}},
		{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "kind", Type: core.Text, Indexed: true, Searchable: true, Writable: func(cookie core.Record) bool {
				return cookie.Get("jar").IsNull() || cookie.Get("kind").Text() != "b"
			}},
			{Name: "jar", APIName: "InJar", ToOne: "jar", Writable: func(cookie core.Record) bool { return cookie.Get("kind").Text() != "b" }},
			{Name: "state", Type: core.Text, ReadOnly: true, Default: "dough", Searchable: true},
			{Name: "baked", APIName: "Baked", Type: core.Bool, Computed: baked()},
			owner,
			{Name: "pages", APIName: "OnPages", ToMany: "page", Through: "mention"},
		}},
		{Name: "lid", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			owner,
			{Name: "jar", ToOne: "jar"},
		}},
		{Name: "crumb", Fields: []core.FieldSpec{
			owner,
			{Name: "id", Type: core.Int, Key: true},
			{Name: "cookie", ToOne: "cookie", OnDelete: core.Cascade},
		}},
		{Name: "plate", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true},
			owner,
			{Name: "cookies", ToMany: "cookie"},
		}},
		{Name: "page", APIName: "Page", Fields: []core.FieldSpec{
			{Name: "slug", Type: core.Text, Key: true, Searchable: true},
			{Name: "title", Type: core.Text, Searchable: true},
			{Name: "parent", APIName: "Parent", ToOne: "page"},
			owner,
			{Name: "cookies", ToMany: "cookie", Through: "mention"},
		}},
		{Name: "seat", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "row", Type: core.Text, Key: true},
			{Name: "number", APIName: "No", Type: core.Int, Key: true},
			owner,
			{Name: "note", Type: core.Text},
			{Name: "next", ToOne: "seat"},
			{Name: "before", ToMany: "seat", Inverse: "next"},
		}},
		{Name: "mention", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			owner,
			{Name: "page", ToOne: "page"},
			{Name: "cookie", APIName: "Cookie", ToOne: "cookie"},
			{Name: "note", Type: core.Text},
		}, Unique: [][]string{{"page", "cookie"}}},
		{Name: core.AnswersName},
	}
}

// baked is a computed field: whether the state of the cookie is "baked". Setting it sets the state.
func baked() *core.Computed {
	const done = "baked"
	return &core.Computed{
		Get: func(_ context.Context, cookie core.Record) (any, error) {
			return cookie.Get("state").Text() == done, nil
		},
		Set: func(_ context.Context, _ core.Record, now any) (map[string]any, error) {
			if now == true {
				return map[string]any{"state": done}, nil
			}
			return map[string]any{"state": "dough"}, nil
		},
	}
}

// ownedRows are rows of [OwnedModel] for the owners 1 and 2, without owner, and of owner 3, which is no principal. The
// rows of each owner reference rows of the same owner and of others.
func ownedRows() seed.Data {
	type row = map[string]any
	uuid := func(last string) string { return "00000000-0000-4000-8000-00000000000" + last }
	return seed.Data{
		"jar": {
			1: row{"owner": 1, "label": "a", "size": 1}, 2: row{"owner": 2, "label": "A", "size": 1}, 3: row{"owner": nil, "size": 2},
			4: row{"owner": 1, "label": "b"}, 5: row{"owner": 2, "label": "ab", "size": -1}, 6: row{"owner": 3, "label": ""},
		},
		"cookie": {
			1: row{"owner": 1, "kind": "a", "jar": 1}, 2: row{"owner": 2, "kind": "a", "jar": 2, "state": "baked"}, 3: row{"kind": "b", "jar": 3},
			4: row{"owner": 1, "kind": "b", "jar": 2}, 5: row{"owner": 2, "kind": "b", "jar": 1, "state": nil}, 6: row{"owner": 1, "jar": 1},
			7: row{"owner": 2, "jar": 5}, 8: row{"owner": 3, "kind": "A", "jar": 1},
		},
		"lid":   {1: row{"owner": 1, "jar": 1}, 2: row{"owner": 2, "jar": 2}, 3: row{"jar": 3}, 4: row{"owner": 1}, 5: row{"owner": 2}},
		"crumb": {1: row{"owner": 1, "cookie": 1}, 2: row{"owner": 2, "cookie": 2}, 3: row{"cookie": 3}, 4: row{"owner": 2, "cookie": 7}, 5: row{"owner": 1}},
		"plate": {
			uuid("1"): row{"owner": 1, "cookies": []any{1, 2, 4}}, uuid("2"): row{"owner": 2, "cookies": []any{2, 7}},
			uuid("3"): row{"cookies": []any{3}}, uuid("4"): row{"owner": 1, "cookies": []any{}},
		},
		"page": {
			"a": row{"owner": 1, "title": "x"}, "b": row{"owner": 2, "title": "x"}, "c": row{"title": "y"},
			"a/1": row{"owner": 1, "title": "z", "parent": "a"}, "b/1": row{"owner": 2, "title": "z", "parent": "b"},
		},
		"seat": {
			"a,1": row{"owner": 1, "note": "x"}, "a,2": row{"owner": 2, "note": "x", "next": "b,1"}, "a,11": row{"owner": 1, "next": "a,1"},
			"b,1": row{"owner": 2}, "b,2": row{"owner": 1, "note": "y", "next": "a,2"}, "c,1": row{"note": "y", "next": "a,1"},
		},
		"mention": { // 3 and 4 join records of one owner and belong to the other one
			1: row{"owner": 1, "page": "a", "cookie": 1, "note": "x"}, 2: row{"owner": 2, "page": "b", "cookie": 2, "note": "x"},
			3: row{"owner": 2, "page": "a/1", "cookie": 6, "note": "y"}, 4: row{"owner": 1, "page": "b/1", "cookie": 7, "note": "y"},
			5: row{"owner": 1, "page": "b", "cookie": 1}, 6: row{"owner": 2, "page": "b", "cookie": 4}, 7: row{"page": "c", "cookie": 3},
			8: row{"owner": 1, "cookie": 4}, 9: row{"owner": 1, "page": "a", "cookie": 4, "note": "z"}, 10: row{"owner": 2, "page": "b", "cookie": 5},
		},
	}
}

// ownedPrincipals are the owners 1 and 2.
func ownedPrincipals() []*core.Principal {
	return []*core.Principal{
		{ID: core.IntValue(1), Roles: []string{"baker"}},
		{ID: core.IntValue(2), Roles: []string{"baker"}},
	}
}

// ownsRow is CanRead of [OwnedModel]: the principal's id is the owner.
func ownsRow(p *core.Principal, row core.Record) bool {
	return p != nil && p.ID.IsSet() && row.Get("owner") == p.ID
}
