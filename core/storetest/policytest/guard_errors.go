package policytest

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// inRepeatedTransaction sends an operation in the second attempt of a transaction, after a conflict in the first.
var inRepeatedTransaction = origin{name: "in a repeated transaction", run: func(t *scenario, principal *core.Principal, fn func(context.Context, core.Querier) error) error {
	again := false
	return t.transaction(principal, core.TxOptions{}, func(ctx context.Context, s core.Querier) error {
		if !again {
			again = true
			return core.ErrConflict
		}
		return fn(ctx, s)
	})
}}

// repeatedOpsAreGuarded sends a sample of the operations, because the store waits before it repeats a transaction.
func repeatedOpsAreGuarded(t *guardRun) {
	const some = 60
	for _, r := range t.Model.Resources() {
		all := slices.Concat(t.operations.reads(r), t.operations.writes(r, writeKinds))
		for _, a := range all {
			if t.thin.IntN(len(all)) >= some || t.skip() {
				continue
			}
			g := t.actors()[t.thin.IntN(len(t.actors()))]
			t.restore(inRepeatedTransaction, a, t.perform(g, inRepeatedTransaction, a, usingExcludes, checkRejects))
		}
	}
}

var errInside = errors.New("policytest: failed on purpose")

func errorsAreReturned(t *guardRun) {
	for _, g := range t.actors() {
		t.eachKind(g, func(p *probe) { p.failInside = true }, func(at origin, a operation, err error, arrived []*core.Op) {
			if !slices.ContainsFunc(arrived, t.Exempt) && len(arrived) > 0 && !errors.Is(err, errInside) {
				t.fail(g, at, a, "the inner decorator failed, and the operation returned %s", kit.FullText(err))
			}
		})
	}
}
