package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var relatedOrderRules = []rule{
	{
		"an order may follow to-one relations",
		"An entry of the order may be a field of a related record. It combines with other entries, and the key breaks ties.",
		ordersByPath,
	},
	{
		"a path without a record sorts as null",
		"A record without the related record, or with one outside the guard, is part of the result and sorts as null: last ascending, first descending.",
		pathsSortNull,
	},
	{
		"pages along a path add up",
		"Pages in the order of a related field hold every record once, within ties and nulls too, under conditions and projections.",
		pagesAlongPath,
	},
	{
		"pages along a path continue after changes",
		"A page continues after the position of its last record, also if the record or its related record was deleted.",
		pagesAlongPathAfterChanges,
	},
	{
		"pages with a related condition add up",
		"A condition on related records, of the caller or of a policy, applies on every page.",
		pagesUnderRelatedCondition,
	},
	{
		"long values of a path are not left out",
		"Pages in the order of a long related value hold every record, and their cursors stay below 2 KiB.",
		longValuesAlongPath,
	},
}

func ordersByPath(t *kit.Fixture) {
	fillJars(t)
	for order, want := range map[string][]any{
		"jar.label": {1, 2, 3, 5, 4}, "-jar.label": {4, 5, 3, 1, 2}, "jar.size,-weight": {2, 1, 5, 4, 3}, "-kind,jar.label": {5, 2, 1, 3, 4},
		"jar.label,-id": {2, 1, 3, 5, 4}, "jar.id": {1, 2, 3, 5, 4}, "jar.size,-jar.label,id": {1, 2, 5, 4, 3},
	} {
		t.SameKeys("order by "+order, t.Find("cookie", core.Query{Order: strings.Split(order, ",")}), want...)
	}
	t.SameKeys("with a projection", t.Find("cookie", core.Query{Order: []string{"-jar.size"}, Fields: []string{"note"}, Limit: 3}), 3, 4, 5)
	t.Insert("page", kit.Fields{"slug": "a", "title": "z"}, kit.Fields{"slug": "b", "title": "y", "parent": "a"}, kit.Fields{"slug": "c", "title": "x", "parent": "b"})
	t.SameKeys("over a self relation", t.Find("page", core.Query{Order: []string{"parent.title"}}), "c", "b", "a")
	t.SameKeys("over two relations", t.Find("page", core.Query{Order: []string{"-parent.parent.title", "-title"}}), "a", "b", "c")
	uuid := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n) }
	t.Insert("person", kit.Fields{"id": uuid(1), "name": "b"}, kit.Fields{"id": uuid(2), "name": "a", "wife": uuid(1)}, kit.Fields{"id": uuid(3), "name": "c", "wife": uuid(2)})
	t.SameKeys("against a one-to-one relation", t.Find("person", core.Query{Order: []string{"husband.name"}}), uuid(1), uuid(2), uuid(3))
}

func pathsSortNull(t *kit.Fixture) {
	fillJars(t)
	small := t.Seeing("jar", core.Ne("id", 3))
	t.SameKeys("ascending", small.Find("cookie", core.Query{Order: []string{"jar.label"}}), 1, 2, 3, 4, 5)
	t.SameKeys("descending", small.Find("cookie", core.Query{Order: []string{"-jar.label"}}), 4, 5, 3, 1, 2)
	t.SameKeys("by the key of the target", small.Find("cookie", core.Query{Order: []string{"-jar.id"}}), 4, 5, 3, 1, 2)
	t.SameKeys("by the reference itself", small.Find("cookie", core.Query{Order: []string{"-jar"}}), 4, 5, 3, 1, 2)
	t.SameKeys("pages of 1", small.AllPages("cookie", core.Query{Order: []string{"-jar.label"}, Limit: 1}), 4, 5, 3, 1, 2)
	t.Insert("page", kit.Fields{"slug": "a", "title": "z"}, kit.Fields{"slug": "b", "title": "y", "parent": "a"}, kit.Fields{"slug": "c", "title": "x", "parent": "b"})
	hidden := t.Seeing("page", core.Ne("slug", "b"))
	t.SameKeys("a hidden record on the way", hidden.Find("page", core.Query{Order: []string{"parent.parent.title"}}), "a", "b", "c")
	t.SameKeys("the way without the guard", t.Find("page", core.Query{Order: []string{"parent.parent.title"}}), "c", "a", "b")
}

// fillPaths inserts 12 cookies in jars with ties, in a jar without label and in none.
func fillPaths(t *kit.Fixture) {
	t.Helper()
	t.Insert("jar", kit.Fields{"id": 1, "label": "b", "size": 1}, kit.Fields{"id": 2, "label": "a", "size": 1}, kit.Fields{"id": 3, "size": 2})
	for i := range 12 {
		f := kit.Fields{"id": i, "weight": i % 3}
		if i%4 > 0 {
			f["jar"] = i % 4
		}
		t.Insert("cookie", f)
	}
}

