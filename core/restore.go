package core

import (
	"context"
	"errors"
)

// A decorator may keep the records that are deleted, see [Decorator] Keeps. A principal reads and restores those that it may
// restore. The store asks for the condition by an op of kind [Restore] without keys, so that a policy that does not know deleted
// records denies to read them.

func (s session) Deleted() Querier {
	s.deleted = true
	return s
}

func (s session) Restore(ctx context.Context, r *Resource, keys ...Value) ([]Record, error) {
	if err := s.checkResource(r); err != nil {
		return nil, err
	}
	sorted, err := checkKeys(r, keys)
	if err != nil {
		return nil, err
	}
	if !s.store.Keeps(r) {
		return nil, r.notKept()
	}
	op := s.op(Restore, r)
	op.Keys = sorted
	res, err := s.send(ctx, op)
	return checkLength(len(sorted), res.Records, err)
}

// toDeleted makes the op of the session one about deleted records that the principal may restore.
func (s session) toDeleted(ctx context.Context, op *Op) error {
	switch {
	case op.Kind.Writes():
		return &Error{Code: ServerError, Cause: errDeletedWrite}
	case !s.store.Keeps(op.Resource):
		return op.Resource.notKept()
	}
	op.handle = nil
	if s.tx != nil {
		op.handle, op.Tx = s.tx, s.tx.info
	}
	guard, err := op.Restorable(ctx, op.Resource)
	if err != nil {
		return wrap(err)
	}
	op.Deleted, op.Using = true, And(op.Using, guard)
	return nil
}

var errDeletedWrite = errors.New("the deleted records of a store can only be read and restored; use Restore, or core.WithDeleted for the program")

// Restorable returns the condition on the deleted records of the resource that the principal of the op may restore. It asks all
// decorators of the store, those outside of the caller included, by an op of kind [Restore] without keys. A decorator that
// restores further records narrows them with it.
//
// Errors: those of the decorators, such as [Forbidden] for a principal that may restore none.
func (op *Op) Restorable(ctx context.Context, r *Resource) (Filter, error) {
	asked := &Op{Kind: Restore, Resource: r, Principal: op.Principal, Tx: op.Tx, origin: op.origin, handle: op.handle, try: op.try, at: op.at}
	res, err := op.origin.handler(ctx, asked)
	return res.Guard, err
}

// notKept is the error of an operation on deleted records of a resource of which no decorator keeps any.
func (r *Resource) notKept() *Error {
	return &Error{Code: BadRequest, Resource: r.apiName, Message: "records of " + r.apiName + " are deleted for good"}
}
