package storetest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// highest returns the highest existing key.
func highest(tx *kittest.NaiveTx, op *core.Op) (top int64) {
	for key := range tx.Rows[op.Resource.Index()] {
		top = max(top, key.Int())
	}
	return top
}

// counting lets inserts and next ids count up from the value of from.
func (h *hooks) counting(from func(tx *kittest.NaiveTx, op *core.Op) int64) {
	reset := func(tx *kittest.NaiveTx, op *core.Op) { tx.Backend.Last[op.Resource.Index()] = from(tx, op) }
	h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
		reset(tx, op)
		return tx.Insert(ctx, op)
	}
	h.nextIDs = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error) {
		reset(tx, op)
		return tx.NextIDs(ctx, op)
	}
}

var idDefects = []defect{
	{
		name: "the next key is one more than the highest",
		breaks: []string{
			"ids/keys of deleted records are not reused", "ids/rolled back keys are not reused",
			"ids/allocated keys are reserved", "ids/generated keys ignore policies", "durability/keys are not generated again after a restart",
		},
		install: func(h *hooks) { h.counting(highest) },
	},
	{
		name:   "an inserted key is reported as a conflict of transactions",
		breaks: []string{"ids/an inserted key exists in its transaction"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				if errors.Is(err, core.AlreadyExists) {
					err = core.ErrConflict
				}
				return recs, err
			}
		},
	},
	{
		name:   "a rollback returns keys",
		breaks: []string{"ids/rolled back keys are not reused"},
		install: func(h *hooks) {
			var before []int64
			h.begin = func(b *kittest.Naive, ctx context.Context, opts core.BackendTxOptions) (*kittest.NaiveTx, error) {
				tx, err := b.Begin(ctx, opts)
				if err != nil {
					return nil, err
				}
				before = slices.Clone(b.Last)
				return tx.(*kittest.NaiveTx), nil
			}
			h.rollback = func(tx *kittest.NaiveTx, ctx context.Context) error {
				copy(tx.Backend.Last, before)
				return tx.Rollback(ctx)
			}
		},
	},
	{
		name:   "a delete returns the key",
		breaks: []string{"ids/keys of deleted records are not reused"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				err := tx.Delete(ctx, op)
				tx.Backend.Last[op.Resource.Index()] = highest(tx, op)
				return err
			}
		},
	},
	{
		name: "the sequence ignores chosen keys",
		breaks: []string{
			"ids/generated keys avoid chosen keys", "ids/a batch may mix chosen and missing keys", "ids/a committed chosen key is never generated",
			"ids/a transaction does not generate its chosen keys", "ids/a generated key that exists is replaced",
		},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				defer clear(tx.Chosen[op.Resource.Index()])
				return oneByOne()(tx, ctx, op)
			}
		},
	},
	{
		name:   "a chosen key moves the sequence before it is committed",
		breaks: []string{"ids/an uncommitted chosen key changes nothing"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				tx.Follow()
				return recs, err
			}
		},
	},
	{
		name:    "a batch generates keys before it reads the chosen ones",
		breaks:  []string{"ids/a batch may mix chosen and missing keys"},
		install: func(h *hooks) { h.insert = oneByOne() },
	},
	{
		name:   "allocated keys cannot be used",
		breaks: []string{"ids/an allocated key can be used"},
		install: func(h *hooks) {
			allocated := make(map[core.Value]bool)
			h.nextIDs = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error) {
				keys, err := tx.NextIDs(ctx, op)
				for _, key := range keys {
					allocated[key] = true
				}
				return keys, err
			}
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if allocated[rec.Key()] {
						return nil, op.Resource.Key().AlreadyExists()
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "at most a hundred keys",
		breaks: []string{"ids/next id returns n keys"},
		install: func(h *hooks) {
			h.nextIDs = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error) {
				return tx.NextIDs(ctx, with(op, func(op *core.Op) { op.N = min(op.N, 100) }))
			}
		},
	},
	{
		name:   "text keys are generated",
		breaks: []string{"ids/assigned keys are not generated"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if op.Resource.Key().Type() != core.Text {
					return tx.Insert(ctx, op)
				}
				return tx.Insert(ctx, with(op, func(op *core.Op) {
					op.Records = slices.Clone(op.Records)
					for i, rec := range op.Records {
						if rec.Key().IsAbsent() {
							op.Records[i] = rec.With(op.Resource.Key().Column(), core.TextValue(core.NewUUID().Text()))
						}
					}
				}))
			}
		},
	},
	{
		name:   "assigned numbers are generated",
		breaks: []string{"ids/assigned keys are not generated"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if !op.Resource.Key().Assigned() {
					return tx.Insert(ctx, op)
				}
				return tx.Insert(ctx, with(op, func(op *core.Op) {
					op.Records = slices.Clone(op.Records)
					for i, rec := range op.Records {
						if rec.Key().IsAbsent() {
							op.Records[i] = rec.With(op.Resource.Key().Column(), core.IntValue(highest(tx, op)+1))
						}
					}
				}))
			}
		},
	},
	{
		name:   "keys are generated before the transaction begins",
		breaks: []string{"concurrency/concurrently generated keys differ"},
		free:   true,
		open: func() core.Backend {
			b := &optimistic{validate: validateAll}
			b.sameIDs = true
			return b
		},
	},
}

