package storetest

import "github.com/larder-go/larder/core"

var writeRules = []row{
	{
		"insert returns records as they are",
		"An Insert returns the records as they then read, in the order in which they were given.",
		insertReturnsRecords,
	},
	{
		"columns that are not given are null",
		"A column that an Insert does not name is null where the storage has no default of its own.",
		absentIsNull,
	},
	{
		"insert never overwrites",
		"An Insert of a key that is taken fails with CONFLICT, and the record that is there stays as it is.",
		insertNeverOverwrites,
	},
	{
		"update changes the named columns only",
		"An Update leaves the columns that a change does not name as they are.",
		updateChangesNamed,
	},
	{
		"update sets null",
		"A null in an Update is a value like any other.",
		updateSetsNull,
	},
	{
		"a replacement clears fields without a default",
		"Null in a field of Reset is null where the storage has no default of its own, and another value there is written.",
		replacementClears,
	},
	{
		"update returns whole records by key",
		"An Update returns each record as it then is, all of its columns, in the order of the keys.",
		updateReturnsRecords,
	},
	{
		"an update may change nothing",
		"A change that names no column returns the record as it is, and a value may be set to what it was.",
		updateOfNothing,
	},
	{
		"update of a missing record is not found",
		"An Update of a key that nobody has fails with OBJECT_DOES_NOT_EXIST for the first such key, and adds nothing.",
		updateMissing,
	},
	{
		"delete removes the records",
		"A deleted record is gone from every kind of read.",
		deleteRemoves,
	},
	{
		"delete of a missing record is not found",
		"A Delete of a key that nobody has fails with OBJECT_DOES_NOT_EXIST for the first such key.",
		deleteMissing,
	},
	{
		"a deleted key can be inserted again",
		"The key of a deleted record is free for whoever names it.",
		deletedKeyIsFree,
	},
	{
		"writes move records between conditions",
		"After an Update, a record is found by its new values and no longer by the old ones, indexed or not.",
		writesMoveRecords,
	},
}

func insertReturnsRecords(t *trial) {
	all := []fields{{"id": 7, "kind": "b", "weight": 2}, {"id": -2, "note": ""}, {"id": 3, "kind": "a", "weight": nil}}
	var want []core.Record
	for _, f := range all {
		want = append(want, t.full("cookie", f))
	}
	t.same("insert returned", t.insert("cookie", all...), want...)
	t.same("select", t.all("cookie"), want[1], want[2], want[0])
}

func absentIsNull(t *trial) {
	want := t.full("sample", fields{"id": 1})
	t.same("insert returned", t.insert("sample", fields{"id": 1}), want)
	t.same("get", t.load("sample", 1), want)
}

func insertNeverOverwrites(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "mine", "weight": 5})
	_, err := t.tryInsert("cookie", fields{"id": 1, "kind": "yours"})
	t.fails("insert", err, t.res("cookie").Key().AlreadyExists())
	_, err = t.tryInsert("cookie", fields{"id": 1})
	t.fails("insert without fields", err, t.res("cookie").Key().AlreadyExists())
	t.same("what is there", t.all("cookie"), t.full("cookie", fields{"id": 1, "kind": "mine", "weight": 5}))
	t.insert("page", fields{"slug": "a", "title": "mine"})
	_, err = t.tryInsert("page", fields{"slug": "a", "title": "yours"})
	t.fails("insert", err, t.res("page").Key().AlreadyExists())
	t.same("what is there", t.all("page"), t.full("page", fields{"slug": "a", "title": "mine"}))
}

func updateChangesNamed(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1, "note": "n"}, fields{"id": 2, "kind": "a", "weight": 1, "note": "n"})
	t.update("cookie", fields{"id": 1, "weight": 9})
	t.same("after", t.all("cookie"),
		t.full("cookie", fields{"id": 1, "kind": "a", "weight": 9, "note": "n"}),
		t.full("cookie", fields{"id": 2, "kind": "a", "weight": 1, "note": "n"}))
	// one statement, different columns
	t.update("cookie", fields{"id": 2, "kind": "b"}, fields{"id": 1, "note": "m"})
	t.same("after both", t.all("cookie"),
		t.full("cookie", fields{"id": 1, "kind": "a", "weight": 9, "note": "m"}),
		t.full("cookie", fields{"id": 2, "kind": "b", "weight": 1, "note": "n"}))
}

