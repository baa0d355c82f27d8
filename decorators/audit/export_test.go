package audit

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// Leaks are broken variants of the decorator, which tests must catch.
var Leaks = map[string]func(t *trail, ctx context.Context, op *core.Op) (core.Result, error){
	"entries of hidden records are visible": func(t *trail, ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Resource == t.entry && !op.Kind.Writes() {
			return t.next(ctx, op)
		}
		return t.handle(ctx, op)
	},
	"fields are not masked": func(t *trail, ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Resource != t.entry || op.Kind.Writes() {
			return t.handle(ctx, op)
		}
		var raw core.Result
		narrowed := *t
		narrowed.next = func(ctx context.Context, op *core.Op) (res core.Result, err error) {
			raw, err = t.next(ctx, op)
			res = raw
			res.Records = slices.Clone(raw.Records)
			return res, err
		}
		if _, err := narrowed.handle(ctx, op); err != nil {
			return core.Result{}, err
		}
		return raw, nil
	},
	"entries are outside the transaction": func(t *trail, ctx context.Context, op *core.Op) (core.Result, error) {
		s := t.of[op.Resource]
		if s == nil || op.Kind != core.Update || op.Tx != nil {
			return t.handle(ctx, op)
		}
		res, err := t.next(ctx, op)
		if err != nil {
			return res, err
		}
		entries := op.Derive(core.Insert, t.entry)
		for _, rec := range res.Records {
			entries.Records = append(entries.Records, t.entry.RecordOf(make([]core.Value, len(t.entry.Columns()))).
				Set(t.kind, core.TextValue(Updated)).Set(t.at, core.TimeValue(op.Now())).Set(s.relation, rec.Key()))
		}
		_, err = t.next(ctx, entries)
		return res, err
	},
	"cascades have no entries": func(t *trail, ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Kind == core.Delete && op.Resource.Name() != "issue" {
			return t.next(ctx, op)
		}
		return t.handle(ctx, op)
	},
	"unchanged records have entries": func(t *trail, ctx context.Context, op *core.Op) (core.Result, error) {
		s := t.of[op.Resource]
		if s == nil || op.Kind != core.Update {
			return t.handle(ctx, op)
		}
		return op.InTx(ctx, t.next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			entries := op.Derive(core.Insert, t.entry)
			for _, key := range op.Keys {
				entries.Records = append(entries.Records, t.entry.RecordOf(make([]core.Value, len(t.entry.Columns()))).
					Set(t.kind, core.TextValue(Updated)).Set(t.at, core.TimeValue(op.Now())).Set(s.relation, key))
			}
			if _, err := t.next(ctx, entries); err != nil {
				return core.Result{}, err
			}
			return t.next(ctx, op)
		})
	},
	"the program writes entries": func(t *trail, ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Principal.IsSystem() {
			ctx = AllowWrites(ctx)
		}
		return t.handle(ctx, op)
	},
}

// NewLeaking returns one of the broken variants.
func NewLeaking(o Options, name string) core.Decorator {
	d := New(o)
	d.Wrap = func(m *core.Model, next core.Handler) (core.Handler, error) {
		l, err := newLayout(m, o)
		if err != nil {
			return nil, err
		}
		t := &trail{o, l, next}
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return Leaks[name](t, ctx, op) }, nil
	}
	return d
}
