package storetest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var writeRules = []rule{
	{
		"insert returns the stored records",
		"An Insert returns the stored records in the order in which it got them.",
		insertReturnsRecords,
	},
	{
		"absent columns are null",
		"A column that an Insert does not name is null, unless the storage has a default.",
		absentIsNull,
	},
	{
		"insert never overwrites",
		"An Insert of an existing key is a CONFLICT, and the existing record does not change.",
		insertNeverOverwrites,
	},
	{
		"update changes the named columns only",
		"An Update does not change the columns that it does not name.",
		updateChangesNamed,
	},
	{
		"update sets null",
		"An Update may set null like any other value.",
		updateSetsNull,
	},
	{
		"replace clears fields without a default",
		"Null in a field of Reset is stored as null, unless the storage has a default. Other values are written.",
		replacementClears,
	},
	{
		"update returns whole records by key",
		"An Update returns each record after the change, with all columns, ascending by key.",
		updateReturnsRecords,
	},
	{
		"an update may change nothing",
		"A change without columns returns the record unchanged, and a column may be set to its present value.",
		updateWithoutColumns,
	},
	{
		"stamps follow real changes",
		"An Update writes a field of IfChanged only in records in which another field changes, and checks the record as it is then.",
		stampsFollowChanges,
	},
	{
		"update of a missing record is not found",
		"An Update of missing keys is OBJECT_DOES_NOT_EXIST of the first one, and adds nothing.",
		updateMissing,
	},
	{
		"delete removes the records",
		"No kind of read returns a deleted record.",
		deleteRemoves,
	},
	{
		"delete of a missing record is not found",
		"A Delete of missing keys is OBJECT_DOES_NOT_EXIST of the first one.",
		deleteMissing,
	},
	{
		"a deleted key can be inserted again",
		"The key of a deleted record is free for later inserts.",
		deletedKeyIsFree,
	},
	{
		"filters follow updates",
		"After an Update, filters match a record by its new values and not by the old ones, indexed or not.",
		writesMoveRecords,
	},
}

func insertReturnsRecords(t *kit.Fixture) {
	all := []kit.Fields{{"id": 7, "kind": "b", "weight": 2}, {"id": -2, "note": ""}, {"id": 3, "kind": "a", "weight": nil}}
	var want []core.Record
	for _, f := range all {
		want = append(want, t.Full("cookie", f))
	}
	t.Same("insert returned", t.Insert("cookie", all...), want...)
	t.Same("select", t.All("cookie"), want[1], want[2], want[0])
}

func absentIsNull(t *kit.Fixture) {
	want := t.Full("sample", kit.Fields{"id": 1})
	t.Same("insert returned", t.Insert("sample", kit.Fields{"id": 1}), want)
	t.Same("get", t.Load("sample", 1), want)
}

func insertNeverOverwrites(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "mine", "weight": 5})
	_, err := t.TryInsert("cookie", kit.Fields{"id": 1, "kind": "yours"})
	t.Fails("insert", err, t.Resource("cookie").Key().AlreadyExists())
	_, err = t.TryInsert("cookie", kit.Fields{"id": 1})
	t.Fails("insert without fields", err, t.Resource("cookie").Key().AlreadyExists())
	t.Same("stored record", t.All("cookie"), t.Full("cookie", kit.Fields{"id": 1, "kind": "mine", "weight": 5}))
	t.Insert("page", kit.Fields{"slug": "a", "title": "mine"})
	_, err = t.TryInsert("page", kit.Fields{"slug": "a", "title": "yours"})
	t.Fails("insert", err, t.Resource("page").Key().AlreadyExists())
	t.Same("stored record", t.All("page"), t.Full("page", kit.Fields{"slug": "a", "title": "mine"}))
}

func updateChangesNamed(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1, "note": "n"}, kit.Fields{"id": 2, "kind": "a", "weight": 1, "note": "n"})
	t.Update("cookie", kit.Fields{"id": 1, "weight": 9})
	t.Same("after", t.All("cookie"),
		t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 9, "note": "n"}),
		t.Full("cookie", kit.Fields{"id": 2, "kind": "a", "weight": 1, "note": "n"}))
	// one operation with different columns per record
	t.Update("cookie", kit.Fields{"id": 2, "kind": "b"}, kit.Fields{"id": 1, "note": "m"})
	t.Same("after both", t.All("cookie"),
		t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 9, "note": "m"}),
		t.Full("cookie", kit.Fields{"id": 2, "kind": "b", "weight": 1, "note": "n"}))
}

