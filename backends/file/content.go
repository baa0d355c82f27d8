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
	live    int64        // how large about the journal would be if it were written anew
	begun   bool         // what the journal was written with has come to its end
	room    []core.Value // for rows to come
	scratch []byte

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

// emptyRow returns a row of null values.
func (c *content) emptyRow(fields int) []core.Value {
	if len(c.room) < fields {
		c.room = make([]core.Value, rowsAtOnce*fields)
	}
	row := c.room[:fields:fields]
	c.room = c.room[fields:]
	for i := range row {
		row[i] = core.Null
	}
	return row
}

func (c *content) put(r *resourceShape, new row) {
	c.live += new.size - c.rows[r.index].put(new)
	c.largest[r.index] = max(c.largest[r.index], new.values[r.key].Int())
	delete(c.fragments, fragment{r, new.values[r.key]})
}

func (c *content) remove(r *resourceShape, key core.Value) {
	c.live -= c.rows[r.index].remove(key)
	delete(c.fragments, fragment{r, key})
}

var errNoRecord = errors.New("it changes a record that is not there")

// set puts values that are not absent, and among them the key, into the row with that
// key.
func (c *content) set(r *resourceShape, values []core.Value) error {
	key := values[r.key]
	found, ok := c.rows[r.index].get(key)
	switch {
	case ok:
	case c.fragments == nil:
		return errNoRecord
	default:
		found.values = c.emptyRow(len(values))
		found.values[r.key] = key
		c.put(r, found)
		c.fragments[fragment{r, key}] = true
	}
	for i, v := range values {
		if i != r.key && !v.IsAbsent() {
			found.size += c.sizeOf(&r.fields[i], v) - c.sizeOf(&r.fields[i], found.values[i])
			found.values[i] = v
		}
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
