package policytest_test

import (
	"context"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// owning is a simple, correct ownership policy: each principal owns the rows that it inserts, and reads only its own.
func owning() core.Decorator {
	return core.Decorator{Name: "owning", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch p := op.Principal; {
			case p == nil || !p.IsSystem() && !p.ID.IsSet():
				return core.Result{}, core.Unauthorized
			case p.IsSystem() || op.Resource == nil:
				return next(ctx, op)
			}
			own(op)
			return next(ctx, op)
		}, nil
	}}
}

// own stamps and guards an op.
func own(op *core.Op) {
	owner := op.Resource.Field("owner")
	if op.Kind == core.Insert {
		op.Records = stamped(op.Records, owner, op.Principal.ID)
	}
	op.Guard(owner.Compare(core.FilterEq, op.Principal.ID))
}

// stamped returns the records with the value in the field. If the type is wrong, it returns them unchanged, and no row
// can match the guard.
func stamped(records []core.Record, f *core.Field, v core.Value) []core.Record {
	if v.Type() != f.Type() {
		return records
	}
	out := make([]core.Record, len(records))
	for i, rec := range records {
		out[i] = rec.With(f.Column(), v)
	}
	return out
}

// stack returns a spec with decorators that keep no state.
func stack(decorators ...core.Decorator) policytest.PolicySpec {
	return policytest.PolicySpec{Stack: func(testing.TB) policytest.Stack { return policytest.Stack{Decorators: decorators} }}
}

func TestOwningPolicyPassesGuard(t *testing.T) {
	policytest.Guard(t, kittest.OpenNaive, stack(owning()))
}

func TestOwningPolicyPassesNonInterference(t *testing.T) {
	spec := stack(owning())
	spec.Operations = 10_000
	policytest.NonInterference(t, kittest.OpenNaive, spec)
}
