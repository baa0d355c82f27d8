package core

import (
	"slices"
	"strconv"
	"strings"
)

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
	FilterIn: {name: "in", text: " in ", list: true, null: true, fits: Type.Valid, match: contains},
	FilterPrefix: {
		name: "prefix", text: " prefix ", fits: func(t Type) bool { return t == Text },
		match: func(v Value, values []Value) bool { return v.IsSet() && strings.HasPrefix(v.str, values[0].str) },
	},
}

// byOrder returns a match function on the result of [Compare]. Null has no order.
func byOrder(accepts func(sign int) bool) func(v Value, values []Value) bool {
	return func(v Value, values []Value) bool { return v.IsSet() && accepts(Compare(v, values[0])) }
}

// fewValues is the number of values up to which a linear search is faster than a binary one.
const fewValues = 16

// contains reports whether v is among the values, which ascend.
func contains(v Value, values []Value) bool {
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
// field that is [FieldSpec.Unordered] is compared by equality and prefix only.
func (k FilterKind) FitsField(f *Field) bool {
	return k.Fits(f.typ) && (f.Ordered() || !operators[k].order)
}

var combinationNames = [...]string{
	FilterAll: "all", FilterNone: "none", FilterAnd: "and", FilterOr: "or", FilterNot: "not", FilterRelated: "related",
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
