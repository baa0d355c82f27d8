package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var checkRules = []rule{
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

func insertChecks(t *kit.Fixture) {
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Fails("insert", err, t.Resource("cookie").Forbidden())
	t.SameKeys("after", t.All("cookie"))
	t.Same("insert of a good one", mine.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}), t.Full("cookie", kit.Fields{"id": 1, "kind": "a"}))
}

func updateChecks(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1})
	_, err := t.Guarded(core.Eq("kind", "a")).TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Fails("update that gives a row away", err, t.Resource("cookie").Forbidden())
	_, err = t.Guarded(core.Eq("kind", "a")).TryUpdate("cookie", kit.Fields{"id": 1, "kind": nil})
	t.Fails("update to null", err, t.Resource("cookie").Forbidden())
	_, err = t.GuardedBy(core.All(), core.None()).TryUpdate("cookie", kit.Fields{"id": 1, "weight": 2})
	t.Fails("update under None", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
}

func checkSeesWholeRow(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1}, kit.Fields{"id": 2, "kind": "b", "weight": 1})
	check := t.GuardedBy(core.All(), core.And(core.Eq("kind", "a"), core.Lt("weight", 5)))
	_, err := check.TryUpdate("cookie", kit.Fields{"id": 2, "weight": 2})
	t.Fails("update of another column", err, t.Resource("cookie").Forbidden())
	_, err = check.TryUpdate("cookie", kit.Fields{"id": 1, "weight": 5})
	t.Fails("update of a checked column", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
	check.Update("cookie", kit.Fields{"id": 1, "weight": 4})
	check.Update("cookie", kit.Fields{"id": 2, "kind": "a"})
}

func checkSeesStoredRow(t *kit.Fixture) {
	_, err := t.GuardedBy(core.All(), core.Ne("kind", nil)).TryInsert("cookie", kit.Fields{"weight": 1})
	t.Fails("insert of null", err, t.Resource("cookie").Forbidden())
	_, err = t.GuardedBy(core.All(), core.Eq("id", nil)).TryInsert("cookie", kit.Fields{"weight": 1})
	t.Fails("insert without key", err, t.Resource("cookie").Forbidden())
	t.GuardedBy(core.All(), core.And(core.Ne("id", nil), core.Eq("kind", nil))).Insert("cookie", kit.Fields{"weight": 1})
	kit.Equal(t.Client, "count", t.Count("cookie", core.All()), 1)
}

func checkIsAllOrNone(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"}, kit.Fields{"id": 3, "kind": "a"})
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 4, "kind": "a"}, kit.Fields{"id": 5, "kind": "b"}, kit.Fields{"id": 6, "kind": "a"})
	t.Fails("insert", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 1, "weight": 1}, kit.Fields{"id": 2, "weight": 1}, kit.Fields{"id": 3, "kind": "b"})
	t.Fails("update", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
}

func notFoundBeforeForbidden(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b"})
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"}, kit.Fields{"id": 2, "weight": 1})
	t.Fails("update of a hidden record", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"}, kit.Fields{"id": 3, "weight": 1})
	t.Fails("update of a missing record", err, t.Resource("cookie").NotFound(core.IntValue(3)))
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 2, "kind": "c"})
	t.Fails("update of a hidden record that would break Check", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	t.Same("after", t.All("cookie"), before...)
}

func readsIgnoreCheck(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	none := t.GuardedBy(core.All(), core.None())
	t.SameKeys("load", none.Load("cookie", 1), 1)
	t.SameKeys("select", none.All("cookie"), 1)
	kit.Equal(t.Client, "count", none.Count("cookie", core.All()), 1)
	none.Delete("cookie", 1)
}

func checkDoesNotHide(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "b"})
	got := t.GuardedBy(core.All(), core.Eq("kind", "a")).Update("cookie", kit.Fields{"id": 1, "kind": "a"})
	t.Same("update returned", got, t.Full("cookie", kit.Fields{"id": 1, "kind": "a"}))
}
