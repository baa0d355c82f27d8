package core

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Transaction is an open transaction, the argument of the function of [Store.Tx]. It has the operations of [Store].
// They may be called from several goroutines, and run one at a time. After an operation has failed in the backend,
// the transaction can only be rolled back: further operations fail with [ErrTxFailed]. After an operation that breaks rules of
// the model ([ValidationFailed]) reads go on, and further writes are checked and not performed, so that a program can
// report all violations: they fail by the rules, by policies, or with ErrTxFailed.
type Transaction struct {
	session session
}

// AfterCommit registers a function to be called after the transaction has committed, and before [Store.Tx] returns
// unless a decorator such as a timeout gives up earlier. The functions are called one at a time in the order of their
// registration, and not at all after a rollback or a commit of unknown outcome ([ErrCommitUnknown]): a message that must not
// get lost is a record of the transaction. Another attempt of the transaction begins without functions. Their context is that
// with which the transaction was begun, and may have ended. They may use the store. The panic of a function does not undo
// the commit; the other functions run, and [Store.Tx] panics.
func (t *Transaction) AfterCommit(fn func(ctx context.Context)) { t.session.tx.info.AfterCommit(fn) }

// Model returns the model of the store.
func (t *Transaction) Model() *Model { return t.session.store.model }

// BelongsTo reports whether the transaction is one of the store.
func (t *Transaction) BelongsTo(s *Store) bool { return t.session.store == s }

// Final returns the transaction for its last operation. When that operation succeeds, the transaction has committed;
// when the commit fails, the operation fails. No operation can follow, and a later error or panic of the function of
// [Store.Tx] does not undo the commit. It saves a round trip on backends that send the commit together with the
// operation.
func (t *Transaction) Final() *Transaction {
	return &Transaction{session{store: t.session.store, tx: t.session.tx, final: true}}
}

// Get is [Store.Get] in the transaction.
func (t *Transaction) Get(ctx context.Context, r *Resource, key Value) (Record, error) {
	return t.session.Get(ctx, r, key)
}

// Load is [Store.Load] in the transaction.
func (t *Transaction) Load(ctx context.Context, r *Resource, keys []Value, fields ...string) ([]Record, error) {
	return t.session.Load(ctx, r, keys, fields...)
}

// Select is [Store.Select] in the transaction.
func (t *Transaction) Select(ctx context.Context, r *Resource, q Query) (Page, error) {
	return t.session.Select(ctx, r, q)
}

// Count is [Store.Count] in the transaction.
func (t *Transaction) Count(ctx context.Context, r *Resource, where Filter) (int, error) {
	return t.session.Count(ctx, r, where)
}

// Now returns the time at which the attempt of the transaction began, in UTC and in whole microseconds, as stored times are.
// Decorators that store times use the same one, see [Op.Now].
func (t *Transaction) Now() time.Time { return t.session.tx.info.Began }

// CheckReadable is [Store.CheckReadable] in the transaction.
func (t *Transaction) CheckReadable(ctx context.Context, f *Field) error {
	return t.session.CheckReadable(ctx, f)
}

// ReadsAll is [Store.ReadsAll] in the transaction.
func (t *Transaction) ReadsAll(ctx context.Context, r *Resource) (bool, error) {
	return t.session.ReadsAll(ctx, r)
}

// Aggregate is [Store.Aggregate] in the transaction.
func (t *Transaction) Aggregate(ctx context.Context, r *Resource, a Aggregation) ([]Group, error) {
	return t.session.Aggregate(ctx, r, a)
}

// Insert is [Store.Insert] in the transaction.
func (t *Transaction) Insert(ctx context.Context, r *Resource, records ...Record) ([]Record, error) {
	return t.session.Insert(ctx, r, records...)
}

// Update is [Store.Update] in the transaction.
func (t *Transaction) Update(ctx context.Context, r *Resource, changes ...Record) ([]Record, error) {
	return t.session.Update(ctx, r, changes...)
}

// Replace is [Store.Replace] in the transaction.
func (t *Transaction) Replace(ctx context.Context, r *Resource, reset []*Field, changes ...Record) ([]Record, error) {
	return t.session.Replace(ctx, r, reset, changes...)
}

// Delete is [Store.Delete] in the transaction.
func (t *Transaction) Delete(ctx context.Context, r *Resource, keys ...Value) error {
	return t.session.Delete(ctx, r, keys...)
}

// Restore is [Store.Restore] in the transaction.
func (t *Transaction) Restore(ctx context.Context, r *Resource, keys ...Value) ([]Record, error) {
	return t.session.Restore(ctx, r, keys...)
}

// Deleted is [Store.Deleted] in the transaction.
func (t *Transaction) Deleted() Querier { return t.session.Deleted() }

// NextIDs is [Store.NextIDs] in the transaction.
func (t *Transaction) NextIDs(ctx context.Context, r *Resource, n int) ([]Value, error) {
	return t.session.NextIDs(ctx, r, n)
}

// TxInfo is the part of a transaction that its ops share.
type TxInfo struct {
	// Attempt is the number of the attempt of the transaction, from 1.
	Attempt int
	// ReadOnly means that writes are rejected. A decorator may set it in an op of kind [Tx] before it passes the op
	// on, and must not clear it.
	ReadOnly bool
	// Began is the time at which the attempt began, see [Op.Now].
	Began time.Time

	mu    sync.Mutex
	hooks []func(ctx context.Context)
}

// AfterCommit is [Transaction.AfterCommit] for decorators. It is safe for concurrent use.
func (i *TxInfo) AfterCommit(fn func(ctx context.Context)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hooks = append(i.hooks, fn)
}

