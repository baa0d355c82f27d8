package core

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Filter is a condition on the stored fields of a record. The zero Filter matches every record. Filters are immutable
// and safe for concurrent use.
//
// A condition is true or false, never unknown: null equals null, differs from every value, and is neither less nor
// greater than a value. So Not inverts every answer, as with IS DISTINCT FROM in PostgreSQL (manual, section 9.2) and
// unlike SQL's comparison operators.
//
// Programs name fields in filters, for example Eq("type", "muffin"). The store binds such a filter to the model
// before the decorators see it: [Filter.Field] and [Filter.Values] of a bound filter are typed.
type Filter struct{ n *node }

type node struct {
	kind    FilterKind
	name    string   // field of an unbound comparison or relation
	raw     []any    // values of an unbound comparison
	field   *Field   // of a bound comparison
	values  []Value  // of a bound comparison
	related *related // of a FilterRelated
	search  *search  // of a FilterSearch
	parts   []Filter
	bound   bool // the node and all nodes below it
	crosses bool // the node or a node below it is a FilterRelated, or a FilterSearch with such a guard
	looks   bool // the node or a node below it is a FilterSearch
	depth   int  // levels below the node
}

// FilterKind is the kind of a [Filter]: a constant, a combination, a condition on related records or a comparison.
type FilterKind uint8

// The kinds of filters. A backend must fail for a kind that it does not know.
const (
	// FilterAll matches every record.
	FilterAll FilterKind = iota
	// FilterNone matches no record.
	FilterNone
	// FilterAnd matches if all of [Filter.Filters] match.
	FilterAnd
	// FilterOr matches if any of [Filter.Filters] matches.
	FilterOr
	// FilterNot matches if the single element of [Filter.Filters] does not match.
	FilterNot
	// FilterRelated matches if a related record matches [Filter.Where] and [Filter.Guard], see [Filter.Relation].
	FilterRelated
	// FilterSearch matches if the record has all words of a search, see [Filter.Search].
	FilterSearch
	// FilterEq compares the field with one value: equal.
	FilterEq
	// FilterNe compares the field with one value: not equal.
	FilterNe
	// FilterLt compares the field with one value: less.
	FilterLt
	// FilterLe compares the field with one value: less or equal.
	FilterLe
	// FilterGt compares the field with one value: greater.
	FilterGt
	// FilterGe compares the field with one value: greater or equal.
	FilterGe
	// FilterIn compares the field with any number of values: equal to one of them.
	FilterIn
	// FilterPrefix compares a text field with one value: begins with it.
	FilterPrefix
	// FilterContains compares a text field with one value: contains it.
	FilterContains
	// FilterIContains compares a text field with one value: contains it, if the letters A to Z count as a to z.
	FilterIContains
)

// All matches every record. It is the zero Filter.
func All() Filter { return Filter{} }

// None matches no record.
func None() Filter { return Filter{&node{kind: FilterNone, bound: true}} }

// Eq matches records in which the field equals value. Eq with nil matches null.
func Eq(field string, value any) Filter { return comparison(FilterEq, field, value) }

// Ne matches records in which the field differs from value. Null differs from every value.
func Ne(field string, value any) Filter { return comparison(FilterNe, field, value) }

// Lt matches records in which the field is less than value.
func Lt(field string, value any) Filter { return comparison(FilterLt, field, value) }

// Le matches records in which the field is less than or equal to value.
func Le(field string, value any) Filter { return comparison(FilterLe, field, value) }

// Gt matches records in which the field is greater than value.
func Gt(field string, value any) Filter { return comparison(FilterGt, field, value) }

// Ge matches records in which the field is greater than or equal to value.
func Ge(field string, value any) Filter { return comparison(FilterGe, field, value) }

// In matches records in which the field equals one of the values; without values, no record.
func In(field string, values ...any) Filter { return comparison(FilterIn, field, values...) }

// Prefix matches records in which the text field begins with prefix, compared byte by byte.
func Prefix(field, prefix string) Filter { return comparison(FilterPrefix, field, prefix) }

// Contains matches records in which the text field contains part, compared byte by byte. No character is a wildcard. Every
// text contains the empty string; null does not.
func Contains(field, part string) Filter { return comparison(FilterContains, field, part) }

// IContains is [Contains] without regard to the case of the letters A to Z. The case of other letters matters, because
// servers disagree about them.
func IContains(field, part string) Filter { return comparison(FilterIContains, field, part) }

// Between matches records in which the field is at least low and at most high. It is short for And(Ge(field, low),
// Le(field, high)): null never matches, neither end can be null, and no record matches if low is greater than high.
func Between(field string, low, high any) Filter { return And(Ge(field, low), Le(field, high)) }

func comparison(kind FilterKind, field string, raw ...any) Filter {
	return Filter{&node{kind: kind, name: field, raw: raw}}
}

