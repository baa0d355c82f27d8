package engine

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// DefaultDepth is the depth at which clients see records unless they ask for
// another: the fields of the record, and the ids of related ones.
const DefaultDepth = 1

// Engine creates, reads, updates and deletes the records of a store. It is safe
// for concurrent use. [New] makes it.
type Engine struct {
	store     *core.Store
	opts      Options
	resources []*resourceInfo // by index of the resource
	// deletions is the order in which records of different resources are deleted.
	deletionOrder []int
	// policed is true if a decorator of the store can hide records.
	mayHide bool
}

// New returns an engine over the store.
func New(store *core.Store, opts Options) *Engine {
	m := store.Model()
	return &Engine{
		store: store, opts: opts.filled(), resources: resourceInfos(store), deletionOrder: deletionOrder(m), mayHide: store.Describe().MayHide(),
	}
}

// Model returns the model of the store.
func (e *Engine) Model() *core.Model { return e.store.Model() }

// ReadOnly reports whether the store says that the resource of that API name
// takes no writes at the time.
func (e *Engine) ReadOnly(resource string) bool {
	r := e.Model().ResourceByAPIName(resource)
	return r != nil && e.store.ReadOnly(r)
}

// Options returns the limits in force, defaults filled in.
func (e *Engine) Options() Options { return e.opts }

// Admit asks the store whether the principal may do anything at all, with an empty
// transaction that only reads. Without policies everybody may. It is for whoever
// answers requests that are not about records, or wrong, and so never reach the store.
//
// Errors: those that policies have for the beginning of a transaction, of the usual
// ones [core.Unauthorized] for nobody; otherwise those of [core.Store.Tx].
func (e *Engine) Admit(ctx context.Context) error {
	if !e.mayHide {
		return nil
	}
	return e.read(ctx, func(context.Context, *core.Transaction) error { return nil })
}

// shape finds a resource by its API name.
func (e *Engine) lookup(name string) (*resourceInfo, error) {
	if r := e.Model().ResourceByAPIName(name); r != nil {
		return e.info(r), nil
	}
	clean := strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), "\x00", "\uFFFD")
	return nil, &core.Error{Code: core.NotFound, Resource: "resource", Key: core.TextValue(clean)}
}

func (e *Engine) info(r *core.Resource) *resourceInfo { return e.resources[r.Index()] }

// KeySource says where the keys of the resource, which is one of the model's, come from;
// see [core.Store.KeySource].
func (e *Engine) KeySource(r *core.Resource) core.KeySource { return e.info(r).keySource }

// target finds the resource and converts the id that a request is about.
func (e *Engine) resourceAndKey(resource string, id any, depth int) (*resourceInfo, core.Value, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return nil, core.Value{}, err
	}
	if err := e.checkDepth(depth); err != nil {
		return nil, core.Value{}, err
	}
	key, err := info.resource.Key().Convert(id)
	if err == nil && !key.IsSet() {
		err = info.badKey(id)
	}
	return info, key, err
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

// read runs fn in a transaction that sees one snapshot.
func (e *Engine) read(ctx context.Context, fn func(context.Context, *core.Transaction) error) error {
	return e.store.TxWith(ctx, core.TxOptions{ReadOnly: true, Attempts: e.opts.Attempts}, fn)
}

// show runs fn, which reads records and shows them with a resolver of that ending, in
// a transaction that sees one snapshot. The last operation ends the transaction; if
// more operations turn out to be needed, another transaction does without that.
func (e *Engine) readFinal(ctx context.Context, fn func(context.Context, *core.Transaction, finality) error) error {
	for ending := alwaysFinal; ; ending = neverFinal {
		err := e.read(ctx, func(ctx context.Context, tx *core.Transaction) error { return fn(ctx, tx, ending) })
		if !errors.Is(err, errEndedEarly) {
			return err
		}
	}
}

// write runs fn in a transaction, again when it conflicts.
func (e *Engine) write(ctx context.Context, fn func(context.Context, *writer) error) error {
	return e.store.TxWith(ctx, core.TxOptions{Attempts: e.opts.Attempts}, func(ctx context.Context, tx *core.Transaction) error {
		return fn(ctx, newWriter(e, tx))
	})
}
