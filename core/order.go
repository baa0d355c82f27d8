package core

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
		return r.byKey, nil
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