func updateSetsNull(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 4})
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1, "jar": 4})
	want := t.Full("cookie", kit.Fields{"id": 1, "weight": 1})
	t.Same("update returned", t.Update("cookie", kit.Fields{"id": 1, "kind": nil, "jar": nil}), want)
	t.Same("get", t.Load("cookie", 1), want)
}

func replacementClears(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 4})
	cookie := t.Resource("cookie")
	reset := []*core.Field{cookie.Field("kind"), cookie.Field("jar")}
	for _, ids := range [][]int{{1}, {2, 3}} {
		var changes, want []core.Record
		for _, id := range ids {
			t.Insert("cookie", kit.Fields{"id": id, "kind": "a", "weight": 1, "jar": 4})
			changes = append(changes, t.Record("cookie", kit.Fields{"id": id, "kind": nil, "jar": 4, "weight": nil}))
			want = append(want, t.Full("cookie", kit.Fields{"id": id, "jar": 4}))
		}
		got := kit.Must(t.Querier.Replace(t.Ctx, cookie, reset, changes...))(t.Client, "replacement")
		t.Same("replacement returned", got, want...)
	}
}

func updateReturnsRecords(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b"}, kit.Fields{"id": 10, "kind": "c"})
	got := t.Update("cookie", kit.Fields{"id": 10, "weight": 1}, kit.Fields{"id": 1, "weight": 2}, kit.Fields{"id": 2, "weight": 3})
	t.Same("update returned", got,
		t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 2}),
		t.Full("cookie", kit.Fields{"id": 2, "kind": "b", "weight": 3}),
		t.Full("cookie", kit.Fields{"id": 10, "kind": "c", "weight": 1}))
}

func updateWithoutColumns(t *kit.Fixture) {
	want := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 2})[0]
	t.Same("update of no columns", t.Update("cookie", kit.Fields{"id": 1}), want)
	t.Same("update to the same value", t.Update("cookie", kit.Fields{"id": 1, "kind": "a"}), want)
	t.Same("after", t.All("cookie"), want)
	_, err := t.TryUpdate("cookie", kit.Fields{"id": 2})
	t.Fails("update of no columns of a missing record", err, t.Resource("cookie").NotFound(core.IntValue(2)))
}

