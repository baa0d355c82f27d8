package storetest

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// continuation is a page of a random program that may be asked for.
type continuation struct {
	resource *core.Resource
	query    core.Query
	order    []core.Order
	position []core.Value // nil for the first page
}

// after returns the page after the record.
func (q continuation) after(rec core.Record, next core.Cursor) *continuation {
	q.query.After = next
	q.position = make([]core.Value, len(q.order))
	for i, o := range q.order {
		q.position[i] = rec.At(o.Field.Column())
	}
	return &q
}

// lacks says in words what a projected record lacks: what was asked for, the key
// and what the order needs must be there, the other fields may.
func (q continuation) lacks(got, want core.Record) string {
	asked := map[string]bool{q.resource.Key().Name(): true}
	for _, name := range q.query.Fields {
		asked[name] = true
	}
	for _, o := range q.order {
		asked[o.Field.Name()] = true
	}
	for i, f := range q.resource.Columns() {
		if v := got.At(i); v != want.At(i) && (asked[f.Name()] || !v.IsAbsent()) {
			return fmt.Sprintf("got %v, want %v as %s of %v", v, want.At(i), f.Name(), want)
		}
	}
	return ""
}
