package core

import (
	"context"
	"errors"
	"sync/atomic"
)

// Backend is a storage. A [Store] calls it; programs do not. The package core/storetest has the conformance kit, and
// core/reference the reference implementation of operations.
//
// A store calls Bind once, before any other method, and Close once. Begin, KeySource and Ping may run in several
// goroutines at once, and Begin and Ping also after Close.
//
// Errors: a backend returns [ErrConflict] for a transaction that would succeed if repeated, [ErrCommitUnknown] for a
// commit of unknown outcome, the error of the context when the context has ended, and an [*Error] with the code that
// a method names. A backend with a limit of time for one operation returns [QueryTooExpensive] beyond it. Any other error is
// an internal failure. Errors may be wrapped. When its context has ended,
// a method other than Rollback returns the context's error and does nothing else.
type Backend interface {
	// Bind prepares the backend for the records of [Model.Stored]. The error lists every part of the model that the backend cannot store.
	Bind(ctx context.Context, m *Model) error
	// KeySource returns the source of the keys of a resource of the bound model. A backend without special rules
	// returns [DefaultKeySource].
	KeySource(r *Resource) KeySource
	// Begin opens a transaction. It may wait for other transactions until the context ends. Transactions are
	// serializable, in an order that agrees with the order of their acknowledgements: a transaction that begins after
	// another one was acknowledged sees its writes.
	//
	// Errors: [ErrClosed] after Close.
	Begin(ctx context.Context, opts BackendTxOptions) (BackendTx, error)
	// Ping returns nil if a writing transaction can begin; it connects to the server, if there is one. It reads and
	// changes no records.
	//
	// Errors: [ErrClosed] after Close; [Unavailable] if the storage cannot be reached.
	Ping(ctx context.Context) error
	// Close releases the resources of the backend. It does not wait for transactions: open transactions may fail with
	// [ErrClosed] or as if the storage could not be reached. Acknowledged transactions stay committed.
	Close() error
}

