package file

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// content is the state of a journal after the lines read so far, in the journal's own schema.
type content struct {
	schema        schema
	rows          []rows       // by resource index
	seq           []int64      // by resource index: the last position read
	largestKeys   []int64      // by resource index: the largest key of any record, including deleted ones
	dryRun        bool         // lines are parsed, but not applied
	liveBytes     int64        // approximate size of a compacted journal
	snapshotEnded bool         // the end marker of the initial snapshot was read
	spare         []core.Value // allocated values for further rows
	scratch       []byte
	cells         []cell // of the record being read

	// fragments are records that are known only from updates, because the lines that inserted them are lost. If it is
	// nil, an update without a record is an error.
	fragments map[fragment]bool
}

// fragment identifies a record.
type fragment struct {
	resource *resourceSchema
	key      core.Value
}

func newContent(s schema) *content {
	c := &content{
		schema: s, rows: make([]rows, len(s.resources)),
		seq: make([]int64, len(s.resources)), largestKeys: make([]int64, len(s.resources)),
		liveBytes: int64(len(s.header())),
	}
	for i, r := range s.resources {
		c.rows[i].key = r.key
	}
	return c
}

// rowsPerAllocation is the number of rows that are allocated together.
const rowsPerAllocation = 32

// maxPooledFields is the largest number of fields of rows that are allocated together.
const maxPooledFields = 64

// row returns a row with the given cells, which ascend by column.
func (c *content) row(r *resourceSchema, cells []cell, size int64) row {
	if len(cells)*sparseFactor < len(r.fields) {
		out := row{make([]int, len(cells)), make([]core.Value, len(cells)), size}
		for i, one := range cells {
			out.columns[i], out.values[i] = one.column, one.value
		}
		return out
	}
	values := c.emptyRow(len(r.fields))
	for _, one := range cells {
		values[one.column] = one.value
	}
	return row{nil, values, size}
}

// emptyRow returns null values for all fields of a row.
func (c *content) emptyRow(fields int) (values []core.Value) {
	if fields > maxPooledFields {
		values = make([]core.Value, fields)
	} else {
		if len(c.spare) < fields {
			c.spare = make([]core.Value, rowsPerAllocation*fields)
		}
		values, c.spare = c.spare[:fields:fields], c.spare[fields:]
	}
	for i := range values {
		values[i] = core.Null
	}
	return values
}

func (c *content) put(r *resourceSchema, rec row) {
	if c.dryRun {
		return
	}
	c.liveBytes += rec.size - c.rows[r.index].put(rec)
	key := rec.at(r.key)
	c.largestKeys[r.index] = max(c.largestKeys[r.index], key.Int())
	delete(c.fragments, fragment{r, key})
}

func (c *content) remove(r *resourceSchema, key core.Value) {
	if c.dryRun {
		return
	}
	c.liveBytes -= c.rows[r.index].remove(key)
	delete(c.fragments, fragment{r, key})
}

var errNoRecord = errors.New("it updates a record that does not exist")

// set changes cells of the row with the key. The cells ascend by column and include the key.
func (c *content) set(r *resourceSchema, key core.Value, cells []cell) error {
	found, ok := c.rows[r.index].get(key)
	switch {
	case c.dryRun:
		return nil
	case ok:
	case c.fragments == nil:
		return errNoRecord
	default:
		found = c.row(r, []cell{{r.key, key}}, 0)
		c.put(r, found)
		c.fragments[fragment{r, key}] = true
	}
	for _, one := range cells {
		f := &r.fields[one.column]
		found.size += c.sizeOf(f, one.value) - c.sizeOf(f, found.at(one.column))
		found = found.with(one.column, one.value)
	}
	for _, i := range r.derived {
		found = found.with(i, r.fields[i].derive(found.at))
	}
	c.liveBytes += found.size - c.rows[r.index].put(found)
	return nil
}

// sizeOf returns the number of bytes that the field takes in a record.
func (c *content) sizeOf(f *fieldSchema, v core.Value) int64 {
	if !v.IsSet() || f.parts != nil {
		return 0
	}
	c.scratch = v.AppendJSON(c.scratch[:0])
	return int64(len(f.label) + len(c.scratch) + len(","))
}

// position returns the number up to which keys were generated or given to records.
func (c *content) position(r *resourceSchema) int64 {
	return max(c.seq[r.index], c.largestKeys[r.index])
}

// size returns the number of records.
func (c *content) size() (n int) {
	for i := range c.rows {
		n += c.rows[i].size()
	}
	return n
}

// violation is a value of a row that violates a rule of the header.
type violation struct {
	resource  *resourceSchema
	row       row
	column    int
	duplicate bool // another row has the same unique value; otherwise the target is missing
}

