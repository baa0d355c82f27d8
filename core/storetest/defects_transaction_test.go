package storetest_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

var transactionDefects = []defect{
	{
		name: "a rollback keeps the writes",
		breaks: []string{
			"transaction/an error rolls back", "transaction/a panic rolls back", "transaction/a failed operation undoes earlier writes",
			"durability/uncommitted writes do not survive a restart", "random/random programs agree with the oracle",
		},
		install: func(h *hooks) {
			h.rollback = func(tx *kittest.NaiveTx, ctx context.Context) error {
				tx.Backend.Rows = tx.Rows
				return tx.Rollback(ctx)
			}
		},
	},
	{
		name:   "a commit drops deletes",
		breaks: []string{"transaction/a commit makes all writes visible", "write/delete removes the records"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				for i, all := range tx.Backend.Rows {
					for key, rec := range all {
						if _, there := tx.Rows[i][key]; !there {
							tx.Rows[i][key] = rec
						}
					}
				}
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "a transaction does not see its own writes",
		breaks: []string{"transaction/a transaction sees its own writes", "transaction/a transaction may have many operations"},
		install: func(h *hooks) {
			committed := func(tx *kittest.NaiveTx) *kittest.NaiveTx {
				return &kittest.NaiveTx{Backend: tx.Backend, Rows: tx.Backend.Rows}
			}
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return committed(tx).Read(ctx, op)
			}
			h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
				return committed(tx).Count(ctx, op)
			}
		},
	},
	{
		name:   "a deleted key is taken until the commit",
		breaks: []string{"transaction/a key can be deleted and reinserted"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				for _, rec := range op.Records {
					if _, there := tx.Backend.Rows[op.Resource.Index()][rec.Key()]; there {
						return nil, op.Resource.Key().AlreadyExists()
					}
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "every fifth transaction conflicts without a reason",
		breaks: []string{"transaction/sequential transactions do not conflict"},
		install: func(h *hooks) {
			n := 0
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				if n++; n%5 == 0 {
					return errors.Join(core.ErrConflict, tx.Rollback(ctx))
				}
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "a read-only transaction cannot count",
		breaks: []string{"transaction/a read-only transaction can read"},
		install: func(h *hooks) {
			readOnly := false
			h.begin = func(b *kittest.Naive, ctx context.Context, opts core.BackendTxOptions) (*kittest.NaiveTx, error) {
				tx, err := b.Begin(ctx, opts)
				if err != nil {
					return nil, err
				}
				readOnly = opts.ReadOnly && !opts.Single
				return tx.(*kittest.NaiveTx), nil
			}
			h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
				if readOnly {
					return 0, errors.New("cannot create a temporary table in a read-only transaction")
				}
				return tx.Count(ctx, op)
			}
		},
	},
	{
		name:   "a final operation commits before it is checked",
		breaks: []string{"transaction/a final operation has the same result"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				if op.Final && err == nil {
					tx.Backend.Rows = tx.Rows
				}
				return recs, err
			}
		},
	},
	{
		name:   "a final operation commits although it misses",
		breaks: []string{"transaction/a failed final operation undoes earlier writes"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Update(ctx, op)
				if op.Final && errors.Is(err, core.NotFound) {
					tx.Backend.Rows = tx.Rows
				}
				return recs, err
			}
		},
	},
	{
		name:   "at most a hundred operations",
		breaks: []string{"transaction/a transaction may have many operations"},
		install: func(h *hooks) {
			n := make(map[*kittest.NaiveTx]int)
			h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
				if n[tx]++; n[tx] > 100 {
					return 0, errors.New("too many savepoints")
				}
				return tx.Count(ctx, op)
			}
		},
	},
	{
		name:   "an empty transaction is an error",
		breaks: []string{"batch/empty batches"},
		install: func(h *hooks) {
			used := make(map[*kittest.NaiveTx]bool)
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				used[tx] = true
				return tx.Read(ctx, op)
			}
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				used[tx] = true
				return tx.Insert(ctx, op)
			}
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				if !used[tx] {
					return errors.Join(errors.New("there is no transaction in progress"), tx.Rollback(ctx))
				}
				return tx.Commit(ctx)
			}
		},
	},
}

var isolationDefects = []defect{
	{
		name: "reads see uncommitted writes",
		breaks: []string{
			"isolation/no dirty read", "isolation/no aborted read", "isolation/no intermediate read", "isolation/no dirty write",
			"isolation/no circular information flow", "isolation/random schedules are serializable",
		},
		free: true,
		open: func() core.Backend { return new(uncommitted) },
	},
	{
		name: "read committed",
		breaks: []string{
			"isolation/no non-repeatable read", "isolation/no read skew", "isolation/no phantom", "isolation/no long fork",
			"isolation/no observed transaction vanishes", "isolation/random schedules are serializable",
		},
		free: true,
		open: func() core.Backend { return &optimistic{validate: validateNothing, refresh: true} },
	},
	{
		name: "snapshot isolation",
		breaks: []string{
			"isolation/no write skew", "isolation/no write skew on a condition", "isolation/no read-only anomaly",
			"isolation/random schedules are serializable",
		},
		free: true,
		open: func() core.Backend { return &optimistic{validate: validateWrites} },
	},
	{
		name: "the last writer wins",
		breaks: []string{
			"isolation/no lost update", "concurrency/no increment is lost", "isolation/no guard bypass",
			"concurrency/readers see whole transactions", "isolation/unsynchronised clients are serializable",
		},
		free: true,
		open: func() core.Backend { return &optimistic{validate: validateNothing} },
	},
	{
		name:   "conditions are not validated",
		breaks: []string{"isolation/no write skew on a condition"},
		free:   true,
		open:   func() core.Backend { return &optimistic{validate: validateRecords} },
	},
	{
		name:   "readers lag behind",
		breaks: []string{"isolation/no stale read", "isolation/random schedules are serializable"},
		free:   true,
		open:   func() core.Backend { return &optimistic{validate: validateAll, lag: true} },
	},
}

