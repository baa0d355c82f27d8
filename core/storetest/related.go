package storetest

import (
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var relatedRules = []rule{
	{
		"a to-one relation leads to one record",
		"A condition through a to-one relation matches if the target exists and matches. Without a target it does not match, whatever the condition is.",
		toOneConditions,
	},
	{
		"any related record is enough",
		"A condition through a to-many relation matches if at least one related record matches. Each record is found and counted once.",
		anyRelated,
	},
	{
		"none and all by negation",
		"Not of a condition on related records matches if no related record matches, and without any. Not inside and outside is true of all.",
		noneAndAll,
	},
	{
		"one related record meets the whole condition",
		"All parts of one condition hold for the same related record. Two conditions may hold for two different ones.",
		oneRecordForAllParts,
	},
	{
		"conditions nest over several relations",
		"A condition on a related record may be about its related records in turn, also back to the resource that it began at.",
		nestedRelations,
	},
	{
		"a relation may lead to the same resource",
		"A relation of a resource to itself distinguishes the record from its related record, in both directions and on several levels.",
		selfRelations,
	},
	{
		"a list of keys relates records",
		"A record is related to the records whose keys are elements of its list, and no others. Elements without a record have no effect.",
		listRelations,
	},
	{
		"records outside the guard do not exist",
		"A related record that does not match the guard of the condition does not exist, in a negation too. The guard is about the related record.",
		guardedRelations,
	},
	{
		"a search looks behind the guards of its fields",
		"A search looks into a field only of the records that match the guard of the field, also in a negation. The guard may be about related records.",
		guardedSearch,
	},
	{
		"using crosses relations",
		"Using with a condition on related records narrows Load, Select, Count, Update and Delete, in combination with other conditions.",
		usingCrosses,
	},
	{
		"using crosses before the write",
		"Using of an Update or Delete is about the records before the operation, also if the operation changes related records.",
		usingCrossesBefore,
	},
	{
		"check crosses relations",
		"Check with a condition on related records applies to the after images. If one does not match, nothing is written.",
		checkCrosses,
	},
	{
		"related conditions see the own writes",
		"Conditions on related records see all writes of the transaction, also records that it has deleted, moved or inserted.",
		relatedOwnWrites,
	},
	{
		"each record has its own answers",
		"Result.Conditions has an answer for each of the op's conditions and each record, at the position of the record.",
		answersOfRecords,
	},
	{
		"a changed relation conflicts with its condition",
		"A write under a condition on a related record is serializable with a concurrent write of the related record.",
		relatedWriteSkew,
	},
}

// fillJars inserts jars and cookies. Jar 1 has the cookies 1 and 2, jar 2 the cookie 3, jar 3 the cookie 5, and jar 4 is empty.
// Cookie 4 is in no jar.
func fillJars(t *kit.Fixture) {
	t.Helper()
	t.Insert("jar",
		kit.Fields{"id": 1, "label": "a", "size": 1}, kit.Fields{"id": 2, "label": "b"},
		kit.Fields{"id": 3, "label": "c", "size": 3}, kit.Fields{"id": 4, "size": 1})
	t.Insert("cookie",
		kit.Fields{"id": 1, "kind": "a", "weight": 1, "jar": 1}, kit.Fields{"id": 2, "kind": "b", "weight": 2, "jar": 1},
		kit.Fields{"id": 3, "kind": "a", "weight": 2, "jar": 2}, kit.Fields{"id": 4, "kind": "a"}, kit.Fields{"id": 5, "weight": 1, "jar": 3})
}

// matches ends the test unless a Select and a Count find the records with these keys.
func matches(t *kit.Fixture, c *kit.Client, resource string, f core.Filter, keys ...any) {
	t.Helper()
	label := f.String()
	if r := t.Resource(resource); !f.Bound() {
		label = kit.Must(r.Bind(f))(t.Client, "bind").String()
	}
	t.SameKeys(label, c.Where(resource, f), keys...)
	kit.Equal(t.Client, "count of "+label, c.Count(resource, f), len(keys))
}

func toOneConditions(t *kit.Fixture) {
	fillJars(t)
	in := func(f core.Filter) core.Filter { return core.Related("jar", f) }
	matches(t, t.Client, "cookie", in(core.All()), 1, 2, 3, 5)
	matches(t, t.Client, "cookie", in(core.None()))
	matches(t, t.Client, "cookie", in(core.Eq("label", "a")), 1, 2)
	matches(t, t.Client, "cookie", in(core.Ne("label", "a")), 3, 5)
	matches(t, t.Client, "cookie", in(core.Eq("size", nil)), 3)
	matches(t, t.Client, "cookie", in(core.Not(core.Eq("size", 1))), 3, 5)
	matches(t, t.Client, "cookie", in(core.Eq("id", 2)), 3)
	matches(t, t.Client, "cookie", in(core.Ne("id", 2)), 1, 2, 5)
	matches(t, t.Client, "cookie", in(core.In("id", 3, 2, nil)), 3, 5)
	matches(t, t.Client, "cookie", core.And(in(core.Gt("size", 0)), core.Eq("kind", "a")), 1)
	matches(t, t.Client, "cookie", core.Or(in(core.Gt("size", 1)), core.Eq("kind", "a")), 1, 3, 4, 5)
	t.SameKeys("a limit and an order", t.Find("cookie", core.Query{Where: in(core.Ne("label", "c")), Order: []string{"-weight"}, Limit: 2}), 2, 3)
	t.SameKeys("a projection without the relation", t.Find("cookie", core.Query{Where: in(core.Eq("label", "a")), Fields: []string{"kind"}}), 1, 2)
}

func guardedSearch(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2, "label": "b"})
	t.Insert("cookie",
		kit.Fields{"id": 1, "kind": "x", "note": "y", "jar": 1}, kit.Fields{"id": 2, "kind": "x", "note": "y", "jar": 2},
		kit.Fields{"id": 3, "kind": "x", "note": "x"}, kit.Fields{"id": 4, "note": "x", "weight": 1})
	cookie := t.Resource("cookie")
	guarded := func(kindGuard, noteGuard core.Filter) *kit.Client {
		bind := func(f core.Filter) core.Filter { return kit.Must(cookie.Bind(f))(t.Client, "bind") }
		return t.Searching(map[*core.Field]core.Filter{cookie.Field("kind"): bind(kindGuard), cookie.Field("note"): bind(noteGuard)})
	}
	light, inA := core.Eq("weight", 1), core.Related("jar", core.Eq("label", "a"))
	for _, client := range []struct {
		kind, note core.Filter
		found      map[string][]any
	}{
		{core.All(), light, map[string][]any{"x": {1, 2, 3, 4}, "y": nil, "x y": nil}},
		{inA, core.All(), map[string][]any{"x": {1, 3, 4}, "y": {1, 2}, "X Y": {1}}},
		{core.Not(inA), inA, map[string][]any{"x": {2, 3}, "y": {1}, "x y": nil}},
		{core.None(), light, map[string][]any{"x": {4}, "y": nil}},
	} {
		for text, want := range client.found {
			c := guarded(client.kind, client.note)
			t.SameKeys("search for "+text, c.Where("cookie", core.Search(text)), want...)
			kit.Equal(t.Client, "count of "+text, c.Count("cookie", core.Search(text)), len(want))
			kit.Equal(t.Client, "count of the others", c.Count("cookie", core.Not(core.Search(text))), 4-len(want))
			t.SameKeys("on the related record", t.Searching(map[*core.Field]core.Filter{t.Resource("jar").Field("label"): core.None()}).
				Where("cookie", core.Related("jar", core.Search("a"))))
		}
	}
	t.SameKeys("on the related record", t.Where("cookie", core.Related("jar", core.Search("A"))), 1)
}

