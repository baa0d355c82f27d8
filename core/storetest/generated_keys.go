package storetest

import (
	"errors"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var generatedKeyRules = []rule{
	{
		"insert generates a missing key",
		"A record without a key gets a key of the right type that no other record has.",
		insertGetsKey,
	},
	{
		"keys of deleted records are not reused",
		"A key that a record had is not generated again.",
		deletedKeysAreNotReused,
	},
	{
		"rolled back keys are not reused",
		"A key that was generated in a transaction that rolled back is not generated again.",
		rolledBackKeysAreNotReused,
	},
	{
		"allocated keys are reserved",
		"A key that NextID returned is neither returned again nor given to a record without a key.",
		allocatedKeysAreReserved,
	},
	{
		"an allocated key can be used",
		"A record may be inserted with a key that NextID returned, also by another transaction.",
		allocatedKeysCanBeUsed,
	},
	{
		"generated keys avoid chosen keys",
		"A key that a caller chose for a record is not generated.",
		generatedKeysAvoidChosen,
	},
	{
		"a batch may mix chosen and missing keys",
		"The keys that an Insert generates differ from the keys that its other records choose.",
		chosenAndGeneratedInBatch,
	},
	{
		"next id returns n keys",
		"NextID returns N different keys of the type of the key.",
		nextIDsReturnsN,
	},
	{
		"assigned keys are not generated",
		"A resource whose key is a text, or is declared as assigned, has no generated keys: NextID, and an Insert without a key, are BAD_REQUEST.",
		assignedKeysAreNotGenerated,
	},
	{
		"generated keys ignore policies",
		"Using and Check have no influence on NextID.",
		keysIgnorePolicies,
	},
}

func insertGetsKey(t *kit.Fixture) {
	for _, resource := range []string{"order", "person"} {
		seen := make(kit.ValueSet)
		for n := range 4 {
			recs := t.Insert(resource, make([]kit.Fields, n)...)
			seen.AddDistinct(t.Client, kit.KeysOf(recs)...)
			for _, rec := range recs {
				kit.Equal(t.Client, "type of the key", rec.Key().Type(), t.Resource(resource).Key().Type())
				t.Same("get", []core.Record{t.Get(resource, rec.Key())}, rec)
			}
		}
		kit.Equal(t.Client, "count", t.Count(resource, core.All()), 6)
	}
}

func deletedKeysAreNotReused(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	for range 5 {
		key := t.Insert("order", kit.Fields{"value": 1})[0].Key()
		seen.AddDistinct(t.Client, key)
		t.Delete("order", key)
	}
	given := t.NextIDs("order", 1)[0].Int() + 1
	t.Insert("order", kit.Fields{"id": given})
	t.Delete("order", given)
	seen.AddDistinct(t.Client, core.IntValue(given))
	recs := t.Insert("order", make([]kit.Fields, 100)...)
	seen.AddDistinct(t.Client, kit.KeysOf(recs)...)
}

func rolledBackKeysAreNotReused(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	for range 4 {
		err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			seen.AddDistinct(t.Client, tx.NextIDs("order", 2)...)
			seen.AddDistinct(t.Client, tx.Insert("order", kit.Fields{"value": 1})[0].Key())
			return kit.ErrRollback
		})
		if !errors.Is(err, kit.ErrRollback) {
			t.Fatalf("transaction: %v", err)
		}
	}
	seen.AddDistinct(t.Client, t.NextIDs("order", 2)...)
	seen.AddDistinct(t.Client, t.Insert("order", kit.Fields{"value": 1})[0].Key())
	kit.Equal(t.Client, "count", t.Count("order", core.All()), 1)
}

func allocatedKeysAreReserved(t *kit.Fixture) {
	for _, resource := range []string{"order", "person"} {
		seen := make(kit.ValueSet)
		seen.AddDistinct(t.Client, t.NextIDs(resource, 3)...)
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert(resource, nil, nil))...)
		t.Tx(func(tx *kit.Client) {
			seen.AddDistinct(t.Client, tx.NextIDs(resource, 1)...)
			seen.AddDistinct(t.Client, kit.KeysOf(tx.Insert(resource, nil))...)
			seen.AddDistinct(t.Client, tx.NextIDs(resource, 1)...)
		})
		seen.AddDistinct(t.Client, t.NextIDs(resource, 1)...)
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert(resource, nil))...)
	}
}

func allocatedKeysCanBeUsed(t *kit.Fixture) {
	for _, resource := range []string{"order", "person"} {
		ids := t.NextIDs(resource, 2)
		t.Insert(resource, nil) // generates a key between the two
		t.Insert(resource, kit.Fields{"id": ids[1]})
		t.Insert(resource, kit.Fields{"id": ids[0]})
		kit.Equal(t.Client, "count", t.Count(resource, core.All()), 3)
	}
}

