package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

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
