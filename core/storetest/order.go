package storetest

import "github.com/larder-go/larder/core"

var orderRules = []row{
	{
		"nulls come last ascending and first descending",
		"Ascending order has nulls last, descending order nulls first.",
		nullsInOrder,
	},
	{
		"ties are broken by the key, ascending",
		"Records that the order does not tell apart come in ascending order of their keys, in descending sorts too.",
		tiesByKey,
	},
	{
		"several fields sort one after the other",
		"Each field of an order sorts the ties of those before it, in a direction of its own.",
		severalFields,
	},
	{
		"the key sorts descending",
		"An order may be by the key alone, in either direction.",
		keyDescending,
	},
	{
		"text sorts by code point",
		"Text sorts by code point, in no language's order: capitals before small letters, U+FF5E before U+1F36A.",
		textByCodePoint,
	},
	{
		"limit comes after order",
		"A limit cuts the sorted result, not what is sorted.",
		limitAfterOrder,
	},
	{
		"relations sort by key",
		"A to-one relation sorts by the key of its target.",
		relationsSortByKey,
	},
}

func nullsInOrder(t *trial) {
	t.insert("order", fields{"id": 1}, fields{"id": 2, "value": 5}, fields{"id": 3, "value": -5}, fields{"id": 4})
	t.sameKeys("ascending", t.find("order", core.Query{Order: []string{"value"}}), 3, 2, 1, 4)
	t.sameKeys("descending", t.find("order", core.Query{Order: []string{"-value"}}), 1, 4, 2, 3)
}

func tiesByKey(t *trial) {
	for _, id := range []int{9, 2, 7, 4, 1, 8, 3, 6, 5, 10, 12, 11} {
		t.insert("order", fields{"id": id, "group": id % 2})
	}
	t.update("order", fields{"id": 2, "value": 1}) // a row that moves in its table
	t.sameKeys("ascending", t.find("order", core.Query{Order: []string{"group"}}), 2, 4, 6, 8, 10, 12, 1, 3, 5, 7, 9, 11)
	t.sameKeys("descending", t.find("order", core.Query{Order: []string{"-group"}}), 1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12)
}

func severalFields(t *trial) {
	for i := range 8 {
		t.insert("cookie", fields{"id": i, "kind": string(rune('a' + i&1)), "weight": i & 2, "note": string(rune('p' + i&4))})
	}
	t.sameKeys("kind, -weight, note", t.find("cookie", core.Query{Order: []string{"kind", "-weight", "note"}}), 2, 6, 0, 4, 3, 7, 1, 5)
	t.sameKeys("-kind, weight, -id", t.find("cookie", core.Query{Order: []string{"-kind", "weight", "-id"}}), 5, 1, 7, 3, 4, 0, 6, 2)
}

func keyDescending(t *trial) {
	t.insert("order", fields{"id": 9}, fields{"id": 10}, fields{"id": -1})
	t.sameKeys("-id", t.find("order", core.Query{Order: []string{"-id"}}), 10, 9, -1)
	t.insert("page", fields{"slug": "a"}, fields{"slug": "B"}, fields{"slug": "c"})
	t.sameKeys("-slug", t.find("page", core.Query{Order: []string{"-slug"}}), "c", "a", "B")
}

func textByCodePoint(t *trial) {
	sorted := []any{
		"", "\t", " ", " b", "!", "10", "9", "A", "Z", "_", "a", "a b", "a-b", "aB", "ab", "b", "z", "z\u0301",
		"\u007f", "\u00a0", "Ä", "é", "Ω", "中", "\uff5e", "\U0001F36A", "\U0010FFFF",
	}
	for i := range sorted {
		slug := sorted[(i*7)%len(sorted)] // 7 and the length have no common divisor
		t.insert("page", fields{"slug": slug, "title": slug})
	}
	t.sameKeys("by key", t.all("page"), sorted...)
	t.sameKeys("by field", t.find("page", core.Query{Order: []string{"title"}}), sorted...)
	t.sameKeys("> Z", t.where("page", core.Gt("title", "Z")), sorted[9:]...)
	t.sameKeys("< U+1F36A", t.where("page", core.Lt("title", "\U0001F36A")), sorted[:len(sorted)-2]...)
}

func limitAfterOrder(t *trial) {
	for i := range 6 {
		t.insert("order", fields{"id": i, "value": (i * 5) % 6})
	}
	t.sameKeys("lowest", t.find("order", core.Query{Order: []string{"value"}, Limit: 2}), 0, 5)
	t.sameKeys("highest", t.find("order", core.Query{Order: []string{"-value"}, Limit: 3}), 1, 2, 3)
	t.sameKeys("highest of some", t.find("order", core.Query{
		Where: core.Lt("value", 4), Order: []string{"-value"}, Limit: 2,
	}), 3, 4)
}

func relationsSortByKey(t *trial) {
	t.insert("jar", fields{"id": 2}, fields{"id": 10})
	t.insert("cookie", fields{"id": 1, "jar": 10}, fields{"id": 2}, fields{"id": 3, "jar": 2})
	t.sameKeys("by jar", t.find("cookie", core.Query{Order: []string{"jar"}}), 3, 1, 2)
	t.sameKeys("by jar, descending", t.find("cookie", core.Query{Order: []string{"-jar"}}), 2, 1, 3)
}
