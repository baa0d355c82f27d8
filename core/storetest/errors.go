package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

var errorRules = []row{
	{
		"errors carry API names",
		"Errors name resources and fields as clients know them.",
		errorsCarryAPINames,
	},
	{
		"not found names the first missing key",
		"OBJECT_DOES_NOT_EXIST has the resource and the first of the keys, in their order, that is not there.",
		firstMissingKey,
	},
	{
		"errors say nothing of the storage",
		"What a client sees of an error is its code and the details that the code has, and no other record's values. To the program a conflict has the value that is taken.",
		errorsSayNothing,
	},
	{
		"a transaction gets the error of its operation",
		"An operation that fails inside a transaction fails with the same error as outside.",
		sameErrorInside,
	},
	{
		"what did not happen is not called unknown",
		"core.ErrCommitUnknown is the error of commits that may have happened, not of operations that were refused, transactions that broke a rule, were rolled back or whose context ended before.",
		refusedIsKnown,
	},
	{
		"the store works after errors",
		"After any failed operation the next one works.",
		worksAfterErrors,
	},
}

// mistake is an operation that fails, with the error that it owes.
type mistake struct {
	what string
	try  func(*client) error
	want *core.Error
}

func mistakes(c *client) []mistake {
	return []mistake{
		{
			"key taken",
			func(c *client) error { _, err := c.tryInsert("jar", fields{"id": 1, "size": 987}); return err },
			&core.Error{Code: core.AlreadyExists, Resource: "Jar", Field: "Id", Value: core.IntValue(1)},
		},
		{
			"unique value taken",
			func(c *client) error { _, err := c.tryInsert("jar", fields{"id": 3, "label": "secret"}); return err },
			&core.Error{Code: core.AlreadyExists, Resource: "Jar", Field: "Label", Value: core.TextValue("secret")},
		},
		{
			"unique value taken by an update",
			func(c *client) error { _, err := c.tryUpdate("jar", fields{"id": 2, "label": "secret"}); return err },
			&core.Error{Code: core.AlreadyExists, Resource: "Jar", Field: "Label", Value: core.TextValue("secret")},
		},
		{
			"update of a missing record",
			func(c *client) error { _, err := c.tryUpdate("page", fields{"slug": "b"}); return err },
			&core.Error{Code: core.NotFound, Resource: "Page", Key: core.TextValue("b")},
		},
		{
			"delete of a missing record",
			func(c *client) error { return c.tryDelete("person", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11") },
			&core.Error{Code: core.NotFound, Resource: "Person", Key: c.key("person", "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11")},
		},
		{
			"missing target",
			func(c *client) error { _, err := c.tryUpdate("cookie", fields{"id": 1, "jar": -5}); return err },
			&core.Error{Code: core.NotFound, Resource: "Jar", Key: core.IntValue(-5)},
		},
		{
			"delete of a target",
			func(c *client) error { return c.tryDelete("jar", 1) },
			&core.Error{Code: core.FieldUpdateForbidden, Resource: "Cookie", Field: "InJar"},
		},
		{
			"insert that breaks a policy",
			func(c *client) error {
				_, err := c.guarded(core.Eq("size", 1)).tryInsert("jar", fields{"id": 9, "size": 2})
				return err
			},
			&core.Error{Code: core.Forbidden, Resource: "Jar"},
		},
		{
			"update that breaks a policy",
			func(c *client) error {
				_, err := c.under(core.All(), core.Eq("size", 1)).tryUpdate("jar", fields{"id": 1, "size": 2})
				return err
			},
			&core.Error{Code: core.Forbidden, Resource: "Jar"},
		},
	}
}

func fillForMistakes(t *trial) {
	t.insert("jar", fields{"id": 1, "label": "secret", "size": 1}, fields{"id": 2, "label": "other"})
	t.insert("cookie", fields{"id": 1, "jar": 1})
}

func errorsCarryAPINames(t *trial) {
	fillForMistakes(t)
	for _, m := range mistakes(t.client) {
		err := m.try(t.client)
		t.fails(m.what, err, m.want)
		e, ok := errors.AsType[*core.Error](err)
		if !ok || e.Resource != m.want.Resource || e.Field != m.want.Field || e.Key != m.want.Key {
			t.Fatalf("%s: got %#v, want %#v", m.what, e, m.want)
		}
	}
}

func firstMissingKey(t *trial) {
	t.insert("order", fields{"id": 2}, fields{"id": 4}, fields{"id": 10})
	for _, keys := range [][]any{{9, 2, 11, 4}, {11, 9}, {10, 9}} {
		t.fails(fmt.Sprint("delete of ", keys), t.tryDelete("order", keys...), t.res("order").NotFound(core.IntValue(9)))
		changes := make([]fields, len(keys))
		for i, k := range keys {
			changes[i] = fields{"id": k, "value": 1}
		}
		_, err := t.tryUpdate("order", changes...)
		t.fails(fmt.Sprint("update of ", keys), err, t.res("order").NotFound(core.IntValue(9)))
	}
}

func errorsSayNothing(t *trial) {
	fillForMistakes(t)
	for _, m := range mistakes(t.client) {
		e := core.AsError(m.try(t.client))
		if e == nil || e.Message != "" || e.Param != "" || e.Value != m.want.Value {
			t.Fatalf("%s: %#v does not have what its code allows, and nothing else", m.what, e)
		}
	}
}

func sameErrorInside(t *trial) {
	fillForMistakes(t)
	for _, m := range mistakes(t.client) {
		err := t.tryTx(core.TxOptions{}, m.try)
		t.fails(m.what, err, m.want)
	}
}

func refusedIsKnown(t *trial) {
	fillForMistakes(t)
	t.insert("cookie", fields{"id": 2})
	known := func(what string, err error) {
		t.Helper()
		if err == nil || errors.Is(err, core.ErrCommitUnknown) {
			t.Fatalf("%s: got %v, want an error that is not %v", what, err, core.ErrCommitUnknown)
		}
	}
	for _, m := range mistakes(t.client) {
		known(m.what, m.try(t.client))
		known(m.what+", and the transaction", t.tryTx(core.TxOptions{}, m.try))
	}
	known("rollback", t.tryTx(core.TxOptions{}, func(tx *client) error { writeEverywhere(tx); return errOnPurpose }))
	ctx, cancel := context.WithCancel(t.ctx)
	known("ended context", t.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		writeEverywhere(&client{TB: t.TB, ctx: ctx, model: t.model, querier: tx})
		cancel()
		return nil
	}))
	equal(t.client, "jars", t.count("jar", core.All()), 2)
}

func worksAfterErrors(t *trial) {
	fillForMistakes(t)
	for i, m := range mistakes(t.client) {
		if m.try(t.client) == nil {
			t.Fatalf("%s: no error", m.what)
		}
		t.insert("order", fields{"id": i})
		_ = t.store.Tx(t.ctx, func(context.Context, *core.Transaction) error { return errOnPurpose })
		equal(t.client, "count", t.count("order", core.All()), i+1)
	}
	equal(t.client, "jars", t.count("jar", core.All()), 2)
}