func anyRelated(t *kit.Fixture) {
	fillJars(t)
	holds := func(f core.Filter) core.Filter { return core.Related("cookies", f) }
	matches(t, t.Client, "jar", holds(core.All()), 1, 2, 3)
	matches(t, t.Client, "jar", holds(core.Eq("kind", "a")), 1, 2)
	matches(t, t.Client, "jar", holds(core.Ne("kind", "a")), 1, 3)
	matches(t, t.Client, "jar", holds(core.Ge("weight", 1)), 1, 2, 3)
	matches(t, t.Client, "jar", holds(core.Eq("id", 5)), 3)
	matches(t, t.Client, "jar", holds(core.Eq("jar", 1)), 1)
	matches(t, t.Client, "jar", core.Or(holds(core.Eq("kind", "b")), core.Eq("id", 4)), 1, 4)
	t.SameKeys("a limit", t.Find("jar", core.Query{Where: holds(core.All()), Limit: 2}), 1, 2)
	t.SameKeys("a load", t.Guarded(holds(core.Gt("weight", 0))).Load("jar", 1, 3, 4), 1, 3)
}

func noneAndAll(t *kit.Fixture) {
	fillJars(t)
	holds := func(f core.Filter) core.Filter { return core.Related("cookies", f) }
	in := func(f core.Filter) core.Filter { return core.Related("jar", f) }
	matches(t, t.Client, "jar", core.Not(holds(core.All())), 4)
	matches(t, t.Client, "jar", core.Not(holds(core.Eq("kind", "a"))), 3, 4)
	matches(t, t.Client, "jar", core.Not(holds(core.Not(core.Eq("kind", "a")))), 2, 4)
	matches(t, t.Client, "jar", core.And(holds(core.All()), core.Not(holds(core.Ne("weight", 1)))), 3)
	matches(t, t.Client, "cookie", core.Not(in(core.Eq("size", 1))), 3, 4, 5)
	matches(t, t.Client, "cookie", core.Not(in(core.All())), 4)
	matches(t, t.Client, "cookie", core.Not(core.Or(in(core.Eq("size", 3)), core.Eq("kind", "b"))), 1, 3, 4)
	matches(t, t.Client, "cookie", core.Not(core.And(in(core.Eq("size", nil)), core.Eq("kind", "a"))), 1, 2, 4, 5)
}

