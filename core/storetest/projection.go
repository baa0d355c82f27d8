package storetest

import "github.com/larder-go/larder/core"

var projectionRules = []row{
	{
		"fields that are asked for come",
		"With Fields, a record holds at least those, with the values that it has.",
		fieldsComeAsAsked,
	},
	{
		"the key and the order come unasked",
		"The op's Fields always name the key and what the order needs, and a backend returns them.",
		keyComesUnasked,
	},
	{
		"conditions see fields that are not asked for",
		"What is filtered and sorted by, and what a policy looks at, need not be asked for.",
		conditionsSeeAll,
	},
	{
		"a load can be projected",
		"Fields work in a Load as in a Select.",
		loadIsProjected,
	},
}

// holds ends the test unless the record has the values of want in the named
// fields, and in the others either the same or nothing.
func (c *client) holds(what string, got, want core.Record, names ...string) {
	c.Helper()
	equal(c, what+": resource", got.Resource(), want.Resource())
	for _, name := range names {
		equal(c, what+": "+name, got.Get(name), want.Get(name))
	}
	for i, f := range want.Resource().Columns() {
		if v := got.At(i); !v.IsAbsent() {
			equal(c, what+": "+f.Name()+", not asked for", v, want.At(i))
		}
	}
}

// projected stores a cookie with a value in each field.
func projected(t *trial) core.Record {
	t.insert("jar", fields{"id": 3})
	return t.insert("cookie", fields{"id": 1, "kind": "muffin", "weight": 5, "note": "warm", "jar": 3})[0]
}

func fieldsComeAsAsked(t *trial) {
	want := projected(t)
	for _, names := range [][]string{{"kind"}, {"weight", "kind"}, {"jar"}, {"id"}, {"note", "jar", "id"}, {"kind", "weight", "note", "jar"}} {
		got := t.find("cookie", core.Query{Fields: names})
		equal(t.client, "number of records", len(got), 1)
		t.holds("select", got[0], want, names...)
	}
}

func keyComesUnasked(t *trial) {
	want := projected(t)
	got := t.find("cookie", core.Query{Fields: []string{"kind"}, Order: []string{"-weight", "jar"}})
	equal(t.client, "number of records", len(got), 1)
	t.holds("select", got[0], want, "id", "kind", "weight", "jar")
	got = t.find("cookie", core.Query{Fields: []string{}})
	equal(t.client, "number of records", len(got), 1)
	t.holds("select of no fields", got[0], want, "id")
}

func conditionsSeeAll(t *trial) {
	want := projected(t)
	t.insert("cookie", fields{"id": 2, "kind": "muffin", "weight": 4}, fields{"id": 3, "kind": "other", "weight": 6})
	got := t.guarded(core.Ne("note", nil)).find("cookie", core.Query{
		Where: core.Eq("kind", "muffin"), Order: []string{"weight"}, Fields: []string{"jar"},
	})
	t.sameKeys("select", got, 1)
	t.holds("select", got[0], want, "jar", "weight")
	pages := t.through("cookie", core.Query{Order: []string{"-weight"}, Fields: []string{"kind"}, Limit: 1})
	t.sameKeys("pages", pages, 3, 1, 2)
}

func loadIsProjected(t *trial) {
	want := projected(t)
	got, err := t.querier.Load(t.ctx, t.res("cookie"), t.keys("cookie", []any{1, 9}), "note")
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	t.sameKeys("load", got, 1)
	t.holds("load", got[0], want, "id", "note")
}
