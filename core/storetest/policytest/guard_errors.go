package policytest

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// repeated sends an operation from a transaction whose first try conflicted.
var inRepeatedTransaction = origin{name: "in a transaction that is repeated", run: func(t *scenario, who *core.Principal, fn func(context.Context, core.Querier) error) error {
	again := false
	return t.transaction(who, core.TxOptions{}, func(ctx context.Context, s core.Querier) error {
		if !again {
			again = true
			return core.ErrConflict
		}
		return fn(ctx, s)
	})
}}

// repeatedIsGuarded sends some operations of each resource for some guest, not all,
// as there is a pause before another try.
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

var errInside = errors.New("storetest: failed on purpose")

func errorsAreReturned(t *guardRun) {
	for _, g := range t.actors() {
		t.eachKind(g, func(p *probe) { p.failInside = true }, func(at origin, a operation, err error, arrived []*core.Op) {
			if !slices.ContainsFunc(arrived, t.Exempt) && len(arrived) > 0 && !errors.Is(err, errInside) {
				t.fail(g, at, a, "it fails further in, and ends with %s", kit.FullText(err))
			}
		})
	}
}
