package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var keyPartRules = []rule{
	{
		"the whole key identifies a record",
		"Records with keys of several fields are loaded, changed and deleted by all parts of the key.",
		wholeKeyIdentifies,
	},
	{
		"a key of several fields is unique",
		"Two records with the same key are a CONFLICT that names the key; records may agree in any part.",
		wholeKeyIsUnique,
	},
	{
		"keys sort by their typed parts",
		"Keys of several fields sort by the first part, then by the second; numbers by size and text by code point. Pages and ranges follow that order.",
		keysSortByParts,
	},
	{
		"parts of all types",
		"A key can have parts of type int, text, uuid, bool, time, date and localtime, also at the limits of the types.",
		partsOfAllTypes,
	},
	{
		"a reference has the whole key of its target",
		"A relation to a record with a key of several fields is OBJECT_DOES_NOT_EXIST unless one record has all parts.",
		referenceHasWholeKey,
	},
	{
		"a referenced key cannot be deleted",
		"The delete of a record that a relation of several fields references is STILL_REFERENCED with that relation.",
		referencedKeyStays,
	},
	{
		"relations follow shared fields",
		"A relation through fields is null if one of them is null, and otherwise references the record with these parts. Writes of the fields and of the relation are equal.",
		relationsFollowFields,
	},
	{
		"references of several fields are found and sorted",
		"Filters and orders on a relation to a key of several fields compare all parts. Null sorts last.",
		referencesAreFound,
	},
	{
		"conditions and orders cross references of several fields",
		"Related conditions and paths of orders lead from a reference to the record with all parts of its key, and from that record back.",
		conditionsCrossReferences,
	},
	{
		"conditions hold for keys and their parts",
		"Using and Check may name a key of several fields, its parts, and relations through fields.",
		conditionsOnParts,
	},
	{
		"projections of keys and relations of several fields",
		"A projection returns the key, and a named relation, also without the fields that hold them.",
		projectionsOfParts,
	},
}

// fillLines inserts lines of two orders and returns their keys, ascending.
func fillLines(t *kit.Fixture) []any {
	t.Helper()
	t.Insert("order", kit.Fields{"id": 1}, kit.Fields{"id": 2}, kit.Fields{"id": 11})
	t.Insert("line",
		kit.Fields{"order": 11, "number": 1}, kit.Fields{"order": 1, "number": 11, "text": "b"}, kit.Fields{"order": 2, "number": 3},
		kit.Fields{"order": 1, "number": -1}, kit.Fields{"order": 1, "number": 2, "text": "a"})
	return []any{"1,-1", "1,2", "1,11", "2,3", "11,1"}
}

func wholeKeyIdentifies(t *kit.Fixture) {
	keys := fillLines(t)
	t.SameKeys("all", t.All("line"), keys...)
	t.SameKeys("load", t.Load("line", "1,2", "2,2", "11,1", "1,11", "1,1"), "1,2", "1,11", "11,1")
	t.Same("get", []core.Record{t.Get("line", "1,11")}, t.Full("line", kit.Fields{"order": 1, "number": 11, "text": "b"}))
	_, err := t.TryGet("line", "2,11")
	t.Fails("get of a missing key", err, t.Resource("line").NotFound(t.Key("line", "2,11")))
	t.Same("update", t.Update("line", kit.Fields{"key": "1,2", "text": "c"}, kit.Fields{"key": "2,3", "text": "d"}),
		t.Full("line", kit.Fields{"order": 1, "number": 2, "text": "c"}), t.Full("line", kit.Fields{"order": 2, "number": 3, "text": "d"}))
	_, err = t.TryUpdate("line", kit.Fields{"key": "1,2", "text": "e"}, kit.Fields{"key": "2,2", "text": "e"})
	t.Fails("update of a missing key", err, t.Resource("line").NotFound(t.Key("line", "2,2")))
	t.SameKeys("with the text d", t.Where("line", core.Eq("text", "d")), "2,3")
	t.Delete("line", "1,2", "11,1")
	t.SameKeys("after the delete", t.All("line"), "1,-1", "1,11", "2,3")
	t.Fails("delete of a missing key", t.TryDelete("line", "1,11", "1,2"), t.Resource("line").NotFound(t.Key("line", "1,2")))
	t.SameKeys("after the failed delete", t.All("line"), "1,-1", "1,11", "2,3")
}