// eachViolation calls fn with every relation to a missing record, and with every unique value that an earlier row has,
// until fn returns false.
func (c *content) eachViolation(fn func(violation) bool) {
	for _, r := range c.schema.resources {
		seen := make(map[cell]bool) // of unique fields
		for rec := range c.rows[r.index].all() {
			for column, v := range rec.cells() {
				f := &r.fields[column]
				if f.target != "" && !c.has(f.target, v) && !fn(violation{r, rec, column, false}) {
					return
				}
				if !f.unique || !rec.at(column).IsSet() {
					continue
				}
				if seen[cell{column, v}] && !fn(violation{r, rec, column, true}) {
					return
				}
				seen[cell{column, v}] = true
			}
		}
	}
}

func (c *content) has(resource string, key core.Value) bool {
	target := c.schema.resource(resource)
	if target == nil {
		return false
	}
	_, ok := c.rows[target.index].get(key)
	return ok
}

// checkIntegrity returns an error for the first violation. The model must have the content's schema.
func (c *content) checkIntegrity(m *core.Model) (err error) {
	c.eachViolation(func(b violation) bool {
		f := m.Resources()[b.resource.index].Columns()[b.column]
		if err = f.AlreadyExists(); !b.duplicate {
			err = f.Target().NotFound(b.row.at(b.column))
		}
		return false
	})
	c.eachRepeated(m, func(_ *resourceSchema, x *core.Index, _ row) {
		if err == nil {
			err = x.AlreadyExists()
		}
	})
	return err
}

// nullViolations sets violating values to null and describes the changes. It removes a record with such a value in its key.
func (c *content) nullViolations() (mended []string) {
	for removed := true; removed; {
		var lost []violation
		c.eachViolation(func(b violation) bool {
			name, key, field := b.resource.name, b.row.at(b.resource.key), b.resource.fields[b.column]
			columns := b.resource.nullable(b.column)
			if len(columns) == 0 {
				mended = append(mended, fmt.Sprintf("%s %s: removed, because field %s is in its key and there is no %s %s",
					name, key, field.name, field.target, b.row.at(b.column)))
				lost = append(lost, b)
				return true
			}
			mended = append(mended, fmt.Sprintf("%s %s: field %s was %s and is set to null", name, key, field.name, b.row.at(b.column)))
			for _, column := range columns {
				b.row.with(column, core.Null) // in place, since the row has a cell for the column
			}
			return true
		})
		for _, b := range lost {
			c.remove(b.resource, b.row.at(b.resource.key))
		}
		removed = len(lost) > 0
	}
	return mended
}

// eachRepeated calls fn with every row that has the values of an earlier one in a unique index of the model, which must
// have the content's schema.
func (c *content) eachRepeated(m *core.Model, fn func(r *resourceSchema, x *core.Index, rec row)) {
	for i, r := range m.Resources() {
		from := c.schema.resources[i]
		for _, x := range r.Indexes() {
			seen := make(map[core.Value]bool)
			for rec := range c.rows[i].all() {
				claim := x.Claim(r.RecordOf(rec.dense(len(from.fields))))
				if seen[claim] {
					fn(from, x, rec)
				} else if claim.IsSet() {
					seen[claim] = true
				}
			}
		}
	}
}

// mendRepeated sets the last field of repeated values to null and describes the changes. It removes the record if that
// field is in its key.
func (c *content) mendRepeated(m *core.Model) (mended []string) {
	var lost []violation
	c.eachRepeated(m, func(r *resourceSchema, x *core.Index, rec row) {
		last := x.Order()[len(x.Order())-1].Field
		if r.inKey(last.Column()) {
			mended = append(mended, fmt.Sprintf("%s %s: removed, because another record has the same values of %s", r.name, rec.at(r.key), strings.Join(x.Fields, ", ")))
			lost = append(lost, violation{resource: r, row: rec})
			return
		}
		mended = append(mended, fmt.Sprintf("%s %s: field %s was %s and is set to null, because another record has the same values of %s",
			r.name, rec.at(r.key), last.Name(), rec.at(last.Column()), strings.Join(x.Fields, ", ")))
		rec.with(last.Column(), core.Null) // in place, since the row has a cell for the column
	})
	for _, b := range lost {
		c.remove(b.resource, b.row.at(b.resource.key))
	}
	return mended
}

// nullable returns the column, and the columns of its parts, that can be null: all that are not in the key.
func (r *resourceSchema) nullable(column int) (columns []int) {
	for _, part := range append(slices.Clone(r.fields[column].parts), column) {
		if !r.inKey(part) {
			columns = append(columns, part)
		}
	}
	if len(columns) == 1 && r.fields[column].parts != nil { // only the derived column
		return nil
	}
	return columns
}
