package storetest

import (
	"errors"

	"github.com/larder-go/larder/core"
)

var durabilityRules = []row{
	{
		"what was committed is there after a restart",
		"Every record of every acknowledged transaction reads the same when the backend is opened again.",
		committedSurvives,
	},
	{
		"what was not committed is not",
		"Nothing of a transaction that rolled back, or whose commit failed, is there when the backend is opened again.",
		uncommittedDoesNot,
	},
	{
		"ids do not come again after a restart",
		"No key is handed out that a record had or was promised before the backend was opened again.",
		idsAfterRestart,
	},
	{
		"rules hold after a restart",
		"Keys, unique values and relations of before are known when the backend is opened again.",
		rulesAfterRestart,
	},
	{
		"an empty backend opens again",
		"A backend that nothing was written to can be opened again, any number of times.",
		emptyOpensAgain,
	},
}

func committedSurvives(t *trial) {
	for typ := core.Int; typ.Valid(); typ++ {
		for i, v := range samples(typ) {
			t.insert("sample", fields{"id": int(typ)*100 + i, typ.String(): v})
		}
	}
	t.update("sample", fields{"id": 100, "text": "changed"}, fields{"id": 101, "int": nil})
	t.delete("sample", 102, 200)
	t.insert("page", fields{"slug": "a", "parent": "a"})
	t.insert("person", nil, nil)
	resources := t.model.Resources()
	before := make([][]core.Record, len(resources))
	for i, r := range resources {
		before[i] = t.all(r.Name())
	}
	for range 2 {
		t.reopen()
		for i, r := range resources {
			t.same(r.Name(), t.all(r.Name()), before[i]...)
		}
	}
}

func uncommittedDoesNot(t *trial) {
	before := t.insert("cookie", fields{"id": 1, "kind": "a"}, fields{"id": 2, "kind": "a"})
	err := t.tryTx(core.TxOptions{}, func(tx *client) error { writeEverywhere(tx); return errOnPurpose })
	if !errors.Is(err, errOnPurpose) {
		t.Fatalf("transaction: %v", err)
	}
	if _, err := t.tryInsert("cookie", fields{"id": 3}, fields{"id": 4, "jar": 5}); err == nil {
		t.Fatalf("insert without target did not fail")
	}
	t.reopen()
	t.same("cookies", t.all("cookie"), before...)
	t.sameKeys("jars", t.all("jar"))
}

func idsAfterRestart(t *trial) {
	seen := make(fresh)
	for range 3 {
		seen.add(t.client, keysIn(t.insert("order", nil, nil))...)
		last := t.insert("order", nil)[0].Key()
		seen.add(t.client, last)
		t.delete("order", last)
		seen.add(t.client, t.nextIDs("order", 2)...)
		_ = t.tryTx(core.TxOptions{}, func(tx *client) error {
			seen.add(t.client, tx.nextIDs("order", 2)...)
			return errOnPurpose
		})
		t.reopen()
	}
	seen.add(t.client, t.nextIDs("order", 5)...)
}

func rulesAfterRestart(t *trial) {
	t.insert("jar", fields{"id": 1, "label": "a"}, fields{"id": 2, "label": "b"})
	t.insert("cookie", fields{"id": 1, "jar": 1, "kind": "k"}, fields{"id": 2, "kind": "k"}, fields{"id": 3})
	t.delete("jar", 2)
	t.reopen()
	_, err := t.tryInsert("jar", fields{"id": 1})
	t.fails("insert of a taken key", err, t.res("jar").Key().AlreadyExists())
	_, err = t.tryInsert("jar", fields{"id": 3, "label": "a"})
	t.fails("insert of a taken value", err, t.res("jar").Field("label").AlreadyExists())
	_, err = t.tryUpdate("cookie", fields{"id": 2, "jar": 2})
	t.fails("update to a deleted target", err, t.res("jar").NotFound(core.IntValue(2)))
	t.fails("delete of a target", t.tryDelete("jar", 1), t.res("cookie").Field("jar").StillReferenced())
	t.sameKeys("by an indexed field", t.where("cookie", core.Eq("kind", "k")), 1, 2)
	t.sameKeys("by a relation", t.where("cookie", core.Eq("jar", 1)), 1)
	t.insert("jar", fields{"id": 2, "label": "b"})
}

func emptyOpensAgain(t *trial) {
	for range 3 {
		t.reopen()
		t.sameKeys("cookies", t.all("cookie"))
	}
	t.insert("cookie", fields{"id": 1})
	t.reopen()
	t.sameKeys("cookies", t.all("cookie"), 1)
}
