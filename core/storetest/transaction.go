package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var transactionRules = []rule{
	{
		"a transaction sees its own writes",
		"Reads in a transaction see its earlier writes: by key, by filter, in order and counted.",
		seesOwnWrites,
	},
	{
		"a commit makes all writes visible",
		"All writes of a transaction are visible after its commit was acknowledged.",
		commitMakesVisible,
	},
	{
		"an error rolls back",
		"If the function of a transaction fails, its inserts, updates and deletes are undone.",
		errorRollsBack,
	},
	{
		"a panic rolls back",
		"If the function of a transaction panics, its writes are undone, and the next transaction works.",
		panicRollsBack,
	},
	{
		"a failed operation undoes earlier writes",
		"After an operation failed in the backend, the whole transaction is rolled back.",
		failedOperationUndoes,
	},
	{
		"a key can be deleted and reinserted",
		"In a transaction, the key of a deleted record is free, and an inserted record can be changed and deleted.",
		reuseInside,
	},
	{
		"sequential transactions do not conflict",
		"Transactions that do not overlap succeed at the first attempt.",
		sequentialNeverConflict,
	},
	{
		"a read-only transaction can read",
		"A read-only transaction can run every kind of read, and changes nothing.",
		readOnlyReads,
	},
	{
		"a final operation has the same result",
		"The mark of the final operation of a transaction does not change its result.",
		finalCommits,
	},
	{
		"a failed final operation undoes earlier writes",
		"A final Update or Delete of a missing record fails, and its transaction commits nothing.",
		finalMissUndoes,
	},
	{
		"a transaction may have many operations",
		"A transaction accepts hundreds of operations, and each sees the ones before it.",
		manyOperations,
	},
}

func seesOwnWrites(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 3}, kit.Fields{"id": 2, "kind": "a", "weight": 2}, kit.Fields{"id": 3, "kind": "b", "weight": 1})
	t.Tx(func(tx *kit.Client) {
		tx.Insert("cookie", kit.Fields{"id": 4, "kind": "a", "weight": 0})
		tx.Update("cookie", kit.Fields{"id": 1, "kind": "b"}, kit.Fields{"id": 3, "kind": "a"})
		tx.Delete("cookie", 2)
		tx.SameKeys("select", tx.Where("cookie", core.Eq("kind", "a")), 3, 4)
		tx.SameKeys("select in order", tx.Find("cookie", core.Query{Order: []string{"weight"}, Limit: 2}), 4, 3)
		tx.SameKeys("pages", tx.AllPages("cookie", core.Query{Order: []string{"-weight"}, Limit: 1}), 1, 3, 4)
		kit.Equal(tx, "count", tx.Count("cookie", core.Eq("kind", "b")), 1)
		tx.SameKeys("load", tx.Load("cookie", 1, 2, 3, 4), 1, 3, 4)
		kit.Equal(tx, "kind", tx.Get("cookie", 1).Get("kind"), core.TextValue("b"))
		_, err := tx.TryGet("cookie", 2)
		tx.Fails("get of a deleted record", err, tx.Resource("cookie").NotFound(core.IntValue(2)))
	})
}

func commitMakesVisible(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	t.Tx(func(tx *kit.Client) {
		tx.Insert("cookie", kit.Fields{"id": 3, "kind": "c"})
		tx.Update("cookie", kit.Fields{"id": 1, "kind": "b"})
		tx.Delete("cookie", 2)
		tx.Insert("jar", kit.Fields{"id": 1, "label": "x"})
	})
	t.Same("cookies", t.All("cookie"), t.Full("cookie", kit.Fields{"id": 1, "kind": "b"}), t.Full("cookie", kit.Fields{"id": 3, "kind": "c"}))
	t.Same("jars", t.All("jar"), t.Full("jar", kit.Fields{"id": 1, "label": "x"}))
}

// writeAllKinds runs writes of each kind.
func writeAllKinds(tx *kit.Client) {
	tx.Insert("jar", kit.Fields{"id": 9, "label": "z"})
	tx.Insert("cookie", kit.Fields{"id": 3, "jar": 9})
	tx.Insert("cookie", kit.Fields{"kind": "no key"})
	tx.Update("cookie", kit.Fields{"id": 1, "kind": "b", "jar": 9})
	tx.Delete("cookie", 2)
}

func errorRollsBack(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	for range 3 {
		err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			writeAllKinds(tx)
			return kit.ErrRollback
		})
		if !errors.Is(err, kit.ErrRollback) {
			t.Fatalf("transaction: %v", err)
		}
		t.Same("cookies", t.All("cookie"), before...)
		t.SameKeys("jars", t.All("jar"))
		t.SameKeys("cookies by an indexed field", t.Where("cookie", core.Eq("kind", "a")), 1, 2)
	}
}

func panicRollsBack(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	func() {
		defer func() { _ = recover() }()
		_ = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			writeAllKinds(tx)
			panic("on purpose")
		})
	}()
	t.Same("cookies", t.All("cookie"), before...)
	t.Tx(writeAllKinds)
	kit.Equal(t.Client, "cookies after the next transaction", t.Count("cookie", core.All()), 3)
}

func failedOperationUndoes(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	for _, fail := range []func(tx *kit.Client) error{
		func(tx *kit.Client) error {
			_, err := tx.TryInsert("cookie", kit.Fields{"id": 7}, kit.Fields{"id": 1})
			return err
		},
		func(tx *kit.Client) error {
			_, err := tx.TryUpdate("cookie", kit.Fields{"id": 1}, kit.Fields{"id": 2})
			return err
		},
		func(tx *kit.Client) error { return tx.TryDelete("cookie", 1, 2) },
	} {
		if err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { writeAllKinds(tx); return fail(tx) }); err == nil {
			t.Fatalf("transaction did not fail")
		}
		t.Same("cookies", t.All("cookie"), before...)
		t.SameKeys("jars", t.All("jar"))
	}
}

