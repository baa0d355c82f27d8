package storetest

import (
	"errors"

	"github.com/larder-go/larder/core"
)

var idRules = []row{
	{
		"insert without a key gets one",
		"A record without a key gets one of the right type that no other record has.",
		insertGetsKey,
	},
	{
		"ids of deleted records do not come again",
		"A key that a record had is not handed out again.",
		deletedIDsAreGone,
	},
	{
		"ids of rolled back transactions do not come again",
		"A key that was handed out in a transaction that rolled back is not handed out again.",
		rolledBackIDsAreGone,
	},
	{
		"promised ids come to nobody else",
		"A key that NextID handed out is neither handed out again nor given to a record without a key.",
		promisedIDsAreKept,
	},
	{
		"a promised id can be used",
		"A record may be inserted with a key that NextID handed out, and another transaction may do it.",
		promisedIDsCanBeUsed,
	},
	{
		"handed out ids keep clear of given ones",
		"No key is handed out that a record has whose key was given by its writer.",
		idsKeepClear,
	},
	{
		"a batch may mix given and missing keys",
		"The keys that an Insert hands out are none of those that its other records name.",
		mixedBatch,
	},
	{
		"as many ids as asked for",
		"NextID hands out N different keys of the key's type.",
		manyIDs,
	},
	{
		"assigned keys are not generated",
		"A resource whose key is a text, or declared to be assigned, has no next key: NextID, and an Insert without one, are BAD_REQUEST.",
		assignedKeysAreNotGenerated,
	},
	{
		"ids tell nothing of policies",
		"A policy has no influence on NextID.",
		idsIgnorePolicies,
	},
}

// fresh collects keys, none of which may come twice.
type fresh map[core.Value]bool

func (f fresh) add(c *client, keys ...core.Value) {
	c.Helper()
	for _, k := range keys {
		if f[k] {
			c.Fatalf("key %v came twice", k)
		}
		f[k] = true
	}
}

func keysIn(recs []core.Record) []core.Value {
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys
}

func insertGetsKey(t *trial) {
	for _, resource := range []string{"order", "person"} {
		seen := make(fresh)
		for n := range 4 {
			recs := t.insert(resource, make([]fields, n)...)
			seen.add(t.client, keysIn(recs)...)
			for _, rec := range recs {
				equal(t.client, "type of the key", rec.Key().Type(), t.res(resource).Key().Type())
				t.same("get", []core.Record{t.get(resource, rec.Key())}, rec)
			}
		}
		equal(t.client, "count", t.count(resource, core.All()), 6)
	}
}

func deletedIDsAreGone(t *trial) {
	seen := make(fresh)
	for range 5 {
		key := t.insert("order", fields{"value": 1})[0].Key()
		seen.add(t.client, key)
		t.delete("order", key)
	}
	given := t.nextIDs("order", 1)[0].Int() + 1
	t.insert("order", fields{"id": given})
	t.delete("order", given)
	seen.add(t.client, core.IntValue(given))
	recs := t.insert("order", make([]fields, 100)...)
	seen.add(t.client, keysIn(recs)...)
}

var errOnPurpose = errors.New("rolled back on purpose")

func rolledBackIDsAreGone(t *trial) {
	seen := make(fresh)
	for range 4 {
		err := t.tryTx(core.TxOptions{}, func(tx *client) error {
			seen.add(t.client, tx.nextIDs("order", 2)...)
			seen.add(t.client, tx.insert("order", fields{"value": 1})[0].Key())
			return errOnPurpose
		})
		if !errors.Is(err, errOnPurpose) {
			t.Fatalf("transaction: %v", err)
		}
	}
	seen.add(t.client, t.nextIDs("order", 2)...)
	seen.add(t.client, t.insert("order", fields{"value": 1})[0].Key())
	equal(t.client, "count", t.count("order", core.All()), 1)
}

