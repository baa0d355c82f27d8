package observertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// effect is a step whose side effects are looked at.
type effect struct {
	name string
	do   func(t *effects)
	want []string // the kinds that pass, in the order in which they end; nil if it does not matter
}

// effects is a store on which the steps are taken.
type effects struct {
	*kit.Fixture

	watch *watch
}

var (
	errBroken = errors.New("storetest: the backend is broken")
	somebody  = &core.Principal{ID: core.TextValue("alice"), Roles: []string{"baker"}}
)

var effectSteps = []effect{
	{"insert", func(t *effects) {
		t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "kind": "a"})
	}, []string{"insert"}},
	{"insert of what is taken", func(t *effects) { t.any(t.TryInsert("cookie", kit.Fields{"id": 1})) }, []string{"insert"}},
	{"load", func(t *effects) { t.Load("cookie", 1, 2, 9) }, []string{"load"}},
	{"get of a missing one", func(t *effects) { t.any(t.TryGet("cookie", 9)) }, []string{"load"}},
	{"select", func(t *effects) { t.All("cookie") }, []string{"select"}},
	{"select of a page", func(t *effects) {
		t.Page("cookie", core.Query{Limit: 2, Order: []string{"-kind"}, Fields: []string{"note"}})
	}, []string{"select"}},
	{"select of nothing", func(t *effects) { t.Where("cookie", core.Eq("kind", "z")) }, []string{"select"}},
	{"count", func(t *effects) { t.Count("cookie", core.Eq("kind", "a")) }, []string{"count"}},
	{"update", func(t *effects) {
		t.Update("cookie", kit.Fields{"id": 1, "note": "x"}, kit.Fields{"id": 2, "note": "y"})
	}, []string{"update"}},
	{"update of a missing one", func(t *effects) { t.any(t.TryUpdate("cookie", kit.Fields{"id": 9, "note": "x"})) }, []string{"update"}},
	{"next ids", func(t *effects) { t.NextIDs("cookie", 3) }, []string{"next_id"}},
	{"next ids that do not exist", func(t *effects) { t.any(t.Querier.NextIDs(t.Ctx, t.Res("page"), 1)) }, []string{"next_id"}},
	{"delete of a missing one", func(t *effects) { t.any(0, t.TryDelete("cookie", 9)) }, []string{"delete"}},
	{"delete", func(t *effects) { t.Delete("cookie", 2, 3) }, []string{"delete"}},
	{"under a policy", func(t *effects) { t.any(t.Guarded(core.Eq("kind", "z")).TryUpdate("cookie", kit.Fields{"id": 1})) }, []string{"update"}},
	{"what the store refuses", func(t *effects) { t.any(t.Querier.Count(t.Ctx, t.Res("cookie"), core.Eq("nothing", 1))) }, []string{}},
	{"for somebody", func(t *effects) { t.With(core.WithPrincipal(t.Ctx, somebody)).Count("jar", core.All()) }, []string{"count"}},
	{"for the program", func(t *effects) { t.With(core.System(t.Ctx)).Count("jar", core.All()) }, []string{"count"}},
	{"a transaction", func(t *effects) {
		t.Tx(func(tx *kit.Client) {
			tx.Insert("jar", kit.Fields{"id": 1})
			tx.Update("cookie", kit.Fields{"id": 1, "jar": 1})
			tx.All("jar")
		})
	}, []string{"insert", "update", "select", "tx"}},
	{"an empty transaction", func(t *effects) { t.Tx(func(*kit.Client) {}) }, []string{"tx"}},
	{"a transaction that reads", func(t *effects) {
		t.any(0, t.TryTx(core.TxOptions{ReadOnly: true}, func(tx *kit.Client) error { tx.All("jar"); return second(tx.TryInsert("jar", kit.Fields{"id": 7})) }))
	}, []string{"select", "insert", "tx"}},
	{"a transaction that rolls back", func(t *effects) {
		t.any(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { tx.Delete("cookie", 1); return kit.ErrRollback }))
	}, []string{"delete", "tx"}},
	{"a commit that fails", func(t *effects) {
		t.any(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return second(tx.TryUpdate("cookie", kit.Fields{"id": 1, "jar": 99})) }))
	}, nil}, // a backend may find out earlier
	{"the last of a transaction", func(t *effects) {
		t.any(0, t.Store.Tx(t.Ctx, func(ctx context.Context, tx *core.Transaction) error {
			return second(tx.Final().Count(ctx, t.Res("jar"), core.All()))
		}))
	}, []string{"count", "tx"}},
	{"a transaction for somebody, with an operation of the program's", func(t *effects) {
		t.any(0, t.Store.Tx(core.WithPrincipal(t.Ctx, somebody), func(ctx context.Context, tx *core.Transaction) error {
			return second(tx.Count(core.System(ctx), t.Res("jar"), core.All()))
		}))
	}, []string{"count", "tx"}},
	{"a conflict", func(t *effects) { t.breaks(core.ErrConflict); t.Count("jar", core.All()) }, []string{"count", "count"}},
	{"a transaction that conflicts", func(t *effects) {
		t.breaks(fmt.Errorf("wrapped: %w", core.ErrConflict))
		t.Tx(func(tx *kit.Client) { _ = second(tx.Querier.Count(tx.Ctx, tx.Res("jar"), core.All())) })
	}, nil}, // the error was lost, so the transaction went on
	{"a transaction that is repeated", func(t *effects) {
		t.breaks(core.ErrConflict)
		t.any(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return second(tx.Querier.Count(tx.Ctx, tx.Res("jar"), core.All())) }))
	}, []string{"count", "tx", "count", "tx"}},
	{"an operation after one that failed", func(t *effects) {
		t.any(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			_ = second(tx.TryInsert("jar", kit.Fields{"id": 1}))
			return second(tx.TryGet("jar", 1))
		}))
	}, []string{"insert", "load", "tx"}},
	{"a context that has ended", func(t *effects) {
		ctx, cancel := context.WithCancel(t.Ctx)
		cancel()
		t.any(t.Querier.Count(ctx, t.Res("jar"), core.All()))
	}, []string{"count"}},
	{"a panic of the backend's", func(t *effects) {
		t.watch.fault = func(*core.Op) error { panic(errBroken) }
		t.panics(func() { t.any(t.Querier.Count(t.Ctx, t.Res("jar"), core.All())) })
	}, []string{"count"}},
	{"a panic in a transaction", func(t *effects) {
		t.panics(func() { t.any(0, t.TryTx(core.TxOptions{}, func(*kit.Client) error { panic(errBroken) })) })
	}, []string{"tx"}},
}

