package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Change is the change of one record, for the function of [OnWrite].
type Change struct {
	// Before is the record before the write. It is the zero Record for a new record.
	Before Record
	// After is the record after the write. It is the zero Record for a deleted record.
	After Record
}

// OnWrite returns a decorator that calls fn after each operation that has changed records of the resource, in the
// transaction of the operation. It sees the writes of clients, of the program and of other hooks, and the records that
// package core/engine detaches, reassigns and deletes with another record. It does not see what the database itself does,
// such as ON DELETE CASCADE.
//
//	core.OnWrite("issue", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
//		for _, c := range changes {
//			if was, is := c.Before.Get("state"), c.After.Get("state"); was != is {
//				tx.AfterCommit(func(context.Context) { announce(was, is) })
//			}
//		}
//		return nil
//	})
//
// One call has all records that one operation has changed. A record that an update leaves as it was is no change.
//
// The images have every field, also those that the principal may not read: fn acts for the program. It must not show them to
// the caller, for example in the text of an error. Policies stand before OnWrite in the stack, and [New] rejects others, so
// fn sees only writes that all policies permit.
//
// fn may use tx for further operations. With its context they are operations of the principal, under the policies of the
// whole stack; with [System] they are operations of the program. They call hooks too. If fn changes the written records
// again, the operation returns them as they are then, unless the new state would be one that the principal may not write.
//
// OnWrite reads the records before each update and delete, and after a write that fn has followed by others. The writes of fn do
// not count as those of a request of package core/engine (MaxWritten).
//
// An error of fn fails the operation and the transaction, even if the function of [Store.Tx] ignores it. errors.Is finds it;
// an [*Error] has its own code, and any other error is a [ServerError]. A panic rolls back, too. The Record of a [Violation] of fn
// is a position in changes: package core/engine, which writes only records that change, then shows the path to the value.
//
// fn runs again when the transaction is repeated after a conflict, so it must have no effects outside the transaction, except
// through [Transaction.AfterCommit]. It may run in several goroutines at once.
//
// Errors: also [ServerError] for hooks that call each other more than 16 times.
func OnWrite(resource string, fn func(ctx context.Context, tx *Transaction, changes []Change) error) Decorator {
	return Decorator{
		Name: "on write", Note: resource, Kind: KindEffect, KnowsRelated: true, Repeatable: true, InsidePolicies: true,
		Wrap: func(m *Model, next Handler) (Handler, error) {
			r := m.Resource(resource)
			switch {
			case r == nil:
				return nil, fmt.Errorf("the model has no resource %q; OnWrite takes the name of a resource", resource)
			case fn == nil:
				return nil, fmt.Errorf("the function for resource %q is nil", resource)
			}
			h := &hook{next, fn}
			return func(ctx context.Context, op *Op) (Result, error) {
				if op.Resource != r || op.Kind != Insert && op.Kind != Update && op.Kind != Delete || op.isEmpty() {
					return next(ctx, op)
				}
				return op.InTx(ctx, next, h.write)
			}, nil
		},
	}
}

// hook is the function of an OnWrite, and the handler inside it.
type hook struct {
	next Handler
	fn   func(ctx context.Context, tx *Transaction, changes []Change) error
}

// maxHooks bounds the hooks that run inside one another, so that two hooks that answer each other fail.
const maxHooks = 16

// hookDepthKey is the key of a context for the number of hooks that are running.
type hookDepthKey struct{}

var errHooks = errors.New("more than 16 hooks have called each other; let a hook return without a write where nothing is left to do")

// write runs the op and then the function. The op is in a transaction.
func (h *hook) write(ctx context.Context, op *Op) (Result, error) {
	principal, check, conditions := op.Principal, op.Check, op.Conditions // inner handlers may change the op
	after := op.Derive(Load, op.Resource)
	res, changes, err := op.Changes(ctx, h.next)
	if err != nil || len(changes) == 0 {
		return res, err
	}
	writes := op.handle.written()
	if err := h.call(ctx, op, changes); err != nil {
		return Result{}, err
	}
	if op.handle.written() == writes || len(res.Records) == 0 {
		return res, nil
	}
	after.Principal, after.Using, after.Conditions = principal, check, conditions
	return h.readAgain(ctx, after, res)
}

// Changes passes an Insert, Update or Delete to the next handler, and returns its result with the changes of the records: all
// fields before and after, also those that the principal may not read. A record that an update leaves as it was is no change.
// It reads the records before an Update and a Delete, so the op must be in a transaction, see [Op.InTx]. Further operations may
// follow: it clears op.Final.
func (op *Op) Changes(ctx context.Context, next Handler) (Result, []Change, error) {
	op.Final = false
	before, err := op.recordsBefore(ctx, next)
	if err != nil {
		return Result{}, nil, err
	}
	deletes := op.Kind == Delete // inner handlers may change the op
	res, err := next(ctx, op)
	if err != nil {
		return Result{}, nil, err
	}
	return res, changesOf(before, res.Records, deletes), nil
}

// recordsBefore returns the records that the op is going to change, by key.
func (op *Op) recordsBefore(ctx context.Context, next Handler) (map[Value]Record, error) {
	if op.Kind == Insert {
		return nil, nil
	}
	load := op.Derive(Load, op.Resource)
	load.Principal, load.Keys, load.Using = system, op.Keys, op.Using
	res, err := next(ctx, load)
	if err != nil {
		return nil, err
	}
	before := make(map[Value]Record, len(res.Records))
	for _, rec := range res.Records {
		before[rec.Key()] = rec
	}
	return before, nil
}

// changesOf pairs the images of the records that differ.
func changesOf(before map[Value]Record, after []Record, deletes bool) (changes []Change) {
	if deletes {
		for _, key := range SortKeys(slices.Collect(maps.Keys(before))) {
			changes = append(changes, Change{Before: before[key]})
		}
		return changes
	}
	for _, rec := range after {
		if was := before[rec.Key()]; !was.Equal(rec) {
			changes = append(changes, Change{was, rec})
		}
	}
	return changes
}

// call calls the function. If it fails, the transaction cannot commit.
func (h *hook) call(ctx context.Context, op *Op, changes []Change) error {
	failure := errInterrupted // of a panic
	defer func() {
		if failure != nil {
			op.handle.fail(failure)
		}
	}()
	depth, _ := ctx.Value(hookDepthKey{}).(int)
	if depth == maxHooks {
		failure = &Error{Code: ServerError, Cause: errHooks}
		return failure
	}
	failure = h.fn(context.WithValue(ctx, hookDepthKey{}, depth+1), &Transaction{session{store: op.origin, tx: op.handle}}, changes)
	return failure
}

// readAgain returns the result of a write with the records as they are after the function. A record that is gone, or that
// the principal could not have written in its present state, stays as the write has left it.
func (h *hook) readAgain(ctx context.Context, load *Op, res Result) (Result, error) {
	for _, rec := range res.Records {
		load.Keys = append(load.Keys, rec.Key())
	}
	load.Keys = SortKeys(load.Keys)
	present, err := h.next(ctx, load)
	if err != nil {
		return Result{}, err
	}
	at := make(map[Value]int, len(present.Records))
	for i, rec := range present.Records {
		at[rec.Key()] = i
	}
	for i, rec := range res.Records {
		j, found := at[rec.Key()]
		if !found {
			continue
		}
		res.Records[i] = present.Records[j]
		if len(load.Conditions) > 0 {
			res.Conditions[i] = present.Conditions[j]
		}
	}
	return res, nil
}
