package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// change is the new content of one record.
type change struct {
	info         *resourceInfo
	level        int         // nesting level of the body
	before       core.Record // zero for a new record, and if no step needs it
	isNew        bool
	isReplace    bool                // fields that the body does not name are reset
	values       []core.Value        // columns to write; absent ones stay unchanged
	defaulted    []bool              // replacement: columns left to the backend's default
	partialLists []*core.Field       // replacement: list sides to keep
	inverse      []inverseAssignment // relations stored by other records, set after the columns
}

// inverseAssignment is the new value of a relation that other records store.
type inverseAssignment struct {
	assignment

	keys     []core.Value // members; filled in later if the owner is new
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

// writesColumns reports whether the change writes columns other than the key.
func (c *change) writesColumns() bool {
	key := c.info.resource.Key().Column()
	for i, v := range c.values {
		if i != key && !v.IsAbsent() {
			return true
		}
	}
	return false
}

// applyAssignments adds assignments to the change, in their order. Nested records are created at this point,
// before the relation to them is set. Relations that other records store are deferred; if the record itself is
// new, so are the nested records in them, because they point at it.
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

// deferAssignment adds a relation that other records store.
func (w *writer) deferAssignment(ctx context.Context, c *change, a assignment) (err error) {
	m := inverseAssignment{assignment: a}
	if !c.isNew {
		m.keys, err = w.memberKeys(ctx, a, preset{a.field.Inverse(), c.key()})
	}
	c.inverse = append(c.inverse, m)
	return err
}

// storedValue returns the column value of a relation that the record itself stores.
func storedValue(f *core.Field, keys []core.Value) core.Value {
	switch {
	case len(keys) == 0:
		return core.Null
	case f.Many():
		return core.ListOf(keys...)
	}
	return keys[0]
}

// memberKeys creates the nested records of an assignment and returns the keys of all its members, ascending and
// distinct.
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

// beginChange starts the change of a record. It reads the record only if the change depends on it.
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
