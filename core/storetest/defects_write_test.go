package storetest_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

var writeDefects = []defect{
	{
		name: "insert overwrites a taken key",
		breaks: []string{
			"write/insert never overwrites", "batch/an insert is atomic", "batch/one insert cannot use a key twice",
			"using/insert over a hidden row conflicts", "concurrency/one of several concurrent inserts succeeds",
		},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				var all []core.Record
				for i := range op.Records {
					one := with(op, func(op *core.Op) { op.Records = op.Records[i : i+1] })
					delete(tx.Rows[op.Resource.Index()], op.Records[i].Key())
					recs, err := tx.Insert(ctx, one)
					if err != nil {
						return nil, err
					}
					all = append(all, recs...)
				}
				return all, nil
			}
		},
	},
	{
		name:    "insert of several is several inserts",
		breaks:  []string{"batch/an insert is atomic", "batch/one insert cannot use a key twice", "check/one rejected record fails the batch"},
		install: func(h *hooks) { h.insert = stepwise((*kittest.NaiveTx).Insert) },
	},
	{
		name:    "update of several is several updates",
		breaks:  []string{"batch/an update is atomic", "write/update of a missing record is not found", "using/update does not find hidden rows"},
		install: func(h *hooks) { h.update = stepwise((*kittest.NaiveTx).Update) },
	},
	{
		name:   "delete of several is several deletes",
		breaks: []string{"batch/a delete is atomic", "write/delete of a missing record is not found", "using/delete does not find hidden rows"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				for i := range op.Keys {
					if err := tx.Delete(ctx, with(op, func(op *core.Op) { op.Keys = op.Keys[i : i+1] })); err != nil {
						tx.Backend.Rows = tx.Rows
						return err
					}
				}
				return nil
			}
		},
	},
	{
		name:   "insert returns its records sorted",
		breaks: []string{"write/insert returns the stored records", "batch/batches of a thousand records"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				slices.SortFunc(recs, func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
				return recs, err
			}
		},
	},
	{
		name:   "insert returns its arguments",
		breaks: []string{"write/absent columns are null", "ids/insert generates a missing key", "types/null round trips in every column"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				_, err := tx.Insert(ctx, op)
				return slices.Clone(op.Records), err
			}
		},
	},
	{
		name:   "insert accepts at most a thousand values",
		breaks: []string{"batch/batches of a thousand records"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if len(op.Records)*len(op.Resource.Columns()) > 1000 {
					return nil, errors.New("too many parameters")
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "update clears absent columns",
		breaks: []string{"write/update changes the named columns only", "write/an update may change nothing", "write/update returns whole records by key"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, func(op *core.Op) {
					op.Records = slices.Clone(op.Records)
					for i, rec := range op.Records {
						op.Records[i] = kittest.Nulls(rec)
					}
				}))
			}
		},
	},
	{
		name:   "update ignores null",
		breaks: []string{"write/update sets null", "types/null round trips in every column"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, func(op *core.Op) {
					op.Records = slices.Clone(op.Records)
					for i, rec := range op.Records {
						for c := range rec.Len() {
							if rec.At(c).IsNull() {
								rec = rec.With(c, core.Value{})
							}
						}
						op.Records[i] = rec
					}
				}))
			}
		},
	},
	{
		name:   "a replacement keeps fields that it does not name",
		breaks: []string{"write/replace clears fields without a default"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, func(op *core.Op) {
					op.Records = slices.Clone(op.Records)
					for i, rec := range op.Records {
						for _, f := range op.Reset {
							if rec.At(f.Column()).IsNull() {
								rec = rec.With(f.Column(), core.Value{})
							}
						}
						op.Records[i] = rec
					}
				}))
			}
		},
	},
	{
		name:   "stamps are written without a change",
		breaks: []string{"write/stamps follow real changes"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, func(op *core.Op) { op.IfChanged = nil }))
			}
		},
	},
	{
		name:   "stamps are written into all records if one changes",
		breaks: []string{"write/stamps follow real changes"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for i, key := range op.Keys {
					if before := tx.Rows[op.Resource.Index()][key]; !before.IsZero() && !op.AfterImage(i, before).Equal(before) {
						return tx.Update(ctx, with(op, func(op *core.Op) { op.IfChanged = nil }))
					}
				}
				return tx.Update(ctx, op)
			}
		},
	},
	{
		name:   "update returns the changes only",
		breaks: []string{"write/update returns whole records by key", "write/an update may change nothing"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				_, err := tx.Update(ctx, op)
				return slices.Clone(op.Records), err
			}
		},
	},
	{
		name:   "update of one set of columns for all records",
		breaks: []string{"write/update changes the named columns only"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return tx.Update(ctx, with(op, func(op *core.Op) {
					op.Records = slices.Clone(op.Records)
					for i, rec := range op.Records {
						for c := range rec.Len() {
							if rec.At(c).IsAbsent() && !op.Records[0].At(c).IsAbsent() {
								rec = rec.With(c, core.Null)
							}
						}
						op.Records[i] = rec
					}
				}))
			}
		},
	},
	{
		name:   "update adds missing records",
		breaks: []string{"write/update of a missing record is not found", "write/an update may change nothing"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if _, ok := tx.Rows[op.Resource.Index()][rec.Key()]; !ok {
						tx.Rows[op.Resource.Index()][rec.Key()] = kittest.Nulls(rec)
					}
				}
				return tx.Update(ctx, op)
			}
		},
	},
	{
		name:   "update names the last missing key",
		breaks: []string{"errors/not found names the first missing key", "write/update of a missing record is not found"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, key := range slices.Backward(op.Keys) {
					if _, ok := tx.Rows[op.Resource.Index()][key]; !ok {
						return nil, op.Resource.NotFound(key)
					}
				}
				return tx.Update(ctx, op)
			}
		},
	},
	{
		name:   "delete of a missing key is fine",
		breaks: []string{"write/delete of a missing record is not found", "batch/a delete is atomic", "errors/errors carry API names"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				return tx.Delete(ctx, with(op, func(op *core.Op) {
					op.Keys = slices.DeleteFunc(slices.Clone(op.Keys), func(key core.Value) bool {
						_, there := tx.Rows[op.Resource.Index()][key]
						return !there
					})
				}))
			}
		},
	},
	{
		name:   "deleted records stay in the index",
		breaks: []string{"write/delete removes the records", "write/filters follow updates"},
		install: func(h *hooks) {
			index := make(map[core.Value]core.Record)
			remember := func(recs []core.Record, err error) ([]core.Record, error) {
				for _, rec := range recs {
					if _, known := index[rec.Key()]; !known {
						index[rec.Key()] = rec
					}
				}
				return recs, err
			}
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				return remember(tx.Insert(ctx, op))
			}
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if f := op.Where.Field(); f == nil || f.Name() != "kind" || op.Where.Kind() != core.FilterEq {
					return tx.Read(ctx, op)
				}
				return reference.Read(func(*core.Resource) iter.Seq[core.Record] { return maps.Values(index) }, op)
			}
		},
	},
	{
		name:   "deleted keys are never free",
		breaks: []string{"write/a deleted key can be inserted again", "transaction/a key can be deleted and reinserted"},
		install: func(h *hooks) {
			gone := make(map[core.Value]bool)
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				for _, key := range op.Keys {
					gone[key] = true
				}
				return tx.Delete(ctx, op)
			}
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if gone[rec.Key()] {
						return nil, op.Resource.Key().AlreadyExists()
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "an empty result is an error",
		breaks: []string{"read/a new backend is empty", "read/load returns existing records by key"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				if err == nil && len(res.Records) == 0 {
					err = errors.New("no rows in result set")
				}
				return res, err
			}
		},
	},
	{
		name:   "resources share one table",
		breaks: []string{"read/resources are separate"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for i, all := range tx.Rows {
					for _, rec := range op.Records {
						if _, taken := all[rec.Key()]; taken && i != op.Resource.Index() {
							return nil, op.Resource.Key().AlreadyExists()
						}
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "count counts all",
		breaks: []string{"read/count agrees with select", "transaction/a transaction sees its own writes"},
		install: func(h *hooks) {
			h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
				return tx.Count(ctx, with(op, func(op *core.Op) { op.Where = core.All() }))
			}
		},
	},
}

// stepwise writes the records one after the other, and keeps the successful writes.
func stepwise(method writeHook) writeHook {
	return func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
		var all []core.Record
		for i := range op.Records {
			recs, err := method(tx, ctx, with(op, func(op *core.Op) {
				op.Records = op.Records[i : i+1]
				if op.Keys != nil {
					op.Keys = op.Keys[i : i+1]
				}
			}))
			if err != nil {
				tx.Backend.Rows = tx.Rows
				return nil, err
			}
			all = append(all, recs...)
		}
		return all, nil
	}
}

