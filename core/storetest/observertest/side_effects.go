package observertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// step is an operation or a transaction, with a check of its side effects.
type step struct {
	name string
	do   func(t *effectsRun)
	want []string // kinds of the ops in the order in which they end; nil: not checked
}

// effectsRun is a store with the stack, on which the steps run.
type effectsRun struct {
	*kit.Fixture

	monitor *monitor
}

var (
	errBackend = errors.New("storetest: the backend is broken")
	alice      = &core.Principal{ID: core.TextValue("alice"), Roles: []string{"baker"}}
)

var baseSteps = []step{
	{"insert", func(t *effectsRun) {
		t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "kind": "a"})
	}, []string{"insert"}},
	{"insert of an existing key", func(t *effectsRun) { t.ignore(t.TryInsert("cookie", kit.Fields{"id": 1})) }, []string{"insert"}},
	{"load", func(t *effectsRun) { t.Load("cookie", 1, 2, 9) }, []string{"load"}},
	{"get of a missing record", func(t *effectsRun) { t.ignore(t.TryGet("cookie", 9)) }, []string{"load"}},
	{"select", func(t *effectsRun) { t.All("cookie") }, []string{"select"}},
	{"select of a page", func(t *effectsRun) {
		t.Page("cookie", core.Query{Limit: 2, Order: []string{"-kind"}, Fields: []string{"note"}})
	}, []string{"select"}},
	{"select without a result", func(t *effectsRun) { t.Where("cookie", core.Eq("kind", "z")) }, []string{"select"}},
	{"count", func(t *effectsRun) { t.Count("cookie", core.Eq("kind", "a")) }, []string{"count"}},
	{"count through a relation", func(t *effectsRun) { t.Count("cookie", core.Related("jar", core.Eq("label", "a"))) }, []string{"count"}},
	{"select in the order of a related field", func(t *effectsRun) { t.Find("cookie", core.Query{Order: []string{"jar.label"}}) }, []string{"select"}},
	{"update", func(t *effectsRun) {
		t.Update("cookie", kit.Fields{"id": 1, "note": "x"}, kit.Fields{"id": 2, "note": "y"})
	}, []string{"update"}},
	{"replacement", func(t *effectsRun) {
		cookie := t.Resource("cookie")
		t.ignore(t.Querier.Replace(t.Ctx, cookie, []*core.Field{cookie.Field("note")}, t.Record("cookie", kit.Fields{"id": 1, "note": nil})))
	}, []string{"update"}},
	{"update of a missing record", func(t *effectsRun) { t.ignore(t.TryUpdate("cookie", kit.Fields{"id": 9, "note": "x"})) }, []string{"update"}},
	{"next ids", func(t *effectsRun) { t.NextIDs("cookie", 3) }, []string{"next_id"}},
	{"next ids of assigned keys", func(t *effectsRun) { t.ignore(t.Querier.NextIDs(t.Ctx, t.Resource("page"), 1)) }, []string{"next_id"}},
	{"delete of a missing record", func(t *effectsRun) { t.ignore(0, t.TryDelete("cookie", 9)) }, []string{"delete"}},
	{"delete", func(t *effectsRun) { t.Delete("cookie", 2, 3) }, []string{"delete"}},
	{"under a policy", func(t *effectsRun) {
		t.ignore(t.Guarded(core.Eq("kind", "z")).TryUpdate("cookie", kit.Fields{"id": 1}))
	}, []string{"load", "update"}}, // the store looks whether the caller can read the record
	{"an operation that the store rejects", func(t *effectsRun) { t.ignore(t.Querier.Count(t.Ctx, t.Resource("cookie"), core.Eq("nothing", 1))) }, []string{}},
	{"for a principal", func(t *effectsRun) { t.With(core.WithPrincipal(t.Ctx, alice)).Count("jar", core.All()) }, []string{"count"}},
	{"for the system", func(t *effectsRun) { t.With(core.System(t.Ctx)).Count("jar", core.All()) }, []string{"count"}},
	{"a transaction", func(t *effectsRun) {
		t.Tx(func(tx *kit.Client) {
			tx.Insert("jar", kit.Fields{"id": 1})
			tx.Update("cookie", kit.Fields{"id": 1, "jar": 1})
			tx.All("jar")
		})
	}, []string{"insert", "update", "select", "tx"}},
	{"an empty transaction", func(t *effectsRun) { t.Tx(func(*kit.Client) {}) }, []string{"tx"}},
	{"a read-only transaction", func(t *effectsRun) {
		t.ignore(0, t.TryTx(core.TxOptions{ReadOnly: true}, func(tx *kit.Client) error { tx.All("jar"); return second(tx.TryInsert("jar", kit.Fields{"id": 7})) }))
	}, []string{"select", "insert", "tx"}},
	{"a transaction that rolls back", func(t *effectsRun) {
		t.ignore(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { tx.Delete("cookie", 1); return kit.ErrRollback }))
	}, []string{"delete", "tx"}},
	{"a commit that fails", func(t *effectsRun) {
		t.ignore(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return second(tx.TryUpdate("cookie", kit.Fields{"id": 1, "jar": 99})) }))
	}, nil}, // a backend may detect it before the commit
	{"the final operation of a transaction", func(t *effectsRun) {
		t.ignore(0, t.Store.Tx(t.Ctx, func(ctx context.Context, tx *core.Transaction) error {
			return second(tx.Final().Count(ctx, t.Resource("jar"), core.All()))
		}))
	}, []string{"count", "tx"}},
	{"a transaction of a principal with an operation of the system", func(t *effectsRun) {
		t.ignore(0, t.Store.Tx(core.WithPrincipal(t.Ctx, alice), func(ctx context.Context, tx *core.Transaction) error {
			return second(tx.Count(core.System(ctx), t.Resource("jar"), core.All()))
		}))
	}, []string{"count", "tx"}},
	{"a conflict", func(t *effectsRun) { t.failNext(core.ErrConflict); t.Count("jar", core.All()) }, []string{"count", "count"}},
	{"a transaction that conflicts", func(t *effectsRun) {
		t.failNext(fmt.Errorf("wrapped: %w", core.ErrConflict))
		t.Tx(func(tx *kit.Client) { _ = second(tx.Querier.Count(tx.Ctx, tx.Resource("jar"), core.All())) })
	}, nil}, // the function ignores the error, so the transaction continues
	{"a repeated transaction", func(t *effectsRun) {
		t.failNext(core.ErrConflict)
		t.ignore(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return second(tx.Querier.Count(tx.Ctx, tx.Resource("jar"), core.All())) }))
	}, []string{"count", "tx", "count", "tx"}},
	{"an operation after a failed one", func(t *effectsRun) {
		t.ignore(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			_ = second(tx.TryInsert("jar", kit.Fields{"id": 1}))
			return second(tx.TryGet("jar", 1))
		}))
	}, []string{"insert", "load", "tx"}},
	{"a context that has ended", func(t *effectsRun) {
		ctx, cancel := context.WithCancel(t.Ctx)
		cancel()
		t.ignore(t.Querier.Count(ctx, t.Resource("jar"), core.All()))
	}, []string{"count"}},
	{"a panic of the backend", func(t *effectsRun) {
		t.monitor.fault = func(*core.Op) error { panic(errBackend) }
		t.expectPanic(func() { t.ignore(t.Querier.Count(t.Ctx, t.Resource("jar"), core.All())) })
	}, []string{"count"}},
	{"a panic in a transaction", func(t *effectsRun) {
		t.expectPanic(func() { t.ignore(0, t.TryTx(core.TxOptions{}, func(*kit.Client) error { panic(errBackend) })) })
	}, []string{"tx"}},
}

