package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

func (c *CompiledPolicy) read(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	v := view(grants(c.of(op.Resource).read, op.Principal))
	if len(v) == 0 {
		return core.Result{}, c.refuse(op, Read)
	}
	if f := v.narrowRows(op); f != nil {
		return core.Result{}, unreadable(f, c.cause(op.Principal, Read, op.Resource, f))
	}
	if f := c.ordersByIDs(op); f != nil {
		return core.Result{}, fieldError(core.SearchForbidden, f, errors.New("access: "+unorderedText(f)))
	}
	if op.Kind == core.Count || v.whole() || len(v) == 1 && v[0].rule.fields == nil {
		return next(ctx, op)
	}
	return v.readFields(ctx, op, next)
}

// narrowRows narrows the op to rows of the rules that allow all fields that it
// names; if there are none, it returns the field that one does not.
func (v view) narrowRows(op *core.Op) (bad *core.Field) {
	var using []core.Filter
	for _, g := range v {
		if f := g.rule.fields.missingIn(op); f != nil {
			bad = orElse(bad, f)
			continue
		}
		using = append(using, g.using)
	}
	if len(using) == 0 {
		return bad
	}
	op.Using = core.And(op.Using, core.Or(using...))
	return nil
}

// missingIn returns a field that the op filters or sorts by and that is not on
// the list, or nil.
func (l *list) missingIn(op *core.Op) *core.Field {
	for _, o := range op.Order {
		if !l.allows(o.Field) {
			return o.Field
		}
	}
	return l.missing(op.Where)
}

// readFields reads no more than the fields that are shown. Where rows differ in
// what they show, whole ones have to be read, to see which they are.
func (v view) readFields(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	uniform := v.uniform()
	fields := v[0].rule.fields
	if uniform {
		op.Fields = fields.narrow(op.Fields)
	} else {
		op.Fields = nil
	}
	res, err := next(ctx, op)
	if err != nil {
		return core.Result{}, err
	}
	if !uniform {
		v.cut(res.Records)
		return res, nil
	}
	for i, rec := range res.Records { // a backend may read more than was asked for
		res.Records[i] = fields.cut(rec)
	}
	return res, nil
}

// ordersByIDs returns a to-one field that the op sorts by, or asks for a range of,
// although its ids may be those of rows that the principal does not see.
func (c *CompiledPolicy) ordersByIDs(op *core.Op) *core.Field {
	if len(op.Resource.References()) == 0 {
		return nil
	}
	for _, o := range op.Order {
		if c.unordered(op.Principal, o.Field) {
			return o.Field
		}
	}
	return c.rangeOfIDs(op.Principal, op.Where)
}

func (c *CompiledPolicy) rangeOfIDs(p *core.Principal, where core.Filter) *core.Field {
	switch where.Kind() {
	case core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterPrefix:
		if f := where.Field(); c.unordered(p, f) {
			return f
		}
	}
	for _, part := range where.Filters() {
		if f := c.rangeOfIDs(p, part); f != nil {
			return f
		}
	}
	return nil
}

// unordered reports whether p may not be told how what the field holds compares,
// because it may be the id of a row that p does not see.
func (c *CompiledPolicy) unordered(p *core.Principal, f *core.Field) bool {
	return f.Target() != nil && !c.seesAll(p, f.Target())
}

func unorderedText(f *core.Field) string {
	return fmt.Sprintf("no order or range of %s: not every %s may be read", f.Name(), f.Target())
}

// seesAll reports whether p may read every row of the resource.
func (c *CompiledPolicy) seesAll(p *core.Principal, r *core.Resource) bool {
	for _, g := range grants(c.of(r).read, p) {
		if g.using.Kind() == core.FilterAll {
			return true
		}
	}
	return false
}
