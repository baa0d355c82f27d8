package storetest

import (
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var orderRules = []rule{
	{
		"nulls sort last ascending, first descending",
		"Ascending order has nulls last, descending order nulls first.",
		nullsInOrder,
	},
	{
		"ties are broken by the key, ascending",
		"Records that the order does not distinguish come in ascending order of their keys, in descending sorts too.",
		tiesByKey,
	},
	{
		"several fields sort in turn",
		"Each field of an order sorts the ties of the fields before it, in its own direction.",
		severalFields,
	},
	{
		"the key sorts descending",
		"An order may be by the key alone, in either direction.",
		keyDescending,
	},
	{
		"text sorts by code point",
		"Text sorts by code point and not by the rules of a language: capitals before small letters, U+FF5E before U+1F36A.",
		textByCodePoint,
	},
	{
		"limit applies after order",
		"The limit truncates the sorted result, not the records before they are sorted.",
		limitAfterOrder,
	},
	{
		"references sort by key",
		"A to-one relation sorts by the key of its target.",
		relationsSortByKey,
	},
}

func nullsInOrder(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1}, kit.Fields{"id": 2, "value": 5}, kit.Fields{"id": 3, "value": -5}, kit.Fields{"id": 4})
	t.SameKeys("ascending", t.Find("order", core.Query{Order: []string{"value"}}), 3, 2, 1, 4)
	t.SameKeys("descending", t.Find("order", core.Query{Order: []string{"-value"}}), 1, 4, 2, 3)
}

func tiesByKey(t *kit.Fixture) {
	for _, id := range []int{9, 2, 7, 4, 1, 8, 3, 6, 5, 10, 12, 11} {
		t.Insert("order", kit.Fields{"id": id, "group": id % 2})
	}
	t.Update("order", kit.Fields{"id": 2, "value": 1}) // PostgreSQL moves the row in its table
	t.SameKeys("ascending", t.Find("order", core.Query{Order: []string{"group"}}), 2, 4, 6, 8, 10, 12, 1, 3, 5, 7, 9, 11)
	t.SameKeys("descending", t.Find("order", core.Query{Order: []string{"-group"}}), 1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12)
}

func severalFields(t *kit.Fixture) {
	for i := range 8 {
		t.Insert("cookie", kit.Fields{"id": i, "kind": string(rune('a' + i&1)), "weight": i & 2, "note": string(rune('p' + i&4))})
	}
	t.SameKeys("kind, -weight, note", t.Find("cookie", core.Query{Order: []string{"kind", "-weight", "note"}}), 2, 6, 0, 4, 3, 7, 1, 5)
	t.SameKeys("-kind, weight, -id", t.Find("cookie", core.Query{Order: []string{"-kind", "weight", "-id"}}), 5, 1, 7, 3, 4, 0, 6, 2)
}

func keyDescending(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 9}, kit.Fields{"id": 10}, kit.Fields{"id": -1})
	t.SameKeys("-id", t.Find("order", core.Query{Order: []string{"-id"}}), 10, 9, -1)
	t.Insert("page", kit.Fields{"slug": "a"}, kit.Fields{"slug": "B"}, kit.Fields{"slug": "c"})
	t.SameKeys("-slug", t.Find("page", core.Query{Order: []string{"-slug"}}), "c", "a", "B")
}

func textByCodePoint(t *kit.Fixture) {
	sorted := []any{
		"", "\t", " ", " b", "!", "10", "9", "A", "Z", "_", "a", "a b", "a-b", "aB", "ab", "b", "z", "z\u0301",
		"\u007f", "\u00a0", "Ä", "é", "Ω", "中", "\uff5e", "\U0001F36A", "\U0010FFFF",
	}
	keys := slices.Clone(sorted)
	keys[0] = "\u0001" // core rejects an empty key
	for i := range sorted {
		at := (i * 7) % len(sorted) // 7 and the length have no common divisor
		t.Insert("page", kit.Fields{"slug": keys[at], "title": sorted[at]})
	}
	t.SameKeys("by key", t.All("page"), keys...)
	t.SameKeys("by field", t.Find("page", core.Query{Order: []string{"title"}}), keys...)
	t.SameKeys("> Z", t.Where("page", core.Gt("title", "Z")), keys[9:]...)
	t.SameKeys("< U+1F36A", t.Where("page", core.Lt("title", "\U0001F36A")), keys[:len(keys)-2]...)
}

func limitAfterOrder(t *kit.Fixture) {
	for i := range 6 {
		t.Insert("order", kit.Fields{"id": i, "value": (i * 5) % 6})
	}
	t.SameKeys("lowest", t.Find("order", core.Query{Order: []string{"value"}, Limit: 2}), 0, 5)
	t.SameKeys("highest", t.Find("order", core.Query{Order: []string{"-value"}, Limit: 3}), 1, 2, 3)
	t.SameKeys("highest of some", t.Find("order", core.Query{
		Where: core.Lt("value", 4), Order: []string{"-value"}, Limit: 2,
	}), 3, 4)
}

func relationsSortByKey(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 2}, kit.Fields{"id": 10})
	t.Insert("cookie", kit.Fields{"id": 1, "jar": 10}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "jar": 2})
	t.SameKeys("by jar", t.Find("cookie", core.Query{Order: []string{"jar"}}), 3, 1, 2)
	t.SameKeys("by jar, descending", t.Find("cookie", core.Query{Order: []string{"-jar"}}), 2, 1, 3)
}
