package core

import (
	"iter"
	"slices"
)

// Query says which records of a resource to read. The zero Query reads all of
// them, in ascending order of their keys.
type Query struct {
	// Where is the condition that the records fulfil.
	Where Filter
	// Order names the fields to sort by, with "-" in front for descending; ties
	// are broken by the key.
	Order []string
	// Limit is how many records to read at most; 0 means no limit. Negative
	// limits are refused.
	Limit int
	// After continues a page: the [Page.Next] of the same query. Only the limit
	// may differ.
	After Cursor
	// Scope, if not empty, is what cursors are bound to in the place of Where:
	// for a caller that makes Where anew for each page from a condition of its
	// own, which Scope spells.
	Scope string
	// Fields names the stored fields to read; the others are absent from the
	// records, but for the key and what the order needs. nil means all.
	Fields []string
}

// Page is what a [Query] reads.
type Page struct {
	Records []Record
	// Next continues the query after the last record; empty when there is
	// nothing more.
	Next Cursor
}

// PageOf returns the page of the query over the given records, which may come in any order. It is for a caller whose
// records differ from the stored ones, such as records without the relations that a principal cannot see.
//
// Errors: those of [Store.Select].
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

// CursorAfter returns the cursor that continues the query after the record, for a
// caller that ends a page before the last record of it. Query.After does not matter.
//
// Errors: those of [Store.Select].
func (r *Resource) CursorAfter(q Query, rec Record) (Cursor, error) {
	op := Op{Kind: Select, Resource: r}
	q.After = ""
	if _, err := q.fill(&op); err != nil {
		return "", err
	}
	return cursorAfter(&op, rec)
}

// pageOf cuts the result of a Select into a page.
func pageOf(op *Op, res Result) (page Page, err error) {
	page.Records = res.Records
	if n := len(page.Records); res.More && n > 0 {
		page.Next, err = cursorAfter(op, page.Records[n-1])
	}
	return page, err
}

// maxOrderKeys is how many fields a query may sort by, so that no request makes
// a statement of any size.
const maxOrderKeys = 16

// fill resolves the query into the op, with the position that it continues after if
// its cursor holds that, and returns what the cursor holds.
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

// within sets the position of an op whose records are at hand.
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

// projection resolves names to fields, with the key and the order's fields.
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

// Order is one key of a sort. Ascending order has nulls last, descending order
// nulls first, as PostgreSQL has them by default (manual, section 7.5).
type Order struct {
	Field *Field
	Desc  bool
}

// CompareRecords returns -1, 0 or +1 as a comes before, with or after b in the
// given order. It is the reference for every backend.
func CompareRecords(order []Order, a, b Record) int {
	for _, o := range order {
		if c := o.compare(a.values[o.Field.column], b.values[o.Field.column]); c != 0 {
			return c
		}
	}
	return 0
}

// After reports whether the record comes after the position in the given order,
// which has one value per key: where a page continues.
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

// order resolves names, with "-" in front for descending, to an order that ends
// with the key, so that it is total.
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
		if !o.Field.Stored() || !o.Field.typ.Ordered() {
			return nil, &Error{Code: SearchForbidden, Resource: r.apiName, Field: o.Field.apiName}
		}
		orders = append(orders, o)
		if o.Field == r.key {
			return orders, nil
		}
	}
	return append(orders, Order{Field: r.key}), nil
}
