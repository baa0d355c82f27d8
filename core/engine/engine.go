package engine

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
)

// DefaultDepth is the depth for answers unless a client asks for another one: the fields of the record, related
// records as their ids.
const DefaultDepth = 1

// Engine creates, reads, updates and deletes the records of a store. Make one with [New]. It is safe for
// concurrent use.
type Engine struct {
	store *core.Store
	opts  Options
	// resources is indexed by [core.Resource.Index].
	resources []*resourceInfo
	// deletionOrder lists resource indexes: referring resources come before the resources that they point at.
	deletionOrder []int
	// mayHide is true if a decorator of the store can hide records, or if a relation may lead to a record that does not exist.
	mayHide bool
	// readsAgain is true if a record that a request has written may read differently after a later operation: a decorator of
	// the store decides about records by related records, or writes further records.
	readsAgain bool
	// inTx is the transaction of an engine that [Engine.Tx] passes to its function; nil for other engines.
	inTx *engineTx
}

// engineTx is a transaction that several requests share.
type engineTx struct {
	tx      *core.Transaction
	written *writeBudget
	failed  error // of a request that had written something
}

// New returns an engine over the store. The zero Options has the defaults. New panics if the store is nil.
func New(store *core.Store, opts Options) *Engine {
	if store == nil {
		panic("engine: the store is nil; pass the result of core.New")
	}
	m, stack := store.Model(), store.Describe()
	return &Engine{
		store: store, opts: opts.filled(), resources: resourceInfos(store), deletionOrder: deletionOrder(m), mayHide: stack.MayHide() || keepsReferences(m),
		readsAgain: slices.ContainsFunc(stack.Decorators, func(d core.DecoratorDescription) bool { return d.UsesRelated || d.Kind == core.KindEffect }),
	}
}

// keepsReferences reports whether a relation of the model may lead to a record that does not exist.
func keepsReferences(m *core.Model) bool {
	return slices.ContainsFunc(m.Resources(), func(r *core.Resource) bool { return slices.ContainsFunc(r.References(), (*core.Field).Keeps) })
}

// Model returns the model of the store.
func (e *Engine) Model() *core.Model { return e.store.Model() }

// ReadOnly reports whether the store rejects writes to the resource with that API name at present. It is false for
// an unknown resource.
func (e *Engine) ReadOnly(resource string) bool {
	r := e.Model().ResourceByAPIName(resource)
	return r != nil && e.store.ReadOnly(r)
}

// Keeps reports whether the store keeps the deleted records of the resource with that API name, so that [Engine.Restore] and
// [Query.Deleted] work for it. It is false for an unknown resource.
func (e *Engine) Keeps(resource string) bool {
	r := e.Model().ResourceByAPIName(resource)
	return r != nil && e.store.Keeps(r)
}

// MustName reports whether a client has to name the field in the body of a new record: it is Required, has no default, and
// no decorator of the store sets it, see [core.Decorator]. A record that is nested in another one need not name its relation
// to that one.
func (e *Engine) MustName(f *core.Field) bool {
	return f.Required() && clientWritable(f) && !f.HasDefaultFunc() && !f.ConstantDefault().IsSet() && !e.store.Sets(f)
}

// Options returns the limits in force, with defaults filled in. Only Attempts stays 0 for its default.
func (e *Engine) Options() Options { return e.opts }

// Admit checks that the principal may use the store at all, with an empty read-only transaction. It returns nil at
// once if no decorator can hide records. Call it before work that costs something but does not reach the store,
// such as reading a large body or answering a malformed request.
//
// Errors: the error of the policy that rejects the transaction, usually [core.Unauthorized] for an anonymous
// caller; otherwise the errors of [core.Store.Tx].
func (e *Engine) Admit(ctx context.Context) error {
	if !e.mayHide {
		return nil
	}
	return e.read(ctx, func(context.Context, *core.Transaction) error { return nil })
}

// Tx runs fn in one transaction of the store. tx is an engine whose methods work in that transaction, under the same
// policies, and see its writes; all of them share one [Options.MaxWritten]. The transaction commits if fn returns nil, and
// changes nothing if fn returns an error or panics. A Tx of tx itself joins the transaction, and ignores its options.
//
// fn runs again when the transaction is repeated after a conflict, so it must have no other effects, except through
// [Engine.AfterCommit]; see [core.Store.Tx], also for the errors. It must use the context that it gets, and use tx only before it returns and in one
// goroutine at a time. An error of tx should be returned: after a write that failed half-way the transaction cannot
// commit, and Tx returns that error.
func (e *Engine) Tx(ctx context.Context, opts core.TxOptions, fn func(ctx context.Context, tx *Engine) error) error {
	if e.inTx != nil {
		return fn(ctx, e)
	}
	if opts.Attempts == 0 {
		opts.Attempts = e.opts.Attempts
	}
	return e.store.TxWith(ctx, opts, func(ctx context.Context, tx *core.Transaction) error {
		inner := *e
		inner.inTx = &engineTx{tx: tx, written: newWriteBudget(e)}
		if err := fn(ctx, &inner); err != nil {
			return err
		}
		return inner.inTx.failed
	})
}

