package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// change is what a request makes of one record.
type change struct {
	info         *resourceInfo
	level        int         // how deep the body is nested
	before       core.Record // zero for a record to create, and where nobody needs it
	isNew        bool
	isReplace    bool                // what nobody names is emptied
	values       []core.Value        // columns to write, absent ones are left alone
	defaulted    []bool              // of a replacement: columns whose null is left to the backend's default
	partialLists []*core.Field       // of a replacement: list sides that it keeps
	inverse      []inverseAssignment // relations that other records store, set after the columns
}

// membership is a relation that other records store, with what it shall be.
type inverseAssignment struct {
	assignment

	keys     []core.Value // of the members; not yet known if the owner is being created
	implicit bool         // the body does not name the relation
}

func newChange(info *resourceInfo, level int) *change {
	return &change{info: info, level: level, values: make([]core.Value, len(info.resource.Columns()))}
}

func (c *change) key() core.Value { return c.values[c.info.resource.Key().Column()] }

func (c *change) set(f *core.Field, v core.Value) {
	c.values[f.Column()] = v
	if c.defaulted != nil {
		c.defaulted[f.Column()] = false
	}
}

// writes reports whether columns other than the key are to be written.
func (c *change) writesColumns() bool {
	key := c.info.resource.Key().Column()
	for i, v := range c.values {
		if i != key && !v.IsAbsent() {
			return true
		}
	}
	return false
}

// apply takes assignments in, in their order. Nested records are created on the
// way, before the relation that they are nested in is set; but those who are to
// point at a record that is being created have to wait for it.
func (w *writer) applyAssignments(ctx context.Context, c *change, assignments []assignment) error {
	for _, a := range assignments {
		f := a.field
		switch {
		case f.Computed() != nil:
			if err := w.runSetter(ctx, c, a); err != nil {
				return err
			}
		case a.merge:
			if err := w.mergeJSON(c, a); err != nil {
				return err
			}
		case f.Target() == nil:
			c.set(f, a.value)
		case !f.Stored():
			if err := w.deferAssignment(ctx, c, a); err != nil {
				return err
			}
		default:
			keys, err := w.memberKeys(ctx, a, preset{})
			if err != nil {
				return err
			}
			c.set(f, storedValue(f, keys))
		}
	}
	return nil
}

// postpone takes in a relation that other records store.
func (w *writer) deferAssignment(ctx context.Context, c *change, a assignment) (err error) {
	m := inverseAssignment{assignment: a}
	if !c.isNew {
		m.keys, err = w.memberKeys(ctx, a, preset{a.field.Inverse(), c.key()})
	}
	c.inverse = append(c.inverse, m)
	return err
}

// stored returns the value of a relation that the record stores itself.
func storedValue(f *core.Field, keys []core.Value) core.Value {
	switch {
	case len(keys) == 0:
		return core.Null
	case f.Many():
		return core.ListOf(keys...)
	}
	return keys[0]
}

// members returns the keys of what an assignment puts into a relation, ascending
// and each once, and creates those that are new.
func (w *writer) memberKeys(ctx context.Context, a assignment, given preset) ([]core.Value, error) {
	keys := make([]core.Value, 0, len(a.items))
	var drafts []*draft
	for _, it := range a.items {
		if it.create != nil {
			drafts = append(drafts, it.create)
		} else {
			keys = append(keys, it.key)
		}
	}
	created, err := w.createAll(ctx, drafts, given)
	if err != nil {
		return nil, err
	}
	return core.SortKeys(append(keys, created...)), nil
}

// changeOf begins the change of a record, which it reads only if the change
// depends on it.
func (w *writer) beginChange(ctx context.Context, d *draft, key core.Value, opts Write) (*change, error) {
	c := newChange(d.info, d.level)
	c.set(d.info.resource.Key(), key)
	if opts.Match == nil && !d.needsBefore && d.writesColumns() {
		return c, nil
	}
	rec, err := w.load(ctx, d.info, key)
	if err != nil {
		return nil, err
	}
	if err := w.checkMatch(ctx, opts, d.info, rec); err != nil {
		return nil, err
	}
	if rec.IsZero() {
		return nil, d.info.resource.NotFound(key)
	}
	c.before = rec
	return c, nil
}