// brokenValidation returns a decorator that changes the errors of violations.
func brokenValidation(change func(violations []core.Violation) []core.Violation) func(next core.Handler) core.Handler {
	return func(next core.Handler) core.Handler {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			res, err := next(ctx, op)
			e, ok := errors.AsType[*core.Error](err)
			if !ok || e.Code != core.ValidationFailed || op.Kind == core.Tx {
				return res, err
			}
			changed := *e
			if changed.Violations = change(slices.Clone(e.Violations)); len(changed.Violations) == 0 {
				return core.Result{Records: op.Records}, nil
			}
			return res, &changed
		}
	}
}

// earlyValidation returns a decorator that checks the values of records outside the guard; with whole, of the whole after
// images of an Update.
func earlyValidation(whole bool) func(next core.Handler) core.Handler {
	return func(next core.Handler) core.Handler {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			for i, rec := range op.Records {
				if op.Kind == core.Update && whole {
					load := op.Derive(core.Load, op.Resource)
					load.Keys, load.Using = op.Keys[i:i+1], op.Using
					res, err := next(ctx, load)
					if err != nil || len(res.Records) == 0 {
						return res, err
					}
					rec = res.Records[0].Merge(rec)
				}
				if found := op.Resource.Violations(rec); len(found) > 0 {
					return core.Result{}, &core.Error{Code: core.ValidationFailed, Violations: found}
				}
			}
			return next(ctx, op)
		}
	}
}

