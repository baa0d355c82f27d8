package storetest

import (
	"reflect"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var usingRules = []rule{
	{
		"reads do not see hidden rows",
		"Load, Select and Count leave out records that do not match Using, whatever the request is.",
		readsDoNotSeeHidden,
	},
	{
		"hidden rows do not fill pages",
		"Using applies before limit and cursor: pages are full, and a cursor means that a visible record follows.",
		hiddenDoNotFillPages,
	},
	{
		"update does not find hidden rows",
		"An Update of a record that does not match Using is OBJECT_DOES_NOT_EXIST, and changes nothing.",
		updateMissesHidden,
	},
	{
		"update applies using to the before image",
		"Using applies to the record before the Update. A change that would make the record visible is not found.",
		usingIsBefore,
	},
	{
		"delete does not find hidden rows",
		"A Delete of a record that does not match Using is OBJECT_DOES_NOT_EXIST, and deletes nothing.",
		deleteMissesHidden,
	},
	{
		"hidden is indistinguishable from absent",
		"The error for a hidden record has the same code, details and text as the error for an absent one.",
		hiddenEqualsAbsent,
	},
	{
		"insert over a hidden row conflicts",
		"An Insert never overwrites a record. Over a hidden record it is the same CONFLICT as over a visible one.",
		insertOverHidden,
	},
	{
		"a denied insert is forbidden, also over another record",
		"An Insert that Check denies is FORBIDDEN. It does not tell whether another record has the key.",
		denialBeforeConflict,
	},
	{
		"insert ignores using",
		"An Insert has no before image and ignores Using.",
		insertIgnoresUsing,
	},
	{
		"null does not match a comparison",
		"A policy that compares with a value hides records with null, and a policy that compares with null shows only those.",
		policiesOnNull,
	},
}

// insertTwoKinds inserts cookies of kind a with odd keys and of kind b with even keys.
func insertTwoKinds(t *kit.Fixture) []core.Record {
	t.Helper()
	var all []kit.Fields
	for i := 1; i <= 6; i++ {
		all = append(all, kit.Fields{"id": i, "kind": map[int]string{0: "b", 1: "a"}[i%2], "weight": 10 - i})
	}
	return t.Insert("cookie", all...)
}

func readsDoNotSeeHidden(t *kit.Fixture) {
	insertTwoKinds(t)
	mine := t.Guarded(core.Eq("kind", "a"))
	t.SameKeys("load", mine.Load("cookie", 1, 2, 3), 1, 3)
	t.SameKeys("select", mine.All("cookie"), 1, 3, 5)
	t.SameKeys("select of the others", mine.Where("cookie", core.Eq("kind", "b")))
	t.SameKeys("select of any", mine.Where("cookie", core.Or(core.Eq("kind", "b"), core.Lt("id", 4))), 1, 3)
	kit.Equal(t.Client, "count", mine.Count("cookie", core.All()), 3)
	kit.Equal(t.Client, "count of some", mine.Count("cookie", core.Gt("id", 2)), 2)
	kit.Equal(t.Client, "count of the others", mine.Count("cookie", core.Ne("kind", "a")), 0)
	_, err := mine.TryGet("cookie", 2)
	t.Fails("get", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	t.SameKeys("under None", t.Guarded(core.None()).All("cookie"))
	t.SameKeys("under Not", t.Guarded(core.Not(core.Eq("kind", "a"))).All("cookie"), 2, 4, 6)
}

func hiddenDoNotFillPages(t *kit.Fixture) {
	insertTwoKinds(t)
	mine := t.Guarded(core.Eq("kind", "a"))
	first := mine.Page("cookie", core.Query{Limit: 2})
	t.SameKeys("first page", first.Records, 1, 3)
	last := mine.Page("cookie", core.Query{Limit: 1, After: first.Next})
	t.SameKeys("last page", last.Records, 5)
	kit.Equal(t.Client, "the last page has more", last.Next != "", false)
	t.SameKeys("pages from the other end", mine.AllPages("cookie", core.Query{Order: []string{"weight"}, Limit: 1}), 5, 3, 1)
}

func updateMissesHidden(t *kit.Fixture) {
	before := insertTwoKinds(t)
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryUpdate("cookie", kit.Fields{"id": 2, "note": "x"})
	t.Fails("update", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 1, "note": "x"}, kit.Fields{"id": 3, "note": "x"}, kit.Fields{"id": 4, "note": "x"})
	t.Fails("update of several", err, t.Resource("cookie").NotFound(core.IntValue(4)))
	t.Same("after", t.All("cookie"), before...)
	t.Same("update of visible ones", mine.Update("cookie", kit.Fields{"id": 3, "note": "x"}, kit.Fields{"id": 1, "note": "y"}),
		t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 9, "note": "y"}),
		t.Full("cookie", kit.Fields{"id": 3, "kind": "a", "weight": 7, "note": "x"}))
}