func reuseInside(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1})
	t.Tx(func(tx *kit.Client) {
		tx.Delete("cookie", 1)
		tx.Insert("cookie", kit.Fields{"id": 1, "kind": "b"})
		tx.Update("cookie", kit.Fields{"id": 1, "note": "n"})
		tx.Insert("cookie", kit.Fields{"id": 2})
		tx.Update("cookie", kit.Fields{"id": 2, "kind": "b"})
		tx.Delete("cookie", 2)
		_, err := tx.TryGet("cookie", 2)
		tx.Fails("get", err, tx.Resource("cookie").NotFound(core.IntValue(2)))
	})
	t.Same("after", t.All("cookie"), t.Full("cookie", kit.Fields{"id": 1, "kind": "b", "note": "n"}))
}

func sequentialNeverConflict(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	for i := range 50 {
		err := t.TryTx(core.TxOptions{Attempts: 1}, func(tx *kit.Client) error {
			value := tx.Get("order", 1).Get("value").Int()
			tx.Update("order", kit.Fields{"id": 1, "value": value + 1})
			return nil
		})
		if err != nil {
			t.Fatalf("transaction %d: %v", i, err)
		}
		err = t.TryTx(core.TxOptions{Attempts: 1, ReadOnly: true}, func(tx *kit.Client) error {
			kit.Equal(tx, "value", tx.Get("order", 1).Get("value").Int(), int64(i+1))
			return nil
		})
		if err != nil {
			t.Fatalf("read-only transaction %d: %v", i, err)
		}
	}
}

func readOnlyReads(t *kit.Fixture) {
	before := t.Insert("order", kit.Fields{"id": 1, "group": 1}, kit.Fields{"id": 2})
	err := t.TryTx(core.TxOptions{ReadOnly: true}, func(tx *kit.Client) error {
		tx.Same("select", tx.All("order"), before...)
		tx.SameKeys("load", tx.Load("order", 2, 3), 2)
		kit.Equal(tx, "count", tx.Count("order", core.Eq("group", 1)), 1)
		return nil
	})
	if err != nil {
		t.Fatalf("transaction: %v", err)
	}
	t.Same("after", t.All("order"), before...)
}

func finalCommits(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1})
	err := t.Store.Tx(t.Ctx, func(ctx context.Context, tx *core.Transaction) error {
		c := &kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx}
		c.Insert("cookie", kit.Fields{"id": 1, "jar": 1})
		c.Querier = tx.Final()
		c.Same("final update returned", c.Update("cookie", kit.Fields{"id": 1, "kind": "a"}), c.Full("cookie", kit.Fields{"id": 1, "kind": "a", "jar": 1}))
		return nil
	})
	if err != nil {
		t.Fatalf("transaction: %v", err)
	}
	before := t.All("cookie")
	t.Same("after", before, t.Full("cookie", kit.Fields{"id": 1, "kind": "a", "jar": 1}))
	err = t.Store.Tx(t.Ctx, func(ctx context.Context, tx *core.Transaction) error {
		c := &kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx}
		c.Update("cookie", kit.Fields{"id": 1, "kind": "b"})
		c.Querier = tx.Final()
		_, err := c.TryInsert("cookie", kit.Fields{"id": 2, "jar": 5})
		return err
	})
	t.Fails("transaction with a broken relation", err, t.Resource("jar").NotFound(core.IntValue(5)))
	t.Same("after", t.All("cookie"), before...)
}

func finalMissUndoes(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	write := func(tx *kit.Client) { tx.Update("cookie", kit.Fields{"id": 1, "kind": "b"}) }
	read := func(tx *kit.Client) { tx.Get("cookie", 1) }
	for label, miss := range map[string]func(tx *kit.Client) error{
		"update of one": func(tx *kit.Client) error {
			_, err := tx.TryUpdate("cookie", kit.Fields{"id": 9, "kind": "b"})
			return err
		},
		"update of several": func(tx *kit.Client) error {
			_, err := tx.TryUpdate("cookie", kit.Fields{"id": 2, "kind": "b"}, kit.Fields{"id": 9})
			return err
		},
		"delete of one":     func(tx *kit.Client) error { return tx.TryDelete("cookie", 9) },
		"delete of several": func(tx *kit.Client) error { return tx.TryDelete("cookie", 2, 9) },
	} {
		for _, first := range []func(tx *kit.Client){write, read} {
			err := t.Store.Tx(t.Ctx, func(ctx context.Context, tx *core.Transaction) error {
				c := &kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx}
				first(c)
				c.Querier = tx.Final()
				return miss(c)
			})
			t.Fails(label, err, t.Resource("cookie").NotFound(core.IntValue(9)))
			t.Same(label, t.All("cookie"), before...)
		}
	}
}

func manyOperations(t *kit.Fixture) {
	const n = 300
	t.Tx(func(tx *kit.Client) {
		for i := range n {
			tx.Insert("order", kit.Fields{"id": i, "group": i % 7, "value": i})
			if i > 0 {
				tx.Update("order", kit.Fields{"id": i - 1, "value": -i})
			}
			kit.Equal(tx, "count", tx.Count("order", core.All()), i+1)
		}
	})
	kit.Equal(t.Client, fmt.Sprintf("count of %d", n), t.Count("order", core.Lt("value", 0)), n-1)
}