func oneRecordForAllParts(t *kit.Fixture) {
	fillJars(t)
	a, heavy := core.Eq("kind", "a"), core.Eq("weight", 2)
	matches(t, t.Client, "jar", core.Related("cookies", core.And(a, heavy)), 2)
	matches(t, t.Client, "jar", core.And(core.Related("cookies", a), core.Related("cookies", heavy)), 1, 2)
	matches(t, t.Client, "jar", core.Not(core.Related("cookies", core.And(a, heavy))), 1, 3, 4)
	matches(t, t.Client, "jar", core.Related("cookies", core.And(a, core.Not(heavy))), 1)
	matches(t, t.Client, "cookie", core.Related("jar", core.Related("cookies", core.And(a, heavy))), 3)
}

func nestedRelations(t *kit.Fixture) {
	fillJars(t)
	t.Insert("sample", kit.Fields{"id": 1, "jars": []any{1, 3}}, kit.Fields{"id": 2, "jars": []any{2}}, kit.Fields{"id": 3, "jars": []any{}}, kit.Fields{"id": 4, "jars": []any{4, 3}})
	beside := func(f core.Filter) core.Filter { return core.Related("jar", core.Related("cookies", f)) }
	matches(t, t.Client, "cookie", beside(core.Eq("kind", "b")), 1, 2)
	matches(t, t.Client, "cookie", beside(core.Eq("id", 1)), 1, 2)
	matches(t, t.Client, "cookie", core.Not(beside(core.Ne("kind", "a"))), 3, 4)
	matches(t, t.Client, "cookie", core.And(core.Eq("kind", "a"), core.Not(beside(core.Eq("kind", "b")))), 3, 4)
	matches(t, t.Client, "cookie", beside(beside(core.Eq("id", 2))), 1, 2)
	matches(t, t.Client, "sample", core.Related("jars", core.Related("cookies", core.Eq("weight", 1))), 1, 4)
	matches(t, t.Client, "sample", core.Related("jars", core.Not(core.Related("cookies", core.All()))), 4)
	matches(t, t.Client, "sample", core.Not(core.Related("jars", core.Not(core.Related("cookies", core.All())))), 1, 2, 3)
	deep := core.Eq("id", 1)
	for range 5 {
		deep = core.Related("parent", deep)
	}
	t.Insert("page", kit.Fields{"slug": "0"})
	for i := range 6 {
		t.Insert("page", kit.Fields{"slug": string(rune('1' + i)), "parent": string(rune('0' + i))})
	}
	deep = core.Eq("slug", "0")
	for i := range 5 {
		deep = core.Related("parent", deep)
		matches(t, t.Client, "page", deep, string(rune('1'+i)))
	}
}

