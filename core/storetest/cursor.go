package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var cursorRules = []rule{
	{
		"pages add up to the whole result",
		"Pages of any size, each continued after the one before, hold every record once, in the order of the query.",
		pagesAddUp,
	},
	{
		"pages continue within ties and nulls",
		"A page may end among records that the order does not distinguish, or among nulls, in either direction.",
		pagesWithinTies,
	},
	{
		"only the last page has no cursor",
		"A page has a cursor if and only if further records follow, also if the limit is exactly the number of records.",
		pageSaysMore,
	},
	{
		"a cursor works after its record was deleted",
		"A page continues after the position of its last record, also if that record was deleted.",
		cursorOutlivesRecord,
	},
	{
		"later records appear at their position",
		"Records that are inserted behind a cursor appear on the following pages. Records before it do not.",
		laterRecordsShow,
	},
	{
		"pages of a filtered query",
		"Filter, order, cursor and limit work together.",
		pagesInACondition,
	},
	{
		"cursors have exact values",
		"A page continues after times with microseconds, doubles with all their bits and any text.",
		cursorsAreExact,
	},
	{
		"cursors of long values are short",
		"A cursor stays below 2 KiB, however long its values and keys are, and the next page continues after the record.",
		cursorsAreShort,
	},
	{
		"pages after long values are complete",
		"If the last record of a page was deleted or changed, the next page may repeat records, but skips none.",
		longValuesAreNotLeftOut,
	},
}

func pagesAddUp(t *kit.Fixture) {
	for i := range 20 {
		t.Insert("order", kit.Fields{"id": (i * 7) % 20, "value": (i * 3) % 20})
	}
	for _, order := range [][]string{nil, {"-id"}, {"value"}, {"-value"}} {
		whole := t.Find("order", core.Query{Order: order})
		for _, limit := range []int{1, 3, 7, 19, 20, 21} {
			got := t.AllPages("order", core.Query{Order: order, Limit: limit})
			t.Same(fmt.Sprintf("order %q, pages of %d", order, limit), got, whole...)
		}
	}
}

func pagesWithinTies(t *kit.Fixture) {
	for i := range 24 {
		f := kit.Fields{"id": i}
		if i%3 > 0 {
			f["kind"] = string(rune('a' + i%3))
		}
		if i%4 > 0 {
			f["weight"] = i % 4
		}
		t.Insert("cookie", f)
	}
	for _, order := range [][]string{
		{"kind"}, {"-kind"}, {"kind", "weight"}, {"kind", "-weight"}, {"-kind", "weight"}, {"-kind", "-weight"}, {"weight", "-kind", "-id"},
	} {
		whole := t.Find("cookie", core.Query{Order: order})
		kit.Equal(t.Client, "number of records", len(whole), 24)
		for _, limit := range []int{1, 5} {
			got := t.AllPages("cookie", core.Query{Order: order, Limit: limit})
			t.Same(fmt.Sprintf("order %q, pages of %d", order, limit), got, whole...)
		}
	}
}

func pageSaysMore(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1}, kit.Fields{"id": 2}, kit.Fields{"id": 3})
	for limit, more := range []bool{false, true, true, false, false} {
		page := t.Page("order", core.Query{Limit: limit})
		kit.Equal(t.Client, fmt.Sprintf("limit %d has more", limit), page.Next != "", more)
	}
	first := t.Page("order", core.Query{Limit: 1})
	last := t.Page("order", core.Query{Limit: 2, After: first.Next})
	t.SameKeys("last page", last.Records, 2, 3)
	kit.Equal(t.Client, "a full last page has more", last.Next != "", false)
	none := t.Page("order", core.Query{Where: core.Gt("id", 3), Limit: 1})
	kit.Equal(t.Client, "an empty page has more", none.Next != "", false)
}

func cursorOutlivesRecord(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 5}, kit.Fields{"id": 2, "value": 5}, kit.Fields{"id": 3}, kit.Fields{"id": 4})
	q := core.Query{Order: []string{"value"}, Limit: 2}
	q.After = t.Page("order", q).Next
	t.Delete("order", 2)
	t.SameKeys("next page", t.Find("order", q), 3, 4)
	q = core.Query{Order: []string{"value"}, Limit: 2}
	q.After = t.Page("order", q).Next // after a null
	t.Delete("order", 3)
	t.SameKeys("next page after a null", t.Find("order", q), 4)
}

func laterRecordsShow(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 10, "value": 1}, kit.Fields{"id": 20, "value": 2}, kit.Fields{"id": 30, "value": 3})
	q := core.Query{Order: []string{"-value"}, Limit: 2}
	q.After = t.Page("order", q).Next
	t.Insert("order", kit.Fields{"id": 5, "value": 2}, kit.Fields{"id": 25, "value": 2}, kit.Fields{"id": 40}, kit.Fields{"id": 1, "value": 0})
	q.Limit = 0
	t.SameKeys("next page", t.Find("order", q), 25, 10, 1)
}

func pagesInACondition(t *kit.Fixture) {
	for i := range 30 {
		t.Insert("order", kit.Fields{"id": i, "group": i % 3, "value": i % 5})
	}
	where := core.And(core.Ne("group", 1), core.Gt("value", 0))
	whole := t.Find("order", core.Query{Where: where, Order: []string{"-value"}})
	kit.Equal(t.Client, "number of records", len(whole), 16)
	got := t.AllPages("order", core.Query{Where: where, Order: []string{"-value"}, Limit: 3})
	t.Same("pages of 3", got, whole...)
}

