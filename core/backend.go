package core

import "context"

// Backend is a storage. The package core/storetest has the conformance kit; a
// backend is one when it passes.
//
// The caller, which is always a [Store], guarantees: Bind is called once, before
// everything else, and Close once; Begin may be called by many goroutines at once,
// and by those that did not see the store being closed even after Close.
//
// Errors: a backend returns [ErrConflict] for a transaction that would succeed
// if it were repeated, [ErrCommitUnknown] for a commit of unknown outcome, the
// context's own error when the context ended, an [*Error] where these pages name
// a code, and anything else for what is nobody's fault; each may be wrapped. A
// method that is called with a context that has ended does nothing but return
// its error; Rollback works nevertheless.
type Backend interface {
	// Bind tells the backend what it will store. It prepares what it needs and
	// reports, by name, whatever of the model it cannot hold.
	Bind(ctx context.Context, m *Model) error
	// KeySource says where the keys of a resource of the bound model come from.
	// [DefaultKeySource] is the answer of a backend that has no more to say. It is
	// called after Bind, by several goroutines at once.
	KeySource(r *Resource) KeySource
	// Begin opens a transaction. It may wait for others and ends the wait with
	// the context. Transactions are serializable: those that commit leave the
	// store, and have seen it, as if they had run one after the other in an order
	// that agrees with the order in which they were acknowledged.
	//
	// Errors: [ErrClosed] after Close.
	Begin(ctx context.Context, opts BackendTxOptions) (BackendTx, error)
	// Ping reports whether the storage can be used: it reaches the server, if there is
	// one, and returns nil if a transaction that writes can begin. It reads and changes
	// no record.
	//
	// Errors: [ErrClosed] after Close; [Unavailable] if the storage is out of reach.
	Ping(ctx context.Context) error
	// Close releases what the backend holds. It does not wait for transactions:
	// those that are open may fail, with [ErrClosed] or as if the backend were out
	// of reach, and those that are acknowledged have happened.
	Close() error
}

// BackendTx is an open transaction of a [Backend].
//
// The caller guarantees: no two methods run at once; exactly one of Commit and
// Rollback is called, as the last call; after an error of any other method only
// Rollback is called; ops are checked and typed: the resource is one of the
// bound model's, filters are bound, keys ascend without duplicates, values have
// their field's type or are null, no record names one that it must not. In a
// read-only transaction no writing method is called. No method is called for
// nothing: there is at least one key in Keys of a Load, Update or Delete, at least
// one of Records, and N is at least 1.
//
// The backend guarantees: a transaction sees its own writes and none of those
// that had not committed when it began; what a method returned stays as it is,
// whatever happens later, and its slices are the caller's, who may overwrite
// them.
//
// Methods get the whole [Op] and read from it only what their comment names. They
// may keep it and what it holds, but change neither it nor its slices, and return
// none of those.
type BackendTx interface {
	// Read runs a Load or a Select: the records that fulfil Using and have one of
	// Keys, ascending by key; or that fulfil Where and Using, in Order, after the
	// position After, at most Limit of them, with Result.More if
	// there are further ones. With Fields, only those columns need be
	// set, others may be absent.
	Read(ctx context.Context, op *Op) (Result, error)
	// Count returns how many records fulfil Where and Using.
	Count(ctx context.Context, op *Op) (int, error)
	// Insert adds Records, all or none, and returns them as they now are, in the
	// same order. A record whose key is absent gets the next one, none of those
	// that the transaction chose. Absent columns get the backend's own default or
	// null.
	//
	// A key that a record names, a chosen key, moves the generator only when the
	// transaction commits: another principal must not notice one that was refused. An
	// Insert whose generated key is taken by then succeeds with another key, or returns
	// [ErrConflict].
	//
	// Errors: [AlreadyExists], as [Field.AlreadyExistsWith] makes it, if a key is taken, by
	// whomever, or comes twice: it never overwrites; [Forbidden] if a record as
	// it now is does not fulfil Check; [Resource.NoNextKey] for an absent key
	// where nothing generates one. If several apply, any of them.
	Insert(ctx context.Context, op *Op) ([]Record, error)
	// Update changes, in each record with one of Keys that fulfils Using, the
	// columns that the record at the same place in Records holds, all or none,
	// and returns the records as they now are, in the same order. Null in a field of
	// Reset becomes the backend's own default, as [Op.Reset] says; without one it is null.
	//
	// Errors, the first before the second: [NotFound] with Resource and Key for
	// the first of Keys that is not there or does not fulfil Using; [Forbidden]
	// if a record as it now is does not fulfil Check.
	Update(ctx context.Context, op *Op) ([]Record, error)
	// Delete removes the records with one of Keys, all or none, and nothing else:
	// [Field.Cascade] is for those who may ask the policies.
	//
	// Errors: [NotFound] with Resource and Key for the first of Keys that is not
	// there or does not fulfil Using.
	Delete(ctx context.Context, op *Op) error
	// NextIDs returns N keys that no record of the resource has, had in a transaction
	// that committed, or was promised by NextIDs in any transaction, even one that
	// rolled back.
	//
	// Errors: [Resource.NoNextKey] where nothing generates keys.
	NextIDs(ctx context.Context, op *Op) ([]Value, error)
	// Commit makes the transaction's writes visible and, where the backend is
	// durable, durable before it returns.
	//
	// Errors, at the latest here, with nothing of the transaction done:
	// [NotFound] with the target's Resource and Key if a stored to-one relation
	// points at no record; [Field.StillReferenced] if a record was deleted that
	// others still point at; [Field.AlreadyExistsWith] if two records hold the same value of a
	// unique field; [ErrConflict]. If several apply, any of them; of a target that
	// the transaction both pointed at and deleted, either of the first two.
	// Between statements of one transaction these rules may be broken, so that
	// values can be swapped.
	Commit(ctx context.Context) error
	// Rollback undoes the transaction. Nothing of it is left but a gap where it
	// generated keys. It works after the context of the other
	// calls ended: its own is alive for a short while.
	Rollback(ctx context.Context) error
}

// BackendTxOptions are the conditions of a transaction for [Backend.Begin]. The zero value is a read-write transaction of
// any number of operations.
type BackendTxOptions struct {
	// ReadOnly means that no operation will write. The transaction sees one snapshot.
	ReadOnly bool
	// Single is a hint: exactly one operation follows. Where a statement is a transaction of its own, the backend need not
	// begin one.
	Single bool
}