func selfRelations(t *kit.Fixture) {
	uuid := func(n string) string { return "00000000-0000-4000-8000-00000000000" + n }
	t.Insert("person", kit.Fields{"id": uuid("1"), "name": "a"}, kit.Fields{"id": uuid("2"), "name": "b", "wife": uuid("1")}, kit.Fields{"id": uuid("3"), "name": "a"})
	matches(t, t.Client, "person", core.Related("wife", core.Eq("name", "a")), uuid("2"))
	matches(t, t.Client, "person", core.Related("wife", core.Eq("name", "b")))
	matches(t, t.Client, "person", core.Related("husband", core.Eq("name", "b")), uuid("1"))
	matches(t, t.Client, "person", core.Not(core.Related("husband", core.All())), uuid("2"), uuid("3"))
	matches(t, t.Client, "person", core.Related("husband", core.Related("wife", core.Eq("name", "a"))), uuid("1"))
	t.Insert("page", kit.Fields{"slug": "a", "title": "x"}, kit.Fields{"slug": "b", "title": "y", "parent": "a"}, kit.Fields{"slug": "c", "title": "x", "parent": "b"},
		kit.Fields{"slug": "d", "title": "x", "parent": "d"})
	matches(t, t.Client, "page", core.Related("parent", core.Eq("title", "x")), "b", "d")
	matches(t, t.Client, "page", core.And(core.Eq("title", "x"), core.Related("parent", core.Eq("title", "y"))), "c")
	matches(t, t.Client, "page", core.Related("parent", core.Related("parent", core.Eq("title", "x"))), "c", "d")
	parent, _ := t.Resource("page").Field("parent").Relation()
	y := t.Resource("page").Field("title").Compare(core.FilterEq, core.TextValue("y"))
	matches(t, t.Client, "page", parent.Back().Match(y), "a")
	matches(t, t.Client, "page", core.Not(parent.Back().Match(core.All())), "c")
}