func second[T any](_ T, err error) error { return err }

// faults returns errors for the backend to return.
func faults() []error {
	all := []error{
		errBackend, fmt.Errorf("wrapped: %w", errBackend), context.Canceled, context.DeadlineExceeded, core.ErrCommitUnknown, core.ErrClosed,
		core.Forbidden, fmt.Errorf("wrapped: %w", &core.Error{Code: core.NotFound, Resource: "jar", Key: core.IntValue(1)}),
	}
	for _, code := range []core.Code{
		core.NotFound, core.AlreadyExists, core.BadFieldValue, core.FieldUpdateForbidden, core.StillReferenced, core.Forbidden, core.Unauthorized, core.ReadOnly,
		core.BadRequest, core.TooManyRequests, core.TooLarge, core.Unavailable, core.OutcomeUnknown, core.QueryTooExpensive, core.ServerError, core.PreconditionFailed,
	} {
		all = append(all, &core.Error{Code: code, Resource: "jar", Field: "label", Message: "secret", Cause: errBackend})
	}
	return all
}

// allSteps returns the base steps, and two steps for each fault.
func allSteps() []step {
	all := slices.Clone(baseSteps)
	for _, fault := range faults() {
		name := "a backend that fails: " + fault.Error()
		count := func(s core.Querier, t *effectsRun) error {
			return second(s.Count(t.Ctx, t.Resource("jar"), core.All()))
		}
		all = append(all,
			step{name, func(t *effectsRun) { t.failNext(fault); t.ignore(0, count(t.Querier, t)) }, []string{"count"}},
			step{name + ", in a transaction", func(t *effectsRun) {
				t.failNext(fault)
				t.ignore(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return second(tx.Querier.Count(tx.Ctx, tx.Resource("jar"), core.All())) }))
			}, []string{"count", "tx"}})
	}
	return all
}

// ignore ignores the result of a step.
func (t *effectsRun) ignore(any, error) {}

// failNext makes the next operation fail with the error.
func (t *effectsRun) failNext(err error) { t.monitor.fault = func(*core.Op) error { return err } }

// expectPanic reports an error unless fn panics with the backend's value.
func (t *effectsRun) expectPanic(fn func()) {
	t.Helper()
	defer func() {
		if p := recover(); p != any(errBackend) {
			t.Errorf("the stack changed the panic to %v", p)
		}
	}()
	fn()
}
