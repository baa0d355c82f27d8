package storetest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// highest returns the highest key that is there.
func highest(tx *kittest.NaiveTx, op *core.Op) (top int64) {
	for key := range tx.Rows[op.Resource.Index()] {
		top = max(top, key.Int())
	}
	return top
}

// counting makes inserts and next ids start to count from what from returns.
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
		name: "the next id is one more than the highest",
		breaks: []string{
			"ids/ids of deleted records do not come again", "ids/ids of rolled back transactions do not come again",
			"ids/promised ids come to nobody else", "ids/ids tell nothing of policies", "durability/ids do not come again after a restart",
		},
		install: func(h *hooks) { h.counting(highest) },
	},
	{
		name:   "a key of the transaction's own is a conflict with another transaction",
		breaks: []string{"ids/a key that the transaction has inserted is taken"},
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
		name:   "a rollback gives ids back",
		breaks: []string{"ids/ids of rolled back transactions do not come again"},
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
		name:   "a delete gives the id back",
		breaks: []string{"ids/ids of deleted records do not come again"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				err := tx.Delete(ctx, op)
				tx.Backend.Last[op.Resource.Index()] = highest(tx, op)
				return err
			}
		},
	},
	{
		name: "the sequence knows nothing of given keys",
		breaks: []string{
			"ids/handed out ids keep clear of given ones", "ids/a batch may mix given and missing keys", "ids/a committed chosen key is never generated",
			"ids/a transaction generates none of the keys that it chose", "ids/a generated key that is taken is replaced",
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
		breaks: []string{"ids/a chosen key that is not committed moves nothing"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				tx.Follow()
				return recs, err
			}
		},
	},
	{
		name:    "a batch hands out keys before it looks at those that are given",
		breaks:  []string{"ids/a batch may mix given and missing keys"},
		install: func(h *hooks) { h.insert = oneByOne() },
	},
	{
		name:   "promised ids cannot be used",
		breaks: []string{"ids/a promised id can be used"},
		install: func(h *hooks) {
			promised := make(map[core.Value]bool)
			h.nextIDs = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error) {
				keys, err := tx.NextIDs(ctx, op)
				for _, key := range keys {
					promised[key] = true
				}
				return keys, err
			}
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if promised[rec.Key()] {
						return nil, op.Resource.Key().AlreadyExists()
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "a hundred ids at most",
		breaks: []string{"ids/as many ids as asked for"},
		install: func(h *hooks) {
			h.nextIDs = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error) {
				return tx.NextIDs(ctx, with(op, func(op *core.Op) { op.N = min(op.N, 100) }))
			}
		},
	},
	{
		name:   "text keys are made up",
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
		name:   "assigned numbers are made up",
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
		name:   "ids are handed out before anybody has the turn",
		breaks: []string{"concurrency/ids handed out at the same time differ"},
		free:   true,
		open: func() core.Backend {
			b := &optimistic{validate: validateAll}
			b.sameIDs = true
			return b
		},
	},
}

// oneByOne inserts records as if each came alone, without looking at the keys of
// those that follow.
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