func listRelations(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "size": 1}, kit.Fields{"id": 2}, kit.Fields{"id": 12, "size": 1}, kit.Fields{"id": -1, "size": 5})
	t.Insert("page", kit.Fields{"slug": "a", "title": "x"}, kit.Fields{"slug": `q"]`, "title": "y"}, kit.Fields{"slug": "a,b", "title": "z"}, kit.Fields{"slug": "é", "title": "e"})
	t.Insert("sample",
		kit.Fields{"id": 1, "jars": []any{1, 2}, "pages": []any{"a,b", `q"]`}}, kit.Fields{"id": 2, "jars": []any{12, 99}, "pages": []any{"a"}},
		kit.Fields{"id": 3, "jars": []any{}, "pages": []any{"é"}}, kit.Fields{"id": 4}, kit.Fields{"id": 5, "jars": []any{-1, 99}})
	matches(t, t.Client, "sample", core.Related("jars", core.Eq("id", 1)), 1)
	matches(t, t.Client, "sample", core.Related("jars", core.Eq("size", 1)), 1, 2)
	matches(t, t.Client, "sample", core.Related("jars", core.Eq("size", nil)), 1)
	matches(t, t.Client, "sample", core.Related("jars", core.Eq("id", 99)))
	matches(t, t.Client, "sample", core.Related("jars", core.Lt("id", 0)), 5)
	matches(t, t.Client, "sample", core.Not(core.Related("jars", core.All())), 3, 4)
	matches(t, t.Client, "sample", core.Not(core.Related("jars", core.Not(core.Eq("size", 1)))), 2, 3, 4)
	for title, id := range map[string]any{"x": 2, "y": 1, "z": 1, "e": 3} {
		matches(t, t.Client, "sample", core.Related("pages", core.Eq("title", title)), id)
	}
	holders := func(resource, list string) core.Relation {
		to, _ := t.Resource("sample").Field(list).Relation()
		kit.Equal(t.Client, "source of the way back", to.Back().Source(), t.Resource(resource))
		return to.Back()
	}
	first := t.Resource("sample").Key().Compare(core.FilterEq, core.IntValue(1))
	matches(t, t.Client, "jar", holders("jar", "jars").Match(first), 1, 2)
	matches(t, t.Client, "jar", core.Not(holders("jar", "jars").Match(core.Not(first))), 1, 2)
	matches(t, t.Client, "page", holders("page", "pages").Match(first), "a,b", `q"]`)
	matches(t, t.Client, "page", holders("page", "pages").Match(core.All()), "a", "a,b", `q"]`, "é")
}

func guardedRelations(t *kit.Fixture) {
	fillJars(t)
	t.Insert("page", kit.Fields{"slug": "a", "title": "x"}, kit.Fields{"slug": "b", "title": "y", "parent": "a"}, kit.Fields{"slug": "c", "title": "x", "parent": "b"})
	in := func(f core.Filter) core.Filter { return core.Related("jar", f) }
	holds := func(f core.Filter) core.Filter { return core.Related("cookies", f) }
	small := t.Seeing("jar", core.Le("size", 2))
	matches(t, small, "cookie", in(core.All()), 1, 2)
	matches(t, small, "cookie", in(core.Eq("id", 3)))
	matches(t, small, "cookie", core.Not(in(core.Ne("label", "a"))), 1, 2, 3, 4, 5)
	matches(t, small, "cookie", core.Not(in(core.Not(core.Eq("label", "a")))), 1, 2, 3, 4, 5)
	matches(t, small, "cookie", core.Eq("jar", 3), 5)
	someKind := t.Seeing("cookie", core.Ne("kind", "b"))
	matches(t, someKind, "jar", holds(core.Eq("weight", 2)), 2)
	matches(t, someKind, "jar", core.Not(holds(core.Ne("kind", "a"))), 1, 2, 4)
	matches(t, someKind, "jar", core.Not(holds(core.Eq("kind", "b"))), 1, 2, 3, 4)
	matches(t, someKind, "cookie", in(holds(core.Eq("weight", 2))), 3)
	both := t.SeeingAll(kit.Guards{
		t.Resource("jar"):    kit.Must(t.Resource("jar").Bind(core.Ne("id", 2)))(t.Client, "bind"),
		t.Resource("cookie"): kit.Must(t.Resource("cookie").Bind(core.Eq("kind", "a")))(t.Client, "bind"),
	})
	matches(t, both, "cookie", in(holds(core.All())), 1, 2)
	matches(t, both, "cookie", in(core.Not(holds(core.All()))), 5)
	byRelation := t.Seeing("jar", holds(core.Eq("kind", "a"))) // the guard of a policy sees all cookies
	matches(t, byRelation.GuardedBy(core.Ne("kind", "a"), core.All()), "cookie", in(core.All()), 2)
	// The guard names a field that the record has, too.
	titled := t.Seeing("page", core.Eq("title", "x"))
	matches(t, titled, "page", core.Related("parent", core.All()), "b")
	matches(t, titled, "page", core.Not(core.Related("parent", core.All())), "a", "c")
	matches(t, t.Seeing("jar", core.Gt("id", 1)), "cookie", in(core.All()), 3, 5)
	t.SameKeys("a load", t.GuardedBy(in(core.Eq("size", 1)), core.All()).Load("cookie", 1, 3, 4), 1)
}