func wholeKeyIsUnique(t *kit.Fixture) {
	keys := fillLines(t)
	line := t.Resource("line")
	_, err := t.TryInsert("line", kit.Fields{"order": 2, "number": 2}, kit.Fields{"order": 1, "number": 2})
	t.Fails("insert of a taken key", err, line.Key().AlreadyExists())
	_, err = t.TryInsert("line", kit.Fields{"order": 2, "number": 2}, kit.Fields{"order": 2, "number": 2})
	t.Fails("insert of a key twice", err, line.Key().AlreadyExists())
	_, err = t.TryInsert("line", kit.Fields{"order": 2})
	t.Fails("insert without a part", err, core.AsError(line.NoNextKey()))
	_, err = t.Querier.NextIDs(t.Ctx, line, 1)
	t.Fails("next ids", err, core.AsError(line.NoNextKey()))
	t.SameKeys("lines", t.All("line"), keys...)
	inserted := t.Insert("line", kit.Fields{"key": "2,2", "text": "x"})
	t.Same("insert by the key", inserted, t.Full("line", kit.Fields{"order": 2, "number": 2, "text": "x"}))
}

func keysSortByParts(t *kit.Fixture) {
	keys := fillLines(t)
	for limit := 1; limit <= len(keys)+1; limit++ {
		t.SameKeys("pages", t.AllPages("line", core.Query{Limit: limit}), keys...)
	}
	t.SameKeys("descending", t.AllPages("line", core.Query{Order: []string{"-key"}, Limit: 2}), "11,1", "2,3", "1,11", "1,2", "1,-1")
	t.SameKeys("by text", t.AllPages("line", core.Query{Order: []string{"text"}, Limit: 1}), "1,2", "1,11", "1,-1", "2,3", "11,1")
	t.SameKeys("by number descending", t.AllPages("line", core.Query{Order: []string{"-number"}, Limit: 1}), "1,11", "2,3", "1,2", "11,1", "1,-1")
	for name, row := range map[string]struct {
		where core.Filter
		want  []any
	}{
		"less":             {core.Lt("key", "1,11"), []any{"1,-1", "1,2"}},
		"less or equal":    {core.Le("key", "1,11"), []any{"1,-1", "1,2", "1,11"}},
		"greater":          {core.Gt("key", "1,11"), []any{"2,3", "11,1"}},
		"greater or equal": {core.Ge("key", "1,3"), []any{"1,11", "2,3", "11,1"}},
		"between":          {core.And(core.Gt("key", "1,2"), core.Lt("key", "11,1")), []any{"1,11", "2,3"}},
		"equal":            {core.Eq("key", "2,3"), []any{"2,3"}},
		"not equal":        {core.Ne("key", "2,3"), []any{"1,-1", "1,2", "1,11", "11,1"}},
		"in":               {core.In("key", "11,1", "1,1", "1,2"), []any{"1,2", "11,1"}},
		"not in":           {core.Not(core.In("key", "11,1", "1,1", "1,2")), []any{"1,-1", "1,11", "2,3"}},
		"a part":           {core.Eq("number", 1), []any{"11,1"}},
		"a part in":        {core.And(core.In("order", 1, 2), core.Gt("number", 2)), []any{"1,11", "2,3"}},
		"null":             {core.Eq("key", nil), nil},
	} {
		t.SameKeys(name, t.Where("line", row.where), row.want...)
		kit.Equal(t.Client, "count of "+name, t.Count("line", row.where), len(row.want))
	}
}

