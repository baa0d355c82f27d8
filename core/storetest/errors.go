package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var errorRules = []rule{
	{
		"errors carry API names",
		"Errors name resources and fields by their API names.",
		errorsUseAPINames,
	},
	{
		"not found names the first missing key",
		"OBJECT_DOES_NOT_EXIST has the resource and the first missing key, in the order of the keys.",
		firstMissingKey,
	},
	{
		"errors hide the storage",
		"The public part of an error is its code with the details of that code. It has no values of other records. For the program, a conflict also has the value that exists already.",
		errorsHideStorage,
	},
	{
		"a transaction returns its operation's error",
		"An operation fails inside a transaction with the same error as outside.",
		sameErrorInside,
	},
	{
		"only commits have an unknown outcome",
		"core.ErrCommitUnknown is the error of a commit that may have happened. Rejected operations, violated rules, rollbacks and contexts that ended before the commit have other errors.",
		onlyCommitsAreUnknown,
	},
	{
		"the store works after errors",
		"After a failed operation the next one works.",
		worksAfterErrors,
	},
}

// failure is an operation that must fail with an error.
type failure struct {
	name string
	do   func(*kit.Client) error
	want *core.Error
}

func failures(c *kit.Client) []failure {
	return []failure{
		{
			"key taken",
			func(c *kit.Client) error { _, err := c.TryInsert("jar", kit.Fields{"id": 1, "size": 987}); return err },
			&core.Error{Code: core.AlreadyExists, Resource: "Jar", Field: "Id", Value: core.IntValue(1)},
		},
		{
			"unique value taken",
			func(c *kit.Client) error {
				_, err := c.TryInsert("jar", kit.Fields{"id": 3, "label": "secret"})
				return err
			},
			&core.Error{Code: core.AlreadyExists, Resource: "Jar", Field: "Label", Value: core.TextValue("secret")},
		},
		{
			"unique value taken by an update",
			func(c *kit.Client) error {
				_, err := c.TryUpdate("jar", kit.Fields{"id": 2, "label": "secret"})
				return err
			},
			&core.Error{Code: core.AlreadyExists, Resource: "Jar", Field: "Label", Value: core.TextValue("secret")},
		},
		{
			"values of a unique index taken",
			func(c *kit.Client) error {
				_, err := c.TryInsert("ticket", kit.Fields{"id": 3, "desk": 7, "number": 987})
				return err
			},
			&core.Error{
				Code: core.AlreadyExists, Resource: "Ticket", Fields: []string{"Desk", "number"},
				Value: core.ListOf(core.IntValue(7), core.IntValue(987)),
			},
		},
		{
			"update of a missing record",
			func(c *kit.Client) error { _, err := c.TryUpdate("page", kit.Fields{"slug": "b"}); return err },
			&core.Error{Code: core.NotFound, Resource: "Page", Key: core.TextValue("b")},
		},
		{
			"delete of a missing record",
			func(c *kit.Client) error { return c.TryDelete("person", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11") },
			&core.Error{Code: core.NotFound, Resource: "Person", Key: c.Key("person", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11")},
		},
		{
			"missing target",
			func(c *kit.Client) error { _, err := c.TryUpdate("cookie", kit.Fields{"id": 1, "jar": -5}); return err },
			&core.Error{Code: core.NotFound, Resource: "Jar", Key: core.IntValue(-5)},
		},
		{
			"delete of a target",
			func(c *kit.Client) error { return c.TryDelete("jar", 1) },
			&core.Error{Code: core.StillReferenced, Resource: "Jar", Field: "Cookies"},
		},
		{
			"insert that breaks a policy",
			func(c *kit.Client) error {
				_, err := c.Guarded(core.Eq("size", 1)).TryInsert("jar", kit.Fields{"id": 9, "size": 2})
				return err
			},
			&core.Error{Code: core.Forbidden, Resource: "Jar"},
		},
		{
			"update that breaks a policy",
			func(c *kit.Client) error {
				_, err := c.GuardedBy(core.All(), core.Eq("size", 1)).TryUpdate("jar", kit.Fields{"id": 1, "size": 2})
				return err
			},
			&core.Error{Code: core.Forbidden, Resource: "Jar"},
		},
	}
}

func fillForFailures(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "label": "secret", "size": 1}, kit.Fields{"id": 2, "label": "other"})
	t.Insert("cookie", kit.Fields{"id": 1, "jar": 1})
	t.Insert("ticket", kit.Fields{"id": 1, "desk": 7, "number": 987})
}

func errorsUseAPINames(t *kit.Fixture) {
	fillForFailures(t)
	for _, m := range failures(t.Client) {
		err := m.do(t.Client)
		t.Fails(m.name, err, m.want)
		e, ok := errors.AsType[*core.Error](err)
		if !ok || e.Resource != m.want.Resource || e.Field != m.want.Field || e.Key != m.want.Key {
			t.Fatalf("%s: got %#v, want %#v", m.name, e, m.want)
		}
	}
}

func firstMissingKey(t *kit.Fixture) {
	t.Insert("order", kit.Fields{"id": 2}, kit.Fields{"id": 4}, kit.Fields{"id": 10})
	for _, keys := range [][]any{{9, 2, 11, 4}, {11, 9}, {10, 9}} {
		t.Fails(fmt.Sprint("delete of ", keys), t.TryDelete("order", keys...), t.Resource("order").NotFound(core.IntValue(9)))
		changes := make([]kit.Fields, len(keys))
		for i, k := range keys {
			changes[i] = kit.Fields{"id": k, "value": 1}
		}
		_, err := t.TryUpdate("order", changes...)
		t.Fails(fmt.Sprint("update of ", keys), err, t.Resource("order").NotFound(core.IntValue(9)))
	}
}

func errorsHideStorage(t *kit.Fixture) {
	fillForFailures(t)
	for _, m := range failures(t.Client) {
		e := core.AsError(m.do(t.Client))
		if e == nil || e.Message != "" || e.Param != "" || e.Value != m.want.Value {
			t.Fatalf("%s: %#v must have the details of its code and no others", m.name, e)
		}
	}
}

func sameErrorInside(t *kit.Fixture) {
	fillForFailures(t)
	for _, m := range failures(t.Client) {
		err := t.TryTx(core.TxOptions{}, m.do)
		t.Fails(m.name, err, m.want)
	}
}

func onlyCommitsAreUnknown(t *kit.Fixture) {
	fillForFailures(t)
	t.Insert("cookie", kit.Fields{"id": 2})
	known := func(label string, err error) {
		t.Helper()
		if err == nil || errors.Is(err, core.ErrCommitUnknown) {
			t.Fatalf("%s: got %v, want an error that is not %v", label, err, core.ErrCommitUnknown)
		}
	}
	for _, m := range failures(t.Client) {
		known(m.name, m.do(t.Client))
		known(m.name+", and the transaction", t.TryTx(core.TxOptions{}, m.do))
	}
	known("rollback", t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { writeAllKinds(tx); return kit.ErrRollback }))
	ctx, cancel := context.WithCancel(t.Ctx)
	known("ended context", t.Store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		writeAllKinds(&kit.Client{TB: t.TB, Ctx: ctx, Model: t.Model, Querier: tx})
		cancel()
		return nil
	}))
	kit.Equal(t.Client, "jars", t.Count("jar", core.All()), 2)
}

func worksAfterErrors(t *kit.Fixture) {
	fillForFailures(t)
	for i, m := range failures(t.Client) {
		if m.do(t.Client) == nil {
			t.Fatalf("%s: no error", m.name)
		}
		t.Insert("order", kit.Fields{"id": i})
		_ = t.Store.Tx(t.Ctx, func(context.Context, *core.Transaction) error { return kit.ErrRollback })
		kit.Equal(t.Client, "count", t.Count("order", core.All()), i+1)
	}
	kit.Equal(t.Client, "jars", t.Count("jar", core.All()), 2)
}
