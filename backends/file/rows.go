package file

import (
	"iter"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// rows are the records of one resource in a journal, by key. Keys are generated in ascending order, and a compacted
// journal is sorted, so most rows arrive in order and are appended to a slice. Only the others need a map, and a sort
// at the end.
type rows struct {
	key        int          // column of the key
	inOrder    []rowInOrder // ascending by key
	removed    int          // number of removed rows in inOrder
	outOfOrder map[core.Value]row
}

// rowInOrder is a row, or the key of a removed one.
type rowInOrder struct {
	row

	removed bool
}

func (r *rows) size() int { return len(r.inOrder) - r.removed + len(r.outOfOrder) }

// get returns the row with the key.
func (r *rows) get(key core.Value) (found row, ok bool) {
	if at, ok := r.find(key); ok {
		return r.inOrder[at].row, !r.inOrder[at].removed
	}
	found, ok = r.outOfOrder[key]
	return found, ok
}

// put inserts the row, or replaces the one with its key. It returns the size of the replaced row.
func (r *rows) put(rec row) (replaced int64) {
	n, key := len(r.inOrder), rec.at(r.key)
	if n == 0 || core.Compare(r.inOrder[n-1].at(r.key), key) < 0 {
		r.inOrder = append(r.inOrder, rowInOrder{row: rec})
		return 0
	}
	if at, found := r.find(key); found {
		if r.inOrder[at].removed {
			r.removed--
		} else {
			replaced = r.inOrder[at].size
		}
		r.inOrder[at] = rowInOrder{row: rec}
		return replaced
	}
	if r.outOfOrder == nil {
		r.outOfOrder = make(map[core.Value]row)
	}
	replaced = r.outOfOrder[key].size
	r.outOfOrder[key] = rec
	return replaced
}

// remove deletes the row with the key and returns its size.
func (r *rows) remove(key core.Value) (size int64) {
	at, found := r.find(key)
	if !found {
		size = r.outOfOrder[key].size
		delete(r.outOfOrder, key)
		return size
	}
	if r.inOrder[at].removed {
		return 0
	}
	size = r.inOrder[at].size
	r.inOrder[at].removed = true
	if r.removed++; r.removed > sweepThreshold && 2*r.removed > len(r.inOrder) {
		r.inOrder = slices.DeleteFunc(r.inOrder, func(e rowInOrder) bool { return e.removed })
		r.removed = 0
	}
	return size
}

// sweepThreshold is the number of removed rows below which they are not swept.
const sweepThreshold = 1024

// find returns the position of the key in inOrder.
func (r *rows) find(key core.Value) (at int, found bool) {
	from, to := r.searchRange(key)
	at, found = slices.BinarySearchFunc(r.inOrder[from:to], key, func(e rowInOrder, key core.Value) int {
		return core.Compare(e.at(r.key), key)
	})
	return from + at, found
}

// searchRange returns the part of inOrder that can contain the key: the distance of an integer key from the first and
// the last row is at most the difference of their numbers. If no number is missing, the part has one row.
func (r *rows) searchRange(key core.Value) (from, to int) {
	n := len(r.inOrder)
	if n == 0 || key.Type() != core.Int {
		return 0, n
	}
	first, last, number := r.inOrder[0].at(r.key).Int(), r.inOrder[n-1].at(r.key).Int(), key.Int()
	if first < 0 || number < first || number > last { // differences may overflow
		return 0, n
	}
	return int(max(0, int64(n)-1-(last-number))), int(min(int64(n)-1, number-first)) + 1
}

// all yields the rows, ascending by key.
func (r *rows) all() iter.Seq[row] {
	return func(yield func(row) bool) {
		late := slices.SortedFunc(maps.Keys(r.outOfOrder), core.Compare)
		for _, e := range r.inOrder {
			for len(late) > 0 && core.Compare(late[0], e.at(r.key)) < 0 {
				if !yield(r.outOfOrder[late[0]]) {
					return
				}
				late = late[1:]
			}
			if !e.removed && !yield(e.row) {
				return
			}
		}
		for _, key := range late {
			if !yield(r.outOfOrder[key]) {
				return
			}
		}
	}
}

// row is a record with its size in a journal. If it has only few of many fields, it contains only these, so that the
// memory of rows is proportional to the size of the journal, regardless of its header.
type row struct {
	columns []int        // of the values; nil if there is one value per field
	values  []core.Value // core.Null for a missing value
	size    int64
}

// cell is a value and its column.
type cell struct {
	column int
	value  core.Value
}

// sparseFactor is the number of fields per value from which a row contains only its values.
const sparseFactor = 4

// at returns the value of a column.
func (r row) at(column int) core.Value {
	if r.columns == nil {
		return r.values[column]
	}
	if i, found := slices.BinarySearch(r.columns, column); found {
		return r.values[i]
	}
	return core.Null
}

// cells yields the columns that are not null.
func (r row) cells() iter.Seq2[int, core.Value] {
	return func(yield func(int, core.Value) bool) {
		for i, v := range r.values {
			column := i
			if r.columns != nil {
				column = r.columns[i]
			}
			if v.IsSet() && !yield(column, v) {
				return
			}
		}
	}
}

// with returns the row with another value in a column. It reuses the memory of the row if possible.
func (r row) with(column int, v core.Value) row {
	if r.columns == nil {
		r.values[column] = v
		return r
	}
	i, found := slices.BinarySearch(r.columns, column)
	if !found {
		r.columns, r.values = slices.Insert(r.columns, i, column), slices.Insert(r.values, i, v)
	}
	r.values[i] = v
	return r
}

// dense returns one value per field.
func (r row) dense(fields int) []core.Value {
	if r.columns == nil {
		return r.values
	}
	out := make([]core.Value, fields)
	for i := range out {
		out[i] = core.Null
	}
	for column, v := range r.cells() {
		out[column] = v
	}
	return out
}

// appendRow appends the row as JSON, without null fields.
func (r *resourceSchema) appendRow(dst []byte, rec row) []byte {
	before := byte('{')
	for column, v := range rec.cells() {
		if r.fields[column].parts != nil {
			continue
		}
		dst = append(dst, before)
		dst = append(dst, r.fields[column].label...)
		dst = v.AppendJSON(dst)
		before = ','
	}
	return append(dst, '}')
}
