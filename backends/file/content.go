package file

import (
	"errors"

	"github.com/larder-go/larder/core"
)

// content is what a journal holds, in the journal's own shape.
type content struct {
	shape   shape
	rows    []rows       // by resource, of one value per field
	seq     []int64      // by resource, the last that was said
	largest []int64      // by resource, the largest key that was ever there
	dry     bool         // lines are read, and nothing of them is kept
	live    int64        // how large about the journal would be if it were written anew
	begun   bool         // what the journal was written with has come to its end
	room    []core.Value // for rows to come
	scratch []byte
	reading []cell // of the record that is read

	// fragments are records of which no line that could be read says more than what
	// was changed later. nil rejects such lines.
	fragments map[fragment]bool
}

// fragment is the place of a record.
type fragment struct {
	resource *resourceShape
	key      core.Value
}

func newContent(s shape) *content {
	c := &content{
		shape: s, rows: make([]rows, len(s.resources)),
		seq: make([]int64, len(s.resources)), largest: make([]int64, len(s.resources)),
		live: int64(len(s.header())),
	}
	for i, r := range s.resources {
		c.rows[i].key = r.key
	}
	return c
}

// rowsAtOnce is how many rows are allocated together.
const rowsAtOnce = 32

// widest is how many fields a row has at most that is allocated with others.
const widest = 64

// row returns a row of cells, which ascend.
func (c *content) row(r *resourceShape, cells []cell, size int64) row {
	if len(cells)*sparseFrom < len(r.fields) {
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
	if fields > widest {
		values = make([]core.Value, fields)
	} else {
		if len(c.room) < fields {
			c.room = make([]core.Value, rowsAtOnce*fields)
		}
		values, c.room = c.room[:fields:fields], c.room[fields:]
	}
	for i := range values {
		values[i] = core.Null
	}
	return values
}

func (c *content) put(r *resourceShape, of row) {
	if c.dry {
		return
	}
	c.live += of.size - c.rows[r.index].put(of)
	key := of.at(r.key)
	c.largest[r.index] = max(c.largest[r.index], key.Int())
	delete(c.fragments, fragment{r, key})
}

func (c *content) remove(r *resourceShape, key core.Value) {
	if c.dry {
		return
	}
	c.live -= c.rows[r.index].remove(key)
	delete(c.fragments, fragment{r, key})
}

var errNoRecord = errors.New("it updates a record that does not exist")

// set puts cells, which ascend and of which one is the key, into the row with that key.
func (c *content) set(r *resourceShape, key core.Value, cells []cell) error {
	found, ok := c.rows[r.index].get(key)
	switch {
	case c.dry:
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
	c.live += found.size - c.rows[r.index].put(found)
	return nil
}

// sizeOf returns how many bytes the field takes in a record.
func (c *content) sizeOf(f *fieldShape, v core.Value) int64 {
	if !v.IsSet() {
		return 0
	}
	c.scratch = v.AppendJSON(c.scratch[:0])
	return int64(len(f.label) + len(c.scratch) + len(","))
}

// position returns the number up to which keys were handed out or given.
func (c *content) position(r *resourceShape) int64 {
	return max(c.seq[r.index], c.largest[r.index])
}

// size returns the number of records.
func (c *content) size() (n int) {
	for i := range c.rows {
		n += c.rows[i].size()
	}
	return n
}
