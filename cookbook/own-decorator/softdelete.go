package main

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-go/larder/core"
)

// softDelete returns a decorator that hides records instead of deleting them. A delete writes the time to the field, which
// every resource must have as a hidden field of type time. Records with a time are absent for every principal. Only the
// program itself (core.System) sees them, restores them, and deletes for good.
func softDelete(field string) core.Decorator { //nolint:unparam // for models with another name of the field
	return core.Decorator{
		Name: "soft delete", Note: field + " is when", Kind: core.KindPolicy, KnowsRelated: true,
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			kept := make([]core.Filter, len(m.Resources())) // by index of the resource; shared by all operations
			for i, r := range m.Resources() {
				f := r.Field(field)
				if f == nil || !f.Stored() || f.Type() != core.Time || !f.Hidden() {
					return nil, fmt.Errorf("resource %q: needs a field %q of type time that is Hidden", r.Name(), field)
				}
				kept[i] = f.Compare(core.FilterEq, core.Null)
			}
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				switch {
				case op.Principal.IsSystem() || op.Kind == core.Tx || op.Kind == core.NextID:
					return next(ctx, op)
				case op.Kind == core.Delete:
					return markDeleted(ctx, op, field, kept[op.Resource.Index()], next)
				}
				// Reads find kept records, and inserts and updates leave kept records. A kind of operation that does not
				// exist yet is guarded in the same way.
				op.Guard(kept[op.Resource.Index()])
				return next(ctx, op)
			}, nil
		},
	}
}

// markDeleted turns a Delete into an Update that sets the field. The update keeps the transaction and the guards of outer
// decorators.
func markDeleted(ctx context.Context, op *core.Op, field string, kept core.Filter, next core.Handler) (core.Result, error) {
	update := *op
	update.Kind = core.Update
	update.Using = core.And(op.Using, kept) // a deleted record cannot be deleted again
	update.Records = make([]core.Record, len(op.Keys))
	r := op.Resource
	deleted := r.RecordOf(make([]core.Value, len(r.Columns()))).With(r.Field(field).Column(), core.TimeValue(time.Now()))
	for i, key := range op.Keys {
		update.Records[i] = deleted.With(r.Key().Column(), key)
	}
	_, err := next(ctx, &update)
	return core.Result{}, err // a Delete returns no records
}
