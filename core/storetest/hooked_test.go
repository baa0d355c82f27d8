package storetest_test

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// hooked is the naive backend with hooks in place of some of its methods. Broken backends consist of hooks.
type hooked struct {
	kittest.Naive
	hooks
}

type (
	readHook   = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error)
	countHook  = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error)
	writeHook  = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error)
	deleteHook = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error
	nextHook   = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Value, error)
	endHook    = func(tx *kittest.NaiveTx, ctx context.Context) error
)

type hooks struct {
	begin            func(b *kittest.Naive, ctx context.Context, opts core.BackendTxOptions) (*kittest.NaiveTx, error)
	read             readHook
	count            countHook
	aggregate        readHook
	insert, update   writeHook
	delete           deleteHook
	nextIDs          nextHook
	commit, rollback endHook
	restart, close   func(b *kittest.Naive) error
	ping             func(b *kittest.Naive, ctx context.Context) error
}

func (b *hooked) Bind(ctx context.Context, m *core.Model) error {
	var err error
	if b.Rows != nil && b.restart != nil {
		err = b.restart(&b.Naive)
	}
	return errors.Join(err, b.Naive.Bind(ctx, m))
}

func (b *hooked) Reopen() core.Backend {
	return &hooked{hooks: b.hooks, Naive: kittest.Naive{Rows: b.Rows, Last: slices.Clone(b.Last)}}
}

func (b *hooked) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if b.begin != nil {
		tx, err := b.begin(&b.Naive, ctx, opts)
		return &hookedTx{tx, &b.hooks}, err
	}
	tx, err := b.Naive.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &hookedTx{tx.(*kittest.NaiveTx), &b.hooks}, nil
}

func (b *hooked) Ping(ctx context.Context) error {
	if b.ping != nil {
		return b.ping(&b.Naive, ctx)
	}
	return b.Naive.Ping(ctx)
}

func (b *hooked) Close() error {
	if b.close != nil {
		return b.close(&b.Naive)
	}
	return b.Naive.Close()
}

type hookedTx struct {
	tx *kittest.NaiveTx
	*hooks
}

func (t *hookedTx) Lock(ctx context.Context, names []string) error { return t.tx.Lock(ctx, names) }

func (t *hookedTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if t.read != nil {
		return t.read(t.tx, ctx, op)
	}
	return t.tx.Read(ctx, op)
}

func (t *hookedTx) Count(ctx context.Context, op *core.Op) (int, error) {
	if t.count != nil {
		return t.count(t.tx, ctx, op)
	}
	return t.tx.Count(ctx, op)
}

func (t *hookedTx) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	if t.aggregate != nil {
		return t.aggregate(t.tx, ctx, op)
	}
	return t.tx.Aggregate(ctx, op)
}

func (t *hookedTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if t.insert != nil {
		return t.insert(t.tx, ctx, op)
	}
	return t.tx.Insert(ctx, op)
}

func (t *hookedTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if t.update != nil {
		return t.update(t.tx, ctx, op)
	}
	return t.tx.Update(ctx, op)
}

func (t *hookedTx) Delete(ctx context.Context, op *core.Op) error {
	if t.delete != nil {
		return t.delete(t.tx, ctx, op)
	}
	return t.tx.Delete(ctx, op)
}

func (t *hookedTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	if t.nextIDs != nil {
		return t.nextIDs(t.tx, ctx, op)
	}
	return t.tx.NextIDs(ctx, op)
}

func (t *hookedTx) Commit(ctx context.Context) error {
	if t.commit != nil {
		return t.commit(t.tx, ctx)
	}
	return t.tx.Commit(ctx)
}

func (t *hookedTx) Rollback(ctx context.Context) error {
	if t.rollback != nil {
		return t.rollback(t.tx, ctx)
	}
	return t.tx.Rollback(ctx)
}

// with returns a changed copy of the op.
func with(op *core.Op, change func(op *core.Op)) *core.Op {
	changed := *op
	change(&changed)
	return &changed
}

// among reads and counts the records for which keep returns true.
func (h *hooks) among(keep func(op *core.Op, rec core.Record) bool, change func(op *core.Op)) {
	of := func(tx *kittest.NaiveTx, op *core.Op) reference.Records {
		return func(r *core.Resource) iter.Seq[core.Record] {
			return func(yield func(core.Record) bool) {
				for rec := range tx.Of(r) {
					if (r != op.Resource || keep(op, rec)) && !yield(rec) {
						return
					}
				}
			}
		}
	}
	h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		return reference.Read(of(tx, op), with(op, change))
	}
	h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
		return reference.Count(of(tx, op), with(op, change))
	}
	h.aggregate = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		return reference.Aggregate(of(tx, op), with(op, change))
	}
}

// sorted selects in another order.
func (h *hooks) sorted(compare func(op *core.Op, a, b core.Record) int) {
	h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Kind == core.Load {
			return tx.Read(ctx, op)
		}
		res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Limit = 0 }))
		slices.SortStableFunc(res.Records, func(a, b core.Record) int { return compare(op, a, b) })
		return cut(res.Records, op.Limit), err
	}
}

// cut truncates the records to the limit.
func cut(recs []core.Record, limit int) core.Result {
	if limit == 0 || len(recs) <= limit {
		return core.Result{Records: recs}
	}
	return core.Result{Records: recs[:limit], More: true}
}

// storing changes values before they are stored.
func (h *hooks) storing(change func(v core.Value) core.Value) {
	lossy := func(method writeHook) writeHook {
		return func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
			return method(tx, ctx, with(op, func(op *core.Op) {
				op.Records = slices.Clone(op.Records)
				for i, rec := range op.Records {
					for c := range rec.Len() {
						rec = rec.With(c, change(rec.At(c)))
					}
					op.Records[i] = rec
				}
			}))
		}
	}
	h.insert, h.update = lossy((*kittest.NaiveTx).Insert), lossy((*kittest.NaiveTx).Update)
}
