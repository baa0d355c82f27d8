package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Options are the limits of an engine; the zero value has the defaults.
type Options struct {
	// MaxDepth is the greatest depth that can be asked for; default 5.
	MaxDepth int
	// MaxRecords is how many records an answer can hold, related ones included;
	// default 10,000. An answer that would hold more fails with [core.TooLarge].
	MaxRecords int
	// MaxNesting is how deep records can be nested in a body; default 16.
	MaxNesting int
}

// DefaultDepth is the depth at which clients see records unless they ask for
// another: the fields of the record, and the ids of related ones.
const DefaultDepth = 1

// Engine creates, reads, updates and deletes the records of a store. It is safe
// for concurrent use. [New] makes it.
type Engine struct {
	store *core.Store
	model *core.Model
	opts  Options
}

// New returns an engine over the store.
func New(store *core.Store, opts Options) *Engine {
	return &Engine{store: store, model: store.Model(), opts: opts.filled()}
}

func (o Options) filled() Options {
	if o.MaxDepth <= 0 {
		o.MaxDepth = 5
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = 10_000
	}
	if o.MaxNesting <= 0 {
		o.MaxNesting = 16
	}
	return o
}

// Model returns the model of the store.
func (e *Engine) Model() *core.Model { return e.model }

// Options returns the limits in force, defaults filled in.
func (e *Engine) Options() Options { return e.opts }

var errProvisional = &core.Error{Code: core.ServerError}

// Query says which records of a resource to list, in the words of a client. The
// zero Query lists all, as ids.
type Query struct {
	// Filter holds conditions by external name, all of which must hold: a value
	// that the field equals, or an object of operators (eq, ne, lt, le, gt, ge,
	// in, prefix) and values.
	Filter map[string]any
	// Sort holds external names, with "-" in front for descending.
	Sort []string
	// Limit is how many records to list at most; 0 means no limit of its own.
	Limit int
	// After continues a list where [List.Next] points.
	After core.Cursor
	// Depth at which to show the records: 0 their ids, n their fields with
	// related records at n-1.
	Depth int
}

// List is a page of records.
type List struct {
	Views []View
	// Next continues the list; empty when there is nothing more.
	Next core.Cursor
}

// Write says how to answer a write, and on which condition to do it.
type Write struct {
	// Depth at which to show the record after the write.
	Depth int
	// Match, if not nil, is called inside the transaction, before anything is
	// changed, with the record as it is at that Depth; with nil if there is none.
	// The write happens only if it returns nil; its error is returned as it is.
	// It may be called several times, when the transaction is repeated.
	Match func(current *View) error
}

// View is one record as a client sees it, to some depth. It is immutable.
type View struct{ key core.Value }

// AppendJSON appends the record's JSON to dst: the id at depth 0, an object
// otherwise, its fields in the order of their declaration, null ones left out.
func (v View) AppendJSON(dst []byte) []byte { return v.key.AppendJSON(dst) }

// Key returns the key of the record.
func (v View) Key() core.Value { return v.key }

// Any returns what encoding/json would make of [View.AppendJSON], with
// json.Number for numbers, for programs and tests.
func (v View) Any() any { return v.key.Any() }

// Get returns one record. id is anything that the key's type converts.
func (e *Engine) Get(ctx context.Context, resource string, id any, depth int) (View, error) {
	return View{}, errProvisional
}

// List returns records of a resource.
func (e *Engine) List(ctx context.Context, resource string, q Query) (List, error) {
	return List{}, errProvisional
}

// Create adds one record for each body, all or none (POST).
func (e *Engine) Create(ctx context.Context, resource string, w Write, bodies ...map[string]any) ([]View, error) {
	return nil, errProvisional
}

// Update changes the fields of a record that the body names (PATCH).
func (e *Engine) Update(ctx context.Context, resource string, id any, w Write, body map[string]any) (View, error) {
	return View{}, errProvisional
}

// Replace makes the record what the body says, and creates it if it is not
// there (PUT); it reports whether it did.
func (e *Engine) Replace(ctx context.Context, resource string, id any, w Write, body map[string]any) (_ View, created bool, _ error) {
	return View{}, false, errProvisional
}

// Delete removes a record, detaches what is related to it, and removes what dies
// with it.
func (e *Engine) Delete(ctx context.Context, resource string, id any, w Write) error {
	return errProvisional
}
