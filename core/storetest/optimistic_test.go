package storetest_test

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// optimistic is a backend with concurrent transactions that never wait: each works on a snapshot and is validated at
// commit. With validateAll it keeps every promise. With other functions it is broken in a known way.
type optimistic struct {
	kittest.Naive
	validate func(tx *optimisticTx, mine, theirs changes) bool

	refresh bool // every operation sees the latest commits
	lag     bool // readers see the state before the last commit
	blind   bool // integrity is checked on the snapshot
	sameIDs bool // each transaction generates keys of its own

	unguarded bool                                                             // updates ignore a Using that crosses relations
	lock      func(ctx context.Context, t *optimisticTx, names []string) error // nil ignores the names
	keepLocks bool                                                             // a rollback keeps the locks

	mu     sync.Mutex
	before []kittest.Rows
	locks  map[string]chan struct{} // each holds an element while the name is locked
}

// changes are the records that a transaction wrote, by resource and key. Deleted records are zero.
type changes map[recordID]core.Record

type recordID struct {
	resource int
	key      core.Value
}

func changesOf(before, after []kittest.Rows) changes {
	all := make(changes)
	for i := range before {
		for key, rec := range after[i] {
			if old, ok := before[i][key]; !ok || !old.Equal(rec) {
				all[recordID{i, key}] = rec
			}
		}
		for key := range before[i] {
			if _, ok := after[i][key]; !ok {
				all[recordID{i, key}] = core.Record{}
			}
		}
	}
	return all
}

// on applies the changes to a copy of the rows.
func (c changes) on(before []kittest.Rows) []kittest.Rows {
	after := make([]kittest.Rows, len(before))
	for i := range before {
		after[i] = maps.Clone(before[i])
	}
	for at, rec := range c {
		if rec.IsZero() {
			delete(after[at.resource], at.key)
		} else {
			after[at.resource][at.key] = rec
		}
	}
	return after
}

func (c changes) meet(other changes) bool {
	for at := range c {
		if _, both := other[at]; both {
			return true
		}
	}
	return false
}

// validateAll lets a transaction commit writes only if there were no concurrent commits.
func validateAll(_ *optimisticTx, mine, theirs changes) bool {
	return len(mine) == 0 || len(theirs) == 0
}

// validateWrites is snapshot isolation: the first transaction that writes a record wins.
func validateWrites(_ *optimisticTx, mine, theirs changes) bool { return !mine.meet(theirs) }

// validateRecords compares records that were read or written, but not filters.
func validateRecords(tx *optimisticTx, mine, theirs changes) bool {
	return len(mine) == 0 || !mine.meet(theirs) && !tx.seen.meet(theirs)
}

// validateNothing lets the last writer win.
func validateNothing(*optimisticTx, changes, changes) bool { return true }

func (b *optimistic) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if b.Closed.Load() {
		return nil, core.ErrClosed
	}
	// Transactions that start together all take their snapshot before the first of them continues, also on a single processor.
	defer time.Sleep(time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	tx := &optimisticTx{NaiveTx: b.Open(), backend: b, base: b.Rows, last: slices.Clone(b.Last), seen: make(changes)}
	if b.lag && opts.ReadOnly && b.before != nil {
		tx.base, tx.Rows = b.before, changes{}.on(b.before)
	}
	return tx, ctx.Err()
}

type optimisticTx struct {
	*kittest.NaiveTx
	backend *optimistic
	base    []kittest.Rows // the snapshot
	last    []int64
	seen    changes
	held    []chan struct{}
	begun   bool // an operation has read the snapshot
}

// Lock implements [core.BackendTx].
func (t *optimisticTx) Lock(ctx context.Context, names []string) error {
	if t.backend.lock == nil {
		return nil
	}
	return t.backend.lock(ctx, t, names)
}

// lockAndRenew keeps the promises of [core.BackendTx.Lock].
func lockAndRenew(ctx context.Context, t *optimisticTx, names []string) error {
	if t.begun {
		return t.tryLock(names)
	}
	err := t.take(ctx, names)
	t.renew()
	return err
}

// lockOnly takes the locks and keeps the snapshot.
func lockOnly(ctx context.Context, t *optimisticTx, names []string) error {
	return t.take(ctx, names)
}

func (t *optimisticTx) name(name string) chan struct{} {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	if t.backend.locks == nil {
		t.backend.locks = make(map[string]chan struct{})
	}
	if t.backend.locks[name] == nil {
		t.backend.locks[name] = make(chan struct{}, 1)
	}
	return t.backend.locks[name]
}

