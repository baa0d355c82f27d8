package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var readRules = []rule{
	{
		"a new backend is empty",
		"A new backend has no records.",
		newBackendIsEmpty,
	},
	{
		"load returns existing records by key",
		"A Load returns the existing records with the keys, ascending by key, and leaves out missing keys.",
		loadReturnsWhatIsThere,
	},
	{
		"select without filter returns all by key",
		"A Select without filter, order and limit returns every record of the resource, ascending by key.",
		selectReturnsAll,
	},
	{
		"count agrees with select",
		"A Count is the number of records that a Select with the same filter returns.",
		countCountsWhatSelectFinds,
	},
	{
		"resources are separate",
		"Records of different resources are different, even with the same key.",
		resourcesAreApart,
	},
	{
		"keys of all types",
		"Keys of type int, text and uuid identify their record. They are compared byte by byte and are no patterns.",
		keysOfAllTypes,
	},
}

func newBackendIsEmpty(t *kit.Fixture) {
	for _, r := range t.Model.Resources() {
		t.SameKeys("select in "+r.Name(), t.All(r.Name()))
		kit.Equal(t.Client, "count in "+r.Name(), t.Count(r.Name(), core.All()), 0)
	}
}

func loadReturnsWhatIsThere(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 5}, kit.Fields{"id": -7}, kit.Fields{"id": 10}, kit.Fields{"id": 9})
	t.SameKeys("load", t.Load("order", 10, 4, -7, 5, 11, 5), -7, 5, 10)
	t.SameKeys("load of a missing key", t.Load("order", 4))
	_, err := t.TryGet("order", 4)
	t.Fails("get of a missing key", err, t.Resource("order").NotFound(t.Key("order", 4)))
}

func selectReturnsAll(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 10}, kit.Fields{"id": 9}, kit.Fields{"id": -1}, kit.Fields{"id": 100})
	t.SameKeys("select", t.All("order"), -1, 9, 10, 100)
	t.Insert("page", kit.Fields{"slug": "b"}, kit.Fields{"slug": "B"}, kit.Fields{"slug": "a"}, kit.Fields{"slug": "ab"})
	t.SameKeys("select", t.All("page"), "B", "a", "ab", "b")
}

func countCountsWhatSelectFinds(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "group": 1}, kit.Fields{"id": 2, "group": 2}, kit.Fields{"id": 3, "group": 1}, kit.Fields{"id": 4})
	for _, f := range []core.Filter{
		core.All(), core.None(), core.Eq("group", 1), core.Ne("group", 1), core.Eq("group", nil), core.Gt("id", 2),
	} {
		kit.Equal(t.Client, "count", t.Count("order", f), len(t.Where("order", f)))
	}
	kit.Equal(t.Client, "count of all", t.Count("order", core.All()), 4)
}

func resourcesAreApart(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2})
	t.Insert("order", kit.Fields{"id": 2, "group": 5})
	t.SameKeys("jars", t.All("jar"), 1, 2)
	t.SameKeys("orders", t.All("order"), 2)
	t.SameKeys("load of another resource's key", t.Load("order", 1))
	t.Delete("order", 2)
	t.SameKeys("jars after a delete elsewhere", t.All("jar"), 1, 2)
}

func keysOfAllTypes(t *kit.Fixture) {
	slugs := []any{"a", "A", "á", "%", "_", "a ", "'", `\`, " ", "\U0001F36A"}
	for _, slug := range slugs {
		t.Insert("page", kit.Fields{"slug": slug, "title": slug})
	}
	for _, slug := range slugs {
		t.Same("get", []core.Record{t.Get("page", slug)}, t.Full("page", kit.Fields{"slug": slug, "title": slug}))
	}
	ids := []any{
		"ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11",
	}
	for _, id := range ids {
		t.Insert("person", kit.Fields{"id": id, "name": id})
	}
	t.SameKeys("people", t.All("person"), ids[1], ids[2], ids[0])
	t.SameKeys("load", t.Load("person", ids[0], ids[2]), ids[2], ids[0])
}

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
