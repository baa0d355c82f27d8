package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// change is the new content of one record.
type change struct {
	info         *resourceInfo
	level        int         // nesting level of the body
	path         []any       // leads to the body in the request
	before       core.Record // zero for a new record, and if no step needs it
	isNew        bool
	values       []core.Value  // columns to write; absent ones stay unchanged
	defaulted    []bool        // replacement: columns left to the backend's default
	unnamed      []bool        // replacement: columns that go back to their default or null
	partialLists []*core.Field // replacement: list sides to keep
	relations    []*core.Field // relations that the request sets and other records store
}

func newChange(info *resourceInfo, level int) *change {
	return &change{info: info, level: level, values: make([]core.Value, len(info.resource.Columns()))}
}

func (c *change) key() core.Value { return c.values[c.info.resource.Key().Column()] }

func (c *change) set(f *core.Field, v core.Value) {
	c.values[f.Column()] = v
	if c.defaulted == nil {
		return
	}
	c.defaulted[f.Column()], c.unnamed[f.Column()] = false, false
	for _, part := range f.Parts() {
		if i := part.Column(); c.unnamed[i] { // the relation sets it
			c.values[i], c.defaulted[i], c.unnamed[i] = core.Value{}, false, false
		}
	}
}

// give sets a field of a new record, and its parts.
func (c *change) give(f *core.Field, v core.Value) {
	c.set(f, v)
	for i, part := range f.Split(v) {
		c.set(f.Parts()[i], part)
	}
}

// deriveRelations sets the relations of the change that follow from other fields, and the fields that a relation sets. The
// records that a relation points at because of other fields must exist and be visible.
func (w *writer) deriveRelations(ctx context.Context, c *change) error {
	var related []relatedRecord
	for _, f := range c.info.via {
		old := c.before.Value(f)
		if c.values[f.Column()].IsAbsent() {
			now, err := c.derived(ctx, f)
			if err != nil {
				return err
			}
			if now.IsSet() && now != old {
				related = append(related, relatedRecord{resource: f.Target(), key: now})
			}
			if now.IsSet() && now != old || now.IsNull() && !c.isNew { // in a new record, null parts may get a default of the backend
				c.values[f.Column()] = now
			}
			continue
		}
		if c.isNew {
			continue
		}
		if c.contradicts(f) {
			return &core.Error{Code: core.BadRequest, Message: fmt.Sprintf(
				"%s of %s contradicts another field of the body; name one of them", f.APIName(), f.Resource().APIName())}
		}
		if err := setOwnParts(c.values, c.before, f); err != nil {
			return err
		}
	}
	return w.checkRelated(ctx, related)
}

// contradicts reports whether the change sets a part of the relation to another value than the relation does.
func (c *change) contradicts(f *core.Field) bool {
	split, parts := f.Split(c.values[f.Column()]), f.OwnParts()
	if split == nil {
		parts = f.DetachedParts()
	}
	for _, part := range parts {
		want := core.Null
		if split != nil {
			want = split[slices.Index(f.Parts(), part)]
		}
		if v := c.values[part.Column()]; !v.IsAbsent() && v != want {
			return true
		}
	}
	return false
}

// derived returns the value that a relation gets from its parts. Parts of a new record that the body does not name get
// their defaults.
func (c *change) derived(ctx context.Context, f *core.Field) (core.Value, error) {
	parts := make([]core.Value, len(f.Parts()))
	for i, part := range f.Parts() {
		v := c.values[part.Column()]
		switch {
		case v.IsAbsent() && c.isNew:
			var err error
			if v, err = part.Default(ctx); err != nil {
				return core.Value{}, err
			}
			c.values[part.Column()] = v
			if v.IsAbsent() && !part.Key() {
				v = core.Null
			}
		case v.IsAbsent():
			v = c.before.Value(part)
		}
		parts[i] = v
	}
	if f.Type() != core.Tuple {
		return parts[0], nil
	}
	return core.TupleOf(parts...), nil
}

// setOwnParts sets the fields that only the relation f uses to those of its value. Other fields of the relation keep the
// value that they have in values or else in the record before.
//
// Errors: [core.BadFieldValue] if the value differs in another field; [core.FieldUpdateForbidden] for null in a relation
// that cannot be detached.
func setOwnParts(values []core.Value, before core.Record, f *core.Field) error {
	v := values[f.Column()]
	if v.IsNull() && f.Parts() != nil && !f.Detachable() {
		return f.UpdateForbidden(f.Resource())
	}
	if v.IsNull() {
		for _, part := range f.DetachedParts() {
			values[part.Column()] = core.Null
		}
		return nil
	}
	split := f.Split(v)
	for i, part := range f.Parts() {
		switch column := part.Column(); {
		case slices.Contains(f.OwnParts(), part):
			values[column] = split[i]
		case cmp.Or(values[column], before.Value(part)) != split[i]:
			e := badValue(f, f.Type(), v.Any())
			e.Accepted = "a key with the " + part.APIName() + " of the record"
			return e
		}
	}
	return nil
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

// resetColumns sets every column that a client can name to its value in a new record, so that the draft is applied
// to that. A column without a constant default is left to the default of the backend. A column that a policy hides in
// this record keeps its value, because the client cannot have seen it.
func (c *change) resetColumns() {
	c.set(c.info.resource.Key(), c.before.Key())
	c.defaulted, c.unnamed = make([]bool, len(c.values)), make([]bool, len(c.values))
	for i, f := range c.info.resource.Columns() {
		if !clientWritable(f) || f.KeyPart() || f.Parts() != nil || f.HasDefaultFunc() || f.OnDemand() || c.before.At(i).IsAbsent() {
			continue
		}
		c.unnamed[i] = true
		if v := f.ConstantDefault(); v.IsAbsent() {
			c.values[i], c.defaulted[i] = core.Null, true
		} else {
			c.values[i] = v
		}
	}
}

// resetFields returns the columns that are left to the backend's default.
func (c *change) resetFields() (fields []*core.Field) {
	for i, f := range c.info.resource.Columns() {
		if c.isReset(i) {
			fields = append(fields, f)
		}
	}
	return fields
}

// isReset reports whether column i is left to the backend's default.
func (c *change) isReset(i int) bool { return i < len(c.defaulted) && c.defaulted[i] }

// isUnnamed reports whether a replacement resets column i because its body does not name it.
func (c *change) isUnnamed(i int) bool { return i < len(c.unnamed) && c.unnamed[i] }

// clientWritable reports whether a client may set the field.
func clientWritable(f *core.Field) bool {
	return !f.Key() && !f.ReadOnly() && !f.Hidden() && f.Computed() == nil
}