// AfterCommit is [core.Transaction.AfterCommit] for the function of [Engine.Tx]: fn runs once after the commit, for the
// attempt that has committed. In a Tx of tx it is the commit of the outer transaction.
//
// AfterCommit panics outside of the function of Tx.
func (e *Engine) AfterCommit(fn func(ctx context.Context)) {
	if e.inTx == nil {
		panic("engine: AfterCommit outside of a transaction; call it with the engine that Tx passes to its function")
	}
	e.inTx.tx.AfterCommit(fn)
}

// Recall is [core.Transaction.Recall] for the function of [Engine.Tx].
//
// Errors: also [core.ServerError] outside of it.
func (e *Engine) Recall(ctx context.Context, key string) (answer string, found bool, err error) {
	if e.inTx == nil {
		return "", false, &core.Error{Code: core.ServerError, Cause: errOutsideTx}
	}
	return e.inTx.tx.Recall(ctx, key)
}

// Remember is [core.Transaction.Remember] for the function of [Engine.Tx].
//
// Errors: also [core.ServerError] outside of it.
func (e *Engine) Remember(ctx context.Context, key, answer string, expires time.Time) error {
	if e.inTx == nil {
		return &core.Error{Code: core.ServerError, Cause: errOutsideTx}
	}
	return e.inTx.tx.Remember(ctx, key, answer, expires)
}

var errOutsideTx = errors.New("answers are remembered in a transaction; use Engine.Tx")

// Forget is [core.Store.Forget].
func (e *Engine) Forget(ctx context.Context, limit int) (deleted int, err error) {
	return e.store.Forget(ctx, limit)
}

// querier returns what runs an operation that needs no transaction of its own.
func (e *Engine) querier() core.Querier {
	if e.inTx != nil {
		return e.inTx.tx
	}
	return e.store
}

// lookup finds a resource by its API name.
func (e *Engine) lookup(name string) (*resourceInfo, error) {
	if r := e.Model().ResourceByAPIName(name); r != nil {
		return e.info(r), nil
	}
	clean := strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), "\x00", "\uFFFD")
	return nil, &core.Error{Code: core.NotFound, Resource: "resource", Key: core.TextValue(clean)}
}

func (e *Engine) info(r *core.Resource) *resourceInfo { return e.resources[r.Index()] }

// KeySource returns the source of the resource's keys, see [core.Store.KeySource]. The resource must belong to the
// model of the engine.
func (e *Engine) KeySource(r *core.Resource) core.KeySource { return e.info(r).keySource }

// resourceAndKey finds the resource of a request and converts the id.
func (e *Engine) resourceAndKey(resource string, id any) (*resourceInfo, core.Value, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return nil, core.Value{}, err
	}
	key, err := info.resource.Key().Convert(id)
	if err == nil && !key.IsSet() {
		err = info.badKey(id)
	}
	return info, key, err
}

// writeTarget is resourceAndKey for a write. It also sets the looks of opts.
//
// Errors: also [core.ReadOnly] for a resource that the model declares read-only, even if the write would change nothing.
func (e *Engine) writeTarget(ctx context.Context, resource string, id any, opts *Write) (*resourceInfo, core.Value, error) {
	info, key, err := e.resourceAndKey(resource, id)
	if err == nil {
		err = e.setLooks(ctx, info, opts)
	}
	if err == nil {
		err = info.checkWritable()
	}
	return info, key, err
}

// checkWritable returns [core.ReadOnly] for a resource that the model declares read-only.
func (info *resourceInfo) checkWritable() error {
	if info.resource.ReadOnly() {
		return &core.Error{Code: core.ReadOnly, Resource: info.resource.APIName()}
	}
	return nil
}

func (e *Engine) checkDepth(depth int) error {
	switch {
	case depth < 0:
		return &core.Error{Code: core.BadParam, Param: "depth", Accepted: "non-negative integer"}
	case depth > e.opts.MaxDepth:
		return &core.Error{Code: core.BadParam, Param: "depth", Accepted: "at most " + strconv.Itoa(e.opts.MaxDepth)}
	}
	return nil
}

