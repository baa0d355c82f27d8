package core

import (
	"errors"
	"slices"
	"strings"
)

// Query selects records of a resource. The zero Query selects all of them, in ascending order of their keys.
type Query struct {
	// Where is the condition that the records match.
	Where Filter
	// Order names the fields to sort by, at most 16, with "-" in front for descending order. The key breaks ties. A path
	// such as "jar.name" names a field of the record that is reached over to-one relations, at most five; without such
	// a record, or if the caller's principal cannot read it, the value is null.
	Order []string
	// Limit bounds the number of records; 0 means no limit. Negative limits are rejected.
	Limit int
	// Bytes, if positive, lets the page end early, after at least one record, when its records have about so many bytes
	// together. A backend that has the records in memory anyway ignores it.
	Bytes int
	// After continues the query after a page: it is the [Page.Next] of the same query, with any limit.
	After Cursor
	// Scope, if not empty, takes the place of Where in cursors. It is for callers that compute a new Where for each
	// page from a condition of their own, of which Scope is the text.
	Scope string
	// Fields names the stored fields to read. Other fields are absent from the records, except the key and the fields
	// of Order. nil means all fields; an empty slice means no further ones.
	Fields []string
}

// Page is the result of a [Query].
type Page struct {
	// Records are in the order of the query. The caller owns the slice.
	Records []Record
	// Next continues the query after the last record; empty if there are no further records.
	Next Cursor

	op        *Op // with the resource, condition and order of the query
	positions [][]Value
}

// CursorAfter returns the cursor that continues the query after the i-th record of the page, for a caller that ends the
// page before its last record.
//
// Errors: [ServerError] for a record without a value of a field that the query sorts by.
func (p Page) CursorAfter(i int) (Cursor, error) {
	if p.positions != nil {
		return cursorAt(p.op, p.positions[i])
	}
	return cursorAfter(p.op, p.Records[i])
}

// CursorBefore returns the cursor that continues the same query in the opposite order before the i-th record of the page:
// every name of [Query.Order] gets the other direction, and "-" and the key come last if the order does not name it.
//
// Errors: as for [Page.CursorAfter].
func (p Page) CursorBefore(i int) (Cursor, error) {
	opposite := *p.op
	opposite.Order = make([]Order, len(p.op.Order))
	for i, o := range p.op.Order {
		o.Desc = !o.Desc
		opposite.Order[i] = o
	}
	p.op = &opposite
	return p.CursorAfter(i)
}

// CursorAfter returns the cursor that continues the query after the record, for a caller that ends a page before its
// last record. It ignores Query.After.
//
// Errors: as for [Store.Select]; [ServerError] for a record without a value of a field that the query sorts by.
func (r *Resource) CursorAfter(q Query, rec Record) (Cursor, error) {
	op := Op{Kind: Select, Resource: r}
	q.After = ""
	if _, err := q.fill(&op); err != nil {
		return "", err
	}
	return cursorAfter(&op, rec)
}

// pageOf returns the page for the result of a Select.
func pageOf(op *Op, res Result) (page Page, err error) {
	page = Page{Records: res.Records, op: op, positions: res.Positions}
	if crosses(op.Order) && len(page.positions) != len(page.Records) {
		return Page{}, errNoPositions
	}
	if n := len(page.Records); res.More && n > 0 {
		page.Next, err = page.CursorAfter(n - 1)
	}
	return page, err
}

var errNoPositions = &Error{Code: ServerError, Cause: errors.New("a page that is sorted by fields of related records has no positions")}

// maxOrderKeys bounds the fields that a query may sort by, and so the length of statements.
const maxOrderKeys = 16

// fill resolves the query into the op. If the cursor has a complete keyset, it sets the position of the op; otherwise
// the caller must. It returns the keyset.
func (q *Query) fill(op *Op) (at keyset, err error) {
	r := op.Resource
	if q.Limit < 0 {
		return nil, &Error{Code: BadParam, Param: "limit", Accepted: "non-negative integer"}
	}
	if len(q.Order) > maxOrderKeys {
		return nil, &Error{Code: BadParam, Param: "sort", Accepted: "at most 16 fields"}
	}
	op.Limit, op.Bytes, op.scope = q.Limit, q.Bytes, q.Scope
	if op.Where, err = r.Bind(q.Where); err != nil {
		return nil, err
	}
	if op.Order, err = r.order(q.Order); err != nil {
		return nil, err
	}
	if q.After != "" {
		if at, err = q.After.keyset(op); err != nil {
			return nil, err
		}
		if at.complete() {
			op.After, err = at.position(op.Order, nil)
		}
	}
	if q.Fields != nil && err == nil {
		op.Fields, err = r.projection(q.Fields, op.Order)
	}
	return at, err
}

