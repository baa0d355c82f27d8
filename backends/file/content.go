package file

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// content is what a journal holds, in the journal's own shape.
type content struct {
	schema        schema
	rows          []rows       // by resource, of one value per field
	seq           []int64      // by resource, the last that was said
	largestKeys   []int64      // by resource, the largest key that was ever there
	dryRun        bool         // lines are read, and nothing of them is kept
	liveBytes     int64        // how large about the journal would be if it were written anew
	snapshotEnded bool         // what the journal was written with has come to its end
	spare         []core.Value // for rows to come
	scratch       []byte
	cells         []cell // of the record that is read

	// fragments are records of which no line that could be read says more than what
	// was changed later. nil rejects such lines.
	fragments map[fragment]bool
}

// fragment is the place of a record.
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

// rowsPerAllocation is how many rows are allocated together.
const rowsPerAllocation = 32

// maxPooledFields is how many fields a row has at most that is allocated with others.
const maxPooledFields = 64

// row returns a row of cells, which ascend.
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

// emptyRow returns so many null values.
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

func (c *content) put(r *resourceSchema, of row) {
	if c.dryRun {
		return
	}
	c.liveBytes += of.size - c.rows[r.index].put(of)
	key := of.at(r.key)
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

// set puts cells, which ascend and of which one is the key, into the row with that key.
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
	c.liveBytes += found.size - c.rows[r.index].put(found)
	return nil
}

// sizeOf returns how many bytes the field takes in a record.
func (c *content) sizeOf(f *fieldSchema, v core.Value) int64 {
	if !v.IsSet() {
		return 0
	}
	c.scratch = v.AppendJSON(c.scratch[:0])
	return int64(len(f.label) + len(c.scratch) + len(","))
}

// position returns the number up to which keys were handed out or given.
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

// violation is a value of a row that breaks a rule of the header.
type violation struct {
	resource  *resourceSchema
	row       row
	column    int
	duplicate bool // another row holds the unique value, too; else there is no target
}

// eachViolation calls fn with the relations to records that are not there, and the unique
// values that an earlier row holds, until it returns false.
func (c *content) eachViolation(fn func(violation) bool) {
	for _, r := range c.schema.resources {
		seen := make(map[cell]bool) // of unique fields
		for of := range c.rows[r.index].all() {
			for column, v := range of.cells() {
				f := &r.fields[column]
				if f.target != "" && !c.has(f.target, v) && !fn(violation{r, of, column, false}) {
					return
				}
				if !f.unique || !of.at(column).IsSet() {
					continue
				}
				if seen[cell{column, v}] && !fn(violation{r, of, column, true}) {
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

// checkIntegrity returns the error of the first breach; the model is that of the shape.
func (c *content) checkIntegrity(m *core.Model) (err error) {
	c.eachViolation(func(b violation) bool {
		f := m.Resources()[b.resource.index].Columns()[b.column]
		if err = f.AlreadyExists(); !b.duplicate {
			err = f.Target().NotFound(b.row.at(b.column))
		}
		return false
	})
	return err
}

// nullViolations makes the values null that break a rule, and reports them.
func (c *content) nullViolations() (mended []string) {
	c.eachViolation(func(b violation) bool {
		mended = append(mended, fmt.Sprintf("%s %s: field %s was %s and is set to null",
			b.resource.name, b.row.at(b.resource.key), b.resource.fields[b.column].name, b.row.at(b.column)))
		b.row.with(b.column, core.Null) // which it holds, so the row stays where it is
		return true
	})
	return mended
}