func partsOfAllTypes(t *kit.Fixture) {
	const uuid, top = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	const early, late = "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"
	slot := func(text string, number int, id string, yes bool, at, day, local string) kit.Fields {
		return kit.Fields{"text": text, "int": number, "uuid": id, "bool": yes, "time": at + "Z", "date": day, "localtime": local}
	}
	ascending := []kit.Fields{
		slot("", -1<<63, uuid, false, early, "0001-01-01", early),
		slot("", -1, uuid, false, early, "0001-01-01", early),
		slot("", 1<<63-1, uuid, false, early, "0001-01-01", early),
		slot("%", 0, uuid, false, early, "0001-01-01", early),
		slot(",", 0, uuid, false, early, "0001-01-01", early),
		slot("a", 9, uuid, false, early, "0001-01-01", early),
		slot("a", 9, uuid, false, early, "0001-01-01", late),
		slot("a", 9, uuid, false, early, "9999-12-31", early),
		slot("a", 9, uuid, false, "2026-11-30T12:00:00.000001", "0001-01-01", early),
		slot("a", 9, uuid, true, early, "0001-01-01", early),
		slot("a", 9, top, false, early, "0001-01-01", early),
		slot("a", 10, uuid, false, early, "0001-01-01", early),
		slot("a,9", 9, uuid, false, early, "0001-01-01", early),
		slot("ab", 9, uuid, false, early, "0001-01-01", early),
		slot("é\"\\\n", 9, uuid, false, early, "0001-01-01", early),
	}
	var keys []any
	want := make([]core.Record, len(ascending))
	for i, fields := range ascending {
		want[i] = t.Full("slot", fields)
		keys = append(keys, want[i].Key())
		t.Insert("slot", ascending[len(ascending)-1-i])
	}
	t.Same("all", t.All("slot"), want...)
	t.Same("pages", t.AllPages("slot", core.Query{Limit: 1}), want...)
	t.Same("load", t.Load("slot", keys...), want...)
	for i, key := range keys {
		t.Same("by its key", t.Where("slot", core.Eq("id", key)), want[i])
		t.Same("after it", t.Where("slot", core.Gt("id", key)), want[i+1:]...)
	}
	t.Same("by a list of keys", t.Where("slot", core.In("id", keys[1], keys[12])), want[1], want[12])
	t.Delete("slot", keys...)
	t.SameKeys("after the delete", t.All("slot"))
}

func referenceHasWholeKey(t *kit.Fixture) {
	fillLines(t)
	t.Insert("page", kit.Fields{"slug": "a,b"})
	line := t.Resource("line")
	_, err := t.TryInsert("parcel", kit.Fields{"id": 1, "spare": "2,2"})
	t.Fails("insert", err, line.NotFound(t.Key("line", "2,2")))
	_, err = t.TryInsert("parcel", kit.Fields{"id": 1, "order": 2, "line_number": 11})
	t.Fails("insert by fields", err, line.NotFound(t.Key("line", "2,11")))
	_, err = t.TryInsert("mark", kit.Fields{"line": "2,2", "page": "a,b"})
	t.Fails("insert with a key", err, line.NotFound(t.Key("line", "2,2")))
	_, err = t.TryInsert("line", kit.Fields{"order": 3, "number": 2})
	t.Fails("insert without a target", err, t.Resource("order").NotFound(core.IntValue(3)))
	t.Insert("parcel", kit.Fields{"id": 1, "spare": "2,3"})
	_, err = t.TryUpdate("parcel", kit.Fields{"id": 1, "spare": "1,3"})
	t.Fails("update", err, line.NotFound(t.Key("line", "1,3")))
	t.Same("parcels", t.All("parcel"), t.Full("parcel", kit.Fields{"id": 1, "spare": "2,3"}))
	t.Same("a key that contains a key", t.Insert("mark", kit.Fields{"id": "2,3,a%2Cb"}), t.Full("mark", kit.Fields{"line": "2,3", "page": "a,b"}))
	t.Same("by its key", t.Load("mark", "2,3,a%2Cb"), t.Full("mark", kit.Fields{"line": "2,3", "page": "a,b"}))
	t.Tx(func(tx *kit.Client) { // the target follows
		tx.Insert("parcel", kit.Fields{"id": 2, "order": 2, "line_number": 4})
		tx.Insert("line", kit.Fields{"order": 2, "number": 4})
	})
}