var pathOrders = [][]string{{"jar.label"}, {"-jar.label"}, {"jar.size", "-weight"}, {"-jar.size", "jar.label", "-id"}, {"weight", "-jar.id"}}

func pagesAlongPath(t *kit.Fixture) {
	fillPaths(t)
	for _, c := range []struct {
		client *kit.Client
		q      core.Query
		n      int
	}{
		{t.Client, core.Query{}, 12},
		{t.Client, core.Query{Fields: []string{"note"}}, 12},
		{t.Seeing("jar", core.Ne("label", "a")), core.Query{}, 12},
		{t.Guarded(core.Ne("weight", 0)), core.Query{Where: core.Related("jar", core.Ne("id", 3))}, 4},
	} {
		for _, order := range pathOrders {
			c.q.Order, c.q.Limit = order, 0
			whole := c.client.Find("cookie", c.q)
			kit.Equal(t.Client, fmt.Sprintf("order %q: records", order), len(whole), c.n)
			for _, limit := range []int{1, 5} {
				c.q.Limit = limit
				t.Same(fmt.Sprintf("order %q, pages of %d", order, limit), c.client.AllPages("cookie", c.q), whole...)
			}
		}
	}
}

func pagesAlongPathAfterChanges(t *kit.Fixture) {
	fillPaths(t)
	for _, order := range pathOrders {
		for _, limit := range []int{3, 6} {
			whole := t.Find("cookie", core.Query{Order: order})
			q := core.Query{Order: order, Limit: limit}
			q.After, q.Limit = t.Page("cookie", q).Next, 0
			last := whole[limit-1]
			t.Delete("cookie", last.Key())
			t.Same(fmt.Sprintf("order %q, after a deleted record", order), t.Find("cookie", q), whole[limit:]...)
			kit.Must(t.Querier.Insert(t.Ctx, last.Resource(), last))(t.Client, "insert")
			t.Same(fmt.Sprintf("order %q, after the record is back", order), t.Find("cookie", q), whole[limit:]...)
		}
	}
	q := core.Query{Order: []string{"jar.label"}, Limit: 4}
	q.After = t.Page("cookie", q).Next // after the three cookies of jar 2 and one of jar 1
	t.Update("cookie", kit.Fields{"id": 2, "jar": 1}, kit.Fields{"id": 1, "jar": 2}, kit.Fields{"id": 3, "jar": 1})
	t.SameKeys("moved records", t.Find("cookie", q), 2, 3, 5, 9)
	t.Update("jar", kit.Fields{"id": 1, "label": nil})
	q.Limit = 0
	t.SameKeys("a changed related record", t.Find("cookie", q), 0, 2, 3, 4, 5, 7, 8, 9, 11)
}

func pagesUnderRelatedCondition(t *kit.Fixture) {
	fillPaths(t)
	in := core.Related("jar", core.Eq("size", 1))
	for _, order := range [][]string{nil, {"-id"}, {"weight"}, {"-jar.label"}} {
		for _, limit := range []int{1, 2, 6} {
			q := core.Query{Order: order, Where: in}
			whole := t.Find("cookie", q)
			kit.Equal(t.Client, "number of records", len(whole), 6)
			q.Limit = limit
			t.Same(fmt.Sprintf("order %q, pages of %d", order, limit), t.AllPages("cookie", q), whole...)
			q.Where = core.All()
			t.Same(fmt.Sprintf("order %q, pages of %d under a policy", order, limit), t.Guarded(in).AllPages("cookie", q), whole...)
		}
	}
}

func longValuesAlongPath(t *kit.Fixture) {
	begin := strings.Repeat("é", 800) // longer than a cursor, and short enough for an index
	for i, end := range []string{"", "a", "b", "\U0010FFFF"} {
		t.Insert("jar", kit.Fields{"id": i, "label": begin + end})
		t.Insert("cookie", kit.Fields{"id": i, "jar": i}, kit.Fields{"id": 10 + i, "jar": i}, kit.Fields{"id": 20 + i})
	}
	for _, order := range []string{"jar.label", "-jar.label"} {
		q := core.Query{Order: []string{order}}
		whole := t.Find("cookie", q)
		for _, limit := range []int{1, 5} {
			q.Limit = limit
			t.Same(fmt.Sprintf("order %q, pages of %d", order, limit), t.AllPages("cookie", q), whole...)
		}
		q.After = t.Page("cookie", core.Query{Order: q.Order, Limit: 3}).Next
		last := whole[2]
		t.Delete("cookie", last.Key())
		q.Limit = 0
		shown := kit.KeysOf(t.Find("cookie", q))
		for _, rec := range whole[3:] {
			if !slices.Contains(shown, rec.Key()) {
				t.Fatalf("order %q: the page after a deleted record lacks record %v", order, rec.Key())
			}
		}
		kit.Must(t.Querier.Insert(t.Ctx, last.Resource(), last))(t.Client, "insert")
	}
}
