package file

import (
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

// sparseFactor is how many times more fields than values a row may have that holds a
// value for each field.
const sparseFactor = 4

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

// with returns the row with the value of a field, in the same memory where it fits.
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

// appendRow appends the fields that are not null.
func (r *resourceSchema) appendRow(dst []byte, of row) []byte {
	before := byte('{')
	for column, v := range of.cells() {
		dst = append(dst, before)
		dst = append(dst, r.fields[column].label...)
		dst = v.AppendJSON(dst)
		before = ','
	}
	return append(dst, '}')
}
