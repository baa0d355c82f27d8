package core

import (
	"context"
	"errors"
	"slices"
)

// send passes the op to the chain, with the principal of the context.
func (s session) send(ctx context.Context, op *Op) (Result, error) {
	st := stateOf(ctx)
	op.origin, op.Principal = s.store, st.principal
	if s.deleted && op.Kind != Visibility && op.Kind != Restore {
		if err := s.toDeleted(ctx, op); err != nil {
			return Result{}, err
		}
	}
	if s.tx != nil {
		op.handle, op.Tx = s.tx, s.tx.info
		res, err := s.store.handler(ctx, op)
		return res, wrap(err)
	}
	if st.within(s.store) {
		return Result{}, &Error{Code: ServerError, Cause: ErrOuterStore}
	}
	if s.store.closed.Load() {
		return Result{}, &Error{Code: Unavailable, Cause: ErrClosed}
	}
	return s.store.repeat(ctx, op)
}

// repeat runs an op outside a transaction, and repeats it after conflicts.
func (s *Store) repeat(ctx context.Context, op *Op) (Result, error) {
	asked := *op // decorators may change and keep the op
	for attempt := 1; ; attempt++ {
		res, err := s.handler(ctx, op)
		if err == nil {
			return res, nil
		}
		if attempt == DefaultAttempts || !repeatable(err) {
			return Result{}, wrap(err)
		}
		if err := backOff(ctx, attempt, singlePause, err); err != nil {
			return Result{}, err
		}
		again := asked
		again.try, again.locks = attempt+1, union(again.locks, missingLocks(err))
		op = &again
	}
}

// repeatable reports whether another attempt may succeed, and cannot write twice.
func repeatable(err error) bool {
	return errors.Is(err, ErrConflict) && !errors.Is(err, ErrCommitUnknown) && !errors.Is(err, OutcomeUnknown)
}

// innermost is the handler inside all decorators. It checks and binds the op, which they may have changed, and runs
// it on the backend.
func (s *Store) innermost(ctx context.Context, op *Op) (Result, error) {
	if op.Kind == Select && len(op.Order) == 0 && op.Resource != nil {
		op.Order = op.Resource.keyOrder
	}
	if err := op.check(s); err != nil {
		return Result{}, err
	}
	if err := op.bind(); err != nil {
		return Result{}, err
	}
	if op.Resource != nil && op.Resource.readOnly && op.Writes() && op.Kind != Tx {
		return Result{}, &Error{Code: ReadOnly, Resource: op.Resource.apiName}
	}
	if op.Kind == Insert && op.Requested == nil {
		if err := op.fillDefaults(ctx); err != nil {
			return Result{}, err
		}
	}
	if len(op.Records) > 0 && op.Resource.derived != nil {
		if err := op.deriveRecords(); err != nil {
			return Result{}, err
		}
	}
	switch {
	case op.Asks():
		return op.answerVisibility()
	case op.Kind == Restore:
		return Result{}, op.Resource.notKept()
	case s.unaware != "" && (op.Using.Crosses() || op.Check.Crosses()):
		return Result{}, errUnaware(s.unaware)
	}
	if err := s.addExistence(ctx, op); err != nil {
		return Result{}, err
	}
	var res Result
	var err error
	switch {
	case op.Kind == Tx:
		return Result{}, s.transact(ctx, op)
	case op.handle != nil:
		res, err = op.handle.run(ctx, op)
	default:
		res, err = s.single(ctx, op)
	}
	switch {
	case err == nil:
	case s.deniesMissed(ctx, op, err):
		err = op.missedDenial()
	case s.deniesTaken(ctx, op, err):
		err = op.Resource.Forbidden()
	default:
		err = s.nameStates(ctx, op, err)
	}
	return res, err
}

// deniesMissed reports whether the op is a write that has missed a record which the principal can read: the guard has excluded
// a record that is no secret.
func (s *Store) deniesMissed(ctx context.Context, op *Op, err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != NotFound || op.Kind != Update && op.Kind != Delete || op.Using.n == nil || op.Principal.IsSystem() {
		return false
	}
	if e.Resource != op.Resource.apiName || !slices.Contains(op.Keys, e.Key) {
		return false
	}
	load := Op{Kind: Load, Resource: op.Resource, Keys: []Value{e.Key}, Fields: []*Field{op.Resource.key}, Principal: op.Principal, origin: s}
	res, err := s.readAfterFailure(ctx, op, load)
	return err == nil && len(res.Records) == 1
}

// deniesTaken reports whether the op is an Insert that found a taken key or unique value, and whose Check has conditions on
// related records and does not hold for the new records, as far as it can be decided without them: a record may be the one
// that its own Check demands. A Check that cannot be decided counts as one that does not hold.
func (s *Store) deniesTaken(ctx context.Context, op *Op, err error) bool {
	if op.Kind != Insert || !op.Check.Crosses() || !errors.Is(err, AlreadyExists) {
		return false
	}
	read := func(ctx context.Context, related *Op) (Result, error) {
		if t := op.handle; t != nil {
			if !op.Final {
				t.mayRead(true)
				res, err := t.run(ctx, related)
				t.mayRead(false)
				if err == nil {
					return res, nil
				}
			}
			t.abandon(ctx)
		}
		alone := *related
		alone.handle, alone.Tx = nil, nil
		return s.single(ctx, &alone)
	}
	return op.denies(ctx, read, make([]Record, len(op.Records))) != nil
}

