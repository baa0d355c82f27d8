package storetest

import "github.com/larder-go/larder/core"

var readRules = []row{
	{
		"a new backend is empty",
		"A backend that was just made holds no records.",
		newBackendIsEmpty,
	},
	{
		"load returns what is there by key",
		"A Load returns the records with one of the keys, ascending by key, and leaves out keys that nobody has.",
		loadReturnsWhatIsThere,
	},
	{
		"select without condition returns all by key",
		"A Select without condition, order and limit returns every record of the resource, ascending by key.",
		selectReturnsAll,
	},
	{
		"count counts what select finds",
		"A Count is the number of records that a Select with the same condition finds.",
		countCountsWhatSelectFinds,
	},
	{
		"resources are apart",
		"A record of one resource is no record of another, whatever their keys.",
		resourcesAreApart,
	},
	{
		"keys of all types find their record",
		"Records are found by keys of type int, text and uuid, compared byte by byte and never as patterns.",
		keysOfAllTypes,
	},
}

func newBackendIsEmpty(t *trial) {
	for _, r := range t.model.Resources() {
		t.sameKeys("select in "+r.Name(), t.all(r.Name()))
		equal(t.client, "count in "+r.Name(), t.count(r.Name(), core.All()), 0)
	}
}

func loadReturnsWhatIsThere(t *trial) {
	t.insert("order", fields{"id": 5}, fields{"id": -7}, fields{"id": 10}, fields{"id": 9})
	t.sameKeys("load", t.load("order", 10, 4, -7, 5, 11, 5), -7, 5, 10)
	t.sameKeys("load of a missing key", t.load("order", 4))
	_, err := t.tryGet("order", 4)
	t.fails("get of a missing key", err, t.res("order").NotFound(t.key("order", 4)))
}

func selectReturnsAll(t *trial) {
	t.insert("order", fields{"id": 10}, fields{"id": 9}, fields{"id": -1}, fields{"id": 100})
	t.sameKeys("select", t.all("order"), -1, 9, 10, 100)
	t.insert("page", fields{"slug": "b"}, fields{"slug": "B"}, fields{"slug": "a"}, fields{"slug": "ab"})
	t.sameKeys("select", t.all("page"), "B", "a", "ab", "b")
}

func countCountsWhatSelectFinds(t *trial) {
	t.insert("order", fields{"id": 1, "group": 1}, fields{"id": 2, "group": 2}, fields{"id": 3, "group": 1}, fields{"id": 4})
	for _, f := range []core.Filter{
		core.All(), core.None(), core.Eq("group", 1), core.Ne("group", 1), core.Eq("group", nil), core.Gt("id", 2),
	} {
		equal(t.client, "count", t.count("order", f), len(t.where("order", f)))
	}
	equal(t.client, "count of all", t.count("order", core.All()), 4)
}

func resourcesAreApart(t *trial) {
	t.insert("jar", fields{"id": 1, "label": "a"}, fields{"id": 2})
	t.insert("order", fields{"id": 2, "group": 5})
	t.sameKeys("jars", t.all("jar"), 1, 2)
	t.sameKeys("orders", t.all("order"), 2)
	t.sameKeys("load of another resource's key", t.load("order", 1))
	t.delete("order", 2)
	t.sameKeys("jars after a delete elsewhere", t.all("jar"), 1, 2)
}

func keysOfAllTypes(t *trial) {
	slugs := []any{"a", "A", "á", "%", "_", "a ", "'", `\`, "", "\U0001F36A"}
	for _, slug := range slugs {
		t.insert("page", fields{"slug": slug, "title": slug})
	}
	for _, slug := range slugs {
		t.same("get", []core.Record{t.get("page", slug)}, t.full("page", fields{"slug": slug, "title": slug}))
	}
	ids := []any{
		"ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11",
	}
	for _, id := range ids {
		t.insert("person", fields{"id": id, "name": id})
	}
	t.sameKeys("people", t.all("person"), ids[1], ids[2], ids[0])
	t.sameKeys("load", t.load("person", ids[0], ids[2]), ids[2], ids[0])
}
