package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

var transactionRules = []row{
	{
		"a transaction sees its own writes",
		"Reads inside a transaction see what it wrote before: by key, by condition, in order and counted.",
		seesOwnWrites,
	},
	{
		"a commit makes all writes visible",
		"What a transaction wrote is there when its commit was acknowledged.",
		commitMakesVisible,
	},
	{
		"an error rolls back",
		"A transaction whose function fails has done nothing: inserts, updates and deletes are undone.",
		errorRollsBack,
	},
	{
		"a panic rolls back",
		"A transaction whose function panics has done nothing, and the next one works.",
		panicRollsBack,
	},
	{
		"a failed operation undoes those before it",
		"After an operation failed in the backend, the whole transaction is undone.",
		failedOperationUndoes,
	},
	{
		"a key can be deleted and inserted in one transaction",
		"Inside a transaction the key of a deleted record is free, and an inserted record can be changed and deleted.",
		reuseInside,
	},
	{
		"one after another never conflict",
		"Transactions that do not overlap do not conflict: each succeeds at the first attempt.",
		sequentialNeverConflict,
	},
	{
		"a read-only transaction reads",
		"A read-only transaction can do every kind of read, and leaves everything as it is.",
		readOnlyReads,
	},
	{
		"a final operation commits along",
		"What the last operation of a transaction was marked with has no influence on what it does.",
		finalCommits,
	},
	{
		"a final operation that misses undoes those before it",
		"A final update or delete of what is not there fails, and nothing of its transaction is committed.",
		finalMissUndoes,
	},
	{
		"a transaction may have many operations",
		"A transaction takes hundreds of operations, each seeing those before it.",
		manyOperations,
	},
}

func seesOwnWrites(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 3}, fields{"id": 2, "kind": "a", "weight": 2}, fields{"id": 3, "kind": "b", "weight": 1})
	t.tx(func(tx *client) {
		tx.insert("cookie", fields{"id": 4, "kind": "a", "weight": 0})
		tx.update("cookie", fields{"id": 1, "kind": "b"}, fields{"id": 3, "kind": "a"})
		tx.delete("cookie", 2)
		tx.sameKeys("select", tx.where("cookie", core.Eq("kind", "a")), 3, 4)
		tx.sameKeys("select in order", tx.find("cookie", core.Query{Order: []string{"weight"}, Limit: 2}), 4, 3)
		tx.sameKeys("pages", tx.through("cookie", core.Query{Order: []string{"-weight"}, Limit: 1}), 1, 3, 4)
		equal(tx, "count", tx.count("cookie", core.Eq("kind", "b")), 1)
		tx.sameKeys("load", tx.load("cookie", 1, 2, 3, 4), 1, 3, 4)
		equal(tx, "kind", tx.get("cookie", 1).Get("kind"), core.TextValue("b"))
		_, err := tx.tryGet("cookie", 2)
		tx.fails("get of a deleted record", err, tx.res("cookie").NotFound(core.IntValue(2)))
	})
}

func commitMakesVisible(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	t.tx(func(tx *client) {
		tx.insert("cookie", fields{"id": 3, "kind": "c"})
		tx.update("cookie", fields{"id": 1, "kind": "b"})
		tx.delete("cookie", 2)
		tx.insert("jar", fields{"id": 1, "label": "x"})
	})
	t.same("cookies", t.all("cookie"), t.full("cookie", fields{"id": 1, "kind": "b"}), t.full("cookie", fields{"id": 3, "kind": "c"}))
	t.same("jars", t.all("jar"), t.full("jar", fields{"id": 1, "label": "x"}))
}

// writeEverywhere writes in every way that there is.
func writeEverywhere(tx *client) {
	tx.insert("jar", fields{"id": 9, "label": "z"})
	tx.insert("cookie", fields{"id": 3, "jar": 9})
	tx.insert("cookie", fields{"kind": "no key"})
	tx.update("cookie", fields{"id": 1, "kind": "b", "jar": 9})
	tx.delete("cookie", 2)
}

func errorRollsBack(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	for range 3 {
		err := t.tryTx(core.TxOptions{}, func(tx *client) error {
			writeEverywhere(tx)
			return errOnPurpose
		})
		if !errors.Is(err, errOnPurpose) {
			t.Fatalf("transaction: %v", err)
		}
		t.same("cookies", t.all("cookie"), before...)
		t.sameKeys("jars", t.all("jar"))
		t.sameKeys("cookies by an indexed field", t.where("cookie", core.Eq("kind", "a")), 1, 2)
	}
}

func panicRollsBack(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	func() {
		defer func() { _ = recover() }()
		_ = t.tryTx(core.TxOptions{}, func(tx *client) error {
			writeEverywhere(tx)
			panic("on purpose")
		})
	}()
	t.same("cookies", t.all("cookie"), before...)
	t.tx(writeEverywhere)
	equal(t.client, "cookies after the next transaction", t.count("cookie", core.All()), 3)
}

func failedOperationUndoes(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	for _, fail := range []func(tx *client) error{
		func(tx *client) error { _, err := tx.tryInsert("cookie", fields{"id": 7}, fields{"id": 1}); return err },
		func(tx *client) error { _, err := tx.tryUpdate("cookie", fields{"id": 1}, fields{"id": 2}); return err },
		func(tx *client) error { return tx.tryDelete("cookie", 1, 2) },
	} {
		if err := t.tryTx(core.TxOptions{}, func(tx *client) error { writeEverywhere(tx); return fail(tx) }); err == nil {
			t.Fatalf("transaction did not fail")
		}
		t.same("cookies", t.all("cookie"), before...)
		t.sameKeys("jars", t.all("jar"))
	}
}

