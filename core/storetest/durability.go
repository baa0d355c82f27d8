package storetest

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var durabilityRules = []rule{
	{
		"committed writes survive a restart",
		"Every record of every acknowledged transaction reads the same when the backend is opened again.",
		committedSurvives,
	},
	{
		"uncommitted writes do not survive a restart",
		"No write of a transaction that rolled back, or whose commit failed, is there when the backend is opened again.",
		uncommittedDoesNot,
	},
	{
		"keys are not generated again after a restart",
		"A key that a record had, or that NextID returned, is not generated after the backend is opened again.",
		idsAfterRestart,
	},
	{
		"integrity holds after a restart",
		"Keys, unique values and references written earlier are checked when the backend is opened again.",
		rulesAfterRestart,
	},
	{
		"an empty backend can be reopened",
		"A backend without writes can be opened again, any number of times.",
		emptyOpensAgain,
	},
}

func committedSurvives(t *kit.Fixture) {
	for _, typ := range core.Types() {
		for i, v := range samples(typ) {
			t.Insert("sample", kit.Fields{"id": int(typ)*100 + i, typ.String(): v})
		}
	}
	t.Update("sample", kit.Fields{"id": 100, "text": "changed"}, kit.Fields{"id": 101, "int": nil})
	t.Delete("sample", 102, 200)
	t.Insert("page", kit.Fields{"slug": "a", "parent": "a"})
	t.Insert("person", nil, nil)
	t.Insert("order", kit.Fields{"id": 1})
	t.Insert("line", kit.Fields{"order": 1, "number": 2}, kit.Fields{"order": 1, "number": 10}, kit.Fields{"order": 1, "number": 3})
	t.Insert("mark", kit.Fields{"line": "1,10", "page": "a"})
	t.Insert("parcel", kit.Fields{"id": 1, "line": "1,10", "spare": "1,2"}, kit.Fields{"id": 2, "order": 1})
	t.Update("parcel", kit.Fields{"id": 2, "line_number": 2})
	t.Update("line", kit.Fields{"key": "1,10", "text": "changed"})
	t.Delete("line", "1,3")
	resources := t.Model.Resources()
	before := make([][]core.Record, len(resources))
	for i, r := range resources {
		before[i] = t.All(r.Name())
	}
	for range 2 {
		t.Reopen()
		for i, r := range resources {
			t.Same(r.Name(), t.All(r.Name()), before[i]...)
		}
	}
}

func uncommittedDoesNot(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"})
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { writeAllKinds(tx); return kit.ErrRollback })
	if !errors.Is(err, kit.ErrRollback) {
		t.Fatalf("transaction: %v", err)
	}
	if _, err := t.TryInsert("cookie", kit.Fields{"id": 3}, kit.Fields{"id": 4, "jar": 5}); err == nil {
		t.Fatalf("insert without target did not fail")
	}
	t.Reopen()
	t.Same("cookies", t.All("cookie"), before...)
	t.SameKeys("jars", t.All("jar"))
}

func idsAfterRestart(t *kit.Fixture) {
	seen := make(kit.ValueSet)
	for range 3 {
		seen.AddDistinct(t.Client, kit.KeysOf(t.Insert("order", nil, nil))...)
		last := t.Insert("order", nil)[0].Key()
		seen.AddDistinct(t.Client, last)
		t.Delete("order", last)
		seen.AddDistinct(t.Client, t.NextIDs("order", 2)...)
		_ = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			seen.AddDistinct(t.Client, tx.NextIDs("order", 2)...)
			return kit.ErrRollback
		})
		t.Reopen()
	}
	seen.AddDistinct(t.Client, t.NextIDs("order", 5)...)
}

