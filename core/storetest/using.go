package storetest

import (
	"reflect"

	"github.com/larder-go/larder/core"
)

var usingRules = []row{
	{
		"reads do not see hidden rows",
		"Load, Select and Count leave out records that do not fulfil Using, whatever else is asked for.",
		readsDoNotSeeHidden,
	},
	{
		"hidden rows do not fill pages",
		"Using comes before limit and cursor: pages are full, and a hidden record is never the reason that there is more.",
		hiddenDoNotFillPages,
	},
	{
		"update misses hidden rows",
		"An Update of a record that does not fulfil Using is OBJECT_DOES_NOT_EXIST, and changes nothing.",
		updateMissesHidden,
	},
	{
		"update looks at the row as it was",
		"Using is about the record before the Update: a change that would make it visible does not.",
		usingIsBefore,
	},
	{
		"delete misses hidden rows",
		"A Delete of a record that does not fulfil Using is OBJECT_DOES_NOT_EXIST, and removes nothing.",
		deleteMissesHidden,
	},
	{
		"hidden is indistinguishable from absent",
		"The error for a hidden record has the code, the details and the text of that for an absent one.",
		hiddenLooksAbsent,
	},
	{
		"insert over a hidden row is taken",
		"An Insert never overwrites, not even a record that the caller cannot see: it is the same CONFLICT.",
		insertOverHidden,
	},
	{
		"insert has no before image",
		"An Insert does not look at Using.",
		insertIgnoresUsing,
	},
	{
		"null does not fulfil a comparison",
		"A policy on a value hides records where it is null, and one on null shows just those.",
		nullAndPolicies,
	},
}

// mineAndYours stores cookies of kind a with odd keys, of kind b with even ones.
func mineAndYours(t *trial) []core.Record {
	t.Helper()
	var all []fields
	for i := 1; i <= 6; i++ {
		all = append(all, fields{"id": i, "kind": map[int]string{0: "b", 1: "a"}[i%2], "weight": 10 - i})
	}
	return t.insert("cookie", all...)
}

func readsDoNotSeeHidden(t *trial) {
	mineAndYours(t)
	mine := t.guarded(core.Eq("kind", "a"))
	t.sameKeys("load", mine.load("cookie", 1, 2, 3), 1, 3)
	t.sameKeys("select", mine.all("cookie"), 1, 3, 5)
	t.sameKeys("select of the others", mine.where("cookie", core.Eq("kind", "b")))
	t.sameKeys("select of any", mine.where("cookie", core.Or(core.Eq("kind", "b"), core.Lt("id", 4))), 1, 3)
	equal(t.client, "count", mine.count("cookie", core.All()), 3)
	equal(t.client, "count of some", mine.count("cookie", core.Gt("id", 2)), 2)
	equal(t.client, "count of the others", mine.count("cookie", core.Ne("kind", "a")), 0)
	_, err := mine.tryGet("cookie", 2)
	t.fails("get", err, t.res("cookie").NotFound(core.IntValue(2)))
	t.sameKeys("under None", t.guarded(core.None()).all("cookie"))
	t.sameKeys("under Not", t.guarded(core.Not(core.Eq("kind", "a"))).all("cookie"), 2, 4, 6)
}

func hiddenDoNotFillPages(t *trial) {
	mineAndYours(t)
	mine := t.guarded(core.Eq("kind", "a"))
	first := mine.page("cookie", core.Query{Limit: 2})
	t.sameKeys("first page", first.Records, 1, 3)
	last := mine.page("cookie", core.Query{Limit: 1, After: first.Next})
	t.sameKeys("last page", last.Records, 5)
	equal(t.client, "the last page has more", last.Next != "", false)
	t.sameKeys("pages from the other end", mine.through("cookie", core.Query{Order: []string{"weight"}, Limit: 1}), 5, 3, 1)
}

func updateMissesHidden(t *trial) {
	before := mineAndYours(t)
	mine := t.guarded(core.Eq("kind", "a"))
	_, err := mine.tryUpdate("cookie", fields{"id": 2, "note": "x"})
	t.fails("update", err, t.res("cookie").NotFound(core.IntValue(2)))
	_, err = mine.tryUpdate("cookie", fields{"id": 1, "note": "x"}, fields{"id": 3, "note": "x"}, fields{"id": 4, "note": "x"})
	t.fails("update of several", err, t.res("cookie").NotFound(core.IntValue(4)))
	t.same("after", t.all("cookie"), before...)
	t.same("update of visible ones", mine.update("cookie", fields{"id": 3, "note": "x"}, fields{"id": 1, "note": "y"}),
		t.full("cookie", fields{"id": 1, "kind": "a", "weight": 9, "note": "y"}),
		t.full("cookie", fields{"id": 3, "kind": "a", "weight": 7, "note": "x"}))
}

