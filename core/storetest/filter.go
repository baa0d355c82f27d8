package storetest

import (
	"slices"

	"github.com/larder-go/larder/core"
)

var filterRules = []row{
	{
		"null equals null and differs from every value",
		"Conditions are true or false, never unknown: null equals null and differs from every value.",
		nullEqualsNull,
	},
	{
		"null is neither less nor greater",
		"No order comparison and no prefix is true of null.",
		nullIsNotOrdered,
	},
	{
		"not turns every answer round",
		"Not matches exactly the records that its condition does not match, null included.",
		notTurnsRound,
	},
	{
		"and, or and not nest",
		"And needs all of its parts, Or any, to any depth.",
		conditionsNest,
	},
	{
		"in matches any of its values",
		"In matches records whose field equals any of the values, null among them, and nothing without values.",
		inMatchesAny,
	},
	{
		"in takes a thousand values",
		"In takes as many values as a page has records.",
		inTakesMany,
	},
	{
		"prefix is no pattern",
		"Prefix compares byte by byte: %, _, \\, * and ? mean themselves, and case counts.",
		prefixIsNoPattern,
	},
	{
		"the key can be filtered by",
		"Conditions on the primary key work like those on any field.",
		keyCanBeFilteredBy,
	},
	{
		"relations can be filtered by key",
		"A stored to-one relation is compared with the key of its target, and null matches those without one.",
		relationsByKey,
	},
	{
		"text is compared exactly",
		"Text is equal only to the same bytes: case, accents, normalisation and spaces at the end count.",
		textIsComparedExactly,
	},
	{
		"json is compared as a whole",
		"JSON and lists are equal if their canonical texts are: the order of names and the spelling of numbers do not count.",
		jsonIsComparedAsAWhole,
	},
}

func nullEqualsNull(t *trial) {
	t.insert("order", fields{"id": 1, "group": 0}, fields{"id": 2}, fields{"id": 3, "group": 7})
	t.sameKeys("= null", t.where("order", core.Eq("group", nil)), 2)
	t.sameKeys("<> null", t.where("order", core.Ne("group", nil)), 1, 3)
	t.sameKeys("<> 7", t.where("order", core.Ne("group", 7)), 1, 2)
	equal(t.client, "count of <> 7", t.count("order", core.Ne("group", 7)), 2)
}

func nullIsNotOrdered(t *trial) {
	t.insert("cookie", fields{"id": 1, "weight": 0, "note": "a"}, fields{"id": 2}, fields{"id": 3, "weight": -1, "note": ""})
	t.sameKeys("< 1", t.where("cookie", core.Lt("weight", 1)), 1, 3)
	t.sameKeys("<= 0", t.where("cookie", core.Le("weight", 0)), 1, 3)
	t.sameKeys("> -2", t.where("cookie", core.Gt("weight", -2)), 1, 3)
	t.sameKeys(">= 0", t.where("cookie", core.Ge("weight", 0)), 1)
	t.sameKeys("empty prefix", t.where("cookie", core.Prefix("note", "")), 1, 3)
}

