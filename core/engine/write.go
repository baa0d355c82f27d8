package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Write holds the options of one write. The zero value answers with ids and writes unconditionally.
type Write struct {
	// Depth is the depth at which the record is shown after the write.
	Depth int
	// Fields are the fields that are shown, see [Query.Fields]; nil for all.
	Fields []string
	// Minimal shows the record at depth 0 instead, so that the answer costs no reads. Match still gets it as Depth and
	// Fields say.
	Minimal bool
	// Match, if not nil, decides whether the write happens. The engine calls it inside the transaction, before any
	// change, with the record as Depth and Fields say, or with nil if the record does not exist. An error from Match cancels the
	// write and is returned unchanged. Match runs again when the transaction is repeated after a conflict.
	Match func(current *View) error
	// Merge makes [Engine.Update] merge an object that the body has for a JSON field into the stored value, as RFC
	// 7396, section 2, defines it: objects are merged member by member, null removes a member, any other value
	// replaces the stored one. Without Merge the object replaces the stored value.
	Merge bool
	// SetReadOnly permits the body of [Engine.Create], [Engine.Update] or [Engine.Replace], and records that it nests, to set fields
	// that are ReadOnly or have a NumberedBy. It is for bodies that the program makes itself, such as the time at which an
	// action closes an issue. Policies decide about these fields as about others. Keys, hidden fields and computed fields without
	// a setter cannot be set.
	SetReadOnly bool

	before, after look // of the record, before the write for Match, and after it
}

// setLooks sets the looks of the record.
func (e *Engine) setLooks(ctx context.Context, info *resourceInfo, opts *Write) (err error) {
	if opts.before, err = e.look(ctx, info, opts.Fields, opts.Depth); err != nil {
		return err
	}
	if opts.after = opts.before; opts.Minimal {
		opts.after = look{info, 0}
	}
	return nil
}

// writer is a unit of work: one writing transaction, and the records known in it.
type writer struct {
	engine *Engine
	tx     *core.Transaction
	known  []identityMap // indexed by resource
	budget *writeBudget
	writes int // operations so far that write
}

func newWriter(e *Engine, tx *core.Transaction) *writer {
	w := &writer{engine: e, tx: tx, known: make([]identityMap, len(e.resources))}
	if w.budget = newWriteBudget(e); e.inTx != nil {
		w.budget = e.inTx.written
	}
	return w
}

// viewsOf returns the views of the records after the write. It may end the transaction.
func (w *writer) viewsOf(ctx context.Context, info *resourceInfo, keys []core.Value, shown look) ([]View, error) {
	records, stale := make([]core.Record, len(keys)), false
	for i, key := range keys {
		known := w.knownOf(info)[key]
		records[i], stale = known.record, stale || known.written < w.writes
		// A cascade of this request deleted it.
		if records[i].IsZero() {
			return nil, info.resource.NotFound(key)
		}
	}
	if w.engine.readsAgain && stale && shown.depth > 0 {
		if err := w.readAgain(ctx, info, records); err != nil {
			return nil, err
		}
	}
	b := w.engine.viewBuilder(w.tx, finalIfSafe)
	b.known, b.truncate = w.known, true
	return b.views(ctx, shown.info, records, shown.depth)
}

// readAgain replaces written records by their present states for the principal: the key alone if it cannot read the record.
// A policy may decide by related records that were written after the record itself, such as the first member of a team, and an
// effect, such as a [core.OnWrite], may have changed the record.
func (w *writer) readAgain(ctx context.Context, info *resourceInfo, records []core.Record) error {
	keys := make([]core.Value, len(records))
	for i, rec := range records {
		keys[i] = rec.Key()
	}
	readable, err := w.tx.Load(ctx, info.resource, keys)
	if err != nil && !isDenied(err) {
		return err
	}
	present := make(map[core.Value]core.Record, len(readable))
	for _, rec := range readable {
		present[rec.Key()] = rec
	}
	for i, key := range keys {
		rec, found := present[key]
		if !found {
			rec = info.resource.RecordOf(make([]core.Value, len(info.resource.Columns()))).With(info.resource.Key().Column(), key)
		}
		records[i] = rec
	}
	return nil
}