// lockDefects are optimistic backends: without a lock, their transactions conflict instead of waiting.
var lockDefects = []defect{
	{
		name:   "Lock ignores the names",
		breaks: []string{"locks/transactions with one lock do not conflict", "locks/waiting for a lock ends with the context", "numbers/concurrent inserts leave no gap"},
		free:   true,
		open:   func() core.Backend { return &optimistic{validate: validateAll} },
	},
	{
		name:   "the locks are taken after the snapshot",
		breaks: []string{"locks/transactions with one lock do not conflict", "locks/locks in opposite order do not deadlock"},
		free:   true,
		open: func() core.Backend {
			return &optimistic{validate: validateAll, lock: lockOnly}
		},
	},
	{
		name:   "a rollback keeps the locks",
		breaks: []string{"locks/the end of a transaction releases its locks", "locks/waiting for a lock ends with the context"},
		free:   true,
		open:   func() core.Backend { return &optimistic{validate: validateAll, lock: lockAndRenew, keepLocks: true} },
	},
	{
		name:   "all names are one lock",
		breaks: []string{"locks/different locks do not wait for each other"},
		free:   true,
		open: func() core.Backend {
			return &optimistic{validate: validateAll, lock: func(ctx context.Context, t *optimisticTx, _ []string) error {
				return lockAndRenew(ctx, t, []string{"the lock"})
			}}
		},
	},
	{
		name:   "every second transaction takes its locks in reverse order",
		breaks: []string{"locks/locks in opposite order do not deadlock"},
		free:   true,
		open: func() core.Backend {
			var n atomic.Int64
			return &optimistic{validate: validateAll, lock: func(ctx context.Context, t *optimisticTx, names []string) error {
				if n.Add(1)%2 == 0 {
					names = slices.Clone(names)
					slices.Reverse(names)
				}
				for _, name := range names {
					if err := lockAndRenew(ctx, t, []string{name}); err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
				}
				return nil
			}}
		},
	},
	{
		name:   "the wait for a lock ignores the context",
		breaks: []string{"locks/waiting for a lock ends with the context"},
		free:   true,
		open: func() core.Backend {
			return &optimistic{validate: validateAll, lock: func(_ context.Context, t *optimisticTx, names []string) error {
				return lockAndRenew(context.Background(), t, names)
			}}
		},
	},
	{
		name:   "a lock after a read waits",
		breaks: []string{"locks/a lock after a read does not wait"},
		free:   true,
		open:   func() core.Backend { return &optimistic{validate: validateAll, lock: lockOnly} },
	},
}

// numberDefects are backends that treat the counters of numbered fields worse than other records.
var numberDefects = []defect{
	{
		name: "updates of counters are lost",
		breaks: []string{
			"numbers/records are numbered in their group", "numbers/a record keeps its number in another group", "numbers/a record can take a new number",
			"numbers/numbers are not used again", "numbers/records are numbered by a reference of several fields",
		},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if op.Resource.Name() == core.CountersName {
					return op.Records, ctx.Err()
				}
				return tx.Update(ctx, op)
			}
		},
	},
	{
		name:   "a delete resets the counters",
		breaks: []string{"numbers/numbers are not used again"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				clear(tx.Rows[len(tx.Rows)-1])
				return tx.Delete(ctx, op)
			}
		},
	},
	{
		name:   "a rollback keeps the counters",
		breaks: []string{"numbers/a rollback returns the numbers"},
		install: func(h *hooks) {
			h.rollback = func(tx *kittest.NaiveTx, ctx context.Context) error {
				last := len(tx.Rows) - 1
				tx.Backend.Rows[last] = tx.Rows[last]
				return tx.Rollback(ctx)
			}
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				last := len(tx.Rows) - 1
				tx.Backend.Rows[last] = tx.Rows[last]
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "descending orders ascend",
		breaks: []string{"numbers/a group continues after the highest number"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return tx.Read(ctx, with(op, func(op *core.Op) {
					op.Order = slices.Clone(op.Order)
					for i := range op.Order {
						op.Order[i].Desc = false
					}
				}))
			}
		},
	},
	{
		name:   "a restart loses the counters",
		breaks: []string{"durability/numbers are not used again after a restart"},
		install: func(h *hooks) {
			h.restart = func(b *kittest.Naive) error {
				clear(b.Rows[len(b.Rows)-1])
				return nil
			}
		},
	},
}

// answerDefects are backends that treat remembered answers worse than other records.
var answerDefects = []defect{
	{
		name:   "a rollback keeps the answers",
		breaks: []string{"answers/an answer is remembered with its transaction"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				inserted, err := tx.Insert(ctx, op)
				if op.Resource.Name() == core.AnswersName && err == nil {
					for _, rec := range inserted {
						tx.Backend.Rows[op.Resource.Index()][rec.Key()] = rec
					}
				}
				return inserted, err
			}
		},
	},
	{
		name: "answers are not stored",
		breaks: []string{
			"answers/an answer is remembered for its principal", "answers/an answer is remembered with its transaction", "answers/an answer expires",
			"answers/transactions with one key run one after another",
		},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if op.Resource.Name() == core.AnswersName {
					return op.Records, ctx.Err()
				}
				return tx.Insert(ctx, op)
			}
		},
	},
	{
		name:   "a restart loses the answers",
		breaks: []string{"durability/an answer is remembered after a restart"},
		install: func(h *hooks) {
			h.restart = func(b *kittest.Naive) error {
				clear(b.Rows[len(b.Rows)-1])
				return nil
			}
		},
	},
}
