package storetest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var batchRules = []rule{
	{
		"an insert is atomic",
		"If one record of an Insert fails, none of its records is stored.",
		insertIsAllOrNone,
	},
	{
		"an update is atomic",
		"If one change of an Update fails, none of its changes is made.",
		updateIsAllOrNone,
	},
	{
		"a delete is atomic",
		"If one key of a Delete fails, none of its records is deleted.",
		deleteIsAllOrNone,
	},
	{
		"one insert cannot use a key twice",
		"Two records with the same key in one Insert are a CONFLICT, and neither is stored.",
		sameKeyTwice,
	},
	{
		"batches of a thousand records",
		"Inserts, updates, loads and deletes accept a thousand records and keep their order.",
		thousandRecords,
	},
	{
		"empty batches",
		"Inserts, updates, loads and deletes of no records change nothing, and a transaction without operations commits.",
		nothingAtOnce,
	},
}

func insertIsAllOrNone(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 5, "kind": "mine"})
	for _, all := range [][]kit.Fields{
		{{"id": 1}, {"id": 2}, {"id": 5}},
		{{"id": 5}, {"id": 6}},
		{{"id": 1}, {"id": 5}, {"id": 9}},
	} {
		_, err := t.TryInsert("cookie", all...)
		t.Fails("insert", err, t.Resource("cookie").Key().AlreadyExists())
		t.Same("after", t.All("cookie"), before...)
	}
	_, err := t.TryInsert("cookie", kit.Fields{"id": 1}, kit.Fields{"id": 2, "jar": 77})
	t.Fails("insert with a broken relation", err, t.Resource("jar").NotFound(core.IntValue(77)))
	t.Same("after", t.All("cookie"), before...)
}

func updateIsAllOrNone(t *kit.Fixture) {
	before := t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2, "label": "b"}, kit.Fields{"id": 3, "label": "c"})
	_, err := t.TryUpdate("jar", kit.Fields{"id": 1, "size": 1}, kit.Fields{"id": 2, "size": 1}, kit.Fields{"id": 4, "size": 1})
	t.Fails("update", err, t.Resource("jar").NotFound(core.IntValue(4)))
	t.Same("after", t.All("jar"), before...)
	_, err = t.TryUpdate("jar", kit.Fields{"id": 1, "size": 2}, kit.Fields{"id": 2, "label": "c"})
	t.Fails("update to a taken value", err, t.Resource("jar").Field("label").AlreadyExists())
	t.Same("after", t.All("jar"), before...)
}

func deleteIsAllOrNone(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1}, kit.Fields{"id": 2}, kit.Fields{"id": 3})
	t.Insert("cookie", kit.Fields{"id": 1, "jar": 2})
	t.Fails("delete", t.TryDelete("jar", 1, 3, 4), t.Resource("jar").NotFound(core.IntValue(4)))
	t.SameKeys("after", t.All("jar"), 1, 2, 3)
	t.Fails("delete of a target", t.TryDelete("jar", 1, 2, 3), t.Resource("cookie").Field("jar").StillReferenced())
	t.SameKeys("after", t.All("jar"), 1, 2, 3)
}

func sameKeyTwice(t *kit.Fixture) {
	_, err := t.TryInsert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2}, kit.Fields{"id": 1, "kind": "b"})
	t.Fails("insert", err, t.Resource("cookie").Key().AlreadyExists())
	t.SameKeys("after", t.All("cookie"))
}

func thousandRecords(t *kit.Fixture) {
	const n = 1000
	all, changes, keys := make([]kit.Fields, n), make([]kit.Fields, n), make([]any, n)
	for i := range n {
		id := (i * 7) % n // every number once, in another order
		all[i] = kit.Fields{"id": id, "group": id % 10, "value": i}
		changes[i] = kit.Fields{"id": id, "value": -id}
		keys[i] = id
	}
	for i, rec := range t.Insert("order", all...) {
		kit.Equal(t.Client, "value of an inserted record", rec.Get("value"), core.IntValue(int64(i)))
	}
	for i, rec := range t.Update("order", changes...) {
		kit.Equal(t.Client, "value of an updated record", rec.Get("value"), core.IntValue(int64(-i)))
	}
	for i, rec := range t.Load("order", keys...) {
		kit.Equal(t.Client, "key of a loaded record", rec.Key(), core.IntValue(int64(i)))
	}
	kit.Equal(t.Client, "count", t.Count("order", core.Eq("group", 3)), n/10)
	t.Same("pages of 100", t.AllPages("order", core.Query{Limit: 100}), t.All("order")...)
	t.Delete("order", keys[:n-1]...)
	t.SameKeys("after the delete", t.All("order"), keys[n-1])
	t.Insert("order", make([]kit.Fields, n)...)
	kit.Equal(t.Client, "count", t.Count("order", core.All()), n+1)
}

func nothingAtOnce(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	t.SameKeys("insert", t.Insert("cookie"))
	t.SameKeys("update", t.Update("cookie"))
	t.SameKeys("load", t.Load("cookie"))
	t.Delete("cookie")
	t.Tx(func(*kit.Client) {})
	err := t.Store.TxWith(t.Ctx, core.TxOptions{ReadOnly: true}, func(context.Context, *core.Transaction) error { return nil })
	if err != nil {
		t.Fatalf("read-only transaction without operations: %v", err)
	}
	t.Same("after", t.All("cookie"), before...)
}
