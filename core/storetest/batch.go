package storetest

import (
	"context"

	"github.com/larder-go/larder/core"
)

var batchRules = []row{
	{
		"an insert is all or none",
		"If one record of an Insert fails, none of them is there, whichever it is.",
		insertIsAllOrNone,
	},
	{
		"an update is all or none",
		"If one change of an Update fails, none of them is made.",
		updateIsAllOrNone,
	},
	{
		"a delete is all or none",
		"If one key of a Delete fails, none of the records is gone.",
		deleteIsAllOrNone,
	},
	{
		"a key cannot be inserted twice at once",
		"Two records with the same key in one Insert are a CONFLICT, and neither is there.",
		sameKeyTwice,
	},
	{
		"a thousand records at once",
		"Inserts, updates, loads and deletes take a thousand records and keep their order.",
		thousandRecords,
	},
	{
		"nothing at once",
		"Inserts, updates, loads and deletes of nothing change nothing, and so does a transaction without operations.",
		nothingAtOnce,
	},
}

func insertIsAllOrNone(t *trial) {
	before := t.insert("cookie", fields{"id": 5, "kind": "mine"})
	for _, all := range [][]fields{
		{{"id": 1}, {"id": 2}, {"id": 5}},
		{{"id": 5}, {"id": 6}},
		{{"id": 1}, {"id": 5}, {"id": 9}},
	} {
		_, err := t.tryInsert("cookie", all...)
		t.fails("insert", err, t.res("cookie").Key().AlreadyExists())
		t.same("after", t.all("cookie"), before...)
	}
	_, err := t.tryInsert("cookie", fields{"id": 1}, fields{"id": 2, "jar": 77})
	t.fails("insert with a broken relation", err, t.res("jar").NotFound(core.IntValue(77)))
	t.same("after", t.all("cookie"), before...)
}

func updateIsAllOrNone(t *trial) {
	before := t.insert("jar", fields{"id": 1, "label": "a"}, fields{"id": 2, "label": "b"}, fields{"id": 3, "label": "c"})
	_, err := t.tryUpdate("jar", fields{"id": 1, "size": 1}, fields{"id": 2, "size": 1}, fields{"id": 4, "size": 1})
	t.fails("update", err, t.res("jar").NotFound(core.IntValue(4)))
	t.same("after", t.all("jar"), before...)
	_, err = t.tryUpdate("jar", fields{"id": 1, "size": 2}, fields{"id": 2, "label": "c"})
	t.fails("update to a taken value", err, t.res("jar").Field("label").AlreadyExists())
	t.same("after", t.all("jar"), before...)
}

func deleteIsAllOrNone(t *trial) {
	t.insert("jar", fields{"id": 1}, fields{"id": 2}, fields{"id": 3})
	t.insert("cookie", fields{"id": 1, "jar": 2})
	t.fails("delete", t.tryDelete("jar", 1, 3, 4), t.res("jar").NotFound(core.IntValue(4)))
	t.sameKeys("after", t.all("jar"), 1, 2, 3)
	t.fails("delete of a target", t.tryDelete("jar", 1, 2, 3), t.res("cookie").Field("jar").StillReferenced())
	t.sameKeys("after", t.all("jar"), 1, 2, 3)
}

func sameKeyTwice(t *trial) {
	_, err := t.tryInsert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2}, fields{"id": 1, "kind": "b"})
	t.fails("insert", err, t.res("cookie").Key().AlreadyExists())
	t.sameKeys("after", t.all("cookie"))
}

func thousandRecords(t *trial) {
	const n = 1000
	all, changes, keys := make([]fields, n), make([]fields, n), make([]any, n)
	for i := range n {
		id := (i * 7) % n // every number once
		all[i] = fields{"id": id, "group": id % 10, "value": i}
		changes[i] = fields{"id": id, "value": -id}
		keys[i] = id
	}
	for i, rec := range t.insert("order", all...) {
		equal(t.client, "value of an inserted record", rec.Get("value"), core.IntValue(int64(i)))
	}
	for i, rec := range t.update("order", changes...) {
		equal(t.client, "value of an updated record", rec.Get("value"), core.IntValue(int64(-i)))
	}
	for i, rec := range t.load("order", keys...) {
		equal(t.client, "key of a loaded record", rec.Key(), core.IntValue(int64(i)))
	}
	equal(t.client, "count", t.count("order", core.Eq("group", 3)), n/10)
	t.same("pages of 100", t.through("order", core.Query{Limit: 100}), t.all("order")...)
	t.delete("order", keys[:n-1]...)
	t.sameKeys("after the delete", t.all("order"), keys[n-1])
	t.insert("order", make([]fields, n)...)
	equal(t.client, "count", t.count("order", core.All()), n+1)
}

func nothingAtOnce(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"})
	t.sameKeys("insert", t.insert("cookie"))
	t.sameKeys("update", t.update("cookie"))
	t.sameKeys("load", t.load("cookie"))
	t.delete("cookie")
	t.tx(func(*client) {})
	err := t.store.TxWith(t.ctx, core.TxOptions{ReadOnly: true}, func(context.Context, *core.Transaction) error { return nil })
	if err != nil {
		t.Fatalf("read-only transaction without operations: %v", err)
	}
	t.same("after", t.all("cookie"), before...)
}
