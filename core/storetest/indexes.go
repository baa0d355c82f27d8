package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var indexRules = []rule{
	{
		"values of several fields occur once",
		"Two records with the same values in all fields of a unique index are a CONFLICT that names these fields, at commit at the latest. Records that differ in one of them are not.",
		tupleIsUnique,
	},
	{
		"null in a unique index repeats",
		"Any number of records may have the same values in a unique index if one of the values is null.",
		nullTupleRepeats,
	},
	{
		"values of several fields can be swapped",
		"In a transaction, two records may temporarily have the same values in a unique index, so that values can be swapped.",
		tuplesSwap,
	},
	{
		"a condition limits a unique index",
		"A unique index with a condition compares the records that match it. A change that makes a record match can be a CONFLICT, and one that ends a match frees the values.",
		partialIsUnique,
	},
	{
		"a condition of a unique index is checked at commit",
		"In a transaction, two records may temporarily match the condition of a unique index with the same values.",
		partialSwaps,
	},
	{
		"an index with directions serves pages",
		"A query by the fields of an index, in its directions, in the opposite ones or in others, returns the same pages as without index.",
		indexedPages,
	},
}

func tupleIsUnique(t *kit.Fixture) {
	before := t.Insert("ticket",
		kit.Fields{"id": 1, "desk": 1, "number": 1}, kit.Fields{"id": 2, "desk": 1, "number": 2},
		kit.Fields{"id": 3, "desk": 2, "number": 1}, kit.Fields{"id": 4, "desk": 12, "number": 3})
	taken := &core.Error{Code: core.AlreadyExists, Resource: "Ticket", Fields: []string{"Desk", "number"}}
	_, err := t.TryInsert("ticket", kit.Fields{"id": 5, "desk": 1, "number": 2})
	t.Fails("insert", err, taken)
	_, err = t.TryInsert("ticket", kit.Fields{"id": 5, "desk": 9, "number": 9}, kit.Fields{"id": 6, "desk": 9, "number": 9})
	t.Fails("insert of two", err, taken)
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 2, "number": 1})
	t.Fails("update of one field", err, taken)
	err = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		_, err := tx.TryUpdate("ticket", kit.Fields{"id": 3, "desk": 1})
		return err
	})
	t.Fails("transaction", err, taken)
	t.Same("after", t.All("ticket"), before...)
	t.Insert("ticket", kit.Fields{"id": 5, "desk": 1, "number": 23})
}

func nullTupleRepeats(t *kit.Fixture) {
	t.Insert("ticket",
		kit.Fields{"id": 1, "desk": 1}, kit.Fields{"id": 2, "desk": 1}, kit.Fields{"id": 3, "number": 1}, kit.Fields{"id": 4, "number": 1},
		kit.Fields{"id": 5}, kit.Fields{"id": 6}, kit.Fields{"id": 7, "desk": 1, "number": 1})
	t.Update("ticket", kit.Fields{"id": 7, "desk": nil})
	kit.Equal(t.Client, "number 1 without desk", t.Count("ticket", core.And(core.Eq("desk", nil), core.Eq("number", 1))), 3)
}

func tuplesSwap(t *kit.Fixture) {
	t.Insert("ticket", kit.Fields{"id": 1, "desk": 1, "number": 1}, kit.Fields{"id": 2, "desk": 1, "number": 2})
	t.Tx(func(tx *kit.Client) {
		tx.Update("ticket", kit.Fields{"id": 1, "number": 2})
		tx.Update("ticket", kit.Fields{"id": 2, "number": 1})
	})
	t.SameKeys("after two updates", t.Find("ticket", core.Query{Where: core.Eq("desk", 1), Order: []string{"number"}}), 2, 1)
	t.Update("ticket", kit.Fields{"id": 1, "number": 1}, kit.Fields{"id": 2, "number": 2})
	t.SameKeys("after one update", t.Find("ticket", core.Query{Where: core.Eq("desk", 1), Order: []string{"number"}}), 1, 2)
	t.Tx(func(tx *kit.Client) {
		tx.Insert("ticket", kit.Fields{"id": 3, "desk": 1, "number": 1})
		tx.Delete("ticket", 1)
	})
	t.SameKeys("number 1", t.Where("ticket", core.Eq("number", 1)), 3)
}

