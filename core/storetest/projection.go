package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var projectionRules = []rule{
	{
		"requested fields are returned",
		"With Fields, a record has at least the named fields, with their values.",
		fieldsComeAsAsked,
	},
	{
		"key and order fields are always returned",
		"The Fields of an op always name the key and the fields of the order, and a backend returns them.",
		keyComesUnasked,
	},
	{
		"filters see fields that are not requested",
		"Filter, order and policy may use fields that are not requested.",
		conditionsSeeAll,
	},
	{
		"a load can be projected",
		"Fields work in a Load as in a Select.",
		loadIsProjected,
	},
}

// insertProjected inserts a cookie with a value in each field.
func insertProjected(t *kit.Fixture) core.Record {
	t.Insert("jar", kit.Fields{"id": 3})
	return t.Insert("cookie", kit.Fields{"id": 1, "kind": "muffin", "weight": 5, "note": "warm", "jar": 3})[0]
}

func fieldsComeAsAsked(t *kit.Fixture) {
	want := insertProjected(t)
	for _, names := range [][]string{{"kind"}, {"weight", "kind"}, {"jar"}, {"id"}, {"note", "jar", "id"}, {"kind", "weight", "note", "jar"}} {
		got := t.Find("cookie", core.Query{Fields: names})
		kit.Equal(t.Client, "number of records", len(got), 1)
		t.Holds("select", got[0], want, names...)
	}
}

func keyComesUnasked(t *kit.Fixture) {
	want := insertProjected(t)
	got := t.Find("cookie", core.Query{Fields: []string{"kind"}, Order: []string{"-weight", "jar"}})
	kit.Equal(t.Client, "number of records", len(got), 1)
	t.Holds("select", got[0], want, "id", "kind", "weight", "jar")
	got = t.Find("cookie", core.Query{Fields: []string{}})
	kit.Equal(t.Client, "number of records", len(got), 1)
	t.Holds("select of no fields", got[0], want, "id")
}

func conditionsSeeAll(t *kit.Fixture) {
	want := insertProjected(t)
	t.Insert("cookie", kit.Fields{"id": 2, "kind": "muffin", "weight": 4}, kit.Fields{"id": 3, "kind": "other", "weight": 6})
	got := t.Guarded(core.Ne("note", nil)).Find("cookie", core.Query{
		Where: core.Eq("kind", "muffin"), Order: []string{"weight"}, Fields: []string{"jar"},
	})
	t.SameKeys("select", got, 1)
	t.Holds("select", got[0], want, "jar", "weight")
	pages := t.AllPages("cookie", core.Query{Order: []string{"-weight"}, Fields: []string{"kind"}, Limit: 1})
	t.SameKeys("pages", pages, 3, 1, 2)
}

func loadIsProjected(t *kit.Fixture) {
	want := insertProjected(t)
	got, err := t.Querier.Load(t.Ctx, t.Resource("cookie"), t.Keys("cookie", []any{1, 9}), "note")
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	t.SameKeys("load", got, 1)
	t.Holds("load", got[0], want, "id", "note")
}