func referencedKeyStays(t *kit.Fixture) {
	fillLines(t)
	t.Insert("page", kit.Fields{"slug": "p"})
	t.Insert("parcel", kit.Fields{"id": 1, "line": "1,2"}, kit.Fields{"id": 2, "spare": "2,3"})
	t.Insert("mark", kit.Fields{"line": "11,1", "page": "p"})
	parcel, mark := t.Resource("parcel"), t.Resource("mark")
	t.Fails("delete of a line with a parcel", t.TryDelete("line", "1,2"), parcel.Field("line").StillReferenced())
	t.Fails("delete of a line with a spare", t.TryDelete("line", "2,3"), parcel.Field("spare").StillReferenced())
	t.Fails("delete of a line with a mark", t.TryDelete("line", "11,1"), mark.Field("line").StillReferenced())
	t.Fails("delete of a page with a mark", t.TryDelete("page", "p"), mark.Field("page").StillReferenced())
	t.Delete("line", "1,-1", "1,11")
	t.Update("parcel", kit.Fields{"id": 1, "line": nil}, kit.Fields{"id": 2, "spare": "1,2"})
	t.Delete("mark", "11,1,p")
	t.Delete("line", "2,3", "11,1")
	t.Fails("delete of an order with a line", t.TryDelete("order", 1), t.Resource("line").Field("order").StillReferenced())
	t.Delete("order", 2)
}

func relationsFollowFields(t *kit.Fixture) {
	fillLines(t)
	parcel := func(fields kit.Fields) core.Record { return t.Full("parcel", fields) }
	t.Same("by the relation", t.Insert("parcel", kit.Fields{"id": 1, "line": "1,2"}), parcel(kit.Fields{"id": 1, "order": 1, "line_number": 2, "line": "1,2"}))
	t.Same("by the fields", t.Insert("parcel", kit.Fields{"id": 2, "order": 1, "line_number": 11}), parcel(kit.Fields{"id": 2, "order": 1, "line_number": 11, "line": "1,11"}))
	t.Same("by one field", t.Insert("parcel", kit.Fields{"id": 3, "order": 2}, kit.Fields{"id": 4, "line_number": 99}),
		parcel(kit.Fields{"id": 3, "order": 2}), parcel(kit.Fields{"id": 4, "line_number": 99}))
	for _, step := range []struct{ change, want kit.Fields }{
		{kit.Fields{"id": 1, "line_number": 11}, kit.Fields{"id": 1, "order": 1, "line_number": 11, "line": "1,11"}},
		{kit.Fields{"id": 1, "line": "2,3"}, kit.Fields{"id": 1, "order": 2, "line_number": 3, "line": "2,3"}},
		{kit.Fields{"id": 1, "order": nil}, kit.Fields{"id": 1, "line_number": 3}},
		{kit.Fields{"id": 1, "order": 2, "spare": "1,2"}, kit.Fields{"id": 1, "order": 2, "line_number": 3, "line": "2,3", "spare": "1,2"}},
		{kit.Fields{"id": 1, "line": nil}, kit.Fields{"id": 1, "order": 2, "spare": "1,2"}},
	} {
		t.Same("update", t.Update("parcel", step.change), parcel(step.want))
		t.Same("after the update", t.Load("parcel", 1), parcel(step.want))
	}
	_, err := t.TryUpdate("parcel", kit.Fields{"id": 1, "line_number": 2})
	t.Fails("update to a missing line", err, t.Resource("line").NotFound(t.Key("line", "2,2")))
}

