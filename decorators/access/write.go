package access

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

func (c *CompiledPolicy) update(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	allowed := grants(c.of(op.Resource).update, op.Principal)
	if len(allowed) == 0 {
		return core.Result{}, c.refuse(op, Update)
	}
	var using, check []core.Filter
	var bad *core.Field
	for _, g := range allowed {
		if f := g.rule.fields.missingFrom(op.Records, Update); f != nil {
			bad = orElse(bad, f)
			continue
		}
		using, check = append(using, g.using), append(check, g.check)
	}
	if len(using) == 0 {
		return core.Result{}, c.unwritable(op, Update, bad)
	}
	op.Using = core.And(op.Using, core.Or(using...))
	op.Check = core.And(op.Check, core.Or(check...))
	return c.written(ctx, op, Update, op.Records, next)
}

func (c *CompiledPolicy) insert(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	what := Insert
	if op.ChoosesKey() {
		what = ChooseKey
	}
	allowed := grants(c.of(op.Resource).of(what), op.Principal)
	if len(allowed) == 0 {
		return core.Result{}, c.refuse(op, what)
	}
	named := given(op)
	var check []core.Filter
	var bad *core.Field
	for _, g := range allowed {
		if f := g.rule.fields.missingFrom(named, what); f != nil {
			bad = orElse(bad, f)
			continue
		}
		check = append(check, g.check)
	}
	if len(check) == 0 {
		return core.Result{}, c.unwritable(op, what, bad)
	}
	op.Check = core.And(op.Check, core.Or(check...))
	return c.written(ctx, op, what, named, next)
}

// given returns the records of an Insert as whoever began it named them, without
// what the model and other layers filled in.
func given(op *core.Op) []core.Record {
	if len(op.Requested) == 0 || len(op.Requested) != len(op.Records) || op.Requested[0].Resource() != op.Resource {
		return op.Records // of a decorator
	}
	return op.Requested
}

// missingFrom returns a field that a record sets and that is not on the list, or
// nil.
func (l *list) missingFrom(records []core.Record, what Operation) *core.Field {
	if l == nil {
		return nil
	}
	for _, rec := range records {
		for i, f := range rec.Resource().Columns() {
			if !l.has[i] && what.sets(f, rec.At(i)) {
				return f
			}
		}
	}
	return nil
}

// sets reports whether a record that is written with the value sets the field: to
// give a new one the default is to leave it alone.
func (o Operation) sets(f *core.Field, v core.Value) bool {
	if v.IsAbsent() || !o.has(Insert|ChooseKey) {
		return !v.IsAbsent()
	}
	d, err := f.Default()
	return err != nil || d != v
}

// fieldsOf returns the fields that the records set.
func (o Operation) fieldsOf(records []core.Record) (fields []*core.Field) {
	for _, rec := range records {
		for i, f := range rec.Resource().Columns() {
			if o.sets(f, rec.At(i)) && !slices.Contains(fields, f) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

func orElse(f, otherwise *core.Field) *core.Field {
	if f != nil {
		return f
	}
	return otherwise
}

func (c *CompiledPolicy) unwritable(op *core.Op, what Operation, f *core.Field) error {
	readers := view(grants(c.of(op.Resource).read, op.Principal))
	return unwritable(f, readers, c.cause(op.Principal, what, op.Resource, f))
}

// written runs a write and shows of its outcome what the writer may read.
func (c *CompiledPolicy) written(ctx context.Context, op *core.Op, what Operation, named []core.Record, next core.Handler) (core.Result, error) {
	r, p := op.Resource, op.Principal
	res, err := next(ctx, op)
	if err != nil {
		return core.Result{}, c.unchecked(err, p, what, r, named)
	}
	view(grants(c.of(r).read, p)).cut(res.Records)
	return res, nil
}