// BackendTx is an open transaction of a [Backend].
//
// The store guarantees:
//
//   - It calls one method at a time, and either Commit or Rollback as the last one. After an error of another method
//     it calls only Rollback, with one exception: after [NotFound] of an Update or Delete that is not [Op.Final] it may
//     call Read before. Read may fail then.
//   - An op names a resource of the bound model. Its filters are bound, its keys ascend without duplicates, and its
//     values have the types of their fields or are null. Records set only the fields that the operation may set.
//   - A Load, Update or Delete has at least one key, an Insert or Update at least one record, and a NextID an N of
//     at least 1.
//   - Records of an Insert have their derived fields, see [Field.Parts], and all parts of a key of several fields. Records
//     of an Update have the parts in place of derived relations, and no part of the key.
//   - A read-only transaction gets no writes.
//   - Check concerns one record only, and an Insert or Update has no Conditions: the store reads the after images again
//     for conditions on related records.
//
// The backend guarantees:
//
//   - A transaction sees its own writes, and otherwise the transactions that had committed when it began.
//   - Returned records and values never change. The caller owns returned slices and may overwrite them.
//   - Derived fields of returned records agree with their parts. A backend need not store them: [Resource.RecordOf] and
//     [Record.Merge] compute them.
//
// A method reads only the fields of the [Op] that its comment names. It may keep the op and its contents, but must
// not change the op or its slices, nor return one of these slices.
type BackendTx interface {
	// Lock locks the names until the end of the transaction: of two transactions with a common name, one has ended
	// before Lock of the other one returns. The names ascend without duplicates. The transaction may have locked some of
	// them before.
	//
	// As the first method of the transaction, Lock waits for the names until the context ends, and the transaction sees
	// everything that had committed when Lock returns. After another method it does not wait, because the snapshot may
	// lack the writes of the transaction that holds the name: it returns [ErrConflict] if a name is not free. A backend
	// that runs read-write transactions one at a time has nothing to do.
	Lock(ctx context.Context, names []string) error
	// Read performs a Load or a Select. A Load returns the records that match Using and have one of Keys, ascending
	// by key. A Select returns the records that match Where and Using, in Order, after the position After, at most
	// Limit of them; if there are further ones, Result.More is true. A backend that would have to fetch the records may return
	// fewer, at least one, when they have more than Bytes bytes. If Fields is set, columns of other fields may be
	// absent.
	//
	// Conditions may concern related records, see [Filter.Relation]: a [FilterRelated] matches if there is a related
	// record that matches its Where and its Guard. If an entry of Order has a Path, Result.Positions has the sort values
	// of each record. Result.Conditions has the answers to Conditions for each record, in the same snapshot.
	Read(ctx context.Context, op *Op) (Result, error)
	// Count returns the number of records that match Where and Using.
	Count(ctx context.Context, op *Op) (int, error)
	// Aggregate returns the groups of the records that match Where and Using, as [Groups] computes them: records with equal
	// values of Order are a group, and without an Order all records are one, even if there are none. Groups ascend by their
	// keys. If there are more than Limit groups, Result.More is true, and Result.Groups may have any content.
	//
	// Errors: those of [Groups.Result].
	Aggregate(ctx context.Context, op *Op) (Result, error)
	// Insert adds Records, all or none, and returns their after images in the same order. An absent key is generated,
	// different from the keys that the transaction has chosen. An absent column takes the default of the backend, or
	// null.
	//
	// A key that a record names, a chosen key, moves the generator only when the transaction commits: other
	// principals must not notice a chosen key that was rolled back. If a generated key has become taken, Insert
	// succeeds with another key or returns [ErrConflict].
	//
	// Errors: [Field.AlreadyExistsWith] for a key that another record has, visible or not, or that occurs twice:
	// Insert never overwrites. [Forbidden] for an after image that does not match Check. [Resource.NoNextKey] for an
	// absent key that cannot be generated. If several errors apply, the backend may return any of them.
	Insert(ctx context.Context, op *Op) ([]Record, error)
	// Update changes the records with Keys that match Using, all or none, and returns their after images in the same
	// order. The record at the same position in Records holds the changed columns. Null in a field of Reset stands
	// for the backend's own default, see [Op.Reset]. Fields of IfChanged are written only in records in which another field
	// changes, see [Op.AfterImage].
	//
	// Errors, the first in precedence over the second: [NotFound] with Resource and Key for the first of Keys without
	// a record that matches Using; [Forbidden] for an after image that does not match Check.
	Update(ctx context.Context, op *Op) ([]Record, error)
	// Delete removes the records with Keys, all or none, and no others: the engine performs [Field.OnDelete], under
	// the policies.
	//
	// Errors: [NotFound] with Resource and Key for the first of Keys without a record that matches Using.
	Delete(ctx context.Context, op *Op) error
	// NextIDs allocates N keys. No record has had such a key in a committed transaction, and NextIDs has not returned
	// it before, not even in a transaction that was rolled back.
	//
	// Errors: [Resource.NoNextKey] if the keys of the resource are not generated.
	NextIDs(ctx context.Context, op *Op) ([]Value, error)
	// Commit makes the writes of the transaction visible and, in a durable backend, durable before it returns.
	//
	// Between statements a transaction may break the integrity rules, so that it can swap values. Commit enforces
	// them, at the latest, and after an error nothing of the transaction has happened.
	//
	// Errors: [NotFound] with Resource and Key of the target for a to-one relation to a record that does not exist;
	// [Field.StillReferenced] if a deleted record has references; [Field.AlreadyExistsWith] for a unique value that
	// two records hold; [Index.AlreadyExistsWith] for an [Index.Claim] of two records; [ErrConflict]. If several errors apply, the backend may return any of them. A target that the
	// transaction has both referenced and deleted may have either of the first two.
	Commit(ctx context.Context) error
	// Rollback undoes the transaction. Only gaps in generated keys may remain. Its context is valid even if the
	// context of the transaction has ended.
	Rollback(ctx context.Context) error
}