func referencesAreFound(t *kit.Fixture) {
	fillLines(t)
	t.Insert("parcel",
		kit.Fields{"id": 1, "spare": "11,1", "line": "2,3"}, kit.Fields{"id": 2, "spare": "1,11", "order": 11}, kit.Fields{"id": 3, "line": "1,2"},
		kit.Fields{"id": 4, "spare": "1,2", "line": "1,11"}, kit.Fields{"id": 5, "spare": "1,2", "line": "1,2"}, kit.Fields{"id": 6, "order": 1})
	for _, field := range []string{"spare", "line"} {
		for name, where := range map[string]core.Filter{
			"equal": core.Eq(field, "1,2"), "not equal": core.Ne(field, "1,2"), "in": core.In(field, "1,2", nil, "11,1", "1,3"),
			"null": core.Eq(field, nil), "not null": core.Ne(field, nil), "less": core.Lt(field, "2,1"), "not greater": core.Not(core.Gt(field, "1,11")),
			"a part of none": core.Eq(field, "2,2"), "greater or equal": core.Ge(field, "1,11"),
		} {
			bound := kit.Must(t.Resource("parcel").Bind(where))(t.Client, "bind")
			var want []core.Record
			for _, rec := range t.All("parcel") {
				if kit.Certain(bound.Match(rec, nil)) {
					want = append(want, rec)
				}
			}
			t.Same(field+" "+name, t.Where("parcel", where), want...)
		}
	}
	for limit := 1; limit <= 7; limit++ {
		t.SameKeys("by spare", t.AllPages("parcel", core.Query{Order: []string{"spare"}, Limit: limit}), 4, 5, 2, 1, 3, 6)
		t.SameKeys("by spare descending", t.AllPages("parcel", core.Query{Order: []string{"-spare"}, Limit: limit}), 3, 6, 1, 2, 4, 5)
		t.SameKeys("by line", t.AllPages("parcel", core.Query{Order: []string{"line"}, Limit: limit}), 3, 5, 4, 1, 2, 6)
		t.SameKeys("by line descending", t.AllPages("parcel", core.Query{Order: []string{"-line", "-id"}, Limit: limit}), 6, 2, 1, 4, 5, 3)
	}
}

func conditionsCrossReferences(t *kit.Fixture) {
	fillLines(t)
	t.Insert("page", kit.Fields{"slug": "p"})
	t.Insert("parcel", kit.Fields{"id": 1, "line": "1,2", "spare": "1,11"}, kit.Fields{"id": 2, "line": "2,3"}, kit.Fields{"id": 3, "order": 1, "spare": "1,2"})
	t.Insert("mark", kit.Fields{"line": "1,11", "page": "p"}, kit.Fields{"line": "2,3", "page": "p"})
	for name, row := range map[string]struct {
		resource string
		where    core.Filter
		want     []any
	}{
		"exists":             {"parcel", core.Related("line", core.All()), []any{1, 2}},
		"does not exist":     {"parcel", core.Not(core.Related("spare", core.All())), []any{2}},
		"with a value":       {"parcel", core.Related("spare", core.Eq("text", "a")), []any{3}},
		"with another value": {"parcel", core.Related("line", core.Eq("text", "b")), nil},
		"with a key":         {"parcel", core.Related("line", core.Gt("key", "1,2")), []any{2}},
		"two steps":          {"parcel", core.Related("line", core.Related("order", core.Eq("id", 2))), []any{2}},
		"in a key":           {"mark", core.Related("line", core.Eq("text", "b")), []any{"1,11,p"}},
		"back":               {"line", core.Related("parcels", core.All()), []any{"1,2", "2,3"}},
		"back with a value":  {"line", core.Related("spares", core.Eq("id", 3)), []any{"1,2"}},
		"not back":           {"line", core.Not(core.Related("spares", core.All())), []any{"1,-1", "2,3", "11,1"}},
		"there and back":     {"parcel", core.Related("spare", core.Related("parcels", core.Eq("id", 1))), []any{3}},
	} {
		t.SameKeys(name, t.Where(row.resource, row.where), row.want...)
		kit.Equal(t.Client, "count of "+name, t.Count(row.resource, row.where), len(row.want))
	}
	for limit := 1; limit <= 4; limit++ {
		t.SameKeys("by the text of spare", t.AllPages("parcel", core.Query{Order: []string{"spare.text"}, Limit: limit}), 3, 1, 2)
		t.SameKeys("by the key of line descending", t.AllPages("parcel", core.Query{Order: []string{"-line.key"}, Limit: limit}), 3, 2, 1)
		t.SameKeys("by the group of the order of line", t.AllPages("parcel", core.Query{Order: []string{"line.order.id", "-id"}, Limit: limit}), 1, 2, 3)
	}
	guarded := t.GuardedBy(kit.Must(t.Resource("parcel").Bind(core.Related("line", core.Eq("text", "a"))))(t.Client, "bind"), core.All())
	t.SameKeys("under a condition", guarded.All("parcel"), 1)
	_, err := guarded.TryUpdate("parcel", kit.Fields{"id": 2, "spare": nil})
	t.Fails("update of a hidden record", err, t.Resource("parcel").NotFound(core.IntValue(2)))
	guarded.Delete("parcel", 1)
}