func updateSetsNull(t *trial) {
	t.insert("jar", fields{"id": 4})
	t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1, "jar": 4})
	want := t.full("cookie", fields{"id": 1, "weight": 1})
	t.same("update returned", t.update("cookie", fields{"id": 1, "kind": nil, "jar": nil}), want)
	t.same("get", t.load("cookie", 1), want)
}

func replacementClears(t *trial) {
	t.insert("jar", fields{"id": 4})
	cookie := t.res("cookie")
	reset := []*core.Field{cookie.Field("kind"), cookie.Field("jar")}
	for _, ids := range [][]int{{1}, {2, 3}} {
		var changes, want []core.Record
		for _, id := range ids {
			t.insert("cookie", fields{"id": id, "kind": "a", "weight": 1, "jar": 4})
			changes = append(changes, t.rec("cookie", fields{"id": id, "kind": nil, "jar": 4, "weight": nil}))
			want = append(want, t.full("cookie", fields{"id": id, "jar": 4}))
		}
		got := must(t.querier.Replace(t.ctx, cookie, reset, changes...))(t.client, "replacement")
		t.same("replacement returned", got, want...)
	}
}

func updateReturnsRecords(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "b"}, fields{"id": 10, "kind": "c"})
	got := t.update("cookie", fields{"id": 10, "weight": 1}, fields{"id": 1, "weight": 2}, fields{"id": 2, "weight": 3})
	t.same("update returned", got,
		t.full("cookie", fields{"id": 1, "kind": "a", "weight": 2}),
		t.full("cookie", fields{"id": 2, "kind": "b", "weight": 3}),
		t.full("cookie", fields{"id": 10, "kind": "c", "weight": 1}))
}

func updateOfNothing(t *trial) {
	want := t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 2})[0]
	t.same("update of no columns", t.update("cookie", fields{"id": 1}), want)
	t.same("update to the same value", t.update("cookie", fields{"id": 1, "kind": "a"}), want)
	t.same("after", t.all("cookie"), want)
	_, err := t.tryUpdate("cookie", fields{"id": 2})
	t.fails("update of no columns of a missing record", err, t.res("cookie").NotFound(core.IntValue(2)))
}

func updateMissing(t *trial) {
	before := t.insert("cookie", fields{"id": 2, "kind": "a"}, fields{"id": 4, "kind": "a"})
	_, err := t.tryUpdate("cookie", fields{"id": 5, "kind": "x"}, fields{"id": 2, "kind": "x"}, fields{"id": 3, "kind": "x"})
	t.fails("update", err, t.res("cookie").NotFound(core.IntValue(3)))
	t.same("after", t.all("cookie"), before...)
}

func deleteRemoves(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"}, fields{"id": 3, "kind": "a"})
	t.delete("cookie", 3, 1)
	t.sameKeys("select", t.all("cookie"), 2)
	t.sameKeys("select by an indexed field", t.where("cookie", core.Eq("kind", "a")), 2)
	t.sameKeys("load", t.load("cookie", 1, 2, 3), 2)
	equal(t.client, "count", t.count("cookie", core.All()), 1)
	_, err := t.tryGet("cookie", 1)
	t.fails("get", err, t.res("cookie").NotFound(core.IntValue(1)))
}

func deleteMissing(t *trial) {
	t.insert("cookie", fields{"id": 1}, fields{"id": 3})
	t.fails("delete", t.tryDelete("cookie", 4, 1, 2, 3), t.res("cookie").NotFound(core.IntValue(2)))
	t.sameKeys("after", t.all("cookie"), 1, 3)
	t.delete("cookie", 1)
	t.fails("second delete", t.tryDelete("cookie", 1), t.res("cookie").NotFound(core.IntValue(1)))
}

func deletedKeyIsFree(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1})
	t.delete("cookie", 1)
	want := t.full("cookie", fields{"id": 1, "note": "new"})
	t.same("insert returned", t.insert("cookie", fields{"id": 1, "note": "new"}), want)
	t.same("get", t.load("cookie", 1), want)
}

func writesMoveRecords(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1}, fields{"id": 2, "kind": "a", "weight": 1})
	t.update("cookie", fields{"id": 1, "kind": "b", "weight": 2})
	t.sameKeys("old kind", t.where("cookie", core.Eq("kind", "a")), 2)
	t.sameKeys("new kind", t.where("cookie", core.Eq("kind", "b")), 1)
	t.sameKeys("old weight", t.where("cookie", core.Eq("weight", 1)), 2)
	t.sameKeys("new weight", t.where("cookie", core.Gt("weight", 1)), 1)
	t.sameKeys("by kind", t.find("cookie", core.Query{Order: []string{"-kind"}}), 1, 2)
}
