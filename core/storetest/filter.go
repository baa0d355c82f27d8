package storetest

import (
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var filterRules = []rule{
	{
		"null equals null and differs from every value",
		"Filters are true or false, never unknown: null equals null and differs from every value.",
		nullEqualsNull,
	},
	{
		"null is neither less nor greater",
		"No order comparison and no prefix matches null.",
		nullIsNotOrdered,
	},
	{
		"not inverts every filter",
		"Not matches exactly the records that its filter does not match, null included.",
		notTurnsRound,
	},
	{
		"and, or and not nest",
		"And needs all of its parts, Or any of them, to any depth.",
		conditionsNest,
	},
	{
		"in matches any of its values",
		"In matches records whose field equals one of the values, which may include null. Without values it matches no record.",
		inMatchesAny,
	},
	{
		"in accepts a thousand values",
		"In accepts as many values as a page has records.",
		inTakesMany,
	},
	{
		"prefix is no pattern",
		"Prefix compares byte by byte: %, _, \\, * and ? have no special meaning, and case matters.",
		prefixIsNoPattern,
	},
	{
		"contains is no pattern",
		"Contains finds a part of the text byte by byte, anywhere and over line ends: %, _, \\, * and ? have no special meaning, and case matters.",
		containsIsNoPattern,
	},
	{
		"icontains folds a to z only",
		"IContains is Contains without regard to the case of the letters A to Z. Other letters match only themselves.",
		iContainsFoldsASCII,
	},
	{
		"a search needs each word in some field",
		"Search finds the records that have each word in at least one searchable field, as by IContains. No character is a wildcard, and words may be in different fields.",
		searchNeedsEachWord,
	},
	{
		"filters by the key",
		"Filters on the primary key work as on any field.",
		keyCanBeFilteredBy,
	},
	{
		"filters by a reference",
		"A stored to-one relation is compared with the key of its target. null matches records without one.",
		relationsByKey,
	},
	{
		"text is compared exactly",
		"Text is equal only to the same bytes: case, accents, normalisation and trailing spaces matter.",
		textIsComparedExactly,
	},
	{
		"json is compared as a whole",
		"JSON and lists are equal if their canonical texts are equal. The order of names and the spelling of numbers do not matter.",
		jsonIsComparedAsAWhole,
	},
}

func nullEqualsNull(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "group": 0}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "group": 7})
	t.SameKeys("= null", t.Where("order", core.Eq("group", nil)), 2)
	t.SameKeys("<> null", t.Where("order", core.Ne("group", nil)), 1, 3)
	t.SameKeys("<> 7", t.Where("order", core.Ne("group", 7)), 1, 2)
	kit.Equal(t.Client, "count of <> 7", t.Count("order", core.Ne("group", 7)), 2)
}

func nullIsNotOrdered(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "weight": 0, "note": "a"}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "weight": -1, "note": ""})
	t.SameKeys("< 1", t.Where("cookie", core.Lt("weight", 1)), 1, 3)
	t.SameKeys("<= 0", t.Where("cookie", core.Le("weight", 0)), 1, 3)
	t.SameKeys("> -2", t.Where("cookie", core.Gt("weight", -2)), 1, 3)
	t.SameKeys(">= 0", t.Where("cookie", core.Ge("weight", 0)), 1)
	t.SameKeys("empty prefix", t.Where("cookie", core.Prefix("note", "")), 1, 3)
}