func rulesAfterRestart(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2, "label": "b"})
	t.Insert("cookie", kit.Fields{"id": 1, "jar": 1, "kind": "k"}, kit.Fields{"id": 2, "kind": "k"}, kit.Fields{"id": 3})
	t.Delete("jar", 2)
	t.Reopen()
	_, err := t.TryInsert("jar", kit.Fields{"id": 1})
	t.Fails("insert of a taken key", err, t.Resource("jar").Key().AlreadyExists())
	_, err = t.TryInsert("jar", kit.Fields{"id": 3, "label": "a"})
	t.Fails("insert of a taken value", err, t.Resource("jar").Field("label").AlreadyExists())
	_, err = t.TryUpdate("cookie", kit.Fields{"id": 2, "jar": 2})
	t.Fails("update to a deleted target", err, t.Resource("jar").NotFound(core.IntValue(2)))
	t.Fails("delete of a target", t.TryDelete("jar", 1), t.Resource("cookie").Field("jar").StillReferenced())
	t.SameKeys("by an indexed field", t.Where("cookie", core.Eq("kind", "k")), 1, 2)
	t.SameKeys("by a relation", t.Where("cookie", core.Eq("jar", 1)), 1)
	t.Insert("jar", kit.Fields{"id": 2, "label": "b"})
}

func emptyOpensAgain(t *kit.Fixture) {
	for range 3 {
		t.Reopen()
		t.SameKeys("cookies", t.All("cookie"))
	}
	t.Insert("cookie", kit.Fields{"id": 1})
	t.Reopen()
	t.SameKeys("cookies", t.All("cookie"), 1)
}

var closingRules = []rule{
	{
		"a closed store rejects operations",
		"After Close, every operation and a second Close fail with core.ErrClosed, which is UNAVAILABLE.",
		closedDoesNothing,
	},
	{
		"a closed backend begins no transaction",
		"Begin after Close fails with core.ErrClosed: the store may call it just after it was closed.",
		closedBeginsNothing,
	},
	{
		"ping reports whether the backend is usable",
		"Ping returns nil while the backend is open, the error of the context if that has ended, and core.ErrClosed after Close.",
		pingReports,
	},
	{
		"close does not wait for transactions",
		"Close returns while transactions are open. They then commit, or fail as UNAVAILABLE.",
		closingDoesNotWait,
	},
}

func closedDoesNothing(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	closed := func(label string, err error) {
		t.Helper()
		t.FailsAs(label, err, core.Unavailable)
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("%s: got %v, want %v", label, err, core.ErrClosed)
		}
	}
	for i, try := range endedOperations() {
		closed(operationNames[i], try(t.Client))
	}
	closed("transaction", t.TryTx(core.TxOptions{}, func(*kit.Client) error { return nil }))
	closed("close", t.Store.Close())
}

func closedBeginsNothing(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1})
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for _, opts := range []core.BackendTxOptions{{}, {ReadOnly: true}, {Single: true}, {ReadOnly: true, Single: true}} {
		tx, err := t.Backend.Begin(t.Ctx, opts)
		if err == nil {
			_ = tx.Rollback(t.Ctx)
		}
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("begin with %+v: got %v, want %v", opts, err, core.ErrClosed)
		}
	}
}

func pingReports(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1})
	if err := t.Store.Ping(t.Ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	ended, cancel := context.WithCancel(t.Ctx)
	cancel()
	if err := t.Store.Ping(ended); !errors.Is(err, context.Canceled) || !errors.Is(err, core.Unavailable) {
		t.Fatalf("ping with a context that ended: got %v, want %v", err, context.Canceled)
	}
	if err := t.Store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for label, err := range map[string]error{"store": t.Store.Ping(t.Ctx), "backend": t.Backend.Ping(t.Ctx)} {
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("ping of a closed %s: got %v, want %v", label, err, core.ErrClosed)
		}
	}
}

func closingDoesNotWait(t *kit.Fixture) {
	closed := make(chan error, 1)
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		if _, err := tx.TryInsert("cookie", kit.Fields{"id": 1}); err != nil {
			return err
		}
		go func() { closed <- t.Store.Close() }()
		select {
		case err := <-closed:
			return err
		case <-tx.Ctx.Done():
			return context.Cause(tx.Ctx)
		}
	})
	switch {
	case t.Ctx.Err() != nil:
		t.Fatalf("close waits for the transaction")
	case err != nil:
		t.FailsAs("transaction", err, core.Unavailable)
	}
}
