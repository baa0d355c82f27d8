package file

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// apply applies the body of a line. After an error, a part of it has been applied.
func (c *content) apply(body []byte) error {
	r := &jsonReader{text: body}
	for n := 0; ; n++ {
		var err error
		switch {
		case r.literal(`"put":`):
			err = c.eachList(r, c.readRecord)
		case r.literal(`"set":`):
			err = c.eachList(r, c.readChange)
		case r.literal(`"del":`):
			err = c.eachList(r, c.readKey)
		case r.literal(`"seq":`):
			c.snapshotEnded = true
			err = c.eachResource(r, c.readPosition)
		default:
			err = r.fail("put, set, del or seq")
		}
		if err != nil {
			return err
		}
		if r.done() {
			return nil
		}
		if n == 3 || !r.literal(",") {
			return r.fail("the end of the line")
		}
	}
}

// eachResource reads an object with members by resource, in the order of the schema.
func (c *content) eachResource(r *jsonReader, read func(*jsonReader, *resourceSchema) error) error {
	if !r.literal("{") {
		return r.fail("an object")
	}
	if r.literal("}") {
		return nil
	}
	for i := 0; ; i++ {
		if i = c.schema.labels.read(r, i); i < 0 {
			return r.fail("a resource of the header, in header order")
		}
		if err := read(r, c.schema.resources[i]); err != nil {
			return err
		}
		if r.literal("}") {
			return nil
		}
		if !r.literal(",") {
			return r.fail("a comma or the end of an object")
		}
	}
}

// eachList reads an object with lists by resource.
func (c *content) eachList(r *jsonReader, read func(*jsonReader, *resourceSchema) error) error {
	return c.eachResource(r, func(r *jsonReader, res *resourceSchema) error {
		if !r.literal("[") {
			return r.fail("a list")
		}
		for {
			if err := read(r, res); err != nil {
				return err
			}
			if r.literal("]") {
				return nil
			}
			if !r.literal(",") {
				return r.fail("a comma or the end of a list")
			}
		}
	})
}

// readRecord reads a record, with its fields in the order of the schema, and puts it.
func (c *content) readRecord(r *jsonReader, res *resourceSchema) error {
	begin := r.pos
	if _, err := c.readFields(r, res); err != nil {
		return err
	}
	cells := slices.DeleteFunc(c.cells, func(one cell) bool { return !one.value.IsSet() })
	c.put(res, c.row(res, cells, int64(r.pos-begin+len(","))))
	return nil
}

// readChange reads the key and changed fields of a record, in the order of the schema, and updates it.
func (c *content) readChange(r *jsonReader, res *resourceSchema) error {
	key, err := c.readFields(r, res)
	if err != nil {
		return err
	}
	return c.set(res, key, c.cells)
}

// readFields reads an object with fields in the order of the schema into c.cells, and returns the key, which is
// required.
func (c *content) readFields(r *jsonReader, res *resourceSchema) (key core.Value, err error) {
	c.cells = c.cells[:0]
	before := "{"
	for place := 0; ; place++ {
		at := r.pos
		if !r.literal(before) {
			break
		}
		if place = res.labels.read(r, place); place < 0 {
			r.pos = at
			break
		}
		v, err := r.value(&res.fields[place])
		if err != nil {
			return key, err
		}
		if place == res.key {
			key = v
		}
		c.cells = append(c.cells, cell{place, v})
		before = ","
	}
	if !r.literal("}") {
		return key, r.fail("a field of the header, in header order")
	}
	for _, i := range res.derived {
		v := res.fields[i].derive(c.cellAt)
		if i == res.key {
			key = v
		}
		if v.IsSet() {
			at, _ := slices.BinarySearchFunc(c.cells, i, func(one cell, column int) int { return one.column - column })
			c.cells = slices.Insert(c.cells, at, cell{i, v})
		}
	}
	if !key.IsSet() {
		return key, errNoKey
	}
	return key, nil
}

// cellAt returns the value of a column in c.cells.
func (c *content) cellAt(column int) core.Value {
	for _, one := range c.cells {
		if one.column == column {
			return one.value
		}
	}
	return core.Value{}
}

var errNoKey = errors.New("a record lacks its key")

func (c *content) readKey(r *jsonReader, res *resourceSchema) error {
	key, err := r.value(&res.fields[res.key])
	if err != nil {
		return err
	}
	c.remove(res, key)
	return nil
}

func (c *content) readPosition(r *jsonReader, res *resourceSchema) error {
	if !r.integer(&c.seq[res.index]) {
		return r.fail("an integer")
	}
	return nil
}

// labels are the member names of a JSON object in the journal, in their order.
type labels struct {
	inOrder []string // as JSON, including the colon
	indexes map[string]int
}

func (l *labels) add(name string) {
	label := labelOf(name)
	if l.indexes == nil {
		l.indexes = make(map[string]int)
	}
	l.indexes[label] = len(l.inOrder)
	l.inOrder = append(l.inOrder, label)
}

// index returns the position of the name, or -1.
func (l *labels) index(name string) int {
	if i, ok := l.indexes[labelOf(name)]; ok {
		return i
	}
	return -1
}

// linearTries is the number of labels to compare one by one before a map lookup. It is faster if few members are
// missing.
const linearTries = 8

// read reads a label at or after a position and returns its position, or -1 if none follows.
func (l *labels) read(r *jsonReader, from int) int {
	for i := from; i < min(from+linearTries, len(l.inOrder)); i++ {
		if r.literal(l.inOrder[i]) {
			return i
		}
	}
	begin := r.pos
	if _, err := r.quoted(); err == nil && r.literal(":") {
		if i, ok := l.indexes[string(r.text[begin:r.pos])]; ok && i >= from {
			return i
		}
	}
	r.pos = begin
	return -1
}