func notTurnsRound(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "weight": 5, "note": "ab"}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "weight": 9, "note": "b"})
	for _, f := range []core.Filter{
		core.Eq("weight", 5), core.Ne("weight", 5), core.Lt("weight", 6), core.Ge("weight", 9), core.Eq("weight", nil),
		core.In("weight", 5, nil), core.In("weight"), core.Prefix("note", "a"), core.All(), core.None(),
		core.Contains("note", "b"), core.IContains("note", "B"), core.Between("weight", 5, 8),
		core.And(core.Gt("weight", 1), core.Prefix("note", "a")), core.Or(core.Gt("weight", 6), core.Eq("note", "ab")),
	} {
		got := slices.Concat(t.Where("cookie", f), t.Where("cookie", core.Not(f)))
		slices.SortFunc(got, func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
		t.SameKeys("matches of a condition and of its opposite", got, 1, 2, 3)
	}
	t.SameKeys("not < 6", t.Where("cookie", core.Not(core.Lt("weight", 6))), 2, 3)
	t.SameKeys("not between", t.Where("cookie", core.Not(core.Between("weight", 5, 8))), 2, 3)
	t.SameKeys("not contains", t.Where("cookie", core.Not(core.Contains("note", "a"))), 2, 3)
	t.SameKeys("not icontains", t.Where("cookie", core.Not(core.IContains("note", "A"))), 2, 3)
	t.SameKeys("not prefix", t.Where("cookie", core.Not(core.Prefix("note", "a"))), 2, 3)
	t.SameKeys("not in 5", t.Where("cookie", core.Not(core.In("weight", 5))), 2, 3)
	t.SameKeys("not and", t.Where("cookie", core.Not(core.And(core.Gt("weight", 1), core.Lt("weight", 6)))), 2, 3)
}

func conditionsNest(t *kit.Fixture) {
	for i := range 8 {
		t.Insert("order", kit.Fields{"id": i, "group": i & 1, "value": i & 6})
	}
	odd := core.Eq("group", 1)
	t.SameKeys("and", t.Where("order", core.And(odd, core.Eq("value", 4))), 5)
	t.SameKeys("or", t.Where("order", core.Or(odd, core.Eq("value", 4))), 1, 3, 4, 5, 7)
	t.SameKeys("or in and", t.Where("order", core.And(odd, core.Or(core.Eq("value", 4), core.Eq("value", 2)))), 3, 5)
	t.SameKeys("and in or", t.Where("order", core.Or(core.And(odd, core.Eq("value", 4)), core.Eq("id", 0))), 0, 5)
	deep := core.Eq("id", 0)
	for i := 1; i < 8; i++ { // (((id=0 and id<>1) or id=2) and id<>3) ...
		if i%2 == 0 {
			deep = core.Or(deep, core.Eq("id", i))
		} else {
			deep = core.Not(core.Or(core.Not(deep), core.Eq("id", i)))
		}
	}
	t.SameKeys("deep", t.Where("order", deep), 0, 2, 4, 6)
}

func inMatchesAny(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "group": 0}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "group": 7}, kit.Fields{"id": 4, "group": 9})
	t.SameKeys("in", t.Where("order", core.In("group", 7, 0, 8, 7)), 1, 3)
	t.SameKeys("in with null", t.Where("order", core.In("group", nil, 9)), 2, 4)
	t.SameKeys("not in with null", t.Where("order", core.Not(core.In("group", nil, 9))), 1, 3)
	t.SameKeys("in nothing", t.Where("order", core.In("group")))
	t.SameKeys("not in nothing", t.Where("order", core.Not(core.In("group"))), 1, 2, 3, 4)
}

func inTakesMany(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "group": 0}, kit.Fields{"id": 2, "group": 999}, kit.Fields{"id": 3, "group": 1000})
	values := make([]any, 1000)
	for i := range values {
		values[i] = i
	}
	t.SameKeys("in 1,000 values", t.Where("order", core.In("group", values...)), 1, 2)
}

