package core

import (
	"iter"
	"slices"
)

// Query selects records of a resource. The zero Query selects all of them, in ascending order of their keys.
type Query struct {
	// Where is the condition that the records match.
	Where Filter
	// Order names the fields to sort by, at most 16, with "-" in front for descending order. The key breaks ties.
	Order []string
	// Limit bounds the number of records; 0 means no limit. Negative limits are rejected.
	Limit int
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
}

// PageOf returns the page of the query over the given records, which may come in any order. It is for a caller with
// records that differ from the stored ones, for example without the relations that a principal cannot see.
//
// Errors: as for [Store.Select].
func (r *Resource) PageOf(q Query, records iter.Seq[Record]) (Page, error) {
	op := Op{Kind: Select, Resource: r}
	at, err := q.fill(&op)
	if err == nil {
		err = at.within(&op, records)
	}
	if err != nil {
		return Page{}, err
	}
	var page Page
	for rec := range records {
		if op.Matches(rec) {
			page.Records = append(page.Records, rec)
		}
	}
	slices.SortFunc(page.Records, func(a, b Record) int { return CompareRecords(op.Order, a, b) })
	if op.Limit > 0 && len(page.Records) > op.Limit {
		page.Records = page.Records[:op.Limit]
		page.Next, err = cursorAfter(&op, page.Records[op.Limit-1])
	}
	for i, rec := range page.Records {
		page.Records[i] = rec.Project(op.Fields)
	}
	return page, err
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
	page.Records = res.Records
	if n := len(page.Records); res.More && n > 0 {
		page.Next, err = cursorAfter(op, page.Records[n-1])
	}
	return page, err
}

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
	op.Limit, op.scope = q.Limit, q.Scope
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
			op.After, err = at.position(op.Order, Record{})
		}
	}
	if q.Fields != nil && err == nil {
		op.Fields, err = r.projection(q.Fields, op.Order)
	}
	return at, err
}

// within sets the position of an op on the given records.
func (k keyset) within(op *Op, records iter.Seq[Record]) (err error) {
	if k.complete() {
		return nil
	}
	var found Record
	for rec := range records {
		if k.matches(op.Order, rec) {
			found = rec
		}
	}
	op.After, err = k.position(op.Order, found)
	return err
}

// projection resolves the names to fields, and adds the key and the fields of the order.
func (r *Resource) projection(names []string, order []Order) ([]*Field, error) {
	wanted := make([]bool, len(r.columns))
	wanted[r.key.column] = true
	for _, o := range order {
		wanted[o.Field.column] = true
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
	Field *Field // stored, of a type that is [Type.Ordered]
	Desc  bool   // descending
}

// CompareRecords returns -1, 0 or +1 if a sorts before, with or after b. It defines the order of every backend.
func CompareRecords(order []Order, a, b Record) int {
	for _, o := range order {
		if c := o.compare(a.values[o.Field.column], b.values[o.Field.column]); c != 0 {
			return c
		}
	}
	return 0
}

// After reports whether the record sorts after the position, which has one value for each entry of the order.
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

// order resolves names, with "-" in front for descending order, and appends the key so that the order is total.
func (r *Resource) order(names []string) ([]Order, error) {
	if len(names) == 0 {
		return r.keyOrder, nil
	}
	orders := make([]Order, 0, len(names)+1)
	for _, name := range names {
		o := Order{Field: r.Field(name)}
		if o.Field == nil && len(name) > 0 && name[0] == '-' {
			name = name[1:]
			o = Order{Field: r.Field(name), Desc: true}
		}
		if o.Field == nil {
			return nil, &Error{Code: UnknownField, Resource: r.apiName, Field: name}
		}
		if !o.Field.Stored() || !o.Field.Ordered() {
			return nil, &Error{Code: SearchForbidden, Resource: r.apiName, Field: o.Field.apiName}
		}
		orders = append(orders, o)
		if o.Field == r.key {
			return orders, nil
		}
	}
	return append(orders, Order{Field: r.key}), nil
}