// Compare returns a bound comparison of the field with typed values: one value, or any number for [FilterIn]. A
// FilterIn of a single value becomes a [FilterEq]. The filter owns the slice of values.
//
// Compare fails closed: it returns [None] for a comparison that [Resource.Bind] rejects, such as one with a value of
// another type, or an order comparison with null. Do not negate the result in a policy: Not(None()) matches every record.
func (f *Field) Compare(kind FilterKind, values ...Value) Filter {
	ok := len(values) == 1 || kind.TakesList()
	for _, v := range values {
		ok = ok && (v.IsNull() && kind.TakesNull() || f.accepts(v))
	}
	if !ok || checkComparison(kind, f) != nil {
		return None()
	}
	n := &node{field: f, bound: true}
	n.kind, n.values = normalise(kind, values)
	return Filter{n}
}

// Equals returns the bound condition that the field equals v, for policies that compare a field with a value of the
// principal. It fails closed: it returns [None] for a value that is null, absent or of another type than the field.
// Do not negate the result.
func (f *Field) Equals(v Value) Filter {
	if !v.IsSet() {
		return None()
	}
	return f.Compare(FilterEq, v)
}

// normalise sorts the values and turns a FilterIn of a single value into a FilterEq, for which databases find better
// plans.
func normalise(kind FilterKind, values []Value) (FilterKind, []Value) {
	if values = sortedUnique(values); kind == FilterIn && len(values) == 1 {
		kind = FilterEq
	}
	return kind, values
}

// sortedUnique returns the values ascending and without duplicates. It does not change the slice.
func sortedUnique(values []Value) []Value {
	for i := 1; i < len(values); i++ {
		if Compare(values[i-1], values[i]) >= 0 {
			return SortKeys(slices.Clone(values))
		}
	}
	return values
}

// And matches records that all filters match; without filters, every record.
func And(filters ...Filter) Filter {
	if len(filters) == 2 { // policies do this for each operation
		if filters[0].n == nil {
			return filters[1]
		}
		if filters[1].n == nil || filters[0].same(filters[1]) { // two policies with the same condition
			return filters[0]
		}
	}
	kept := make([]Filter, 0, len(filters))
	for _, f := range filters {
		switch f.Kind() {
		case FilterAll:
		case FilterNone:
			return None()
		case FilterAnd:
			kept = append(kept, f.n.parts...)
		default:
			kept = append(kept, f)
		}
	}
	return combine(FilterAnd, All(), kept)
}

// same reports whether both filters are one, or equal bound comparisons with a single value.
func (f Filter) same(g Filter) bool {
	return f.n == g.n || f.n.field != nil && f.n.field == g.n.field && f.n.kind == g.n.kind &&
		len(f.n.values) == 1 && len(g.n.values) == 1 && f.n.values[0] == g.n.values[0]
}

// Or matches records that any filter matches; without filters, no record.
func Or(filters ...Filter) Filter {
	kept := make([]Filter, 0, len(filters))
	for _, f := range filters {
		switch f.Kind() {
		case FilterNone:
		case FilterAll:
			return All()
		case FilterOr:
			kept = append(kept, f.n.parts...)
		default:
			kept = append(kept, f)
		}
	}
	return combine(FilterOr, None(), kept)
}

// Not matches the records that f does not match.
func Not(f Filter) Filter {
	switch f.Kind() {
	case FilterAll:
		return None()
	case FilterNone:
		return All()
	case FilterNot:
		return f.n.parts[0]
	}
	return Filter{&node{kind: FilterNot, parts: []Filter{f}, bound: f.Bound(), crosses: f.n.crosses, looks: f.n.looks, depth: f.n.depth + 1}}
}

func combine(kind FilterKind, empty Filter, parts []Filter) Filter {
	switch len(parts) {
	case 0:
		return empty
	case 1:
		return parts[0]
	}
	n := &node{kind: kind, parts: parts, bound: true}
	for _, part := range parts { // no part is All
		n.bound = n.bound && part.n.bound
		n.crosses = n.crosses || part.n.crosses
		n.looks = n.looks || part.n.looks
		n.depth = max(n.depth, part.n.depth+1)
	}
	return Filter{n}
}

// Kind returns the kind of the filter.
func (f Filter) Kind() FilterKind {
	if f.n == nil {
		return FilterAll
	}
	return f.n.kind
}

// Bound reports whether all fields of the filter are resolved against a model.
func (f Filter) Bound() bool { return f.n == nil || f.n.bound }

// Field returns the field of a bound comparison; nil for other filters.
func (f Filter) Field() *Field {
	if f.n == nil {
		return nil
	}
	return f.n.field
}

// Values returns the values of a bound comparison, ascending and without duplicates. Each is null or of the field's
// type. The slice is shared and must not be modified.
func (f Filter) Values() []Value {
	if f.n == nil {
		return nil
	}
	return f.n.values
}