func cursorsAreExact(t *kit.Fixture) {
	for _, typ := range core.Types() {
		if !typ.Ordered() || typ == core.Text { // a page of text reads all long samples again; keys of pages are text
			continue
		}
		all := fillSamples(t, typ)
		for _, order := range []string{typ.String(), "-" + typ.String()} {
			whole := t.Find("sample", core.Query{Order: []string{order}})
			t.Same("order "+order+", pages of 1", t.AllPages("sample", core.Query{Order: []string{order}, Limit: 1}), whole...)
		}
		keys := make([]any, len(all))
		for i, rec := range all {
			keys[i] = rec.Key()
		}
		t.Delete("sample", keys...)
	}
	for _, v := range textKeys() {
		t.Insert("page", kit.Fields{"slug": v})
	}
	t.Same("pages of text keys", t.AllPages("page", core.Query{Limit: 1}), t.All("page")...)
}

// longTexts returns texts with common prefixes that are longer than a cursor. They have characters of all encoded
// lengths, and the greatest character, which has no successor.
func longTexts() []any {
	var all []any
	for _, begin := range []string{"a", "é\u2028", "\uD7FF", "\U0010FFFF", "\x01"} {
		begin = strings.Repeat(begin, 1600/len(begin))
		for _, end := range []string{"", "\x01", "a", "b", "é", "\U0010FFFF", strings.Repeat("x", 9000)} {
			all = append(all, begin+end)
		}
	}
	return append(all, "", "a", "b", "\U0010FFFF", nil, nil)
}

func longBytes(text any) any {
	s, ok := text.(string)
	if !ok {
		return nil
	}
	return slices.Concat(slices.Repeat([]byte{255}, 1500), []byte(s))
}

var longOrders = [][]string{{"text"}, {"-text"}, {"bytes"}, {"-bytes"}, {"-text", "bytes"}, {"int", "-bytes", "text"}}

func insertLong(t *kit.Fixture) {
	for i, text := range longTexts() {
		t.Insert("sample", kit.Fields{"id": i + 1, "text": text, "bytes": longBytes(text), "int": i % 2})
		t.Insert("sample", kit.Fields{"id": 100 + i, "text": text, "int": i % 3})
	}
}

func cursorsAreShort(t *kit.Fixture) {
	insertLong(t)
	for _, order := range longOrders {
		whole := t.Find("sample", core.Query{Order: order})
		for _, limit := range []int{1, 7} {
			got := t.AllPages("sample", core.Query{Order: order, Limit: limit})
			t.SameKeys(fmt.Sprintf("order %q, pages of %d", order, limit), got, keyValues(whole)...)
		}
	}
	keys := insertLongKeys(t)
	slices.Sort(keys)
	t.SameKeys("pages of long keys", t.AllPages("page", core.Query{Limit: 1}), anys(keys)...)
	slices.Reverse(keys)
	t.SameKeys("pages of long keys, descending", t.AllPages("page", core.Query{Limit: 1, Order: []string{"-slug"}}), anys(keys)...)
}

// insertLongKeys inserts records with keys of the greatest length that databases index.
func insertLongKeys(t *kit.Fixture) (keys []string) {
	for _, begin := range []string{"a", "é", "\U0010FFFF"} {
		for _, end := range []string{"", "a", "é", "\U0010FFFF"} {
			key := strings.Repeat(begin, 1700/len(begin)) + end
			t.Insert("page", kit.Fields{"slug": key})
			keys = append(keys, key)
		}
	}
	return keys
}

func longValuesAreNotLeftOut(t *kit.Fixture) {
	insertLong(t)
	for _, order := range longOrders {
		for _, limit := range []int{1, 5, 9, 20} {
			q := core.Query{Order: order, Limit: limit}
			q.After = t.Page("sample", q).Next
			checkNextPage(t, order, limit, q, func(last core.Record) { t.Delete("sample", last.Key()) })
			checkNextPage(t, order, limit, q, func(last core.Record) { t.Update("sample", kit.Fields{"id": last.Key(), "text": "c", "bytes": nil}) })
		}
	}
}

// checkNextPage removes or changes the last record of a page, checks that the next page has all records that followed
// it, and restores the record.
func checkNextPage(t *kit.Fixture, order []string, limit int, q core.Query, remove func(last core.Record)) {
	t.Helper()
	whole := t.Find("sample", core.Query{Order: order})
	last := whole[limit-1]
	remove(last)
	q.Limit = 0
	shown := t.Find("sample", q)
	_ = t.TryDelete("sample", last.Key()) // it still exists if it was changed
	restore(t, last)
	for _, rec := range whole[limit:] {
		if !slices.ContainsFunc(shown, func(got core.Record) bool { return got.Key() == rec.Key() }) {
			t.Fatalf("order %q: the page after a removed record lacks record %v", order, rec.Key())
		}
	}
}

func restore(t *kit.Fixture, rec core.Record) {
	t.Helper()
	kit.Must(t.Querier.Insert(t.Ctx, t.Resource("sample"), rec))(t.Client, "insert")
}

func keyValues(records []core.Record) []any {
	keys := make([]any, len(records))
	for i, rec := range records {
		keys[i] = rec.Key()
	}
	return keys
}

func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i, item := range list {
		all[i] = item
	}
	return all
}