func prefixIsNoPattern(t *kit.Fixture) {
	texts := []string{"abc", "ABC", "a%c", "a_c", `a\c`, "a*c", "a?c", "a.c", "a[b]", "", "é", "e\u0301", "\U0001F36A!", "\U0001F36B"}
	for i, text := range texts {
		t.Insert("cookie", kit.Fields{"id": i, "note": text})
	}
	for prefix, want := range map[string][]any{
		"a": {0, 2, 3, 4, 5, 6, 7, 8}, "A": {1}, "a%": {2}, "a_": {3}, `a\`: {4}, "a*": {5}, "a?": {6}, "a.": {7}, "a[": {8},
		"%": nil, "_": nil, `\`: nil, "é": {10}, "e": {11}, "\U0001F36A": {12}, "abc": {0}, "abcd": nil,
	} {
		t.SameKeys("prefix "+prefix, t.Where("cookie", core.Prefix("note", prefix)), want...)
	}
	kit.Equal(t.Client, "count of the empty prefix", t.Count("cookie", core.Prefix("note", "")), len(texts))
}

func containsIsNoPattern(t *kit.Fixture) {
	texts := []string{"abc", "xABC", "a%c", "xa_c", `a\c`, "a*c", "", "é", "e\u0301", "x\U0001F36A!", "a\nb", `\`, "%_"}
	for i, text := range texts {
		t.Insert("cookie", kit.Fields{"id": i, "note": text})
	}
	t.Insert("cookie", kit.Fields{"id": 99})
	for part, want := range map[string][]any{
		"b": {0, 10}, "B": {1}, "c": {0, 2, 3, 4, 5}, "bc": {0}, "%": {2, 12}, "_": {3, 12}, `\`: {4, 11}, `\c`: {4}, "*": {5}, "a?": nil,
		"a%c": {2}, "a_c": {3}, "%_": {12}, "é": {7}, "e": {8}, "\u0301": {8}, "\U0001F36A": {9}, "\n": {10}, "a\nb": {10}, "abcd": nil,
	} {
		t.SameKeys("contains "+part, t.Where("cookie", core.Contains("note", part)), want...)
	}
	kit.Equal(t.Client, "count of the empty part", t.Count("cookie", core.Contains("note", "")), len(texts))
	t.Insert("page", kit.Fields{"slug": "ab"}, kit.Fields{"slug": "b"})
	t.SameKeys("key", t.Where("page", core.Contains("slug", "b")), "ab", "b")
	t.SameKeys("no key", t.Where("page", core.Not(core.Contains("slug", "a"))), "b")
}

func iContainsFoldsASCII(t *kit.Fixture) {
	texts := []string{"xAbZ", "abz!", "É", "é", "\u212a", "k", "İ", "i", "ı", "ß", "ss", "%A_", "[", "{", "@", "`", "ǅ"}
	for i, text := range texts {
		t.Insert("cookie", kit.Fields{"id": i, "note": text})
	}
	t.Insert("cookie", kit.Fields{"id": 99})
	for part, want := range map[string][]any{
		"aBz": {0, 1}, "ABZ": {0, 1}, "É": {2}, "é": {3}, "K": {5}, "k": {5}, "\u212a": {4}, "I": {7}, "i": {7}, "İ": {6}, "SS": {10}, "%a_": {11}, "b%z": nil,
		"[": {12}, "{": {13}, "@": {14}, "`": {15}, "ǆ": nil,
	} {
		t.SameKeys("contains "+part, t.Where("cookie", core.IContains("note", part)), want...)
	}
	kit.Equal(t.Client, "count of the empty part", t.Count("cookie", core.IContains("note", "")), len(texts))
	t.SameKeys("not i", t.Where("cookie", core.And(core.Not(core.IContains("note", "I")), core.Ge("id", 6), core.Le("id", 9))), 6, 8, 9)
}

func searchNeedsEachWord(t *kit.Fixture) {
	t.Insert("cookie",
		kit.Fields{"id": 1, "kind": "Muffin", "note": "with 50% sugar"}, kit.Fields{"id": 2, "kind": "shortbread", "note": "MUFFIN-shaped"},
		kit.Fields{"id": 3, "kind": "muffin"}, kit.Fields{"id": 4, "note": "sugar_free"}, kit.Fields{"id": 5}, kit.Fields{"id": 6, "kind": "Émile", "note": "b\nc"})
	for text, want := range map[string][]any{
		"muffin": {1, 2, 3}, "MUFF short": {2}, " sugar\t\nmuffin ": {1}, "sugar muffin free": nil, "50%": {1}, "5%": nil, "r_f": {4}, "r-f": nil,
		"émile": nil, "Émile": {6}, "mile": {6}, "b c": {6}, "": {1, 2, 3, 4, 5, 6}, " \n": {1, 2, 3, 4, 5, 6}, "muffin muffin": {1, 2, 3},
	} {
		t.SameKeys("search for "+text, t.Where("cookie", core.Search(text)), want...)
		kit.Equal(t.Client, "count of "+text, t.Count("cookie", core.Search(text)), len(want))
	}
	t.SameKeys("not", t.Where("cookie", core.Not(core.Search("muffin"))), 4, 5, 6)
	t.SameKeys("not of two words", t.Where("cookie", core.Not(core.Search("muffin sugar"))), 2, 3, 4, 5, 6)
	t.SameKeys("with a condition", t.Find("cookie", core.Query{Where: core.And(core.Search("muffin"), core.Eq("note", nil)), Order: []string{"-id"}, Limit: 1}), 3)
	t.SameKeys("or", t.Where("cookie", core.Or(core.Search("free"), core.Eq("id", 5))), 4, 5)
}

func keyCanBeFilteredBy(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1}, kit.Fields{"id": 2}, kit.Fields{"id": 3})
	t.SameKeys("= 2", t.Where("order", core.Eq("id", 2)), 2)
	t.SameKeys("<> 2", t.Where("order", core.Ne("id", 2)), 1, 3)
	t.SameKeys(">= 2", t.Where("order", core.Ge("id", 2)), 2, 3)
	t.SameKeys("in", t.Where("order", core.In("id", 3, 1, 5)), 1, 3)
	t.SameKeys("= null", t.Where("order", core.Eq("id", nil)))
	t.Insert("page", kit.Fields{"slug": "ab"}, kit.Fields{"slug": "b"})
	t.SameKeys("prefix", t.Where("page", core.Prefix("slug", "a")), "ab")
}