// readAfterFailure sends a Load through the whole chain after the op has failed, in the transaction of the op. If that
// transaction can read no more, because the op was its last one or the server has aborted it, it is rolled back before the
// Load.
func (s *Store) readAfterFailure(ctx context.Context, op *Op, load Op) (Result, error) {
	if t := op.handle; t != nil {
		if !op.Final && !t.aborted() {
			inside := load
			inside.handle, inside.Tx = t, op.Tx
			t.mayRead(true)
			res, err := s.handler(ctx, &inside)
			t.mayRead(false)
			if err == nil || readDenied(err) {
				return res, err
			}
		}
		t.abandon(ctx)
	}
	return s.handler(ctx, &load)
}

// missedDenial is the error of a write that the principal may not perform on a record that it can read.
func (op *Op) missedDenial() error {
	if op.Principal == nil {
		return &Error{Code: Unauthorized}
	}
	return op.Resource.Forbidden()
}

// single runs one operation in a transaction of its own.
func (s *Store) single(ctx context.Context, op *Op) (res Result, err error) {
	if op.isEmpty() {
		return Result{}, s.backend.Ping(ctx)
	}
	_, two := op.afterImages()
	single := !two && !op.needsBefore() && !(op.Kind == Insert && len(op.Resource.numbers) > 0 || op.Kind == Update && op.setsNumbers())
	tx, err := s.backend.Begin(ctx, BackendTxOptions{ReadOnly: !op.Kind.Writes(), Single: single})
	if err != nil {
		return Result{}, err
	}
	op.Final = true
	ended := false
	defer func() {
		if !ended {
			rollback(ctx, tx)
		}
	}()
	if len(op.locks) > 0 {
		if err := tx.Lock(ctx, op.locks); err != nil {
			return Result{}, err
		}
	}
	if res, err = dispatch(ctx, tx, op); err != nil {
		return Result{}, withLocks(err, op.counted)
	}
	ended = true
	if err := tx.Commit(ctx); err != nil {
		return Result{}, withLocks(err, op.counted)
	}
	return res, nil
}

// dispatch checks the op by the rules of the model and calls the method of the backend's transaction for it.
func dispatch(ctx context.Context, tx BackendTx, op *Op) (res Result, err error) {
	if err := op.validate(ctx, tx, false); err != nil {
		return Result{}, err
	}
	return write(ctx, tx, op)
}

// write is dispatch for an op that is valid.
func write(ctx context.Context, tx BackendTx, op *Op) (res Result, err error) {
	if op.isEmpty() {
		return Result{}, ctx.Err()
	}
	if after, needed := op.afterImages(); needed {
		return after.write(ctx, tx, op)
	}
	return perform(ctx, tx, op)
}

// perform is dispatch for an op that is valid and needs no second statement.
func perform(ctx context.Context, tx BackendTx, op *Op) (res Result, err error) {
	switch op.Kind {
	case Load, Select:
		res, err = tx.Read(ctx, op)
		if len(op.Conditions) > 0 && err == nil && len(res.Conditions) != len(res.Records) {
			err = errNoConditions
		}
		return res, err
	case Count:
		res.Count, err = tx.Count(ctx, op)
	case Aggregate:
		return tx.Aggregate(ctx, op)
	case Insert:
		if len(op.Resource.numbers) > 0 {
			res.Records, err = insertNumbered(ctx, tx, op)
			break
		}
		res.Records, err = tx.Insert(ctx, op)
	case Update:
		if op.setsNumbers() {
			res.Records, err = updateNumbered(ctx, tx, op)
			break
		}
		res.Records, err = tx.Update(ctx, op)
	case Delete:
		err = tx.Delete(ctx, op)
	case NextID:
		res.Keys, err = tx.NextIDs(ctx, op)
	default:
		err = &Error{Code: ServerError, Cause: errors.New("unknown operation " + op.Kind.String())}
	}
	return res, op.denyFirst(ctx, tx, err)
}

// bind resolves conditions that decorators wrote with names of fields. A condition that does not fit the resource
// fails the op.
func (op *Op) bind() error {
	for _, f := range [...]*Filter{&op.Where, &op.Using, &op.Check} {
		if f.n == nil {
			continue
		}
		if err := op.bindOne(f); err != nil {
			return err
		}
	}
	for _, f := range op.Conditions {
		if !f.Bound() {
			return &Error{Code: ServerError, Cause: errForeignFilter}
		}
		if err := op.bindOne(&f); err != nil {
			return err
		}
	}
	return nil
}

func (op *Op) bindOne(f *Filter) error {
	switch {
	case op.Resource == nil:
		return &Error{Code: ServerError, Cause: errForeignFilter}
	case f.n == nil:
		return nil
	case f.n.bound && f.n.field != nil && f.n.field.resource == op.Resource: // as most policies write it
		return nil
	}
	bound, err := op.Resource.Bind(*f)
	if err != nil {
		return &Error{Code: ServerError, Cause: err}
	}
	*f = bound
	return nil
}