func usingIsBefore(t *kit.Fixture) {
	before := insertTwoKinds(t)
	_, err := t.Guarded(core.Eq("kind", "a")).TryUpdate("cookie", kit.Fields{"id": 2, "kind": "a"})
	t.Fails("update that would make a row visible", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	t.Same("after", t.All("cookie"), before...)
	got := t.GuardedBy(core.Eq("kind", "a"), core.All()).Update("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Same("update that makes a row invisible", got, t.Full("cookie", kit.Fields{"id": 1, "kind": "b", "weight": 9}))
}

func deleteMissesHidden(t *kit.Fixture) {
	before := insertTwoKinds(t)
	mine := t.Guarded(core.Eq("kind", "a"))
	t.Fails("delete", mine.TryDelete("cookie", 2), t.Resource("cookie").NotFound(core.IntValue(2)))
	t.Fails("delete of several", mine.TryDelete("cookie", 1, 3, 4, 5), t.Resource("cookie").NotFound(core.IntValue(4)))
	t.Same("after", t.All("cookie"), before...)
	mine.Delete("cookie", 1, 5)
	t.SameKeys("after a delete of visible ones", t.All("cookie"), 2, 3, 4, 6)
}

func hiddenEqualsAbsent(t *kit.Fixture) {
	mine := t.Guarded(core.Eq("kind", "a"))
	tries := []func() error{
		func() error { _, err := mine.TryUpdate("cookie", kit.Fields{"id": 1, "note": "x"}); return err },
		func() error { return mine.TryDelete("cookie", 1) },
		func() error { _, err := mine.TryGet("cookie", 1); return err },
	}
	for i, try := range tries {
		label := [...]string{"update", "delete", "get"}[i]
		t.Insert("cookie", kit.Fields{"id": 1, "kind": "b"})
		hidden := try()
		t.Delete("cookie", 1)
		absent := try()
		kit.Equal(t.Client, label+" of a hidden record", kit.PublicText(hidden), kit.PublicText(absent))
		if h, a := core.AsError(hidden), core.AsError(absent); !reflect.DeepEqual(h.Details(), a.Details()) || h.Message != a.Message {
			t.Fatalf("%s: details %v of a hidden record, %v of an absent one", label, h.Details(), a.Details())
		}
	}
}

func insertOverHidden(t *kit.Fixture) {
	before := insertTwoKinds(t)
	mine := t.Guarded(core.Eq("kind", "a"))
	_, hidden := mine.TryInsert("cookie", kit.Fields{"id": 2, "kind": "a"})
	t.Fails("insert over a hidden record", hidden, t.Resource("cookie").Key().AlreadyExists())
	_, visible := mine.TryInsert("cookie", kit.Fields{"id": 1, "kind": "a"})
	kit.Equal(t.Client, "errors", kit.PublicText(hidden), kit.PublicText(visible))
	t.Same("after", t.All("cookie"), before...)
}

func denialBeforeConflict(t *kit.Fixture) {
	before := insertTwoKinds(t)
	mine := t.Guarded(core.Eq("kind", "a"))
	denied := t.Resource("cookie").Forbidden()
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 2, "kind": "b"})
	t.Fails("insert over a hidden record", err, denied)
	_, err = mine.TryInsert("cookie", kit.Fields{"id": 1})
	t.Fails("insert over a visible record", err, denied)
	_, err = mine.TryInsert("cookie", kit.Fields{"id": 2, "kind": "a"}, kit.Fields{"id": 99, "kind": "b"})
	t.Fails("insert of several", err, denied)
	t.Same("after", t.All("cookie"), before...)
	denialOfRelatedBeforeConflict(t)
}

// denialOfRelatedBeforeConflict has a Check on the jar of the new record, in an operation and in a transaction.
func denialOfRelatedBeforeConflict(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 7, "size": 1}, kit.Fields{"id": 8, "size": 2})
	mine, denied := t.GuardedBy(core.All(), core.Related("jar", core.Eq("size", 1))), t.Resource("cookie").Forbidden()
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 2, "jar": 8})
	t.Fails("insert over a hidden record, into a jar that the policy excludes", err, denied)
	_, err = mine.TryInsert("cookie", kit.Fields{"id": 99, "jar": 8})
	t.Fails("insert with a free key, into a jar that the policy excludes", err, denied)
	_, err = mine.TryInsert("cookie", kit.Fields{"id": 2, "jar": 7})
	t.Fails("insert over another record, into a jar of the policy", err, t.Resource("cookie").Key().AlreadyExists())
}

func insertIgnoresUsing(t *kit.Fixture) {
	got := t.GuardedBy(core.Eq("kind", "a"), core.Eq("kind", "b")).Insert("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Same("insert returned", got, t.Full("cookie", kit.Fields{"id": 1, "kind": "b"}))
	t.GuardedBy(core.None(), core.All()).Insert("cookie", kit.Fields{"id": 2})
	t.SameKeys("after", t.All("cookie"), 1, 2)
}

func policiesOnNull(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2})
	t.SameKeys("kind = a", t.Guarded(core.Eq("kind", "a")).All("cookie"), 1)
	t.SameKeys("kind <> a", t.Guarded(core.Ne("kind", "a")).All("cookie"), 2)
	t.SameKeys("kind = null", t.Guarded(core.Eq("kind", nil)).All("cookie"), 2)
	_, err := t.Guarded(core.Eq("kind", "b")).TryUpdate("cookie", kit.Fields{"id": 2, "kind": "b"})
	t.Fails("update of a row without owner", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	t.Fails("delete of a row without owner", t.Guarded(core.Eq("kind", "b")).TryDelete("cookie", 2), t.Resource("cookie").NotFound(core.IntValue(2)))
}