// projection resolves the names to fields, and adds the key and the fields of the order.
func (r *Resource) projection(names []string, order []Order) ([]*Field, error) {
	wanted := make([]bool, len(r.columns))
	wanted[r.key.column] = true
	for _, o := range order {
		if o.Path == nil {
			wanted[o.Field.column] = true
		}
	}
	for _, name := range names {
		f := r.Field(name)
		if f == nil || !f.Stored() {
			return nil, &Error{Code: UnknownField, Resource: r.apiName, Field: name}
		}
		wanted[f.column] = true
	}
	fields := make([]*Field, 0, len(names)+1)
	for i, f := range r.columns {
		if wanted[i] {
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// Order is one entry of a sort order. Ascending order has nulls last, descending order nulls first, as in PostgreSQL
// (manual, section 7.5).
type Order struct {
	// Path leads over to-one relations to the record whose Field is the sort value; nil for a field of the record
	// itself. If there is no related record, or its guard does not match, the sort value is null.
	Path  []Hop
	Field *Field // stored, of a type that is [Type.Ordered]
	Desc  bool   // descending
}

// crosses reports whether an entry of the order is a field of a related record.
func crosses(order []Order) bool {
	return slices.ContainsFunc(order, func(o Order) bool { return o.Path != nil })
}

// CompareRecords returns -1, 0 or +1 if a sorts before, with or after b. It defines the order of every backend for an
// order without a Path; [Op.Position] and [ComparePositions] define it for any order.
func CompareRecords(order []Order, a, b Record) int {
	for _, o := range order {
		if c := o.compare(a.values[o.Field.column], b.values[o.Field.column]); c != 0 {
			return c
		}
	}
	return 0
}

// sortValues returns the values of the record for an order without a Path.
func sortValues(order []Order, rec Record) []Value {
	position := make([]Value, len(order))
	for i, o := range order {
		if o.Path == nil {
			position[i] = rec.values[o.Field.column]
		}
	}
	return position
}

// ComparePositions returns -1, 0 or +1 if a sorts before, with or after b. Each has one value for each entry of the
// order.
func ComparePositions(order []Order, a, b []Value) int {
	for i, o := range order {
		if c := o.compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// After reports whether the record sorts after the position, which has one value for each entry of an order without a
// Path.
func After(order []Order, position []Value, rec Record) bool {
	for i, o := range order {
		if c := o.compare(rec.values[o.Field.column], position[i]); c != 0 {
			return c > 0
		}
	}
	return false
}

func (o Order) compare(a, b Value) int {
	c := Compare(a, b)
	if o.Desc {
		return -c
	}
	return c
}

// value returns the sort value of the record. The reader is needed for a Path only.
func (o Order) value(rec Record, read RelatedReader) (v Value, err error) {
	for _, hop := range o.Path {
		if read == nil {
			return Value{}, ErrUndecided
		}
		if rec, err = read(rec, hop.Relation, hop.Guard); err != nil || rec.IsZero() {
			return Null, err
		}
	}
	return rec.values[o.Field.column], nil
}

// order resolves names, with "-" in front for descending order, and appends the key so that the order is total.
func (r *Resource) order(names []string) ([]Order, error) {
	if len(names) == 0 {
		return r.keyOrder, nil
	}
	orders := make([]Order, 0, len(names)+1)
	for _, name := range names {
		o, err := r.orderBy(name)
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
		if o.Field == r.key && o.Path == nil {
			return orders, nil
		}
	}
	return append(orders, Order{Field: r.key}), nil
}

// orderBy resolves one name of an order: a field, or a path of to-one relations that ends with a field.
func (r *Resource) orderBy(name string) (o Order, err error) {
	if first, _, _ := strings.Cut(name, "."); r.Field(name) == nil && r.Field(first) == nil && strings.HasPrefix(name, "-") {
		name, o.Desc = name[1:], true
	}
	at, err := r.fieldAt(name, "sort")
	if err != nil {
		return Order{}, err
	}
	if !at.Field.Stored() || !at.Field.Ordered() {
		return Order{}, &Error{Code: SearchForbidden, Resource: at.Field.resource.apiName, Field: at.Field.apiName}
	}
	at.Desc = o.Desc
	return at, nil
}

// fieldAt resolves the name of a field, or a path of to-one relations that ends with a field.
func (r *Resource) fieldAt(name, param string) (o Order, err error) {
	for path := name; r.Field(name) == nil; {
		first, rest, found := strings.Cut(path, ".")
		f := r.Field(first)
		if !found || f == nil {
			return Order{}, &Error{Code: UnknownField, Resource: r.apiName, Field: path}
		}
		relation, ok := f.Relation()
		if !ok || relation.Many() {
			return Order{}, &Error{Code: SearchForbidden, Resource: r.apiName, Field: f.apiName}
		}
		if o.Path = append(o.Path, Hop{Relation: relation}); len(o.Path) > maxRelatedDepth {
			return Order{}, &Error{Code: BadParam, Param: param, Accepted: "at most five relations in a path"}
		}
		r, path = relation.Target(), rest
		name = rest
	}
	o.Field = r.Field(name)
	return o, nil
}