// Filters returns the parts of an And, Or or Not. The slice is shared and must not be modified.
func (f Filter) Filters() []Filter {
	if f.n == nil {
		return nil
	}
	return f.n.parts
}

// Match reports whether the filter matches the record, which must be of the resource that the filter is bound to. It
// defines the results of every backend. The reader decides conditions on related records; it may be nil for a filter
// without such conditions, see [Filter.Crosses].
//
// Errors: [ErrUndecided] for an unbound filter, and for a condition on related records without a reader, also inside a
// Not; the errors of the reader.
func (f Filter) Match(rec Record, read RelatedReader) (bool, error) {
	if f.n == nil {
		return true, nil
	}
	if !f.n.bound || f.n.crosses && read == nil {
		return false, ErrUndecided
	}
	return f.n.match(rec, read)
}

func (n *node) match(rec Record, read RelatedReader) (bool, error) {
	switch n.kind {
	case FilterAnd, FilterOr:
		for _, part := range n.parts {
			if is, err := part.n.match(rec, read); err != nil || is == (n.kind == FilterOr) {
				return is, err
			}
		}
		return n.kind == FilterAnd, nil
	case FilterNot:
		is, err := n.parts[0].n.match(rec, read)
		return !is && err == nil, err
	case FilterNone:
		return false, nil
	case FilterRelated:
		found, err := read(rec, n.related.relation, n.related.both)
		return err == nil && !found.IsZero(), err
	case FilterSearch:
		return n.search.match(rec, read)
	}
	return operators[n.kind].match(rec.values[n.field.column], n.values), nil
}

// String returns the filter as text: a bound one with all its values, an unbound one with "?" in their place. Logs
// that must not show values must not contain it.
func (f Filter) String() string {
	if f.n == nil {
		return FilterAll.String()
	}
	var b strings.Builder
	f.n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	switch n.kind {
	case FilterAll, FilterNone:
		b.WriteString(n.kind.String())
	case FilterAnd, FilterOr, FilterNot:
		n.writeParts(b)
	case FilterRelated:
		b.WriteString("(" + n.name + " any " + n.related.where.String() + ")")
	case FilterSearch:
		n.search.write(b)
	default:
		n.writeComparison(b)
	}
}

func (n *node) writeParts(b *strings.Builder) {
	b.WriteByte('(')
	for i, part := range n.parts {
		switch {
		case n.kind == FilterNot:
			b.WriteString("not ")
		case i > 0:
			b.WriteString(" " + n.kind.String() + " ")
		}
		b.WriteString(part.String())
	}
	b.WriteByte(')')
}

