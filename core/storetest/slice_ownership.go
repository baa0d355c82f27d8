package storetest

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var ownershipRules = []rule{
	{
		"returned records do not change",
		"Records that an operation returned do not change with later writes.",
		readRecordsStay,
	},
	{
		"returned records survive a rollback",
		"Records that were returned in a transaction do not change when it rolls back.",
		rolledBackRecordsStay,
	},
	{
		"returned slices belong to the caller",
		"The caller may overwrite a slice that an operation returned, without an effect on others.",
		returnedSlicesAreTheCallers,
	},
	{
		"slices of the op belong to the caller",
		"A backend changes nothing in an op and keeps none of its slices.",
		givenSlicesStayTheCallers,
	},
}

// snapshot is the text of records at one time.
type snapshot struct {
	name string
	recs []core.Record
	text string
}

func takeSnapshot(label string, recs []core.Record) snapshot {
	return snapshot{label, recs, fmt.Sprint(recs)}
}

func (f snapshot) check(c *kit.Client) {
	c.Helper()
	if now := fmt.Sprint(f.recs); now != f.text {
		c.Fatalf("the records that %s returned were %s and now are %s", f.name, f.text, now)
	}
}

// changeAll changes, deletes or replaces every cookie.
func changeAll(c *kit.Client) {
	c.Helper()
	c.Update("cookie", kit.Fields{"id": 1, "kind": "new", "weight": 99, "note": "changed"}, kit.Fields{"id": 2, "kind": nil})
	c.Insert("cookie", kit.Fields{"id": 0}, kit.Fields{"id": 4})
	c.Delete("cookie", 3, 1)
	c.Insert("cookie", kit.Fields{"id": 1, "kind": "again"})
}

func readRecordsStay(t *kit.Fixture) {
	all := []snapshot{takeSnapshot("insert", t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b"}, kit.Fields{"id": 3}))}
	all = append(all,
		takeSnapshot("update", t.Update("cookie", kit.Fields{"id": 2, "weight": 7})),
		takeSnapshot("select", t.All("cookie")),
		takeSnapshot("sorted select", t.Find("cookie", core.Query{Order: []string{"-kind"}, Limit: 2})),
		takeSnapshot("load", t.Load("cookie", 1, 2, 3)),
	)
	changeAll(t.Client)
	for _, f := range all {
		f.check(t.Client)
	}
}

func rolledBackRecordsStay(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b"}, kit.Fields{"id": 3})
	var all []snapshot
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		all = append(all, takeSnapshot("select before", tx.All("cookie")))
		changeAll(tx)
		all = append(all, takeSnapshot("select after", tx.All("cookie")), takeSnapshot("insert", tx.Insert("cookie", kit.Fields{"id": 9, "kind": "z"})))
		return kit.ErrRollback
	})
	if !errors.Is(err, kit.ErrRollback) {
		t.Fatalf("transaction: %v", err)
	}
	t.Update("cookie", kit.Fields{"id": 1, "kind": "later"})
	for _, f := range all {
		f.check(t.Client)
	}
}

func returnedSlicesAreTheCallers(t *kit.Fixture) {
	clear(t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b"}, kit.Fields{"id": 3, "jar": nil}))
	clear(t.Update("cookie", kit.Fields{"id": 1, "weight": 1}, kit.Fields{"id": 2, "weight": 2}))
	clear(t.All("cookie"))
	clear(t.Where("cookie", core.Eq("kind", "a")))
	clear(t.Load("cookie", 1, 2))
	clear(t.NextIDs("cookie", 3))
	want := []core.Record{
		t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1}),
		t.Full("cookie", kit.Fields{"id": 2, "kind": "b", "weight": 2}),
		t.Full("cookie", kit.Fields{"id": 3}),
	}
	t.Same("select", t.All("cookie"), want...)
	t.Same("load", t.Load("cookie", 1, 2, 3), want...)
	t.Same("select by an indexed field", t.Where("cookie", core.Eq("kind", "a")), want[0])
}

// givenSlicesStayTheCallers relies on the kit's decorator, which compares and then clears the slices of each op.
func givenSlicesStayTheCallers(t *kit.Fixture) {
	whole := kit.Fields{"id": 1, "group": 2, "value": 3}
	t.Same("insert of a whole record returned", t.Insert("order", whole), t.Full("order", whole))
	keys := t.Keys("cookie", []any{2, 1})
	recs := t.Recs("cookie", []kit.Fields{{"kind": "a"}, {"id": 50, "kind": "b"}})
	inserted := kit.Must(t.Querier.Insert(t.Ctx, t.Resource("cookie"), recs...))(t.Client, "insert")
	clear(recs)
	t.Delete("cookie", inserted[0].Key())
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "c"}, kit.Fields{"id": 2, "kind": "d"})
	changes := t.Recs("cookie", []kit.Fields{{"id": 50, "weight": 5}, {"id": 2, "weight": 2}})
	kit.Must(t.Querier.Update(t.Ctx, t.Resource("cookie"), changes...))(t.Client, "update")
	clear(changes)
	kit.Must(0, t.Querier.Delete(t.Ctx, t.Resource("cookie"), keys...))(t.Client, "delete")
	clear(keys)
	t.Same("after", t.All("cookie"), t.Full("cookie", kit.Fields{"id": 50, "kind": "b", "weight": 5}))
}
