package storetest

import "github.com/larder-go/larder/core"

var checkRules = []row{
	{
		"insert checks the row as it is then",
		"An Insert of a record that does not fulfil Check is FORBIDDEN, and nothing is added.",
		insertChecks,
	},
	{
		"update checks the row as it is then",
		"An Update after which a record does not fulfil Check is FORBIDDEN, and nothing is changed.",
		updateChecks,
	},
	{
		"check sees columns that are not named",
		"Check is about the whole record after the write, with the columns that an Update leaves alone.",
		checkSeesWholeRow,
	},
	{
		"check sees null and the handed out key",
		"Check is about the record as it is stored: with nulls where nothing was given, and with its key.",
		checkSeesStoredRow,
	},
	{
		"one bad record fails all",
		"If one record of several does not fulfil Check, none of them is written.",
		checkIsAllOrNone,
	},
	{
		"not found comes before forbidden",
		"An Update that misses one record and breaks Check in another is OBJECT_DOES_NOT_EXIST.",
		notFoundBeforeForbidden,
	},
	{
		"reads and deletes do not look at check",
		"Check is about writes that leave a record: Load, Select, Count and Delete do not look at it.",
		readsIgnoreCheck,
	},
	{
		"check does not hide",
		"An Update may change a record that does not fulfil Check before, if it does after.",
		checkDoesNotHide,
	},
}

func insertChecks(t *trial) {
	mine := t.guarded(core.Eq("kind", "a"))
	_, err := mine.tryInsert("cookie", fields{"id": 1, "kind": "b"})
	t.fails("insert", err, t.res("cookie").Forbidden())
	t.sameKeys("after", t.all("cookie"))
	t.same("insert of a good one", mine.insert("cookie", fields{"id": 1, "kind": "a"}), t.full("cookie", fields{"id": 1, "kind": "a"}))
}

func updateChecks(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1})
	_, err := t.guarded(core.Eq("kind", "a")).tryUpdate("cookie", fields{"id": 1, "kind": "b"})
	t.fails("update that gives a row away", err, t.res("cookie").Forbidden())
	_, err = t.guarded(core.Eq("kind", "a")).tryUpdate("cookie", fields{"id": 1, "kind": nil})
	t.fails("update to null", err, t.res("cookie").Forbidden())
	_, err = t.under(core.All(), core.None()).tryUpdate("cookie", fields{"id": 1, "weight": 2})
	t.fails("update under None", err, t.res("cookie").Forbidden())
	t.same("after", t.all("cookie"), before...)
}

func checkSeesWholeRow(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1}, fields{"id": 2, "kind": "b", "weight": 1})
	check := t.under(core.All(), core.And(core.Eq("kind", "a"), core.Lt("weight", 5)))
	_, err := check.tryUpdate("cookie", fields{"id": 2, "weight": 2})
	t.fails("update of another column", err, t.res("cookie").Forbidden())
	_, err = check.tryUpdate("cookie", fields{"id": 1, "weight": 5})
	t.fails("update of a checked column", err, t.res("cookie").Forbidden())
	t.same("after", t.all("cookie"), before...)
	check.update("cookie", fields{"id": 1, "weight": 4})
	check.update("cookie", fields{"id": 2, "kind": "a"})
}

func checkSeesStoredRow(t *trial) {
	_, err := t.under(core.All(), core.Ne("kind", nil)).tryInsert("cookie", fields{"weight": 1})
	t.fails("insert of null", err, t.res("cookie").Forbidden())
	_, err = t.under(core.All(), core.Eq("id", nil)).tryInsert("cookie", fields{"weight": 1})
	t.fails("insert without key", err, t.res("cookie").Forbidden())
	t.under(core.All(), core.And(core.Ne("id", nil), core.Eq("kind", nil))).insert("cookie", fields{"weight": 1})
	equal(t.client, "count", t.count("cookie", core.All()), 1)
}

func checkIsAllOrNone(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"}, fields{"id": 3, "kind": "a"})
	mine := t.guarded(core.Eq("kind", "a"))
	_, err := mine.tryInsert("cookie", fields{"id": 4, "kind": "a"}, fields{"id": 5, "kind": "b"}, fields{"id": 6, "kind": "a"})
	t.fails("insert", err, t.res("cookie").Forbidden())
	t.same("after", t.all("cookie"), before...)
	_, err = mine.tryUpdate("cookie", fields{"id": 1, "weight": 1}, fields{"id": 2, "weight": 1}, fields{"id": 3, "kind": "b"})
	t.fails("update", err, t.res("cookie").Forbidden())
	t.same("after", t.all("cookie"), before...)
}

func notFoundBeforeForbidden(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "b"})
	mine := t.guarded(core.Eq("kind", "a"))
	_, err := mine.tryUpdate("cookie", fields{"id": 1, "kind": "b"}, fields{"id": 2, "weight": 1})
	t.fails("update of a hidden record", err, t.res("cookie").NotFound(core.IntValue(2)))
	_, err = mine.tryUpdate("cookie", fields{"id": 1, "kind": "b"}, fields{"id": 3, "weight": 1})
	t.fails("update of a missing record", err, t.res("cookie").NotFound(core.IntValue(3)))
	_, err = mine.tryUpdate("cookie", fields{"id": 2, "kind": "c"})
	t.fails("update of a hidden record that would break Check", err, t.res("cookie").NotFound(core.IntValue(2)))
	t.same("after", t.all("cookie"), before...)
}

func readsIgnoreCheck(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"})
	none := t.under(core.All(), core.None())
	t.sameKeys("load", none.load("cookie", 1), 1)
	t.sameKeys("select", none.all("cookie"), 1)
	equal(t.client, "count", none.count("cookie", core.All()), 1)
	none.delete("cookie", 1)
}

func checkDoesNotHide(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "b"})
	got := t.under(core.All(), core.Eq("kind", "a")).update("cookie", fields{"id": 1, "kind": "a"})
	t.same("update returned", got, t.full("cookie", fields{"id": 1, "kind": "a"}))
}
