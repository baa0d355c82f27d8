package storetest

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

var ownershipRules = []row{
	{
		"what was read stays as it is",
		"Records that an operation returned do not change, whatever is written later.",
		readStaysAsItIs,
	},
	{
		"what a rolled back transaction read stays as it is",
		"Records that were returned inside a transaction do not change when it rolls back.",
		rolledBackReadStays,
	},
	{
		"returned slices are the caller's",
		"A slice that an operation returned may be overwritten, and nobody else sees that.",
		returnedSlicesAreTheCallers,
	},
	{
		"given slices stay the caller's",
		"A backend changes nothing in an op and keeps none of its slices.",
		givenSlicesStayTheCallers,
	},
}

// frozen remembers what records look like.
type frozen struct {
	what string
	recs []core.Record
	text string
}

func freeze(what string, recs []core.Record) frozen { return frozen{what, recs, fmt.Sprint(recs)} }

func (f frozen) check(c *client) {
	c.Helper()
	if now := fmt.Sprint(f.recs); now != f.text {
		c.Fatalf("what %s returned was %s and now is %s", f.what, f.text, now)
	}
}

// changeAll makes sure that no cookie is as it was.
func changeAll(c *client) {
	c.Helper()
	c.update("cookie", fields{"id": 1, "kind": "new", "weight": 99, "note": "changed"}, fields{"id": 2, "kind": nil})
	c.insert("cookie", fields{"id": 0}, fields{"id": 4})
	c.delete("cookie", 3, 1)
	c.insert("cookie", fields{"id": 1, "kind": "again"})
}

func readStaysAsItIs(t *trial) {
	all := []frozen{freeze("insert", t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "b"}, fields{"id": 3}))}
	all = append(all,
		freeze("update", t.update("cookie", fields{"id": 2, "weight": 7})),
		freeze("select", t.all("cookie")),
		freeze("sorted select", t.find("cookie", core.Query{Order: []string{"-kind"}, Limit: 2})),
		freeze("load", t.load("cookie", 1, 2, 3)),
	)
	changeAll(t.client)
	for _, f := range all {
		f.check(t.client)
	}
}

func rolledBackReadStays(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "b"}, fields{"id": 3})
	var all []frozen
	err := t.tryTx(core.TxOptions{}, func(tx *client) error {
		all = append(all, freeze("select before", tx.all("cookie")))
		changeAll(tx)
		all = append(all, freeze("select after", tx.all("cookie")), freeze("insert", tx.insert("cookie", fields{"id": 9, "kind": "z"})))
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Fatalf("transaction: %v", err)
	}
	t.update("cookie", fields{"id": 1, "kind": "later"})
	for _, f := range all {
		f.check(t.client)
	}
}

func returnedSlicesAreTheCallers(t *trial) {
	clear(t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "b"}, fields{"id": 3, "jar": nil}))
	clear(t.update("cookie", fields{"id": 1, "weight": 1}, fields{"id": 2, "weight": 2}))
	clear(t.all("cookie"))
	clear(t.where("cookie", core.Eq("kind", "a")))
	clear(t.load("cookie", 1, 2))
	clear(t.nextIDs("cookie", 3))
	want := []core.Record{
		t.full("cookie", fields{"id": 1, "kind": "a", "weight": 1}),
		t.full("cookie", fields{"id": 2, "kind": "b", "weight": 2}),
		t.full("cookie", fields{"id": 3}),
	}
	t.same("select", t.all("cookie"), want...)
	t.same("load", t.load("cookie", 1, 2, 3), want...)
	t.same("select by an indexed field", t.where("cookie", core.Eq("kind", "a")), want[0])
}

// givenSlicesStayTheCallers relies on the kit's decorator, which wipes what it
// lent and looks for changes.
func givenSlicesStayTheCallers(t *trial) {
	whole := fields{"id": 1, "group": 2, "value": 3}
	t.same("insert of a whole record returned", t.insert("order", whole), t.full("order", whole))
	keys := t.keys("cookie", []any{2, 1})
	recs := t.recs("cookie", []fields{{"kind": "a"}, {"id": 50, "kind": "b"}})
	inserted := must(t.querier.Insert(t.ctx, t.res("cookie"), recs...))(t.client, "insert")
	clear(recs)
	t.delete("cookie", inserted[0].Key())
	t.insert("cookie", fields{"id": 1, "kind": "c"}, fields{"id": 2, "kind": "d"})
	changes := t.recs("cookie", []fields{{"id": 50, "weight": 5}, {"id": 2, "weight": 2}})
	must(t.querier.Update(t.ctx, t.res("cookie"), changes...))(t.client, "update")
	clear(changes)
	must(0, t.querier.Delete(t.ctx, t.res("cookie"), keys...))(t.client, "delete")
	clear(keys)
	t.same("after", t.all("cookie"), t.full("cookie", fields{"id": 50, "kind": "b", "weight": 5}))
}