func usingIsBefore(t *trial) {
	before := mineAndYours(t)
	_, err := t.guarded(core.Eq("kind", "a")).tryUpdate("cookie", fields{"id": 2, "kind": "a"})
	t.fails("update that takes a row over", err, t.res("cookie").NotFound(core.IntValue(2)))
	t.same("after", t.all("cookie"), before...)
	got := t.under(core.Eq("kind", "a"), core.All()).update("cookie", fields{"id": 1, "kind": "b"})
	t.same("update that gives a row away", got, t.full("cookie", fields{"id": 1, "kind": "b", "weight": 9}))
}

func deleteMissesHidden(t *trial) {
	before := mineAndYours(t)
	mine := t.guarded(core.Eq("kind", "a"))
	t.fails("delete", mine.tryDelete("cookie", 2), t.res("cookie").NotFound(core.IntValue(2)))
	t.fails("delete of several", mine.tryDelete("cookie", 1, 3, 4, 5), t.res("cookie").NotFound(core.IntValue(4)))
	t.same("after", t.all("cookie"), before...)
	mine.delete("cookie", 1, 5)
	t.sameKeys("after a delete of visible ones", t.all("cookie"), 2, 3, 4, 6)
}

func hiddenLooksAbsent(t *trial) {
	mine := t.guarded(core.Eq("kind", "a"))
	tries := []func() error{
		func() error { _, err := mine.tryUpdate("cookie", fields{"id": 1, "note": "x"}); return err },
		func() error { return mine.tryDelete("cookie", 1) },
		func() error { _, err := mine.tryGet("cookie", 1); return err },
	}
	for i, try := range tries {
		what := [...]string{"update", "delete", "get"}[i]
		t.insert("cookie", fields{"id": 1, "kind": "b"})
		hidden := try()
		t.delete("cookie", 1)
		absent := try()
		equal(t.client, what+" of a hidden record", publicly(hidden), publicly(absent))
		if h, a := core.AsError(hidden), core.AsError(absent); !reflect.DeepEqual(h.Details(), a.Details()) || h.Message != a.Message {
			t.Fatalf("%s: details %v of a hidden record, %v of an absent one", what, h.Details(), a.Details())
		}
	}
}

func insertOverHidden(t *trial) {
	before := mineAndYours(t)
	mine := t.guarded(core.Eq("kind", "a"))
	_, hidden := mine.tryInsert("cookie", fields{"id": 2, "kind": "a"})
	t.fails("insert over a hidden record", hidden, t.res("cookie").Key().AlreadyExists())
	_, visible := mine.tryInsert("cookie", fields{"id": 1, "kind": "a"})
	equal(t.client, "errors", publicly(hidden), publicly(visible))
	t.same("after", t.all("cookie"), before...)
}

func insertIgnoresUsing(t *trial) {
	got := t.under(core.Eq("kind", "a"), core.Eq("kind", "b")).insert("cookie", fields{"id": 1, "kind": "b"})
	t.same("insert returned", got, t.full("cookie", fields{"id": 1, "kind": "b"}))
	t.under(core.None(), core.All()).insert("cookie", fields{"id": 2})
	t.sameKeys("after", t.all("cookie"), 1, 2)
}

func nullAndPolicies(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2})
	t.sameKeys("kind = a", t.guarded(core.Eq("kind", "a")).all("cookie"), 1)
	t.sameKeys("kind <> a", t.guarded(core.Ne("kind", "a")).all("cookie"), 2)
	t.sameKeys("kind = null", t.guarded(core.Eq("kind", nil)).all("cookie"), 2)
	_, err := t.guarded(core.Eq("kind", "b")).tryUpdate("cookie", fields{"id": 2, "kind": "b"})
	t.fails("update of a row of nobody", err, t.res("cookie").NotFound(core.IntValue(2)))
	t.fails("delete of a row of nobody", t.guarded(core.Eq("kind", "b")).tryDelete("cookie", 2), t.res("cookie").NotFound(core.IntValue(2)))
}