func relationsByKey(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1}, kit.Fields{"id": 2})
	t.Insert("cookie", kit.Fields{"id": 1, "jar": 1}, kit.Fields{"id": 2, "jar": 2}, kit.Fields{"id": 3}, kit.Fields{"id": 4, "jar": 1})
	t.SameKeys("in jar 1", t.Where("cookie", core.Eq("jar", 1)), 1, 4)
	t.SameKeys("in no jar", t.Where("cookie", core.Eq("jar", nil)), 3)
	t.SameKeys("not in jar 1", t.Where("cookie", core.Ne("jar", 1)), 2, 3)
	t.SameKeys("in a jar that is not there", t.Where("cookie", core.Eq("jar", 7)))
	t.SameKeys("in any jar", t.Where("cookie", core.In("jar", 1, 2)), 1, 2, 4)
}

func textIsComparedExactly(t *kit.Fixture) {
	texts := []string{"a", "A", "a ", " a", "é", "e\u0301", "E", "ss", "ß", "\u00a0a", "a\t", ""}
	for i, text := range texts {
		t.Insert("cookie", kit.Fields{"id": i, "note": text, "kind": text})
	}
	for i, text := range texts {
		t.SameKeys("text equal to "+text, t.Where("cookie", core.Eq("note", text)), i)
		t.SameKeys("indexed text equal to "+text, t.Where("cookie", core.Eq("kind", text)), i)
	}
}

func jsonIsComparedAsAWhole(t *kit.Fixture) {
	t.Insert("sample",
		kit.Fields{"id": 1, "json": map[string]any{"b": 1, "a": []any{nil, true}}, "list": []any{1, 2}},
		kit.Fields{"id": 2, "json": map[string]any{"a": []any{nil, true}}, "list": []any{2, 1}},
		kit.Fields{"id": 3, "json": 1, "list": []any{}},
		kit.Fields{"id": 4, "json": "1"},
	)
	t.SameKeys("= object", t.Where("sample", core.Eq("json", map[string]any{"a": []any{nil, true}, "b": 1.0})), 1)
	t.SameKeys("= number", t.Where("sample", core.Eq("json", 1.0)), 3)
	t.SameKeys("<> text", t.Where("sample", core.Ne("json", "1")), 1, 2, 3)
	t.SameKeys("= list", t.Where("sample", core.Eq("list", []any{2, 1})), 2)
	t.SameKeys("= empty list", t.Where("sample", core.Eq("list", []any{})), 3)
	t.SameKeys("list = null", t.Where("sample", core.Eq("list", nil)), 4)
	t.SameKeys("in", t.Where("sample", core.In("json", "1", map[string]any{})), 4)
}