func (n *node) writeComparison(b *strings.Builder) {
	if !n.bound {
		b.WriteString(n.name + operators[n.kind].text + "?")
		return
	}
	b.WriteString(n.field.name + operators[n.kind].text)
	b.WriteString(ListOf(n.values...).str)
}

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
// [BadParam] for a [Search] of a resource without searchable fields, and for one that is too long;
// [BadRequest] for a filter that is nested more than 100 levels deep, and for one with more than 16 conditions on
// related records or more than five within one another; [ServerError] for a filter that was bound to another
// resource.
func (r *Resource) Bind(f Filter) (Filter, error) {
	if f.n == nil {
		return f, nil
	}
	if f.n.depth > maxFilterDepth { // guards do not count
		return Filter{}, &Error{Code: BadRequest, Message: "filter is nested more than 100 levels deep"}
	}
	if f.n.bound {
		return f, r.checkBound(f)
	}
	if err := f.checkRelated(); err != nil {
		return Filter{}, err
	}
	switch f.n.kind {
	case FilterRelated:
		return r.bindRelated(f.n)
	case FilterSearch:
		return r.bindSearch(f.n.search)
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

// convertFor converts a value to compare the field with. The value of a comparison by order or by a part of the text
// cannot be null, and for a key field need not be a valid key.
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
	if f.n.search != nil && f.n.search.resource != r {
		return &Error{Code: ServerError, Cause: errForeignFilter}
	}
	for _, part := range f.n.parts { // no part is All
		if err := r.checkBound(part); err != nil {
			return err
		}
	}
	return nil
}

// operator describes one comparison of a field with values. A new operator needs a [FilterKind] at the end of the list and
// an entry in operators; engines, policies and API descriptions read it through the methods of FilterKind.
type operator struct {
	// name in filters and policies of clients.
	name string
	// text between field and values in [Filter.String].
	text string
	// list operators take any number of values, others exactly one.
	list bool
	// null reports whether null is among the values that the operator accepts.
	null bool
	// fits reports whether fields of the type have the operator.
	fits func(t Type) bool
	// order reports whether the operator compares by order.
	order bool
	// match compares the value of a field, which may be null, with the values of the filter, which ascend.
	match func(v Value, values []Value) bool
}

var operators = [...]operator{
	FilterEq: {name: "eq", text: " = ", null: true, fits: Type.Valid, match: func(v Value, values []Value) bool {
		return v == values[0]
	}},
	FilterNe: {name: "ne", text: " <> ", null: true, fits: Type.Valid, match: func(v Value, values []Value) bool {
		return v != values[0]
	}},
	FilterLt: {name: "lt", text: " < ", fits: Type.Ordered, order: true, match: byOrder(func(sign int) bool { return sign < 0 })},
	FilterLe: {name: "le", text: " <= ", fits: Type.Ordered, order: true, match: byOrder(func(sign int) bool { return sign <= 0 })},
	FilterGt: {name: "gt", text: " > ", fits: Type.Ordered, order: true, match: byOrder(func(sign int) bool { return sign > 0 })},
	FilterGe: {name: "ge", text: " >= ", fits: Type.Ordered, order: true, match: byOrder(func(sign int) bool { return sign >= 0 })},
	FilterIn: {name: "in", text: " in ", list: true, null: true, fits: Type.Valid, match: isAmong},
	FilterPrefix: {
		name: "prefix", text: " prefix ", fits: func(t Type) bool { return t == Text },
		match: func(v Value, values []Value) bool { return v.IsSet() && strings.HasPrefix(v.str, values[0].str) },
	},
	FilterContains: {
		name: "contains", text: " contains ", fits: func(t Type) bool { return t == Text },
		match: func(v Value, values []Value) bool { return v.IsSet() && strings.Contains(v.str, values[0].str) },
	},
	FilterIContains: {
		name: "icontains", text: " icontains ", fits: func(t Type) bool { return t == Text },
		match: func(v Value, values []Value) bool {
			return v.IsSet() && strings.Contains(foldCase(v.str), foldCase(values[0].str))
		},
	},
}

// foldCase returns the string with the letters A to Z in lower case. Other letters stay, so that every backend agrees.
func foldCase(s string) string {
	if !strings.ContainsAny(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return s
	}
	folded := []byte(s) // the bytes of other letters are above 0x7f
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// byOrder returns a match function on the result of [Compare]. Null has no order.
func byOrder(accepts func(sign int) bool) func(v Value, values []Value) bool {
	return func(v Value, values []Value) bool { return v.IsSet() && accepts(Compare(v, values[0])) }
}

// fewValues is the number of values up to which a linear search is faster than a binary one.
const fewValues = 16

// isAmong reports whether v is one of the values, which ascend.
func isAmong(v Value, values []Value) bool {
	if len(values) <= fewValues {
		return slices.Contains(values, v)
	}
	_, found := slices.BinarySearchFunc(values, v, Compare)
	return found
}

// Operators returns the kinds of filters that compare a field with values, in the order of their declaration.
func Operators() []FilterKind {
	var kinds []FilterKind
	for kind := range FilterKind(len(operators)) {
		if kind.isOperator() {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// OperatorNamed returns the operator with the name, such as [FilterEq] for "eq"; false if there is none.
func OperatorNamed(name string) (FilterKind, bool) {
	for _, kind := range Operators() {
		if operators[kind].name == name {
			return kind, true
		}
	}
	return 0, false
}

// isOperator reports whether filters of the kind compare a field with values.
func (k FilterKind) isOperator() bool { return k >= FilterEq && int(k) < len(operators) }

// TakesList reports whether the operator compares with any number of values. Other operators take exactly one value.
func (k FilterKind) TakesList() bool { return k.isOperator() && operators[k].list }

// TakesNull reports whether null may be among the values of the operator.
func (k FilterKind) TakesNull() bool { return k.isOperator() && operators[k].null }

// Fits reports whether filters can compare fields of type t by the operator. It is false for other kinds of filters.
func (k FilterKind) Fits(t Type) bool { return k.isOperator() && t.Valid() && operators[k].fits(t) }

// FitsField reports whether filters can compare the field with the operator: fields of its type have the operator, and a
// field that is [FieldSpec.Unordered] is compared by equality and by parts of its text only.
func (k FilterKind) FitsField(f *Field) bool {
	return k.Fits(f.typ) && (f.Ordered() || !operators[k].order)
}

var combinationNames = [...]string{
	FilterAll: "all", FilterNone: "none", FilterAnd: "and", FilterOr: "or", FilterNot: "not", FilterRelated: "related",
	FilterSearch: "search",
}

// String returns the name of an operator in filters and policies, such as "eq", or of another kind, such as "and".
func (k FilterKind) String() string {
	switch {
	case k.isOperator():
		return operators[k].name
	case int(k) < len(combinationNames):
		return combinationNames[k]
	}
	return "filter(" + strconv.Itoa(int(k)) + ")"
}
