package storetest

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

var cursorRules = []row{
	{
		"pages add up to the whole",
		"Pages of any size, each continued after the one before, hold every record once, in the order of the query.",
		pagesAddUp,
	},
	{
		"pages go on within ties and nulls",
		"A page may end among records that the order does not tell apart, or among nulls, in either direction.",
		pagesWithinTies,
	},
	{
		"a page says whether there is more",
		"Only a page that was cut by its limit has a next one: not one that the last records just fill.",
		pageSaysMore,
	},
	{
		"a cursor outlives its record",
		"A page continues after the place of its last record, also when that record was deleted.",
		cursorOutlivesRecord,
	},
	{
		"what comes in later shows where it belongs",
		"Records that are added behind a cursor show in the pages that follow, those before it do not.",
		laterRecordsShow,
	},
	{
		"pages work in a condition",
		"Condition, order, cursor and limit work together.",
		pagesInACondition,
	},
	{
		"cursors hold exact values",
		"A page continues after times with microseconds, doubles with all their bits and text of any kind.",
		cursorsAreExact,
	},
	{
		"cursors of long values are short",
		"A cursor stays below 2 KiB however long the values and keys are that it holds, and its page continues after its record.",
		cursorsAreShort,
	},
	{
		"a page after a long value leaves nothing out",
		"If the record that a cursor was made of is gone or changed, a page may repeat records, but leaves none out.",
		longValuesAreNotLeftOut,
	},
}

// through returns what all pages of the query hold together.
func (c *client) through(resource string, q core.Query) []core.Record {
	c.Helper()
	var all []core.Record
	for {
		page := c.page(resource, q)
		if q.Limit > 0 && len(page.Records) > q.Limit {
			c.Fatalf("a page of at most %d has %d records", q.Limit, len(page.Records))
		}
		if len(page.Next) >= maxCursor {
			c.Fatalf("a cursor has %d bytes", len(page.Next))
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all
		}
		if len(all) > 1<<12 {
			c.Fatalf("pages never end")
		}
		q.After = page.Next
	}
}

func pagesAddUp(t *trial) {
	for i := range 20 {
		t.insert("order", fields{"id": (i * 7) % 20, "value": (i * 3) % 20})
	}
	for _, order := range [][]string{nil, {"-id"}, {"value"}, {"-value"}} {
		whole := t.find("order", core.Query{Order: order})
		for _, limit := range []int{1, 3, 7, 19, 20, 21} {
			got := t.through("order", core.Query{Order: order, Limit: limit})
			t.same(fmt.Sprintf("order %q, pages of %d", order, limit), got, whole...)
		}
	}
}

func pagesWithinTies(t *trial) {
	for i := range 24 {
		f := fields{"id": i}
		if i%3 > 0 {
			f["kind"] = string(rune('a' + i%3))
		}
		if i%4 > 0 {
			f["weight"] = i % 4
		}
		t.insert("cookie", f)
	}
	for _, order := range [][]string{
		{"kind"}, {"-kind"}, {"kind", "weight"}, {"kind", "-weight"}, {"-kind", "weight"}, {"-kind", "-weight"}, {"weight", "-kind", "-id"},
	} {
		whole := t.find("cookie", core.Query{Order: order})
		equal(t.client, "number of records", len(whole), 24)
		for _, limit := range []int{1, 5} {
			got := t.through("cookie", core.Query{Order: order, Limit: limit})
			t.same(fmt.Sprintf("order %q, pages of %d", order, limit), got, whole...)
		}
	}
}

func pageSaysMore(t *trial) {
	t.insert("order", fields{"id": 1}, fields{"id": 2}, fields{"id": 3})
	for limit, more := range []bool{false, true, true, false, false} {
		page := t.page("order", core.Query{Limit: limit})
		equal(t.client, fmt.Sprintf("limit %d has more", limit), page.Next != "", more)
	}
	first := t.page("order", core.Query{Limit: 1})
	last := t.page("order", core.Query{Limit: 2, After: first.Next})
	t.sameKeys("last page", last.Records, 2, 3)
	equal(t.client, "a full last page has more", last.Next != "", false)
	none := t.page("order", core.Query{Where: core.Gt("id", 3), Limit: 1})
	equal(t.client, "an empty page has more", none.Next != "", false)
}

func cursorOutlivesRecord(t *trial) {
	t.insert("order", fields{"id": 1, "value": 5}, fields{"id": 2, "value": 5}, fields{"id": 3}, fields{"id": 4})
	q := core.Query{Order: []string{"value"}, Limit: 2}
	q.After = t.page("order", q).Next
	t.delete("order", 2)
	t.sameKeys("next page", t.find("order", q), 3, 4)
	q = core.Query{Order: []string{"value"}, Limit: 2}
	q.After = t.page("order", q).Next // after a null
	t.delete("order", 3)
	t.sameKeys("next page after a null", t.find("order", q), 4)
}

func laterRecordsShow(t *trial) {
	t.insert("order", fields{"id": 10, "value": 1}, fields{"id": 20, "value": 2}, fields{"id": 30, "value": 3})
	q := core.Query{Order: []string{"-value"}, Limit: 2}
	q.After = t.page("order", q).Next
	t.insert("order", fields{"id": 5, "value": 2}, fields{"id": 25, "value": 2}, fields{"id": 40}, fields{"id": 1, "value": 0})
	q.Limit = 0
	t.sameKeys("next page", t.find("order", q), 25, 10, 1)
}

func pagesInACondition(t *trial) {
	for i := range 30 {
		t.insert("order", fields{"id": i, "group": i % 3, "value": i % 5})
	}
	where := core.And(core.Ne("group", 1), core.Gt("value", 0))
	whole := t.find("order", core.Query{Where: where, Order: []string{"-value"}})
	equal(t.client, "number of records", len(whole), 16)
	got := t.through("order", core.Query{Where: where, Order: []string{"-value"}, Limit: 3})
	t.same("pages of 3", got, whole...)
}

func cursorsAreExact(t *trial) {
	for _, typ := range []core.Type{core.Int, core.Float, core.Time, core.UUID, core.Bytes, core.Bool} {
		all := fillSamples(t, typ)
		for _, order := range []string{typ.String(), "-" + typ.String()} {
			whole := t.find("sample", core.Query{Order: []string{order}})
			t.same("order "+order+", pages of 1", t.through("sample", core.Query{Order: []string{order}, Limit: 1}), whole...)
		}
		keys := make([]any, len(all))
		for i, rec := range all {
			keys[i] = rec.Key()
		}
		t.delete("sample", keys...)
	}
	texts := slices.DeleteFunc(samples(core.Text), func(v core.Value) bool { return len(v.Text()) > 1000 })
	for _, v := range texts {
		t.insert("page", fields{"slug": v})
	}
	t.same("pages of text keys", t.through("page", core.Query{Limit: 1}), t.all("page")...)
}