func (w *writer) viewOf(ctx context.Context, info *resourceInfo, key core.Value, shown look) (View, error) {
	views, err := w.viewsOf(ctx, info, []core.Value{key}, shown)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// forget clears the known records.
func (w *writer) forget() { clear(w.known) }

func (w *writer) knownOf(info *resourceInfo) identityMap {
	m := &w.known[info.resource.Index()]
	if *m == nil {
		*m = make(identityMap)
	}
	return *m
}

// insert adds records and marks them as created by this transaction.
func (w *writer) insert(ctx context.Context, info *resourceInfo, records []core.Record) ([]core.Record, error) {
	if err := w.budget.create(len(records)); err != nil {
		return nil, err
	}
	w.writes++
	inserted, err := w.tx.Insert(ctx, info.resource, records...)
	if err != nil {
		return nil, err
	}
	w.budget.created(inserted)
	w.knownOf(info).addInserted(inserted, w.writes)
	return inserted, nil
}

// delete removes records. No record may point at them when the transaction ends.
func (w *writer) delete(ctx context.Context, querier core.Querier, info *resourceInfo, keys []core.Value) error {
	w.writes++
	if err := querier.Delete(ctx, info.resource, keys...); err != nil {
		return err
	}
	for _, key := range keys {
		delete(w.knownOf(info), key)
	}
	return nil
}

// identityMap holds the known state of the records of one resource in a transaction, by key.
type identityMap map[core.Value]knownRecord

// knownRecord is the known state of one record.
type knownRecord struct {
	// record is the present state, with at least the key and the columns of relations. It is the zero Record if
	// the record is about to be created.
	record core.Record
	// visible: a read returned the record, so the principal can see it.
	visible bool
	// created: this transaction creates the record, so write rules do not apply to it.
	created bool
	// whole: the record keeps all its columns, because the answer may show it. Others keep the columns of relations.
	whole bool
	// written is the number of the last write of the record among those of the writer; 0 if there is none.
	written int
}

// record returns the present state of a record, the zero Record if it is unknown.
func (m identityMap) record(key core.Value) core.Record { return m[key].record }

// addRead adds records from a read. The state of a record that is known already stays, because it may have more
// columns.
func (m identityMap) addRead(records []core.Record) {
	for _, rec := range records {
		known := m[rec.Key()]
		if known.visible = true; known.record.IsZero() {
			known.record = rec
		}
		m[rec.Key()] = known
	}
}

// addInserted adds the new records of a write.
func (m identityMap) addInserted(records []core.Record, written int) {
	for _, rec := range records {
		known := m[rec.Key()]
		known.record, known.created, known.whole, known.written = rec, true, true, written
		m[rec.Key()] = known
	}
}

// addUpdated sets the state of a record to the result of an update.
func (m identityMap) addUpdated(info *resourceInfo, rec core.Record, whole bool, written int) {
	known := m[rec.Key()]
	known.written = written
	if known.whole = known.whole || whole; !known.whole {
		rec = rec.Project(info.relationColumns)
	}
	known.record = rec
	m[rec.Key()] = known
}

func (m identityMap) markCreated(key core.Value) {
	known := m[key]
	known.created = true
	m[key] = known
}

// missing returns the keys of unknown records, in a new slice.
func (m identityMap) missing(keys []core.Value) []core.Value {
	var unknown []core.Value
	for _, key := range keys {
		if m[key].record.IsZero() {
			unknown = append(unknown, key)
		}
	}
	return unknown
}

// allVisible returns the records and true if a read has returned each of them.
func (m identityMap) allVisible(keys []core.Value) ([]core.Record, bool) {
	records := make([]core.Record, len(keys))
	for i, key := range keys {
		known := m[key]
		if !known.visible {
			return nil, false
		}
		records[i] = known.record
	}
	return records, true
}
