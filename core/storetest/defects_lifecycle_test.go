package storetest_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// aliased makes records share memory with the store.
func aliased(h *hooks) {
	memory := make(map[recordID][]core.Value)
	write := func(method writeHook) writeHook {
		return func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
			recs, err := method(tx, ctx, op)
			for i, rec := range recs {
				at := recordID{op.Resource.Index(), rec.Key()}
				if memory[at] == nil {
					memory[at] = make([]core.Value, rec.Len())
				}
				for c := range rec.Len() {
					memory[at][c] = rec.At(c)
				}
				recs[i] = op.Resource.RecordOf(memory[at])
				tx.Rows[op.Resource.Index()][rec.Key()] = recs[i]
			}
			return recs, err
		}
	}
	h.insert, h.update = write((*kittest.NaiveTx).Insert), write((*kittest.NaiveTx).Update)
}

var ownershipDefects = []defect{
	{
		name:    "records share memory with the store",
		breaks:  []string{"ownership/returned records do not change", "ownership/returned records survive a rollback"},
		install: aliased,
	},
	{
		name:   "a result is cached and returned again",
		breaks: []string{"ownership/returned slices belong to the caller"},
		install: func(h *hooks) {
			var cached []core.Record
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				if slices.EqualFunc(cached, res.Records, core.Record.Equal) || zeroed(cached) {
					res.Records = cached
				}
				cached = res.Records
				return res, err
			}
		},
	},
	{
		name:   "keys are filled into the op",
		breaks: []string{"ownership/slices of the op belong to the caller", "ids/insert generates a missing key"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				copy(op.Records, recs)
				return recs, err
			}
		},
	},
	{
		name:   "the op's slice is the result",
		breaks: []string{"ownership/slices of the op belong to the caller"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				if slices.EqualFunc(recs, op.Records, core.Record.Equal) {
					return op.Records, err
				}
				return recs, err
			}
		},
	},
}

// zeroed reports whether all records are zero.
func zeroed(recs []core.Record) bool {
	return len(recs) > 0 && !slices.ContainsFunc(recs, func(rec core.Record) bool { return !rec.IsZero() })
}

var cancelDefects = []defect{
	{
		name: "contexts are ignored",
		breaks: []string{
			"cancellation/an ended context fails each operation", "cancellation/an ended context fails an operation in a transaction",
			"cancellation/a deadline is distinct from a cancellation", "cancellation/no commit after the context ended",
		},
		open: func() core.Backend { return deaf{new(kittest.Naive)} },
	},
	{
		name:   "a wait does not end",
		breaks: []string{"cancellation/waiting ends with the context"},
		install: func(h *hooks) {
			h.begin = func(b *kittest.Naive, ctx context.Context, _ core.BackendTxOptions) (*kittest.NaiveTx, error) {
				b.Turn <- struct{}{}
				if ctx.Err() != nil {
					<-b.Turn
					return nil, ctx.Err()
				}
				return b.Open(), nil
			}
		},
	},
	{
		name:   "a commit does not look at its context",
		breaks: []string{"cancellation/no commit after the context ended"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error { return tx.Commit(context.WithoutCancel(ctx)) }
		},
	},
	{
		name:   "after a cancelled transaction all others hang",
		breaks: []string{"cancellation/a rollback works after the context ended"},
		install: func(h *hooks) {
			ended := false
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Update(ctx, op)
				go func() { <-ctx.Done() }() // like a database driver
				h.rollback = func(tx *kittest.NaiveTx, rctx context.Context) error {
					ended = ended || ctx.Err() != nil
					return tx.Rollback(rctx)
				}
				return recs, err
			}
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if ended {
					return nil, context.Canceled
				}
				return tx.Insert(ctx, op)
			}
		},
	},
}

// deaf hides contexts from a backend.
type deaf struct{ core.Backend }

func (d deaf) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := d.Backend.Begin(context.WithoutCancel(ctx), opts)
	return deafTx{tx}, err
}

func (d deaf) Reopen() core.Backend { return deaf{d.Backend.(reopenable).Reopen()} }

type deafTx struct{ core.BackendTx }

func (t deafTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	return t.BackendTx.Read(context.WithoutCancel(ctx), op)
}

func (t deafTx) Count(ctx context.Context, op *core.Op) (int, error) {
	return t.BackendTx.Count(context.WithoutCancel(ctx), op)
}

func (t deafTx) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	return t.BackendTx.Aggregate(context.WithoutCancel(ctx), op)
}

func (t deafTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	return t.BackendTx.Insert(context.WithoutCancel(ctx), op)
}

func (t deafTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	return t.BackendTx.Update(context.WithoutCancel(ctx), op)
}

func (t deafTx) Delete(ctx context.Context, op *core.Op) error {
	return t.BackendTx.Delete(context.WithoutCancel(ctx), op)
}

func (t deafTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	return t.BackendTx.NextIDs(context.WithoutCancel(ctx), op)
}

func (t deafTx) Commit(ctx context.Context) error {
	return t.BackendTx.Commit(context.WithoutCancel(ctx))
}

var durabilityDefects = []defect{
	{
		name:   "a restart loses the last key",
		breaks: []string{"durability/keys are not generated again after a restart"},
		install: func(h *hooks) {
			h.restart = func(b *kittest.Naive) error {
				for i, all := range b.Rows {
					b.Last[i] = 0
					for key := range all {
						b.Last[i] = max(b.Last[i], key.Int())
					}
				}
				return nil
			}
		},
	},
	{
		name:   "a restart loses the last record",
		breaks: []string{"durability/committed writes survive a restart", "durability/integrity holds after a restart"},
		install: func(h *hooks) {
			h.restart = func(b *kittest.Naive) error {
				for _, all := range b.Rows {
					if len(all) > 0 {
						delete(all, slices.MaxFunc(slices.Collect(maps.Keys(all)), core.Compare))
					}
				}
				return nil
			}
		},
	},
	{
		name:   "an empty file cannot be read",
		breaks: []string{"durability/an empty backend can be reopened"},
		install: func(h *hooks) {
			h.restart = func(b *kittest.Naive) error {
				for _, all := range b.Rows {
					if len(all) > 0 {
						return nil
					}
				}
				return io.ErrUnexpectedEOF
			}
		},
	},
}

var closingDefects = []defect{
	{
		name:    "a closed backend begins transactions",
		breaks:  []string{"closing/a closed backend begins no transaction"},
		install: func(h *hooks) { h.close = func(*kittest.Naive) error { return nil } },
	},
	{
		name:    "a ping never fails",
		breaks:  []string{"closing/ping reports whether the backend is usable"},
		install: func(h *hooks) { h.ping = func(*kittest.Naive, context.Context) error { return nil } },
	},
	{
		name:   "a used backend cannot be closed",
		breaks: []string{"closing/a closed store rejects operations"},
		install: func(h *hooks) {
			h.close = func(b *kittest.Naive) error {
				for _, all := range b.Rows {
					if len(all) > 0 {
						return errors.New("in use")
					}
				}
				return b.Close()
			}
		},
	},
	{
		name:   "closing waits for the open transaction",
		breaks: []string{"closing/close does not wait for transactions"},
		install: func(h *hooks) {
			h.close = func(b *kittest.Naive) error {
				b.Turn <- struct{}{}
				return b.Close()
			}
		},
	},
	{
		name:   "every failure is unknown",
		breaks: []string{"errors/only commits have an unknown outcome"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				err := tx.Commit(ctx)
				if err != nil {
					err = errors.Join(core.ErrCommitUnknown, err)
				}
				return err
			}
		},
	},
}