// oneByOne inserts the records in separate calls, so that keys are generated without regard to the keys of later
// records.
func oneByOne() writeHook {
	return func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
		var all []core.Record
		for i := range op.Records {
			recs, err := tx.Insert(ctx, with(op, func(op *core.Op) { op.Records = op.Records[i : i+1] }))
			if err != nil {
				return nil, err
			}
			all = append(all, recs...)
		}
		return all, nil
	}
}

// first returns the first element of a tuple, and other values unchanged.
func first(v core.Value) core.Value {
	if elements := v.Tuple(); elements != nil {
		return elements[0]
	}
	return v
}

// tolerating commits if the integrity check fails with an error about a tuple that ignore accepts.
func tolerating(code core.Code, ignore func(tx *kittest.NaiveTx, e *core.Error) bool) func(h *hooks) {
	return func(h *hooks) {
		h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
			if e, ok := errors.AsType[*core.Error](tx.Check()); ok && e.Code == code && ignore(tx, e) {
				tx.Backend.Rows = tx.Rows
				return tx.Rollback(ctx)
			}
			return tx.Commit(ctx)
		}
	}
}

var keyPartDefects = []defect{
	{
		name:   "keys of several fields sort by their text",
		breaks: []string{"key parts/keys sort by their typed parts", "key parts/parts of all types", "key parts/references of several fields are found and sorted"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.Type() == core.Tuple && b.Type() == core.Tuple {
					return strings.Compare(a.String(), b.String())
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "keys are looked up by their first part",
		breaks: []string{"key parts/the whole key identifies a record"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (res core.Result, err error) {
				if op.Kind != core.Load {
					return tx.Read(ctx, op)
				}
				for rec := range tx.Of(op.Resource) {
					if slices.ContainsFunc(op.Keys, func(key core.Value) bool { return first(key) == first(rec.Key()) }) && kit.Certain(op.Using.Match(rec, nil)) {
						res.Records = append(res.Records, rec)
					}
				}
				return res, ctx.Err()
			}
		},
	},
	{
		name:   "pages continue after the first part of a key",
		breaks: []string{"key parts/keys sort by their typed parts", "key parts/parts of all types"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if len(op.After) != 1 || op.After[0].Type() != core.Tuple {
					return tx.Read(ctx, op)
				}
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.After, op.Limit = nil, 0 }))
				res.Records = slices.DeleteFunc(res.Records, func(rec core.Record) bool {
					c := core.Compare(first(rec.Key()), first(op.After[0]))
					return c == 0 || (c < 0) != op.Order[0].Desc
				})
				return cut(res.Records, op.Limit), err
			}
		},
	},
	{
		name:   "a relation with a null part sorts by its other part",
		breaks: []string{"key parts/references of several fields are found and sorted"},
		install: func(h *hooks) {
			h.sorted(func(op *core.Op, a, b core.Record) int {
				var order []core.Order
				for _, o := range op.Order {
					if o.Path != nil || o.Field.Parts() == nil || o.Field.Key() {
						order = append(order, o)
						continue
					}
					for _, part := range o.Field.Parts() {
						order = append(order, core.Order{Field: part, Desc: o.Desc})
					}
				}
				return core.CompareRecords(order, a, b)
			})
		},
	},
	{
		name:   "related records are found by the first part of their key",
		breaks: []string{"key parts/conditions and orders cross references of several fields"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				to := op.Where.Relation()
				if op.Where.Kind() != core.FilterRelated || to.Reverse || to.Stored.Type() != core.Tuple {
					return tx.Read(ctx, op)
				}
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Where = core.All() }))
				res.Records = slices.DeleteFunc(res.Records, func(rec core.Record) bool {
					for related := range tx.Of(to.Target()) {
						in, err := op.Where.Where().Match(related, nil)
						if in && err == nil && first(related.Key()) == first(rec.Value(to.Stored)) {
							return false
						}
					}
					return true
				})
				return res, err
			}
		},
	},
	{
		name:   "each part of a key is unique",
		breaks: []string{"key parts/a key of several fields is unique"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					for other := range tx.Of(op.Resource) {
						if rec.Key().IsSet() && first(rec.Key()) == first(other.Key()) {
							return nil, op.Resource.Key().AlreadyExists()
						}
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "the columns of a reference are checked one by one",
		breaks: []string{"key parts/a reference has the whole key of its target"},
		install: tolerating(core.NotFound, func(tx *kittest.NaiveTx, e *core.Error) bool {
			target := tx.Backend.Model.ResourceByAPIName(e.Resource)
			for i, element := range e.Key.Tuple() {
				found := false
				for rec := range tx.Of(target) {
					found = found || rec.Key().Tuple()[i] == element
				}
				if !found {
					return false
				}
			}
			return e.Key.Type() == core.Tuple
		}),
	},
	{
		name:   "references of several fields do not keep their target",
		breaks: []string{"key parts/a referenced key cannot be deleted"},
		install: tolerating(core.StillReferenced, func(_ *kittest.NaiveTx, e *core.Error) bool {
			return e.Resource == "Parcel" || e.Resource == "mark"
		}),
	},
	{
		name:   "an update keeps relations whose fields change",
		breaks: []string{"key parts/relations follow shared fields", "key parts/conditions hold for keys and their parts"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				before := maps.Clone(tx.Rows[op.Resource.Index()])
				stale := with(op, func(op *core.Op) { op.Check = core.All() })
				recs, err := tx.Update(ctx, stale)
				for i, rec := range recs {
					for _, f := range op.Resource.References() {
						if f.Parts() != nil {
							rec = rec.Set(f, before[rec.Key()].Value(f))
						}
					}
					tx.Rows[op.Resource.Index()][rec.Key()], recs[i] = rec, rec
					if !kit.Certain(op.Check.Match(rec, nil)) {
						return nil, op.Resource.Forbidden()
					}
				}
				return recs, err
			}
		},
	},
	{
		name:   "filters compare the first part of a reference",
		breaks: []string{"key parts/references of several fields are found and sorted"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				where := op.Where
				if where.Kind() != core.FilterEq || where.Field().Type() != core.Tuple || where.Field().Key() || !where.Values()[0].IsSet() {
					return tx.Read(ctx, op)
				}
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Where = core.All() }))
				res.Records = slices.DeleteFunc(res.Records, func(rec core.Record) bool {
					return first(rec.Value(where.Field())) != first(where.Values()[0])
				})
				return res, err
			}
		},
	},
	{
		name:   "a projection omits relations whose fields are not read",
		breaks: []string{"key parts/projections of keys and relations of several fields"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				for i, rec := range res.Records {
					for _, f := range op.Resource.References() {
						if op.Fields != nil && f.Parts() != nil && !slices.Contains(op.Fields, f.Parts()[0]) {
							rec = rec.Set(f, core.Value{})
						}
					}
					res.Records[i] = rec
				}
				return res, err
			}
		},
	},
}