func generatedKeysAvoidChosen(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	for range 5 {
		next := t.NextIDs("order", 1)[0].Int()
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", kit.Fields{"id": next + 1}, kit.Fields{"id": next + 3}))...)
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", nil, nil, nil))...)
	}
	t.Tx(func(tx *kit.Client) {
		next := tx.NextIDs("order", 1)[0].Int()
		seen.AddDistinct(t.Client, kit.KeysOf(tx.Insert("order", kit.Fields{"id": next + 2}))...)
		seen.AddDistinct(t.Client, tx.NextIDs("order", 3)...)
		seen.AddDistinct(t.Client, kit.KeysOf(tx.Insert("order", nil, nil))...)
	})
}

func chosenAndGeneratedInBatch(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	for _, layout := range []string{"k-", "-k", "--kkkkkk", "k-k-k-k-", "----k"} {
		next := t.NextIDs("order", 1)[0].Int()
		var batch []kit.Fields
		for _, c := range layout {
			if c == 'k' {
				next++ // the key that a sequence would generate
				batch = append(batch, kit.Fields{"id": next})
			} else {
				batch = append(batch, nil)
			}
		}
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", batch...))...)
	}
}

func nextIDsReturnsN(t *kit.Fixture) {
	for _, resource := range []string{"order", "person"} {
		seen := make(kit.ValueSet)
		for _, n := range []int{1, 2, 1000} {
			keys := t.NextIDs(resource, n)
			kit.Equal(t.Client, "type", keys[0].Type(), t.Resource(resource).Key().Type())
			seen.AddDistinct(t.Client, keys...)
		}
	}
}

func assignedKeysAreNotGenerated(t *kit.Fixture) {
	for resource, key := range map[string]any{"page": "a", "code": int64(1) << 60} {
		if r := t.Resource(resource); !t.Store.KeySource(r).Assigned {
			t.Errorf("%s: KeySource says that its keys are generated", r)
		}
		_, err := t.Querier.NextIDs(t.Ctx, t.Resource(resource), 1)
		t.FailsAs("next id", err, core.BadRequest)
		_, err = t.TryInsert(resource, kit.Fields{"title": "no key"})
		t.FailsAs("insert without key", err, core.BadRequest)
		_, err = t.TryInsert(resource, kit.Fields{t.Resource(resource).Key().Name(): key}, kit.Fields{"title": "no key"})
		t.FailsAs("insert of several, one without key", err, core.BadRequest)
		t.SameKeys("after", t.All(resource))
		t.Insert(resource, kit.Fields{t.Resource(resource).Key().Name(): key})
		t.SameKeys("with a key", t.All(resource), key)
	}
}

func keysIgnorePolicies(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	none := t.Guarded(core.None())
	seen.AddDistinct(t.Client, none.NextIDs("order", 2)...)
	seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", nil))...)
	seen.AddDistinct(t.Client, none.NextIDs("order", 2)...)
}

var chosenKeyRules = []rule{
	{
		"an uncommitted chosen key changes nothing",
		"If an Insert with a chosen key fails, or is not committed, later generated keys are the same as without it, except for gaps.",
		uncommittedKeysChangeNothing,
	},
	{
		"a committed chosen key is never generated",
		"A key that a committed transaction gave to a record is never generated, even if the record was deleted.",
		committedKeysAreKept,
	},
	{
		"a transaction does not generate its chosen keys",
		"A transaction may choose a block of keys and then let the backend generate further, different ones.",
		ownKeysAreKept,
	},
	{
		"an inserted key exists in its transaction",
		"An Insert with the key of a record that the same transaction has inserted is a CONFLICT, also if the backend generated that key.",
		insertedKeysExist,
	},
	{
		"a generated key that exists is replaced",
		"An Insert without a key succeeds although a concurrent transaction chose the next key.",
		conflictingKeysAreReplaced,
	},
}

// farBeyond is the distance of the chosen keys of these rules from the generated ones. It is larger than any gap that a
// backend may leave.
const farBeyond = 1 << 28