// validationDefects are stores that check the rules of the model in another way.
var validationDefects = []defect{
	{name: "rules are checked before the guard", breaks: []string{"validation/hidden records have no violations"}, wrap: earlyValidation(false)},
	{name: "rules are checked on fields that an update does not set", breaks: []string{"durability/records older than a rule can be changed"}, wrap: earlyValidation(true)},
	{
		name:   "only the first record is checked",
		breaks: []string{"validation/an insert reports all violations", "validation/an update reports all violations", "validation/required fields are never null"},
		wrap: brokenValidation(func(all []core.Violation) []core.Violation {
			return slices.DeleteFunc(all, func(v core.Violation) bool { return v.Record > 0 })
		}),
	},
	{
		name:   "only the first violation is reported",
		breaks: []string{"validation/an insert reports all violations", "validation/validate sees both images"},
		wrap:   brokenValidation(func(all []core.Violation) []core.Violation { return all[:1] }),
	},
	{
		name: "violations are ignored",
		breaks: []string{
			"validation/values within the rules are accepted", "validation/transitions begin at the stored state",
			"validation/a violation in a transaction undoes it",
		},
		wrap: brokenValidation(func([]core.Violation) []core.Violation { return nil }),
	},
	{
		name: "records that a decorator inserts lose invalid values", breaks: []string{"validation/writes of decorators are checked"},
		wrap: func(next core.Handler) core.Handler {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Insert && op.Requested == nil {
					op.Records = []core.Record{op.Resource.RecordOf(make([]core.Value, len(op.Resource.Columns())))}
				}
				return next(ctx, op)
			}
		},
	},
	{
		name: "reads lose the state", breaks: []string{"validation/transitions begin at the stored state"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				for i, rec := range res.Records {
					if f := op.Resource.Field("state"); f != nil {
						res.Records[i] = rec.Set(f, core.Null)
					}
				}
				return res, err
			}
		},
	},
}
