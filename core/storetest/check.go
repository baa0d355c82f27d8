package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var checkRules = []rule{
	{
		"insert checks the after image",
		"An Insert of a record that does not match Check is FORBIDDEN, and nothing is inserted.",
		insertChecks,
	},
	{
		"update checks the after image",
		"An Update is FORBIDDEN if a record does not match Check afterwards, and nothing is changed.",
		updateChecks,
	},
	{
		"check applies to all columns",
		"Check applies to the whole record after the write, with the columns that the Update does not name.",
		checkSeesWholeRow,
	},
	{
		"check applies to nulls and generated keys",
		"Check applies to the stored record, with null in absent columns and with its generated key.",
		checkSeesStoredRow,
	},
	{
		"one rejected record fails the batch",
		"If one record of several does not match Check, none of them is written.",
		checkIsAllOrNone,
	},
	{
		"not found comes before forbidden",
		"An Update that misses one record and violates Check in another one is OBJECT_DOES_NOT_EXIST.",
		notFoundBeforeForbidden,
	},
	{
		"reads and deletes ignore check",
		"Check applies to Insert and Update. Load, Select, Count and Delete ignore it.",
		readsIgnoreCheck,
	},
	{
		"check ignores the before image",
		"An Update may change a record that does not match Check before, if it matches afterwards.",
		checkDoesNotHide,
	},
}

func insertChecks(t *kit.Fixture) {
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Fails("insert", err, t.Resource("cookie").Forbidden())
	t.SameKeys("after", t.All("cookie"))
	t.Same("insert of a matching record", mine.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}), t.Full("cookie", kit.Fields{"id": 1, "kind": "a"}))
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
