package file

import (
	"github.com/larder-go/larder/core"
)

// content is what a journal holds, in the journal's own shape.
type content struct {
	shape   shape
	rows    []rows       // by resource, of one value per field
	seq     []int64      // by resource, the last that was said
	largest []int64      // by resource, the largest key that was ever there
	entries int64        // records written and deleted
	begun   bool         // what the journal was written with has come to its end
	room    []core.Value // for rows to come
}

func newContent(s shape) *content {
	c := &content{
		shape: s, rows: make([]rows, len(s.resources)),
		seq: make([]int64, len(s.resources)), largest: make([]int64, len(s.resources)),
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

func (c *content) put(r *resourceShape, row []core.Value) {
	c.rows[r.index].put(row)
	c.largest[r.index] = max(c.largest[r.index], row[r.key].Int())
	c.entries++
}

func (c *content) remove(r *resourceShape, key core.Value) {
	c.rows[r.index].remove(key)
	c.entries++
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