func usingCrosses(t *kit.Fixture) {
	fillJars(t)
	mine := t.Guarded(core.Or(core.Related("jar", core.Eq("label", "a")), core.Eq("id", 4)))
	t.SameKeys("load", mine.Load("cookie", 1, 3, 4, 5), 1, 4)
	matches(t, mine, "cookie", core.All(), 1, 2, 4)
	matches(t, mine, "cookie", core.Related("jar", core.Eq("size", 1)), 1, 2)
	matches(t, mine, "cookie", core.Eq("weight", 2), 2)
	before := t.All("cookie")
	_, err := mine.TryUpdate("cookie", kit.Fields{"id": 1, "note": "x"}, kit.Fields{"id": 3, "note": "x"})
	t.Fails("update", err, t.Resource("cookie").NotFound(core.IntValue(3)))
	t.Fails("delete", mine.TryDelete("cookie", 4, 5), t.Resource("cookie").NotFound(core.IntValue(5)))
	_, err = mine.TryGet("cookie", 5)
	t.Fails("get", err, t.Resource("cookie").NotFound(core.IntValue(5)))
	none := t.Guarded(core.Not(core.Related("jar", core.All())))
	t.Fails("delete under a negation", none.TryDelete("cookie", 1), t.Resource("cookie").NotFound(core.IntValue(1)))
	t.Same("after", t.All("cookie"), before...)
	mine.Update("cookie", kit.Fields{"id": 1, "note": "x"}, kit.Fields{"id": 2, "note": "y"})
	none.Delete("cookie", 4)
	mine.Delete("cookie", 2)
	t.SameKeys("after", t.All("cookie"), 1, 3, 5)
}

func usingCrossesBefore(t *kit.Fixture) {
	t.Insert("page", kit.Fields{"slug": "a", "title": "x"}, kit.Fields{"slug": "b", "parent": "a"}, kit.Fields{"slug": "c", "title": "x"})
	mine := t.GuardedBy(core.Or(core.Eq("title", "x"), core.Related("parent", core.Eq("title", "x"))), core.All())
	got := mine.Update("page", kit.Fields{"slug": "a", "title": "y"}, kit.Fields{"slug": "b", "parent": nil}, kit.Fields{"slug": "c", "parent": "a"})
	t.SameKeys("update that ends its own condition", got, "a", "b", "c")
	_, err := mine.TryUpdate("page", kit.Fields{"slug": "a", "title": "x"}, kit.Fields{"slug": "b", "parent": "a"})
	t.Fails("update that makes its own condition", err, t.Resource("page").NotFound(core.TextValue("a")))
	t.Update("page", kit.Fields{"slug": "b", "parent": "c", "title": nil})
	mine.Delete("page", "b", "c")
	t.SameKeys("after", t.All("page"), "a")
}

