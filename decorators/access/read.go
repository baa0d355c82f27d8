package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

func (c *CompiledPolicy) read(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	readable := grantsFor(c.of(op.Resource).read, op.Principal)
	if len(readable) == 0 {
		return core.Result{}, c.denied(op, Read)
	}
	matching, unlisted := readable.withFields(func(l *fieldList) *core.Field { return l.unlistedInQuery(op) })
	if len(matching) == 0 {
		return core.Result{}, unknownField(unlisted, c.cause(op.Principal, Read, op.Resource, unlisted))
	}
	op.Using = core.And(op.Using, matching.using())
	if f := c.ordersHiddenIDs(op); f != nil {
		return core.Result{}, fieldError(core.SearchForbidden, f, errors.New("access: "+orderDenied(f)))
	}
	if op.Kind == core.Count || op.Kind == core.Visibility || op.Kind == core.Aggregate || readable.everything() || len(readable) == 1 && readable[0].rule.fields == nil {
		return next(ctx, op)
	}
	if readable.sameFields() {
		return readFields(ctx, op, readable[0].rule.fields, next)
	}
	// Rows show different fields. The whole row decides which ones.
	op.Fields = nil
	project := readable.projection(op)
	res, err := next(ctx, op)
	if err != nil {
		return core.Result{}, err
	}
	err = project(&res)
	return res, err
}

// readFields reads the listed fields only.
func readFields(ctx context.Context, op *core.Op, l *fieldList, next core.Handler) (core.Result, error) {
	op.Fields = l.intersect(op.Fields)
	res, err := next(ctx, op)
	if err != nil {
		return core.Result{}, err
	}
	for i, rec := range res.Records { // a backend may read more fields than op.Fields
		res.Records[i] = l.project(rec)
	}
	return res, nil
}

// ordersHiddenIDs returns a to-one field that the op sorts by or compares by size, although the principal may not read
// every row that the field can point at. The order would reveal how the ids of hidden rows compare.
func (c *CompiledPolicy) ordersHiddenIDs(op *core.Op) *core.Field {
	for _, o := range op.Order {
		if c.hidesOrder(op.Principal, o.Field) {
			return o.Field
		}
	}
	if len(op.Resource.References()) == 0 {
		return nil
	}
	return c.rangeOfHiddenIDs(op.Principal, op.Where)
}

func (c *CompiledPolicy) rangeOfHiddenIDs(p *core.Principal, where core.Filter) *core.Field {
	if f := where.Field(); f != nil && !where.Kind().TakesNull() && c.hidesOrder(p, f) { // every operator but eq, ne and in
		return f
	}
	for _, part := range where.Filters() {
		if f := c.rangeOfHiddenIDs(p, part); f != nil {
			return f
		}
	}
	return nil
}

// hidesOrder reports whether the field may hold the id of a row that p may not read.
func (c *CompiledPolicy) hidesOrder(p *core.Principal, f *core.Field) bool {
	return f.Target() != nil && !grantsFor(c.of(f.Target()).read, p).allRows()
}

func orderDenied(f *core.Field) string {
	return fmt.Sprintf("order and range of %s are denied: the principal may not read every %s", f.Name(), f.Target())
}