// BackendTxOptions are the conditions of a transaction for [Backend.Begin]. The zero value is a read-write
// transaction of any number of operations.
type BackendTxOptions struct {
	// ReadOnly means that no operation will write. The transaction sees one snapshot.
	ReadOnly bool
	// Single is a hint: exactly one operation follows. Where a statement is a transaction of its own, the backend
	// need not begin one.
	Single bool
}

// BackendFunc returns a backend that opens another backend for each transaction, by calling the function with the
// context of the transaction. It suits storages that belong to a request, such as the database of a tenant. The
// opened backend is bound, used for one transaction or one [Store.Ping], and closed. The function may be called in
// several goroutines at once, and must return a backend that is not bound yet.
//
// [New] calls the function once, to check the model and to learn the key sources. For other uses a backend with a
// connection pool is faster.
func BackendFunc(open func(ctx context.Context) (Backend, error)) Backend {
	return &backendPerTx{open: open}
}

type backendPerTx struct {
	open   func(ctx context.Context) (Backend, error)
	model  *Model
	keys   []KeySource // by index of the resource
	closed atomic.Bool
}

var errNoBackend = errors.New("the storage-returning function returned no backend")

func (p *backendPerTx) Bind(ctx context.Context, m *Model) error {
	p.model = m
	b, err := p.bound(ctx)
	if err != nil {
		return err
	}
	p.keys = make([]KeySource, len(m.resources))
	for i, r := range m.resources {
		p.keys[i] = b.KeySource(r)
		p.keys[i].Partial = true // another backend may read from a view
	}
	return b.Close()
}

func (p *backendPerTx) KeySource(r *Resource) KeySource { return p.keys[r.index] }

func (p *backendPerTx) Begin(ctx context.Context, opts BackendTxOptions) (BackendTx, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	b, err := p.bound(ctx)
	if err != nil {
		return nil, err
	}
	var tx BackendTx
	if err := closeOnFailure(b, func() (err error) { tx, err = b.Begin(ctx, opts); return err }); err != nil {
		return nil, err
	}
	return &closingTx{tx, b}, nil
}

// Ping opens a backend and pings it.
func (p *backendPerTx) Ping(ctx context.Context) error {
	if p.closed.Load() {
		return ErrClosed
	}
	b, err := p.bound(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // the result of Ping is known
	return b.Ping(ctx)
}

func (p *backendPerTx) Close() error {
	p.closed.Store(true)
	return nil
}

// String returns the name for [Store.Describe].
func (p *backendPerTx) String() string { return "a backend per transaction" }

func (p *backendPerTx) bound(ctx context.Context) (Backend, error) {
	b, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errNoBackend
	}
	if err := closeOnFailure(b, func() error { return b.Bind(ctx, p.model) }); err != nil {
		return nil, err
	}
	return b, nil
}

// closeOnFailure runs fn and closes the backend if fn fails or panics.
func closeOnFailure(b Backend, fn func() error) (err error) {
	ok := false
	defer func() {
		if !ok {
			err = errors.Join(err, b.Close())
		}
	}()
	err = fn()
	ok = err == nil
	return err
}

// closingTx is a transaction that closes its backend at its end, even if the backend panics.
type closingTx struct {
	BackendTx

	backend Backend
}

func (t *closingTx) Commit(ctx context.Context) (err error) {
	defer func() {
		closeErr := t.backend.Close()
		if err != nil { // the transaction has committed even if closing fails
			err = errors.Join(err, closeErr)
		}
	}()
	return t.BackendTx.Commit(ctx)
}

func (t *closingTx) Rollback(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, t.backend.Close()) }()
	return t.BackendTx.Rollback(ctx)
}
