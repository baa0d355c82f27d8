package engine

import "github.com/larder-go/larder/core"

// change is the new content of one record.
type change struct {
	info         *resourceInfo
	level        int         // nesting level of the body
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
	if c.defaulted != nil {
		c.defaulted[f.Column()], c.unnamed[f.Column()] = false, false
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
		if !clientWritable(f) || f.HasDefaultFunc() || c.before.At(i).IsAbsent() {
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
