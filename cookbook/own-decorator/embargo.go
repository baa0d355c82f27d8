package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// embargo returns a decorator that hides records until they are published: records in which the field is null or in the future
// exist only for principals with the role, and for the program itself (core.System). Resources without the field are left alone.
func embargo(field, role string) core.Decorator {
	return core.Decorator{
		Name: "embargo", Note: field + ", except for the role " + role, Kind: core.KindPolicy, KnowsRelated: true,
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			times, err := timesOf(m, field)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				p := op.Principal
				switch {
				case p.IsSystem() || p.HasRole(role) || op.Kind == core.Tx || op.Kind == core.NextID:
				case op.Resource == nil: // a kind of operation that does not exist yet
					return core.Result{}, core.Forbidden
				default:
					// Reads find published records, and writes find and leave published records. A kind of operation that does not
					// exist yet is guarded in the same way.
					if f := times[op.Resource.Index()]; f != nil {
						op.Guard(f.Compare(core.FilterLe, core.TimeValue(op.Now())))
					}
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// timesOf returns the field of each resource, by index of the resource; nil for those without it.
func timesOf(m *core.Model, field string) ([]*core.Field, error) {
	times, found := make([]*core.Field, len(m.Resources())), false
	for i, r := range m.Resources() {
		f := r.Field(field)
		if f == nil {
			continue
		}
		if !f.Stored() || f.Type() != core.Time {
			return nil, fmt.Errorf("resource %q: the field %q must be a stored field of type time", r.Name(), field)
		}
		times[i], found = f, true
	}
	if !found {
		return nil, errors.New("no resource has the field " + field)
	}
	return times, nil
}