func promisedIDsAreKept(t *trial) {
	for _, resource := range []string{"order", "person"} {
		seen := make(fresh)
		seen.add(t.client, t.nextIDs(resource, 3)...)
		seen.add(t.client, keysIn(t.insert(resource, nil, nil))...)
		t.tx(func(tx *client) {
			seen.add(t.client, tx.nextIDs(resource, 1)...)
			seen.add(t.client, keysIn(tx.insert(resource, nil))...)
			seen.add(t.client, tx.nextIDs(resource, 1)...)
		})
		seen.add(t.client, t.nextIDs(resource, 1)...)
		seen.add(t.client, keysIn(t.insert(resource, nil))...)
	}
}

func promisedIDsCanBeUsed(t *trial) {
	for _, resource := range []string{"order", "person"} {
		ids := t.nextIDs(resource, 2)
		t.insert(resource, nil) // somebody else in between
		t.insert(resource, fields{"id": ids[1]})
		t.insert(resource, fields{"id": ids[0]})
		equal(t.client, "count", t.count(resource, core.All()), 3)
	}
}

func idsKeepClear(t *trial) {
	seen := make(fresh)
	for range 5 {
		next := t.nextIDs("order", 1)[0].Int()
		seen.add(t.client, keysIn(t.insert("order", fields{"id": next + 1}, fields{"id": next + 3}))...)
		seen.add(t.client, keysIn(t.insert("order", nil, nil, nil))...)
	}
	t.tx(func(tx *client) {
		next := tx.nextIDs("order", 1)[0].Int()
		seen.add(t.client, keysIn(tx.insert("order", fields{"id": next + 2}))...)
		seen.add(t.client, tx.nextIDs("order", 3)...)
		seen.add(t.client, keysIn(tx.insert("order", nil, nil))...)
	})
}

func mixedBatch(t *trial) {
	seen := make(fresh)
	for _, shape := range []string{"k-", "-k", "--kkkkkk", "k-k-k-k-", "----k"} {
		next := t.nextIDs("order", 1)[0].Int()
		var batch []fields
		for _, c := range shape {
			if c == 'k' {
				next++ // what a sequence would hand out
				batch = append(batch, fields{"id": next})
			} else {
				batch = append(batch, nil)
			}
		}
		seen.add(t.client, keysIn(t.insert("order", batch...))...)
	}
}

func manyIDs(t *trial) {
	for _, resource := range []string{"order", "person"} {
		seen := make(fresh)
		for _, n := range []int{1, 2, 1000} {
			keys := t.nextIDs(resource, n)
			equal(t.client, "type", keys[0].Type(), t.res(resource).Key().Type())
			seen.add(t.client, keys...)
		}
	}
}

func assignedKeysAreNotGenerated(t *trial) {
	for resource, key := range map[string]any{"page": "a", "code": int64(1) << 60} {
		if r := t.res(resource); !t.store.KeySource(r).Assigned {
			t.Errorf("%s: the backend calls its keys generated", r)
		}
		_, err := t.querier.NextIDs(t.ctx, t.res(resource), 1)
		t.failsAs("next id", err, core.BadRequest)
		_, err = t.tryInsert(resource, fields{"title": "no key"})
		t.failsAs("insert without key", err, core.BadRequest)
		_, err = t.tryInsert(resource, fields{t.res(resource).Key().Name(): key}, fields{"title": "no key"})
		t.failsAs("insert of several, one without key", err, core.BadRequest)
		t.sameKeys("after", t.all(resource))
		t.insert(resource, fields{t.res(resource).Key().Name(): key})
		t.sameKeys("with a key", t.all(resource), key)
	}
}

func idsIgnorePolicies(t *trial) {
	seen := make(fresh)
	none := t.guarded(core.None())
	seen.add(t.client, none.nextIDs("order", 2)...)
	seen.add(t.client, keysIn(t.insert("order", nil))...)
	seen.add(t.client, none.nextIDs("order", 2)...)
}
