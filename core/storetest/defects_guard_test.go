package storetest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

func all(op *core.Op)     { op.Using = core.All() }
func noCheck(op *core.Op) { op.Check = core.All() }

var guardDefects = []defect{
	{
		name:   "a conflict comes before the denial of an insert",
		breaks: []string{"using/a denied insert is forbidden, also over another record"},
		wrap: func(next core.Handler) core.Handler {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := next(ctx, op)
				if op.Kind == core.Insert && errors.Is(err, core.Forbidden) {
					err = op.Resource.Key().AlreadyExists()
				}
				return res, err
			}
		},
	},
	{
		name:   "load ignores Using",
		breaks: []string{"using/reads do not see hidden rows", "using/hidden is indistinguishable from absent"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Load {
					op = with(op, all)
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "count ignores Using",
		breaks: []string{"using/reads do not see hidden rows", "random/random programs agree with the oracle"},
		install: func(h *hooks) {
			h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
				return tx.Count(ctx, with(op, all))
			}
		},
	},
	{
		name:   "select applies Using to the page",
		breaks: []string{"using/hidden rows do not fill pages"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Using, op.Fields = core.All(), nil }))
				res.Records = slices.DeleteFunc(res.Records, func(rec core.Record) bool { return !tx.Matches(op.Using, rec) })
				for i, rec := range res.Records {
					res.Records[i] = rec.Project(op.Fields)
				}
				return res, err
			}
		},
	},
	{
		name: "update ignores Using",
		breaks: []string{
			"using/update does not find hidden rows", "using/update applies using to the before image", "using/hidden is indistinguishable from absent",
			"using/null does not match a comparison", "isolation/no guard bypass", "random/random programs agree with the oracle",
		},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, all))
			}
		},
	},
	{
		name:   "update applies Using to the after image",
		breaks: []string{"using/update applies using to the before image"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Update(ctx, with(op, all))
				for _, rec := range recs {
					if !tx.Matches(op.Using, rec) {
						return nil, op.Resource.NotFound(rec.Key())
					}
				}
				return recs, err
			}
		},
	},
	{
		name:   "update ignores Check",
		breaks: []string{"check/update checks the after image", "check/check applies to all columns", "check/one rejected record fails the batch"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, noCheck))
			}
		},
	},
	{
		name:   "insert ignores Check",
		breaks: []string{"check/insert checks the after image", "check/check applies to nulls and generated keys", "errors/errors carry API names"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Insert(ctx, with(op, noCheck))
			}
		},
	},
	{
		name:   "insert applies Check to its argument",
		breaks: []string{"check/check applies to nulls and generated keys"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if !tx.Matches(op.Check, rec) {
						return nil, op.Resource.Forbidden()
					}
				}
				return tx.Insert(ctx, with(op, noCheck))
			}
		},
	},
	{
		name:   "update applies Check to the named columns only",
		breaks: []string{"check/check applies to all columns"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, change := range op.Records {
					if f := op.Check.Field(); f != nil && !change.At(f.Column()).IsAbsent() && !tx.Matches(op.Check, change) {
						return nil, op.Resource.Forbidden()
					}
				}
				return tx.Update(ctx, with(op, noCheck))
			}
		},
	},
	{
		name:   "update applies Check before it finds missing records",
		breaks: []string{"check/not found comes before forbidden"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, change := range op.Records {
					if rec, ok := tx.Rows[op.Resource.Index()][change.Key()]; ok && !tx.Matches(op.Check, rec.Merge(change)) {
						return nil, op.Resource.Forbidden()
					}
				}
				return tx.Update(ctx, op)
			}
		},
	},
	{
		name:   "update applies Check to the before image too",
		breaks: []string{"check/check ignores the before image"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, func(op *core.Op) { op.Using = core.And(op.Using, op.Check) }))
			}
		},
	},
	{
		name:   "a guarded miss is forbidden",
		breaks: []string{"using/update does not find hidden rows", "using/hidden is indistinguishable from absent", "using/null does not match a comparison"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, key := range op.Keys {
					if rec, ok := tx.Rows[op.Resource.Index()][key]; ok && !tx.Matches(op.Using, rec) {
						return nil, op.Resource.Forbidden()
					}
				}
				return tx.Update(ctx, op)
			}
		},
	},
	{
		name:   "delete ignores Using",
		breaks: []string{"using/delete does not find hidden rows", "using/hidden is indistinguishable from absent", "using/null does not match a comparison"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				return tx.Delete(ctx, with(op, all))
			}
		},
	},
	{
		name:   "delete applies Check",
		breaks: []string{"check/reads and deletes ignore check"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				return tx.Delete(ctx, with(op, func(op *core.Op) { op.Using = core.And(op.Using, op.Check) }))
			}
		},
	},
	{
		name:   "insert applies Using",
		breaks: []string{"using/insert ignores using"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Insert(ctx, with(op, func(op *core.Op) { op.Check = core.And(op.Check, op.Using) }))
			}
		},
	},
	{
		name:   "insert replaces hidden rows",
		breaks: []string{"using/insert over a hidden row conflicts"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if old, ok := tx.Rows[op.Resource.Index()][rec.Key()]; ok && !tx.Matches(op.Using, old) {
						delete(tx.Rows[op.Resource.Index()], rec.Key())
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "next ids need a policy that allows rows",
		breaks: []string{"ids/generated keys ignore policies"},
		install: func(h *hooks) {
			h.nextIDs = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error) {
				if op.Using.Kind() == core.FilterNone {
					return nil, op.Resource.Forbidden()
				}
				return tx.NextIDs(ctx, op)
			}
		},
	},
}