// read runs fn in a read-only transaction, which sees one snapshot.
func (e *Engine) read(ctx context.Context, fn func(context.Context, *core.Transaction) error) error {
	if e.inTx != nil {
		return fn(ctx, e.inTx.tx)
	}
	return e.store.TxWith(ctx, core.TxOptions{ReadOnly: true, Attempts: e.opts.Attempts}, fn)
}

// readFinal runs fn in a read-only transaction that ends with its last operation, which saves a round trip. If fn
// finds that it needs more operations after the last one, it returns errEndedEarly and runs again in a transaction
// that ends separately.
func (e *Engine) readFinal(ctx context.Context, fn func(context.Context, *core.Transaction, finality) error) error {
	if e.inTx != nil {
		return fn(ctx, e.inTx.tx, neverFinal)
	}
	for ending := alwaysFinal; ; ending = neverFinal {
		err := e.read(ctx, func(ctx context.Context, tx *core.Transaction) error { return fn(ctx, tx, ending) })
		if !errors.Is(err, errEndedEarly) {
			return err
		}
	}
}

// write runs fn in a transaction, and again after a conflict.
func (e *Engine) write(ctx context.Context, fn func(context.Context, *writer) error) error {
	if e.inTx != nil {
		w := newWriter(e, e.inTx.tx)
		err := fn(ctx, w)
		if err != nil && w.writes > 0 && e.inTx.failed == nil {
			e.inTx.failed = err
		}
		return err
	}
	return e.store.TxWith(ctx, core.TxOptions{Attempts: e.opts.Attempts}, func(ctx context.Context, tx *core.Transaction) error {
		return fn(ctx, newWriter(e, tx))
	})
}

// Options are the limits of an engine. The zero value has the defaults. Each number that is 0 or negative stands for
// its default.
type Options struct {
	// MaxDepth is the greatest depth that a request can ask for. Default 5.
	MaxDepth int
	// MaxRecords is the number of records that an answer can hold. Related records count too, each time that they
	// are shown, but not the id that a to-one relation shows. Default 10,000. A list ends its page earlier; an
	// answer that cannot be split fails with [core.TooLarge].
	MaxRecords int
	// MaxMembers is the number of records that the list side of a relation shows. Default 1,000, at most
	// MaxRecords. A longer list side shows its first records and a member NAME@next, see [View.AppendJSON]; so
	// does a list side for which the answer has no room, if the answer is a single record or the result of a
	// write. Such a list side cannot be set as a list, and a PUT keeps it. A list of ids that the record itself
	// stores is always shown in full.
	MaxMembers int
	// MaxBytes is the size of an answer in bytes of JSON. A record counts each time that it is shown. Default 16
	// MiB. A list ends its page earlier; an answer that cannot be split fails with [core.TooLarge]. The size is
	// measured while views are built, before JSON is written.
	MaxBytes int
	// MaxValue is the size in bytes of one text, bytes, JSON or list value in a client's body. Default 1 MiB. A
	// larger value fails with [core.TooLarge]. Stored values and values that setters return are not limited.
	MaxValue int
	// MaxWritten is the number of records that a request can create, change, detach or delete, each counted once.
	// Default 10,000. More fail with [core.TooLarge], before the operation that would write them; a delete fails with
	// [core.StillReferenced] naming the relation. The same number limits the records that a body creates or names in
	// to-many relations; a body beyond it is rejected while it is read.
	MaxWritten int
	// MaxNesting is the number of levels of nested records in a body. Default 16.
	MaxNesting int
	// Attempts is the number of times that a conflicting transaction is tried. Default [core.DefaultAttempts]. A
	// request that is a single operation needs no transaction and always has the default.
	Attempts int
	// GeneratedKeysOnly forbids clients to choose keys that the store generates: [Engine.Replace] of a record that
	// does not exist fails with [core.NotFound], as it does for a hidden record. Default: clients may choose.
	// Assigned keys, see [core.KeySource], are named by clients in either case.
	GeneratedKeysOnly bool
}

func (o Options) filled() Options {
	records := orDefault(o.MaxRecords, 10_000)
	return Options{
		MaxDepth:   orDefault(o.MaxDepth, 5),
		MaxRecords: records,
		MaxMembers: min(orDefault(o.MaxMembers, 1000), records),
		MaxBytes:   orDefault(o.MaxBytes, 16<<20),
		MaxValue:   orDefault(o.MaxValue, 1<<20),
		MaxWritten: orDefault(o.MaxWritten, 10_000),
		MaxNesting: orDefault(o.MaxNesting, 16),
		Attempts:   max(o.Attempts, 0),

		GeneratedKeysOnly: o.GeneratedKeysOnly,
	}
}

func orDefault(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}
