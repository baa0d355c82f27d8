package core

import "errors"

var (
	errNullOrder     = errors.New("null has no order and no prefix; use Eq or Ne")
	errForeignFilter = errors.New("filter is bound to another resource")
)

// maxFilterDepth bounds the nesting of filters, and so the stack of recursive functions.
const maxFilterDepth = 100

// Bind returns the filter with its fields resolved against the resource and its values converted to the types of the
// fields. [In] with a single value becomes an [Eq].
//
// Errors: [UnknownField]; [SearchForbidden] for comparisons of fields that are not stored or to-many, for comparisons
// that the field's type does not support, and for [Related] with a field that is no relation; [BadFieldValue];
// [BadRequest] for a filter that is nested more than 100 levels deep, and for one with more than 16 conditions on
// related records or more than five within one another; [ServerError] for a filter that was bound to another
// resource.
func (r *Resource) Bind(f Filter) (Filter, error) {
	if f.n == nil {
		return f, nil
	}
	if f.n.bound { // guards may have made it deeper
		return f, r.checkBound(f)
	}
	if f.n.depth > maxFilterDepth {
		return Filter{}, &Error{Code: BadRequest, Message: "filter is nested more than 100 levels deep"}
	}
	if err := f.checkRelated(); err != nil {
		return Filter{}, err
	}
	if f.n.kind == FilterRelated {
		return r.bindRelated(f.n)
	}
	n := *f.n
	n.bound = true
	if n.parts != nil {
		n.parts = make([]Filter, len(f.n.parts))
		for i, part := range f.n.parts {
			var err error
			if n.parts[i], err = r.Bind(part); err != nil {
				return Filter{}, err
			}
		}
		return Filter{&n}, nil
	}
	if err := r.bindComparison(&n); err != nil {
		return Filter{}, err
	}
	return Filter{&n}, nil
}

func (r *Resource) bindComparison(n *node) error {
	n.field = r.Field(n.name)
	if n.field == nil {
		return &Error{Code: UnknownField, Resource: r.apiName, Field: n.name}
	}
	if err := checkComparison(n.kind, n.field); err != nil {
		return err
	}
	n.values = make([]Value, len(n.raw))
	for i, raw := range n.raw {
		v, err := n.field.convertFor(n.kind, raw)
		if err != nil {
			return err
		}
		if !v.IsSet() {
			v = Null
		}
		n.values[i] = v
	}
	n.raw = nil
	n.kind, n.values = normalise(n.kind, n.values)
	return nil
}

// convertFor converts a value to compare the field with. The value of an order or prefix comparison cannot be null,
// and for a key field need not be a valid key.
func (f *Field) convertFor(kind FilterKind, raw any) (Value, error) {
	if kind.TakesNull() {
		return f.Convert(raw)
	}
	v, err := f.convertType(raw)
	if err == nil && !v.IsSet() {
		err = errNullOrder
	}
	if err != nil {
		return Value{}, f.badValue(raw, err)
	}
	return v, nil
}

// checkComparison rejects a comparison that the field does not support.
func checkComparison(kind FilterKind, f *Field) error {
	if !f.Stored() || f.Many() || !kind.FitsField(f) {
		return &Error{Code: SearchForbidden, Resource: f.resource.apiName, Field: f.apiName}
	}
	return nil
}

// checkBound rejects a filter that was bound to another resource.
func (r *Resource) checkBound(f Filter) error {
	if f.n.field != nil && f.n.field.resource != r {
		return &Error{Code: ServerError, Cause: errForeignFilter}
	}
	if f.n.related != nil && f.n.related.relation.Source() != r {
		return &Error{Code: ServerError, Cause: errForeignFilter}
	}
	for _, part := range f.n.parts { // no part is All
		if err := r.checkBound(part); err != nil {
			return err
		}
	}
	return nil
}