func second[T any](_ T, err error) error { return err }

// faults are the errors that a backend is made to return.
func faults() []error {
	all := []error{
		errBroken, fmt.Errorf("wrapped: %w", errBroken), context.Canceled, context.DeadlineExceeded, core.ErrCommitUnknown, core.ErrClosed,
		core.Forbidden, fmt.Errorf("wrapped: %w", &core.Error{Code: core.NotFound, Resource: "jar", Key: core.IntValue(1)}),
	}
	for _, code := range []core.Code{
		core.NotFound, core.AlreadyExists, core.BadFieldValue, core.FieldUpdateForbidden, core.Forbidden, core.Unauthorized, core.ReadOnly,
		core.BadRequest, core.TooLarge, core.Unavailable, core.OutcomeUnknown, core.ServerError, core.PreconditionFailed,
	} {
		all = append(all, &core.Error{Code: code, Resource: "jar", Field: "label", Message: "secret", Cause: errBroken})
	}
	return all
}

// allEffects returns the steps, with one for each fault of each kind.
func allEffects() []effect {
	all := slices.Clone(effectSteps)
	for _, fault := range faults() {
		name := "a backend that fails: " + fault.Error()
		count := func(s core.Querier, t *effects) error { return second(s.Count(t.Ctx, t.Res("jar"), core.All())) }
		all = append(all,
			effect{name, func(t *effects) { t.breaks(fault); t.any(0, count(t.Querier, t)) }, []string{"count"}},
			effect{name + ", in a transaction", func(t *effects) {
				t.breaks(fault)
				t.any(0, t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return second(tx.Querier.Count(tx.Ctx, tx.Res("jar"), core.All())) }))
			}, []string{"count", "tx"}})
	}
	return all
}

// any lets a step end as it may.
func (t *effects) any(any, error) {}

// breaks makes the next operation fail.
func (t *effects) breaks(err error) { t.watch.fault = func(*core.Op) error { return err } }

// panics makes sure that the panic of the backend's comes out.
func (t *effects) panics(fn func()) {
	t.Helper()
	defer func() {
		if p := recover(); p != any(errBroken) {
			t.Errorf("the panic comes out as %v", p)
		}
	}()
	fn()
}