func checkCrosses(t *kit.Fixture) {
	fillJars(t)
	before := t.All("cookie")
	mine := t.GuardedBy(core.All(), core.And(core.Gt("weight", 0), core.Related("jar", core.Ne("size", 3))))
	forbidden := t.Resource("cookie").Forbidden()
	for label, f := range map[string]kit.Fields{
		"another jar": {"jar": 3, "weight": 1}, "no jar": {"weight": 1}, "another part": {"jar": 1, "weight": 0},
	} {
		f["id"] = 10
		_, err := mine.TryInsert("cookie", kit.Fields{"id": 9, "jar": 1, "weight": 1}, f)
		t.Fails("insert with "+label, err, forbidden)
		f["id"] = 1
		if f["jar"] == nil {
			f["jar"] = nil
		}
		_, err = mine.TryUpdate("cookie", f, kit.Fields{"id": 3, "note": "x"})
		t.Fails("update to "+label, err, forbidden)
	}
	_, err := mine.TryUpdate("cookie", kit.Fields{"id": 5, "note": "x"})
	t.Fails("update of another column", err, forbidden)
	t.Same("after", t.All("cookie"), before...)
	got := mine.Insert("cookie", kit.Fields{"id": 9, "jar": 2, "weight": 1}, kit.Fields{"weight": 2, "jar": 4})
	t.Same("inserted", got[:1], t.Full("cookie", kit.Fields{"id": 9, "jar": 2, "weight": 1}))
	got = mine.Update("cookie", kit.Fields{"id": 5, "jar": 4})
	t.Same("updated", got, t.Full("cookie", kit.Fields{"id": 5, "weight": 1, "jar": 4}))
	// A batch sees all of its after images.
	rooted := t.GuardedBy(core.All(), core.Or(core.Eq("title", "root"), core.Related("parent", core.Eq("title", "root"))))
	rooted.Insert("page", kit.Fields{"slug": "b", "parent": "a"}, kit.Fields{"slug": "a", "title": "root"})
	_, err = rooted.TryUpdate("page", kit.Fields{"slug": "a", "title": "x", "parent": "b"})
	t.Fails("update that denies itself", err, t.Resource("page").Forbidden())
}

func relatedOwnWrites(t *kit.Fixture) {
	fillJars(t)
	t.Tx(func(tx *kit.Client) {
		labelled := func(label string) core.Filter { return core.Related("jar", core.Eq("label", label)) }
		tx.Insert("jar", kit.Fields{"id": 9, "label": "new"})
		tx.Update("cookie", kit.Fields{"id": 4, "jar": 9})
		matches(t, tx, "cookie", labelled("new"), 4)
		tx.Update("jar", kit.Fields{"id": 1, "label": "other"})
		matches(t, tx, "cookie", labelled("a"))
		matches(t, tx, "cookie", labelled("other"), 1, 2)
		tx.Delete("cookie", 3)
		matches(t, tx, "jar", core.Related("cookies", core.Eq("kind", "a")), 1, 9)
		matches(t, tx, "jar", core.Not(core.Related("cookies", core.All())), 2, 4)
		t.SameKeys("order", tx.Find("cookie", core.Query{Order: []string{"-jar.label"}}), 1, 2, 4, 5)
		t.SameKeys("guarded load", tx.Guarded(labelled("other")).Load("cookie", 1, 4), 1)
		tx.Guarded(labelled("new")).Update("cookie", kit.Fields{"id": 4, "weight": 7})
		tx.GuardedBy(core.All(), labelled("new")).Insert("cookie", kit.Fields{"id": 10, "jar": 9})
		seeing := tx.Seeing("jar", core.Eq("label", "new"))
		matches(t, seeing, "cookie", core.Related("jar", core.All()), 4, 10)
		tx.Delete("jar", 3) // cookie 5 refers to it until the end of the transaction
		matches(t, tx, "cookie", core.Related("jar", core.Eq("id", 3)))
		matches(t, tx, "cookie", core.Not(core.Related("jar", core.All())), 5)
		t.SameKeys("order without the target", tx.Find("cookie", core.Query{Order: []string{"jar.id"}, Fields: []string{}}), 1, 2, 4, 10, 5)
		tx.Update("cookie", kit.Fields{"id": 5, "jar": nil})
	})
	matches(t, t.Client, "cookie", core.Related("jar", core.Eq("label", "new")), 4, 10)
}

