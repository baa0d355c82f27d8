package storetest

import (
	"errors"

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
