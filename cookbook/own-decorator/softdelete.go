package main

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-go/larder/core"
)

// softDelete returns a decorator that keeps what is deleted: records get the time in
// a field of this name, which every resource has as a hidden one, and are absent from
// then on for everybody but the program (core.System), which meets all records, can
// bring them back, and deletes for good.
func softDelete(field string) core.Decorator { //nolint:unparam // for models that call it otherwise
	return core.Decorator{
		Name: "soft delete", Note: field + " is when", Kind: core.KindPolicy,
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			alive := make([]core.Filter, len(m.Resources())) // made once, for operations to share
			for i, r := range m.Resources() {
				f := r.Field(field)
				if f == nil || !f.Stored() || f.Type() != core.Time || !f.Hidden() {
					return nil, fmt.Errorf("resource %q: needs a field %q of type time that is Hidden", r.Name(), field)
				}
				alive[i] = f.Compare(core.FilterEq, core.Null)
			}
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				switch {
				case op.Principal.IsSystem() || op.Kind == core.Tx || op.Kind == core.NextID:
					return next(ctx, op)
				case op.Kind == core.Delete:
					return bury(ctx, op, field, alive[op.Resource.Index()], next)
				}
				// Reads meet what is alive, inserts and updates leave it alive, and so does
				// any kind of operation that there will ever be.
				op.Guard(alive[op.Resource.Index()])
				return next(ctx, op)
			}, nil
		},
	}
}

// bury makes a Delete the Update that sets the field. It is the same op otherwise: in
// the same transaction, with the guards of the layers around.
func bury(ctx context.Context, op *core.Op, field string, alive core.Filter, next core.Handler) (core.Result, error) {
	update := *op
	update.Kind = core.Update
	update.Using = core.And(op.Using, alive) // what is deleted is not there to be deleted
	update.Records = make([]core.Record, len(op.Keys))
	r := op.Resource
	dead := r.RecordOf(make([]core.Value, len(r.Columns()))).With(r.Field(field).Column(), core.TimeValue(time.Now()))
	for i, key := range op.Keys {
		update.Records[i] = dead.With(r.Key().Column(), key)
	}
	_, err := next(ctx, &update)
	return core.Result{}, err // a Delete returns no records
}
