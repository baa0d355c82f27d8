package storetest

import (
	"errors"
	"sync"

	"github.com/larder-go/larder/core"
)

var chosenKeyRules = []row{
	{
		"a chosen key that is not committed moves nothing",
		"An Insert with a chosen key that fails, or whose transaction does not commit, leaves the keys that are generated later where they were, but for gaps.",
		uncommittedKeysMoveNothing,
	},
	{
		"a committed chosen key is never generated",
		"No key is generated that a committed transaction gave to a record, whether or not the record is still there.",
		committedKeysAreKept,
	},
	{
		"a transaction generates none of the keys that it chose",
		"A transaction may choose a block of keys and then let the backend generate further ones, which differ.",
		ownKeysAreKept,
	},
	{
		"a key that the transaction has inserted is taken",
		"An Insert with the key of a record that the same transaction has inserted fails as CONFLICT, also if the backend generated that key.",
		insertedKeysAreTaken,
	},
	{
		"a generated key that is taken is replaced",
		"An Insert without a key succeeds although a transaction that was open at the same time chose the next key.",
		takenKeysAreReplaced,
	},
}

// far is how far beyond the generated keys the chosen keys of these rules are. It is
// more than a backend may leave out as a gap.
const far = 1 << 28

// refusals are writes with a chosen key that fail, by what refuses them.
func refusals(t *trial, key int64) map[string]func() error {
	chosen := fields{"id": key}
	insert := func(c *client) error {
		_, err := c.tryInsert("order", chosen)
		return err
	}
	return map[string]func() error{
		"check": func() error { return insert(t.guarded(core.Eq("value", 1))) },
		"check of a later record": func() error {
			_, err := t.guarded(core.Eq("value", 1)).tryInsert("order", fields{"id": key, "value": 1}, nil)
			return err
		},
		"taken key beside it": func() error {
			_, err := t.tryInsert("order", chosen, fields{"id": 1})
			return err
		},
		"rollback": func() error {
			return t.tryTx(core.TxOptions{}, func(tx *client) error { return errors.Join(insert(tx), errOnPurpose) })
		},
		"later operation": func() error {
			return t.tryTx(core.TxOptions{}, func(tx *client) error {
				return errors.Join(insert(tx), tx.tryDelete("order", key+1))
			})
		},
		"integrity at commit": func() error {
			return t.tryTx(core.TxOptions{}, func(tx *client) error {
				_, err := tx.tryInsert("cookie", fields{"jar": 1_000})
				return errors.Join(insert(tx), err)
			})
		},
	}
}

func uncommittedKeysMoveNothing(t *trial) {
	t.insert("order", fields{"id": 1})
	chosen := t.nextIDs("order", 1)[0].Int() + far
	for name, refused := range refusals(t, chosen) {
		if err := refused(); err == nil {
			t.Fatalf("%s: the write succeeded", name)
		}
		if key := t.insert("order", nil)[0].Key(); key.Int() >= chosen {
			t.Fatalf("%s: the chosen key %d moved the generated ones to %s", name, chosen, key)
		}
		if key := t.nextIDs("order", 1)[0]; key.Int() >= chosen {
			t.Fatalf("%s: the chosen key %d moved the promised ones to %s", name, chosen, key)
		}
	}
}

func committedKeysAreKept(t *trial) {
	seen := make(fresh)
	generate := func() {
		t.Helper()
		seen.add(t.client, t.nextIDs("order", 3)...)
		seen.add(t.client, keysIn(t.insert("order", nil, nil))...)
	}
	chosen := t.nextIDs("order", 1)[0].Int() + 2
	seen.add(t.client, keysIn(t.insert("order", fields{"id": chosen}))...)
	generate()
	t.tx(func(tx *client) {
		passing := tx.nextIDs("order", 1)[0].Int() + 3
		seen.add(tx, keysIn(tx.insert("order", fields{"id": passing}))...)
		tx.delete("order", passing)
		seen.add(tx, keysIn(tx.insert("order", fields{"id": passing - 1}))...)
	})
	generate()
}

func ownKeysAreKept(t *trial) {
	const block = 40 // more than a transaction is repeated
	seen := make(fresh)
	t.tx(func(tx *client) {
		first := tx.nextIDs("order", 1)[0].Int() + 1
		var batch []fields
		for i := range int64(block) {
			batch = append(batch, fields{"id": first + i})
		}
		seen.add(tx, keysIn(tx.insert("order", batch...))...)
		tx.delete("order", first+1)
		seen.add(tx, keysIn(tx.insert("order", nil, fields{"id": first + block + 1}, nil))...)
		seen.add(tx, tx.nextIDs("order", 3)...)
		seen.add(tx, keysIn(tx.insert("order", nil))...)
	})
	seen.add(t.client, keysIn(t.insert("order", nil, nil))...)
	equal(t.client, "count", t.count("order", core.All()), block+5)
}

func insertedKeysAreTaken(t *trial) {
	for _, promised := range []bool{false, true} {
		err := t.tryTx(core.TxOptions{}, func(tx *client) error {
			next := tx.nextIDs("order", 1)[0]
			tx.insert("order", fields{"id": next.Int() + 5}) // so that the transaction has chosen a key
			key := next
			if promised {
				tx.insert("order", fields{"id": next})
			} else {
				key = tx.insert("order", nil)[0].Key()
			}
			_, err := tx.tryInsert("order", fields{"id": key})
			return err
		})
		if !errors.Is(err, core.AlreadyExists) {
			t.Fatalf("a second record with the key of the transaction's own: got %v, want %v", err, core.AlreadyExists)
		}
	}
}

func takenKeysAreReplaced(t *trial) {
	var chosen, generated core.Value
	inserted := make(chan error, 1)
	insert := func() {
		recs, err := t.tryInsert("order", nil)
		if err == nil {
			generated = recs[0].Key()
		}
		inserted <- err
	}
	var meanwhile sync.Once // the transaction may be repeated
	err := t.each(func(tx *client) error {
		keys, err := tx.querier.NextIDs(tx.ctx, tx.res("order"), 1)
		if err != nil {
			return err
		}
		chosen = core.IntValue(keys[0].Int() + 1)
		if _, err := tx.tryInsert("order", fields{"id": chosen}); err != nil {
			return err
		}
		meanwhile.Do(func() { go insert() })
		return nil
	})
	if err != nil {
		t.Fatalf("insert with a chosen key: %v", err)
	}
	if err := <-inserted; err != nil {
		t.Fatalf("insert without a key: %v", err)
	}
	if generated == chosen {
		t.Fatalf("%s is the key of two records", chosen)
	}
	equal(t.client, "count", t.count("order", core.All()), 2)
}