// hookCount returns the number of registered functions.
func (i *TxInfo) hookCount() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.hooks)
}

// discardHooks removes the functions that were registered after the first n.
func (i *TxInfo) discardHooks(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hooks = i.hooks[:n]
}

// runHooks calls the functions, and then the functions that they have registered. It calls all of them even if one
// panics: a cache must learn of every commit.
func (i *TxInfo) runHooks(ctx context.Context) {
	i.mu.Lock()
	hooks := i.hooks
	i.hooks = nil
	i.mu.Unlock()
	if len(hooks) == 0 {
		return
	}
	defer i.runHooks(ctx)
	runEach(ctx, hooks)
}

func runEach(ctx context.Context, hooks []func(ctx context.Context)) {
	if len(hooks) > 0 {
		defer runEach(ctx, hooks[1:])
		hooks[0](ctx)
	}
}

// transaction is the state of an open transaction.
type transaction struct {
	info      *TxInfo
	allocated allocation
	counted   []string // locks of the counters and answers that the transaction has used

	mu        sync.Mutex // serializes the operations
	backend   BackendTx
	failed    error // the first error of the backend or of a hook
	writes    int   // number of operations that wrote records
	reads     bool  // reads are allowed after the failure
	rejected  bool  // the failure is a write that breaks rules of the model; it has not reached the backend
	done      bool  // no operation may follow
	ended     bool  // Commit or Rollback of the backend was called
	committed bool
}

// run runs one operation in the transaction.
func (t *transaction) run(ctx context.Context, op *Op) (Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.done:
		return Result{}, &Error{Code: ServerError, Cause: ErrTxDone}
	case t.failed != nil && op.Kind.Writes():
		return Result{}, t.reject(ctx, op)
	case t.failed != nil && !t.reads && !t.rejected:
		return Result{}, t.failure()
	case t.info.ReadOnly && op.Kind.Writes():
		return Result{}, &Error{Code: ReadOnly, Resource: op.Resource.apiName}
	}
	if t.failed != nil {
		return dispatch(ctx, t.backend, op)
	}
	t.failed = errInterrupted // stays if the backend panics
	var res Result
	err := op.validate(ctx, t.backend, false)
	if t.rejected = errors.Is(err, ValidationFailed); err == nil {
		res, err = write(ctx, t.backend, op)
	}
	if len(op.counted) > 0 {
		t.counted = union(t.counted, op.counted)
	}
	if err == nil && op.Kind == NextID {
		t.allocated.add(op.Resource, res.Keys)
	}
	if err == nil && op.Final {
		err = t.finish(ctx)
	}
	if t.failed = err; err != nil {
		return Result{}, err
	}
	if op.Kind.Writes() && op.Kind != NextID {
		t.writes++
	}
	return res, nil
}

// failure is the error of an operation after one that failed.
func (t *transaction) failure() error {
	return &Error{Code: AsError(t.failed).Code, Cause: errors.Join(ErrTxFailed, t.failed)}
}

// aborted reports whether the operation that failed has left the transaction unable to read.
func (t *transaction) aborted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Is(t.failed, ErrTxAborted)
}

// reject returns the error of a write after an operation that failed. After one that broke rules, it checks the write.
func (t *transaction) reject(ctx context.Context, op *Op) error {
	if t.rejected {
		if err := op.validate(ctx, t.backend, true); err != nil {
			return err
		}
	}
	return t.failure()
}

// written returns the number of operations that have written records.
func (t *transaction) written() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writes
}

// fail records the error of a hook, so that the transaction cannot commit.
func (t *transaction) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
}

// lock locks a name until the transaction ends. An attempt after a conflict takes the lock before its snapshot.
func (t *transaction) lock(ctx context.Context, name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.done:
		return &Error{Code: ServerError, Cause: ErrTxDone}
	case t.failed != nil:
		return t.failure()
	case t.info.ReadOnly:
		return nil // it sees one snapshot
	}
	names := []string{name}
	t.counted = union(t.counted, names)
	t.failed = errInterrupted // stays if the backend panics
	t.failed = t.backend.Lock(ctx, names)
	return t.failed
}

var errInterrupted = errors.New("operation was interrupted by a panic")

// finish commits. The caller holds the mutex.
func (t *transaction) finish(ctx context.Context) error {
	t.done, t.ended = true, true
	err := t.backend.Commit(ctx)
	t.committed = err == nil
	return err
}

// commit commits, unless the final operation has.
func (t *transaction) commit(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.committed {
		return nil
	}
	return t.finish(ctx)
}

// end prevents further operations and returns the first failure.
func (t *transaction) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	return t.failed
}

// close rolls back, unless the transaction has ended, and reports whether it has committed.
func (t *transaction) close(ctx context.Context) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	if !t.ended {
		t.ended = true
		rollback(ctx, t.backend)
	}
	return t.committed
}

// mayRead allows or forbids reads after a failed operation.
func (t *transaction) mayRead(allowed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads = allowed
}

// abandon rolls back a transaction in which an operation has failed. Further operations fail as before.
func (t *transaction) abandon(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.ended = true
		rollback(ctx, t.backend)
	}
}

// countedLocks returns the locks of the counters that the transaction has used. The nil transaction has used none.
func (t *transaction) countedLocks() []string {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counted
}

// hasCommitted reports whether the transaction has committed. The nil transaction, which never began, has not.
func (t *transaction) hasCommitted() bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.committed
}

// rollbackTime bounds a rollback.
const rollbackTime = 5 * time.Second

// rollback undoes the transaction, also after ctx has ended. It ignores the error: the transaction has not happened
// in any case.
func rollback(ctx context.Context, tx BackendTx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer cancel()
	_ = tx.Rollback(ctx)
}