// take waits for the names, in their order.
func (t *optimisticTx) take(ctx context.Context, names []string) error {
	for _, name := range names {
		lock := t.name(name)
		if slices.Contains(t.held, lock) {
			continue
		}
		select {
		case lock <- struct{}{}:
			t.held = append(t.held, lock)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (t *optimisticTx) tryLock(names []string) error {
	for _, name := range names {
		lock := t.name(name)
		if slices.Contains(t.held, lock) {
			continue
		}
		select {
		case lock <- struct{}{}:
			t.held = append(t.held, lock)
		default:
			return core.ErrConflict
		}
	}
	return nil
}

// renew replaces the snapshot by the latest commits.
func (t *optimisticTx) renew() {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	t.base, t.Rows = t.backend.Rows, changes{}.on(t.backend.Rows)
}

func (t *optimisticTx) unlock() {
	for _, lock := range t.held {
		<-lock
	}
	t.held = nil
}

// enter begins an operation. It returns the function that ends it.
func (t *optimisticTx) enter() (leave func()) {
	runtime.Gosched() // as a network would
	t.begun = true
	b := t.backend
	b.mu.Lock()
	if b.refresh {
		mine := changesOf(t.base, t.Rows)
		t.base = b.Rows
		t.Rows = mine.on(b.Rows)
	}
	if !b.sameIDs {
		return b.mu.Unlock
	}
	copy(b.Naive.Last, t.last)
	return func() {
		copy(t.last, b.Naive.Last)
		b.mu.Unlock()
	}
}

func (t *optimisticTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	defer t.enter()()
	res, err := t.NaiveTx.Read(ctx, op)
	for _, rec := range res.Records {
		t.seen[recordID{op.Resource.Index(), rec.Key()}] = rec
	}
	return res, err
}

func (t *optimisticTx) Count(ctx context.Context, op *core.Op) (int, error) {
	defer t.enter()()
	return t.NaiveTx.Count(ctx, op)
}

func (t *optimisticTx) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	defer t.enter()()
	return t.NaiveTx.Aggregate(ctx, op)
}

func (t *optimisticTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	defer t.enter()()
	return t.NaiveTx.Insert(ctx, op)
}

func (t *optimisticTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	defer t.enter()()
	if t.backend.unguarded && op.Using.Crosses() {
		op = with(op, all)
	}
	return t.NaiveTx.Update(ctx, op)
}

func (t *optimisticTx) Delete(ctx context.Context, op *core.Op) error {
	defer t.enter()()
	return t.NaiveTx.Delete(ctx, op)
}

func (t *optimisticTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	defer t.enter()()
	return t.NaiveTx.NextIDs(ctx, op)
}

func (t *optimisticTx) Commit(ctx context.Context) error {
	runtime.Gosched()
	defer t.unlock()
	b := t.backend
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	mine := changesOf(t.base, t.Rows)
	if !b.validate(t, mine, changesOf(t.base, b.Rows)) {
		return core.ErrConflict
	}
	merged := mine.on(b.Rows)
	if !b.blind {
		t.Rows = merged
	}
	if err := t.Check(); err != nil {
		return err
	}
	t.Follow()
	if len(mine) > 0 {
		b.before, b.Rows = b.Rows, merged
	}
	return nil
}

func (t *optimisticTx) Rollback(context.Context) error {
	if !t.backend.keepLocks {
		t.unlock()
	}
	return nil
}

// uncommitted is a backend without isolation: all transactions read and write the same maps, and a rollback undoes the
// writes of its transaction.
type uncommitted struct {
	kittest.Naive
	mu sync.Mutex
}

func (b *uncommitted) Begin(ctx context.Context, _ core.BackendTxOptions) (core.BackendTx, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := b.Open()
	return &uncommittedTx{&kittest.NaiveTx{Backend: &b.Naive, Rows: b.Rows, Chosen: open.Chosen}, b, open.Rows, make(changes)}, ctx.Err()
}

type uncommittedTx struct {
	*kittest.NaiveTx
	backend *uncommitted
	before  []kittest.Rows
	wrote   changes
}

func (t *uncommittedTx) note(op *core.Op, keys []core.Value) {
	for _, key := range keys {
		at := recordID{op.Resource.Index(), key}
		if _, known := t.wrote[at]; !known {
			t.wrote[at] = t.before[at.resource][key]
		}
	}
}

func (t *uncommittedTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	return t.NaiveTx.Read(ctx, op)
}

func (t *uncommittedTx) Count(ctx context.Context, op *core.Op) (int, error) {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	return t.NaiveTx.Count(ctx, op)
}

func (t *uncommittedTx) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	return t.NaiveTx.Aggregate(ctx, op)
}

func (t *uncommittedTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	recs, err := t.NaiveTx.Insert(ctx, op)
	for _, rec := range recs {
		t.note(op, []core.Value{rec.Key()})
	}
	return recs, err
}

func (t *uncommittedTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	t.note(op, op.Keys)
	return t.NaiveTx.Update(ctx, op)
}

func (t *uncommittedTx) Delete(ctx context.Context, op *core.Op) error {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	t.note(op, op.Keys)
	return t.NaiveTx.Delete(ctx, op)
}

func (t *uncommittedTx) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	return t.NaiveTx.NextIDs(ctx, op)
}

func (t *uncommittedTx) Commit(ctx context.Context) error {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	t.Follow()
	return ctx.Err()
}

func (t *uncommittedTx) Rollback(context.Context) error {
	t.backend.mu.Lock()
	defer t.backend.mu.Unlock()
	for at, rec := range t.wrote {
		delete(t.Rows[at.resource], at.key)
		if !rec.IsZero() {
			t.Rows[at.resource][at.key] = rec
		}
	}
	return nil
}