func notTurnsRound(t *trial) {
	t.insert("cookie", fields{"id": 1, "weight": 5, "note": "ab"}, fields{"id": 2}, fields{"id": 3, "weight": 9, "note": "b"})
	for _, f := range []core.Filter{
		core.Eq("weight", 5), core.Ne("weight", 5), core.Lt("weight", 6), core.Ge("weight", 9), core.Eq("weight", nil),
		core.In("weight", 5, nil), core.In("weight"), core.Prefix("note", "a"), core.All(), core.None(),
		core.And(core.Gt("weight", 1), core.Prefix("note", "a")), core.Or(core.Gt("weight", 6), core.Eq("note", "ab")),
	} {
		got := slices.Concat(t.where("cookie", f), t.where("cookie", core.Not(f)))
		slices.SortFunc(got, func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
		t.sameKeys("matches of a condition and of its opposite", got, 1, 2, 3)
	}
	t.sameKeys("not < 6", t.where("cookie", core.Not(core.Lt("weight", 6))), 2, 3)
	t.sameKeys("not prefix", t.where("cookie", core.Not(core.Prefix("note", "a"))), 2, 3)
	t.sameKeys("not in 5", t.where("cookie", core.Not(core.In("weight", 5))), 2, 3)
	t.sameKeys("not and", t.where("cookie", core.Not(core.And(core.Gt("weight", 1), core.Lt("weight", 6)))), 2, 3)
}

func conditionsNest(t *trial) {
	for i := range 8 {
		t.insert("order", fields{"id": i, "group": i & 1, "value": i & 6})
	}
	odd := core.Eq("group", 1)
	t.sameKeys("and", t.where("order", core.And(odd, core.Eq("value", 4))), 5)
	t.sameKeys("or", t.where("order", core.Or(odd, core.Eq("value", 4))), 1, 3, 4, 5, 7)
	t.sameKeys("or in and", t.where("order", core.And(odd, core.Or(core.Eq("value", 4), core.Eq("value", 2)))), 3, 5)
	t.sameKeys("and in or", t.where("order", core.Or(core.And(odd, core.Eq("value", 4)), core.Eq("id", 0))), 0, 5)
	deep := core.Eq("id", 0)
	for i := 1; i < 8; i++ { // (((id=0 and id<>1) or id=2) and id<>3) ...
		if i%2 == 0 {
			deep = core.Or(deep, core.Eq("id", i))
		} else {
			deep = core.Not(core.Or(core.Not(deep), core.Eq("id", i)))
		}
	}
	t.sameKeys("deep", t.where("order", deep), 0, 2, 4, 6)
}

func inMatchesAny(t *trial) {
	t.insert("order", fields{"id": 1, "group": 0}, fields{"id": 2}, fields{"id": 3, "group": 7}, fields{"id": 4, "group": 9})
	t.sameKeys("in", t.where("order", core.In("group", 7, 0, 8, 7)), 1, 3)
	t.sameKeys("in with null", t.where("order", core.In("group", nil, 9)), 2, 4)
	t.sameKeys("not in with null", t.where("order", core.Not(core.In("group", nil, 9))), 1, 3)
	t.sameKeys("in nothing", t.where("order", core.In("group")))
	t.sameKeys("not in nothing", t.where("order", core.Not(core.In("group"))), 1, 2, 3, 4)
}

func inTakesMany(t *trial) {
	t.insert("order", fields{"id": 1, "group": 0}, fields{"id": 2, "group": 999}, fields{"id": 3, "group": 1000})
	values := make([]any, 1000)
	for i := range values {
		values[i] = i
	}
	t.sameKeys("in 1,000 values", t.where("order", core.In("group", values...)), 1, 2)
}

func prefixIsNoPattern(t *trial) {
	texts := []string{"abc", "ABC", "a%c", "a_c", `a\c`, "a*c", "a?c", "a.c", "a[b]", "", "é", "e\u0301", "\U0001F36A!", "\U0001F36B"}
	for i, text := range texts {
		t.insert("cookie", fields{"id": i, "note": text})
	}
	for prefix, want := range map[string][]any{
		"a": {0, 2, 3, 4, 5, 6, 7, 8}, "A": {1}, "a%": {2}, "a_": {3}, `a\`: {4}, "a*": {5}, "a?": {6}, "a.": {7}, "a[": {8},
		"%": nil, "_": nil, `\`: nil, "é": {10}, "e": {11}, "\U0001F36A": {12}, "abc": {0}, "abcd": nil,
	} {
		t.sameKeys("prefix "+prefix, t.where("cookie", core.Prefix("note", prefix)), want...)
	}
	equal(t.client, "count of the empty prefix", t.count("cookie", core.Prefix("note", "")), len(texts))
}

func keyCanBeFilteredBy(t *trial) {
	t.insert("order", fields{"id": 1}, fields{"id": 2}, fields{"id": 3})
	t.sameKeys("= 2", t.where("order", core.Eq("id", 2)), 2)
	t.sameKeys("<> 2", t.where("order", core.Ne("id", 2)), 1, 3)
	t.sameKeys(">= 2", t.where("order", core.Ge("id", 2)), 2, 3)
	t.sameKeys("in", t.where("order", core.In("id", 3, 1, 5)), 1, 3)
	t.sameKeys("= null", t.where("order", core.Eq("id", nil)))
	t.insert("page", fields{"slug": "ab"}, fields{"slug": "b"})
	t.sameKeys("prefix", t.where("page", core.Prefix("slug", "a")), "ab")
}

func relationsByKey(t *trial) {
	t.insert("jar", fields{"id": 1}, fields{"id": 2})
	t.insert("cookie", fields{"id": 1, "jar": 1}, fields{"id": 2, "jar": 2}, fields{"id": 3}, fields{"id": 4, "jar": 1})
	t.sameKeys("in jar 1", t.where("cookie", core.Eq("jar", 1)), 1, 4)
	t.sameKeys("in no jar", t.where("cookie", core.Eq("jar", nil)), 3)
	t.sameKeys("not in jar 1", t.where("cookie", core.Ne("jar", 1)), 2, 3)
	t.sameKeys("in a jar that is not there", t.where("cookie", core.Eq("jar", 7)))
	t.sameKeys("in any jar", t.where("cookie", core.In("jar", 1, 2)), 1, 2, 4)
}

func textIsComparedExactly(t *trial) {
	texts := []string{"a", "A", "a ", " a", "é", "e\u0301", "E", "ss", "ß", "\u00a0a", "a\t", ""}
	for i, text := range texts {
		t.insert("cookie", fields{"id": i, "note": text, "kind": text})
	}
	for i, text := range texts {
		t.sameKeys("text equal to "+text, t.where("cookie", core.Eq("note", text)), i)
		t.sameKeys("indexed text equal to "+text, t.where("cookie", core.Eq("kind", text)), i)
	}
}

func jsonIsComparedAsAWhole(t *trial) {
	t.insert("sample",
		fields{"id": 1, "json": map[string]any{"b": 1, "a": []any{nil, true}}, "list": []any{1, 2}},
		fields{"id": 2, "json": map[string]any{"a": []any{nil, true}}, "list": []any{2, 1}},
		fields{"id": 3, "json": 1, "list": []any{}},
		fields{"id": 4, "json": "1"},
	)
	t.sameKeys("= object", t.where("sample", core.Eq("json", map[string]any{"a": []any{nil, true}, "b": 1.0})), 1)
	t.sameKeys("= number", t.where("sample", core.Eq("json", 1.0)), 3)
	t.sameKeys("<> text", t.where("sample", core.Ne("json", "1")), 1, 2, 3)
	t.sameKeys("= list", t.where("sample", core.Eq("list", []any{2, 1})), 2)
	t.sameKeys("= empty list", t.where("sample", core.Eq("list", []any{})), 3)
	t.sameKeys("list = null", t.where("sample", core.Eq("list", nil)), 4)
	t.sameKeys("in", t.where("sample", core.In("json", "1", map[string]any{})), 4)
}