func answersOfRecords(t *kit.Fixture) {
	fillJars(t)
	c, answers := t.Asking("cookie", core.Related("jar", core.Eq("size", 1)), core.Eq("kind", "a"), core.Not(core.Related("jar", core.All())))
	is := func(label string, want ...[]bool) {
		t.Helper()
		kit.Equal(t.Client, label+": number of records with answers", len(answers.Given), len(want))
		for i := range want {
			kit.Equal(t.Client, label+": number of answers", len(answers.Given[i]), len(want[i]))
			for j := range want[i] {
				if answers.Given[i][j] != want[i][j] {
					t.Fatalf("%s: the answers are %v, want %v", label, answers.Given, want)
				}
			}
		}
	}
	one, two, three, four, five := []bool{true, true, false}, []bool{true, false, false}, []bool{false, true, false}, []bool{false, true, true}, []bool{false, false, false}
	c.Load("cookie", 4, 1, 7)
	is("load", one, four)
	c.Find("cookie", core.Query{Order: []string{"-weight", "-id"}, Fields: []string{"note"}})
	is("select", four, three, two, five, one)
	c.Find("cookie", core.Query{Where: core.Related("jar", core.All()), Order: []string{"-jar.label"}, Limit: 3})
	is("page along a path", five, three, one)
	c.Guarded(core.Ne("kind", "b")).Find("cookie", core.Query{Limit: 2})
	is("page under a guard", one, three)
	c.Insert("cookie", kit.Fields{"id": 12}, kit.Fields{"id": 11, "jar": 4, "kind": "a"})
	is("insert", []bool{false, false, true}, one)
	c.Update("cookie", kit.Fields{"id": 11, "jar": nil}, kit.Fields{"id": 3, "jar": 4}, kit.Fields{"id": 2, "note": "x"})
	is("update", two, one, four)
}

func relatedWriteSkew(t *kit.Fixture) {
	const rounds = 5
	for range rounds {
		t.Insert("jar", kit.Fields{"id": 1, "size": 1})
		t.Insert("cookie", kit.Fields{"id": 1, "weight": 0, "jar": 1})
		checkRelatedWriteSkew(t)
		t.Delete("cookie", 1)
		t.Delete("jar", 1)
	}
}

// checkRelatedWriteSkew runs two transactions at the same time: one changes a cookie under a condition on its jar, and the other
// reads the cookie and changes the jar. In any serial order one of them sees the write of the other.
func checkRelatedWriteSkew(t *kit.Fixture) {
	t.Helper()
	begun := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	meet := func(i int) {
		close(begun[i])
		select {
		case <-begun[1-i]:
		case <-time.After(t.Opts.Patience): // the other transaction waits for this one
		}
	}
	var committed [2]bool
	unseen := false
	steps := [2]func(tx *kit.Client) error{
		func(tx *kit.Client) error {
			if _, err := tx.TryGet("cookie", 1); err != nil {
				return err
			}
			meet(0)
			_, err := tx.Guarded(core.Related("jar", core.Eq("size", 1))).TryUpdate("cookie", kit.Fields{"id": 1, "weight": 1})
			return err
		},
		func(tx *kit.Client) error {
			rec, err := tx.TryGet("cookie", 1)
			if err != nil {
				return err
			}
			unseen = rec.Get("weight").Int() == 0
			meet(1)
			_, err = tx.TryUpdate("jar", kit.Fields{"id": 1, "size": 2})
			return err
		},
	}
	concurrently(t, len(steps), func(i int) error {
		committed[i] = t.TryTx(core.TxOptions{Attempts: 1}, steps[i]) == nil
		return nil
	})
	if committed[0] && committed[1] && unseen {
		t.Fatalf("two transactions committed, and neither saw the write of the other")
	}
}
