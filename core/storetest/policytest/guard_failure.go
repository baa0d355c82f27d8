package policytest

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// repeated sends an operation from a transaction whose first try conflicted.
var repeated = place{name: "in a transaction that is repeated", run: func(t *theatre, who *core.Principal, fn func(context.Context, core.Querier) error) error {
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
func repeatedIsGuarded(t *guardTrial) {
	const some = 60
	for _, r := range t.Model.Resources() {
		all := slices.Concat(t.made.reads(r), t.made.writes(r, writeKinds))
		for _, a := range all {
			if t.thin.IntN(len(all)) >= some || t.skips() {
				continue
			}
			g := t.guests()[t.thin.IntN(len(t.guests()))]
			t.undo(repeated, a, t.do(g, repeated, a, usingHides, checkHolds))
		}
	}
}

var errFurtherIn = errors.New("storetest: failed on purpose")

func failuresGetThrough(t *guardTrial) {
	for _, g := range t.guests() {
		t.eachKind(g, func(p *probe) { p.fails = true }, func(at place, a attempt, err error, arrived []*core.Op) {
			if !slices.ContainsFunc(arrived, t.Exempt) && len(arrived) > 0 && !errors.Is(err, errFurtherIn) {
				t.wrong(g, at, a, "it fails further in, and ends with %s", kit.FullText(err))
			}
		})
	}
}