func stampsFollowChanges(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 4})
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1, "note": "old"}, kit.Fields{"id": 2, "kind": "b", "note": "old", "jar": 4})
	stamping := t.Stamping("cookie", "note")
	expect := func(label string, got []core.Record, want ...core.Record) {
		t.Helper()
		t.Same(label, got, want...)
		var stored []core.Record
		for _, rec := range want {
			stored = append(stored, t.Load("cookie", rec.Key().Any())...)
		}
		t.Same("after the "+label, stored, want...)
	}
	one := t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1, "note": "old"})
	expect("update to the same values", stamping.Update("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1, "jar": nil, "note": "new"}), one)
	expect("update of the stamp alone", stamping.Update("cookie", kit.Fields{"id": 1, "note": "new"}), one)
	one = t.Full("cookie", kit.Fields{"id": 1, "kind": "A", "weight": 1, "note": "1"})
	expect("change of one of two fields", stamping.Update("cookie", kit.Fields{"id": 1, "kind": "A", "weight": 1, "note": "1"}), one)
	one = t.Full("cookie", kit.Fields{"id": 1, "kind": "A", "note": "2"})
	expect("change to null", stamping.Update("cookie", kit.Fields{"id": 1, "weight": nil, "note": "2"}), one)
	one = t.Full("cookie", kit.Fields{"id": 1, "kind": "A", "note": "3", "jar": 4})
	expect("change from null", stamping.Update("cookie", kit.Fields{"id": 1, "jar": 4, "note": "3"}), one)
	two := t.Full("cookie", kit.Fields{"id": 2, "kind": "b", "note": "old", "jar": 4})
	one = t.Full("cookie", kit.Fields{"id": 1, "kind": "c", "note": "4", "jar": 4})
	expect("update of several", stamping.Update("cookie", kit.Fields{"id": 1, "kind": "c", "note": "4"}, kit.Fields{"id": 2, "jar": 4, "note": "4"}), one, two)
	expect("update of the stamps of several", stamping.Update("cookie", kit.Fields{"id": 1, "note": "5"}, kit.Fields{"id": 2, "note": "5"}), one, two)
	checked := stamping.GuardedBy(core.All(), core.Ne("note", "6"))
	expect("update with a check that the unused stamp would break", checked.Update("cookie", kit.Fields{"id": 1, "kind": "c", "note": "6"}), one)
	_, err := checked.TryUpdate("cookie", kit.Fields{"id": 1, "kind": "d", "note": "6"})
	t.Fails("update with a stamp that breaks the check", err, t.Resource("cookie").Forbidden())
	stampEachType(t)
}

// stampEachType updates records with values of each type to the same values, and then to those of the next record.
func stampEachType(t *kit.Fixture) {
	id := 0
	for _, typ := range core.Types() {
		stamp, was, is := "int", core.IntValue(1), core.IntValue(2)
		if typ == core.Int {
			stamp, was, is = "text", core.TextValue("1"), core.TextValue("2")
		}
		values := append(samples(typ), core.Null)
		before, same, next := make([]kit.Fields, len(values)), make([]kit.Fields, len(values)), make([]kit.Fields, len(values))
		for i, v := range values {
			id++
			before[i] = kit.Fields{"id": id, typ.String(): v, stamp: was}
			same[i] = kit.Fields{"id": id, typ.String(): v, stamp: is}
			next[i] = kit.Fields{"id": id, typ.String(): values[(i+1)%len(values)], stamp: is}
		}
		stored := t.Insert("sample", before...)
		stamping := t.Stamping("sample", stamp)
		t.Same("update to the same "+typ.String(), stamping.Update("sample", same...), stored...)
		t.Same("update of one to the same "+typ.String(), stamping.Update("sample", same[0]), stored[0])
		var want []core.Record
		for _, f := range next {
			want = append(want, t.Full("sample", f))
		}
		t.Same("update to another "+typ.String(), stamping.Update("sample", next[1:]...), want[1:]...)
		t.Same("update of one to another "+typ.String(), stamping.Update("sample", next[0]), want[0])
	}
}

func updateMissing(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 2, "kind": "a"}, kit.Fields{"id": 4, "kind": "a"})
	_, err := t.TryUpdate("cookie", kit.Fields{"id": 5, "kind": "x"}, kit.Fields{"id": 2, "kind": "x"}, kit.Fields{"id": 3, "kind": "x"})
	t.Fails("update", err, t.Resource("cookie").NotFound(core.IntValue(3)))
	t.Same("after", t.All("cookie"), before...)
}

func deleteRemoves(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"}, kit.Fields{"id": 3, "kind": "a"})
	t.Delete("cookie", 3, 1)
	t.SameKeys("select", t.All("cookie"), 2)
	t.SameKeys("select by an indexed field", t.Where("cookie", core.Eq("kind", "a")), 2)
	t.SameKeys("load", t.Load("cookie", 1, 2, 3), 2)
	kit.Equal(t.Client, "count", t.Count("cookie", core.All()), 1)
	_, err := t.TryGet("cookie", 1)
	t.Fails("get", err, t.Resource("cookie").NotFound(core.IntValue(1)))
}

func deleteMissing(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1}, kit.Fields{"id": 3})
	t.Fails("delete", t.TryDelete("cookie", 4, 1, 2, 3), t.Resource("cookie").NotFound(core.IntValue(2)))
	t.SameKeys("after", t.All("cookie"), 1, 3)
	t.Delete("cookie", 1)
	t.Fails("second delete", t.TryDelete("cookie", 1), t.Resource("cookie").NotFound(core.IntValue(1)))
}

func deletedKeyIsFree(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1})
	t.Delete("cookie", 1)
	want := t.Full("cookie", kit.Fields{"id": 1, "note": "new"})
	t.Same("insert returned", t.Insert("cookie", kit.Fields{"id": 1, "note": "new"}), want)
	t.Same("get", t.Load("cookie", 1), want)
}

func writesMoveRecords(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1}, kit.Fields{"id": 2, "kind": "a", "weight": 1})
	t.Update("cookie", kit.Fields{"id": 1, "kind": "b", "weight": 2})
	t.SameKeys("old kind", t.Where("cookie", core.Eq("kind", "a")), 2)
	t.SameKeys("new kind", t.Where("cookie", core.Eq("kind", "b")), 1)
	t.SameKeys("old weight", t.Where("cookie", core.Eq("weight", 1)), 2)
	t.SameKeys("new weight", t.Where("cookie", core.Gt("weight", 1)), 1)
	t.SameKeys("by kind", t.Find("cookie", core.Query{Order: []string{"-kind"}}), 1, 2)
}

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