func reuseInside(t *trial) {
	t.insert("cookie", fields{"id": 1, "kind": "a", "weight": 1})
	t.tx(func(tx *client) {
		tx.delete("cookie", 1)
		tx.insert("cookie", fields{"id": 1, "kind": "b"})
		tx.update("cookie", fields{"id": 1, "note": "n"})
		tx.insert("cookie", fields{"id": 2})
		tx.update("cookie", fields{"id": 2, "kind": "b"})
		tx.delete("cookie", 2)
		_, err := tx.tryGet("cookie", 2)
		tx.fails("get", err, tx.res("cookie").NotFound(core.IntValue(2)))
	})
	t.same("after", t.all("cookie"), t.full("cookie", fields{"id": 1, "kind": "b", "note": "n"}))
}

func sequentialNeverConflict(t *trial) {
	t.insert("order", fields{"id": 1, "value": 0})
	for i := range 50 {
		err := t.tryTx(core.TxOptions{Attempts: 1}, func(tx *client) error {
			value := tx.get("order", 1).Get("value").Int()
			tx.update("order", fields{"id": 1, "value": value + 1})
			return nil
		})
		if err != nil {
			t.Fatalf("transaction %d: %v", i, err)
		}
		err = t.tryTx(core.TxOptions{Attempts: 1, ReadOnly: true}, func(tx *client) error {
			equal(tx, "value", tx.get("order", 1).Get("value").Int(), int64(i+1))
			return nil
		})
		if err != nil {
			t.Fatalf("read-only transaction %d: %v", i, err)
		}
	}
}

func readOnlyReads(t *trial) {
	before := t.insert("order", fields{"id": 1, "group": 1}, fields{"id": 2})
	err := t.tryTx(core.TxOptions{ReadOnly: true}, func(tx *client) error {
		tx.same("select", tx.all("order"), before...)
		tx.sameKeys("load", tx.load("order", 2, 3), 2)
		equal(tx, "count", tx.count("order", core.Eq("group", 1)), 1)
		return nil
	})
	if err != nil {
		t.Fatalf("transaction: %v", err)
	}
	t.same("after", t.all("order"), before...)
}

func finalCommits(t *trial) {
	t.insert("jar", fields{"id": 1})
	err := t.store.Tx(t.ctx, func(ctx context.Context, tx *core.Transaction) error {
		c := &client{TB: t.TB, ctx: ctx, model: t.model, querier: tx}
		c.insert("cookie", fields{"id": 1, "jar": 1})
		c.querier = tx.Final()
		c.same("final update returned", c.update("cookie", fields{"id": 1, "kind": "a"}), c.full("cookie", fields{"id": 1, "kind": "a", "jar": 1}))
		return nil
	})
	if err != nil {
		t.Fatalf("transaction: %v", err)
	}
	before := t.all("cookie")
	t.same("after", before, t.full("cookie", fields{"id": 1, "kind": "a", "jar": 1}))
	err = t.store.Tx(t.ctx, func(ctx context.Context, tx *core.Transaction) error {
		c := &client{TB: t.TB, ctx: ctx, model: t.model, querier: tx}
		c.update("cookie", fields{"id": 1, "kind": "b"})
		c.querier = tx.Final()
		_, err := c.tryInsert("cookie", fields{"id": 2, "jar": 5})
		return err
	})
	t.fails("transaction with a broken relation", err, t.res("jar").NotFound(core.IntValue(5)))
	t.same("after", t.all("cookie"), before...)
}

func finalMissUndoes(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	write := func(tx *client) { tx.update("cookie", fields{"id": 1, "kind": "b"}) }
	read := func(tx *client) { tx.get("cookie", 1) }
	for what, miss := range map[string]func(tx *client) error{
		"update of one": func(tx *client) error { _, err := tx.tryUpdate("cookie", fields{"id": 9, "kind": "b"}); return err },
		"update of several": func(tx *client) error {
			_, err := tx.tryUpdate("cookie", fields{"id": 2, "kind": "b"}, fields{"id": 9})
			return err
		},
		"delete of one":     func(tx *client) error { return tx.tryDelete("cookie", 9) },
		"delete of several": func(tx *client) error { return tx.tryDelete("cookie", 2, 9) },
	} {
		for _, first := range []func(tx *client){write, read} {
			err := t.store.Tx(t.ctx, func(ctx context.Context, tx *core.Transaction) error {
				c := &client{TB: t.TB, ctx: ctx, model: t.model, querier: tx}
				first(c)
				c.querier = tx.Final()
				return miss(c)
			})
			t.fails(what, err, t.res("cookie").NotFound(core.IntValue(9)))
			t.same(what, t.all("cookie"), before...)
		}
	}
}

func manyOperations(t *trial) {
	const n = 300
	t.tx(func(tx *client) {
		for i := range n {
			tx.insert("order", fields{"id": i, "group": i % 7, "value": i})
			if i > 0 {
				tx.update("order", fields{"id": i - 1, "value": -i})
			}
			equal(tx, "count", tx.count("order", core.All()), i+1)
		}
	})
	equal(t.client, fmt.Sprintf("count of %d", n), t.count("order", core.Lt("value", 0)), n-1)
}
