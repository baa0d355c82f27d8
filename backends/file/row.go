package file

import (
	"cmp"
	"iter"
	"slices"

	"github.com/larder-go/larder/core"
)

// row is a record, and how many bytes it takes in a journal. One with few of many
// fields holds those alone, so that the memory of rows depends on the size of the
// journal, whatever its header says.
type row struct {
	columns []int        // of the values; nil if there is one for each field
	values  []core.Value // null for none
	size    int64
}

// cell is a value and its field.
type cell struct {
	column int
	value  core.Value
}

// sparseFrom is how many times more fields than values a row may have that holds a
// value for each field.
const sparseFrom = 4

// at returns the value of a field.
func (r row) at(column int) core.Value {
	if r.columns == nil {
		return r.values[column]
	}
	if i, found := slices.BinarySearch(r.columns, column); found {
		return r.values[i]
	}
	return core.Null
}

// cells yields the fields that are not null.
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

// empty makes a field that the row holds null.
func (r row) empty(column int) {
	if r.columns != nil {
		column, _ = slices.BinarySearch(r.columns, column)
	}
	r.values[column] = core.Null
}

// dense returns one value for each of so many fields.
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

// merged appends the cells of the row with the changes in their places, both
// ascending by field.
func (r row) merged(dst, changes []cell) []cell {
	dst = append(dst, changes...)
	for column, v := range r.cells() {
		if _, changed := slices.BinarySearchFunc(changes, column, cell.compare); !changed {
			dst = append(dst, cell{column, v})
		}
	}
	slices.SortFunc(dst, func(a, b cell) int { return a.compare(b.column) })
	return dst
}

func (c cell) compare(column int) int { return cmp.Compare(c.column, column) }

// appendRow appends the fields that are not null.
func (r *resourceShape) appendRow(dst []byte, of row) []byte {
	before := byte('{')
	for column, v := range of.cells() {
		dst = append(dst, before)
		dst = append(dst, r.fields[column].label...)
		dst = v.AppendJSON(dst)
		before = ','
	}
	return append(dst, '}')
}