func partialIsUnique(t *kit.Fixture) {
	t.Insert("ticket",
		kit.Fields{"id": 1, "title": "a, b"}, kit.Fields{"id": 2, "title": "a, b", "closed": true}, kit.Fields{"id": 3, "title": "a, b", "closed": false},
		kit.Fields{"id": 4, "title": "c"}, kit.Fields{"id": 5}, kit.Fields{"id": 6})
	taken := &core.Error{Code: core.AlreadyExists, Resource: "Ticket", Field: "Title"}
	_, err := t.TryInsert("ticket", kit.Fields{"id": 7, "title": "a, b"})
	t.Fails("insert", err, taken)
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 2, "closed": nil})
	t.Fails("update that makes a record match", err, taken)
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 4, "title": "a, b"})
	t.Fails("update of the value", err, taken)
	t.Update("ticket", kit.Fields{"id": 1, "closed": true})
	t.Update("ticket", kit.Fields{"id": 2, "closed": nil})
	t.SameKeys("with the value", t.Where("ticket", core.And(core.Eq("title", "a, b"), core.Eq("closed", nil))), 2)
	t.Delete("ticket", 2)
	t.Insert("ticket", kit.Fields{"id": 7, "title": "a, b"})
}

func partialSwaps(t *kit.Fixture) {
	t.Insert("ticket", kit.Fields{"id": 1, "title": "a"}, kit.Fields{"id": 2, "title": "a", "closed": true}, kit.Fields{"id": 3, "title": "b"})
	t.Tx(func(tx *kit.Client) {
		tx.Update("ticket", kit.Fields{"id": 2, "closed": nil})
		tx.Update("ticket", kit.Fields{"id": 1, "closed": true})
		tx.Update("ticket", kit.Fields{"id": 3, "title": "a"})
		tx.Update("ticket", kit.Fields{"id": 2, "title": "b"})
	})
	t.SameKeys("not closed", t.Find("ticket", core.Query{Where: core.Eq("closed", nil), Order: []string{"title"}}), 3, 2)
	t.Update("ticket", kit.Fields{"id": 2, "title": "a"}, kit.Fields{"id": 3, "title": "b"})
	t.SameKeys("not closed, after one update", t.Find("ticket", core.Query{Where: core.Eq("closed", nil), Order: []string{"title"}}), 2, 3)
}

// indexedPages compares the pages with records sorted by the kit. The index is on desk and -due, for records that are not
// closed.
func indexedPages(t *kit.Fixture) {
	for i := range 60 {
		fields := kit.Fields{"id": i, "desk": i % 3}
		if i%5 > 0 {
			fields["due"] = i % 4
		}
		if i%7 == 0 {
			fields["closed"] = true
		}
		t.Insert("ticket", fields)
	}
	r := t.Resource("ticket")
	for _, where := range []core.Filter{
		core.Eq("closed", nil),
		core.And(core.Eq("desk", 1), core.Eq("closed", nil)),
		core.And(core.Eq("desk", 1), core.Eq("closed", nil), core.Ge("due", 2)),
		core.And(core.Eq("desk", 1), core.Eq("closed", nil), core.Eq("due", nil)),
		core.And(core.Eq("desk", 1), core.Eq("due", 3)),
		core.And(core.In("desk", 1, 2), core.Eq("closed", nil)),
	} {
		for _, order := range [][]string{{"-due"}, {"due"}, {"-due", "-id"}, {"due", "-id"}, {"desk", "-due"}, {"-desk", "due"}, {"desk", "due"}, {"id"}} {
			bound, err := r.Bind(where)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(t.All("ticket"), func(rec core.Record) bool {
				is, err := bound.Match(rec, nil)
				return !is || err != nil
			})
			slices.SortFunc(want, func(a, b core.Record) int { return core.CompareRecords(orderOf(r, order), a, b) })
			q := core.Query{Where: where, Order: order, Limit: 4}
			t.Same(fmt.Sprintf("%s by %v", bound, order), t.AllPages("ticket", q), want...)
		}
	}
}

// orderOf returns an order by name, with the key at its end.
func orderOf(r *core.Resource, names []string) []core.Order {
	order := make([]core.Order, 0, len(names)+1)
	for _, name := range names {
		name, desc := strings.CutPrefix(name, "-")
		order = append(order, core.Order{Field: r.Field(name), Desc: desc})
	}
	return append(order, core.Order{Field: r.Key()})
}