func conditionsOnParts(t *kit.Fixture) {
	fillLines(t)
	line, parcel := t.Resource("line"), t.Resource("parcel")
	second := line.Key().Compare(core.FilterLe, t.Key("line", "1,2"))
	guarded := t.GuardedBy(second, second)
	t.SameKeys("under a condition on the key", guarded.All("line"), "1,-1", "1,2")
	_, err := guarded.TryUpdate("line", kit.Fields{"key": "2,3", "text": "x"})
	t.Fails("update of a hidden record", err, line.NotFound(t.Key("line", "2,3")))
	_, err = guarded.TryInsert("line", kit.Fields{"order": 1, "number": 3})
	t.Fails("insert beyond the condition", err, line.Forbidden())
	guarded.Insert("line", kit.Fields{"order": 1, "number": 1})
	ofLine := parcel.Field("line").Compare(core.FilterEq, t.Key("line", "1,2"))
	guarded = t.GuardedBy(core.All(), ofLine)
	_, err = guarded.TryInsert("parcel", kit.Fields{"id": 1, "order": 1, "line_number": 11})
	t.Fails("insert with another relation", err, parcel.Forbidden())
	guarded.Insert("parcel", kit.Fields{"id": 1, "order": 1, "line_number": 2})
	_, err = guarded.TryUpdate("parcel", kit.Fields{"id": 1, "line_number": 11})
	t.Fails("update of a part of the relation", err, parcel.Forbidden())
	guarded.Update("parcel", kit.Fields{"id": 1, "spare": "2,3"})
	guarded = t.GuardedBy(parcel.Field("spare").Compare(core.FilterEq, t.Key("line", "1,2")), core.All())
	t.Fails("delete of a hidden record", guarded.TryDelete("parcel", 1), parcel.NotFound(core.IntValue(1)))
}

func projectionsOfParts(t *kit.Fixture) {
	fillLines(t)
	t.Insert("parcel", kit.Fields{"id": 1, "line": "1,2", "spare": "1,11"})
	for _, rec := range []core.Record{
		t.Find("line", core.Query{Fields: []string{}, Limit: 1})[0], kit.Must(t.Querier.Load(t.Ctx, t.Resource("line"), t.Keys("line", []any{"1,-1"}), "text"))(t.Client, "load")[0],
	} {
		kit.Equal(t.Client, "key", rec.Key(), t.Key("line", "1,-1"))
	}
	for _, field := range []string{"line", "spare", "order", "line_number"} {
		rec := t.Find("parcel", core.Query{Fields: []string{field}})[0]
		kit.Equal(t.Client, field, rec.Get(field), t.Get("parcel", 1).Get(field))
	}
}