// rejectedInserts returns inserts with a chosen key that fail, by the reason.
func rejectedInserts(t *kit.Fixture, key int64) map[string]func() error {
	chosen := kit.Fields{"id": key}
	insert := func(c *kit.Client) error {
		_, err := c.TryInsert("order", chosen)
		return err
	}
	return map[string]func() error{
		"check": func() error { return insert(t.Guarded(core.Eq("value", 1))) },
		"check of a later record": func() error {
			_, err := t.Guarded(core.Eq("value", 1)).TryInsert("order", kit.Fields{"id": key, "value": 1}, nil)
			return err
		},
		"taken key beside it": func() error {
			_, err := t.TryInsert("order", chosen, kit.Fields{"id": 1})
			return err
		},
		"rollback": func() error {
			return t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return errors.Join(insert(tx), kit.ErrRollback) })
		},
		"later operation": func() error {
			return t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
				return errors.Join(insert(tx), tx.TryDelete("order", key+1))
			})
		},
		"integrity at commit": func() error {
			return t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
				_, err := tx.TryInsert("cookie", kit.Fields{"jar": 1_000})
				return errors.Join(insert(tx), err)
			})
		},
	}
}

func uncommittedKeysChangeNothing(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 1})
	chosen := t.NextIDs("order", 1)[0].Int() + farBeyond
	for name, rejected := range rejectedInserts(t, chosen) {
		if err := rejected(); err == nil {
			t.Fatalf("%s: the write succeeded", name)
		}
		if key := t.Insert("order", nil)[0].Key(); key.Int() >= chosen {
			t.Fatalf("%s: after the chosen key %d, the insert generated %s", name, chosen, key)
		}
		if key := t.NextIDs("order", 1)[0]; key.Int() >= chosen {
			t.Fatalf("%s: after the chosen key %d, NextIDs returned %s", name, chosen, key)
		}
	}
}

func committedKeysAreKept(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	generate := func() {
		t.Helper()
		seen.AddDistinct(t.Client, t.NextIDs("order", 3)...)
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", nil, nil))...)
	}
	chosen := t.NextIDs("order", 1)[0].Int() + 2
	seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", kit.Fields{"id": chosen}))...)
	generate()
	t.Tx(func(tx *kit.Client) {
		passing := tx.NextIDs("order", 1)[0].Int() + 3
		seen.AddDistinct(tx, kit.KeysOf(tx.Insert("order", kit.Fields{"id": passing}))...)
		tx.Delete("order", passing)
		seen.AddDistinct(tx, kit.KeysOf(tx.Insert("order", kit.Fields{"id": passing - 1}))...)
	})
	generate()
}

func ownKeysAreKept(t *kit.Fixture) {
	const block = 40 // more than the attempts of a transaction
	seen := make(kit.ValueSet)
	t.Tx(func(tx *kit.Client) {
		first := tx.NextIDs("order", 1)[0].Int() + 1
		var batch []kit.Fields
		for i := range int64(block) {
			batch = append(batch, kit.Fields{"id": first + i})
		}
		seen.AddDistinct(tx, kit.KeysOf(tx.Insert("order", batch...))...)
		tx.Delete("order", first+1)
		seen.AddDistinct(tx, kit.KeysOf(tx.Insert("order", nil, kit.Fields{"id": first + block + 1}, nil))...)
		seen.AddDistinct(tx, tx.NextIDs("order", 3)...)
		seen.AddDistinct(tx, kit.KeysOf(tx.Insert("order", nil))...)
	})
	seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", nil, nil))...)
	kit.Equal(t.Client, "count", t.Count("order", core.All()), block+5)
}

func insertedKeysExist(t *kit.Fixture) {
	for _, allocated := range []bool{false, true} {
		err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			next := tx.NextIDs("order", 1)[0]
			tx.Insert("order", kit.Fields{"id": next.Int() + 5}) // the transaction has chosen a key now
			key := next
			if allocated {
				tx.Insert("order", kit.Fields{"id": next})
			} else {
				key = tx.Insert("order", nil)[0].Key()
			}
			_, err := tx.TryInsert("order", kit.Fields{"id": key})
			return err
		})
		if !errors.Is(err, core.AlreadyExists) {
			t.Fatalf("second record with a key of the same transaction: got %v, want %v", err, core.AlreadyExists)
		}
	}
}

func conflictingKeysAreReplaced(t *kit.Fixture) {
	var chosen, generated core.Value
	inserted := make(chan error, 1)
	insert := func() {
		recs, err := t.TryInsert("order", nil)
		if err == nil {
			generated = recs[0].Key()
		}
		inserted <- err
	}
	var meanwhile sync.Once // the transaction may be repeated
	err := t.RetryTx(func(tx *kit.Client) error {
		keys, err := tx.Querier.NextIDs(tx.Ctx, tx.Resource("order"), 1)
		if err != nil {
			return err
		}
		chosen = core.IntValue(keys[0].Int() + 1)
		if _, err := tx.TryInsert("order", kit.Fields{"id": chosen}); err != nil {
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
		t.Fatalf("two records have the key %s", chosen)
	}
	kit.Equal(t.Client, "count", t.Count("order", core.All()), 2)
}
