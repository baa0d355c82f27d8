package condition

import (
	_ "embed" // the schema is a file so that editors can use it
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Schema is the JSON Schema (draft 2020-12) of the language: the file condition.schema.json of this package.
//
//go:embed condition.schema.json
var Schema string

// Reserved names of the language.
const (
	nameAnd  = "$and"
	nameOr   = "$or"
	nameNot  = "$not"
	nameAny  = "$any"
	nameAll  = "$all"
	nameNone = "$none"

	// between has two bounds and stands for ge and le.
	nameBetween = "between"
)

// Condition is a parsed condition. Names are not resolved yet: a filter of a client has API names, a policy has the names of
// the model.
type Condition struct {
	// Kind is [core.FilterAnd], [core.FilterOr], [core.FilterNot], [core.FilterRelated], or an operator.
	Kind core.FilterKind
	// Name of the compared field, or of the relation of a FilterRelated: a field, or a path of to-one relations that ends
	// with one, such as "jar.color". It is empty for the other kinds.
	Name string
	// Values are the values to compare with, as parsed from JSON or as the function of [Parse] returned them: one, or any
	// number for [core.FilterIn].
	Values []any
	// Parts of an And or Or; of a Not and of a FilterRelated the only one.
	Parts []Condition
}

// And returns the conjunction of the conditions; the only one if there is one.
func And(parts ...Condition) Condition {
	if len(parts) == 1 {
		return parts[0]
	}
	return Condition{Kind: core.FilterAnd, Parts: parts}
}

// Value converts a JSON object to the value to compare with. It returns false for an object of operators. The argument may
// be any JSON value.
type Value func(raw any) (value any, ok bool, err error)

// Parse parses an object of conditions. An object without members is a conjunction without parts, which matches every
// record. value may be nil for a language in which an object always holds operators.
//
// The error is a sentence that says what is accepted, with the place of the mistake in front, such as "$or: [1]: jar: ".
func Parse(raw any, value Value) (Condition, error) {
	if value == nil {
		value = func(raw any) (any, bool, error) {
			_, object := raw.(map[string]any)
			return raw, !object, nil
		}
	}
	return parser{value}.object(raw)
}

type parser struct{ value Value }

func (p parser) object(raw any) (Condition, error) {
	members, ok := raw.(map[string]any)
	if !ok {
		return Condition{}, errors.New("must be an object of conditions")
	}
	parts := make([]Condition, 0, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		more, err := p.member(name, members[name])
		if err != nil {
			return Condition{}, fmt.Errorf("%s: %w", name, err)
		}
		parts = append(parts, more...)
	}
	return And(parts...), nil
}

// member parses the conditions under one name.
func (p parser) member(name string, raw any) ([]Condition, error) {
	switch name {
	case nameAnd:
		return p.list(raw)
	case nameOr:
		parts, err := p.list(raw)
		return []Condition{{Kind: core.FilterOr, Parts: parts}}, err
	case nameNot:
		part, err := p.notEmpty(raw)
		return []Condition{negation(part)}, err
	case nameAny, nameAll, nameNone:
		return nil, fmt.Errorf(`must stand below a relation, as in {"labels": {"%s": {...}}}`, name)
	}
	if name == "" || name[0] == '$' {
		return nil, fmt.Errorf("must be a field, %s, %s or %s", nameAnd, nameOr, nameNot)
	}
	return p.field(name, raw)
}

func negation(c Condition) Condition {
	return Condition{Kind: core.FilterNot, Parts: []Condition{c}}
}

func (p parser) notEmpty(raw any) (Condition, error) {
	c, err := p.object(raw)
	if err == nil && c.Kind == core.FilterAnd && len(c.Parts) == 0 {
		err = errors.New("must not be empty")
	}
	return c, err
}

func (p parser) list(raw any) ([]Condition, error) {
	list, _ := raw.([]any)
	if len(list) == 0 {
		return nil, errors.New("must be a non-empty list of conditions")
	}
	out := make([]Condition, len(list))
	for i, raw := range list {
		var err error
		if out[i], err = p.notEmpty(raw); err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
	}
	return out, nil
}

// field parses the conditions on a field: a value that it equals, or an object of operators.
func (p parser) field(field string, raw any) ([]Condition, error) {
	v, ok, err := p.value(raw)
	if ok || err != nil {
		return []Condition{{Kind: core.FilterEq, Name: field, Values: []any{v}}}, err
	}
	members, _ := raw.(map[string]any)
	if len(members) == 0 {
		return nil, errors.New("must not be empty; use an operator: " + operatorNames())
	}
	var out []Condition
	for _, name := range slices.Sorted(maps.Keys(members)) {
		c, err := p.operator(field, name, members[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// Operators returns the names of the operators that compare a field, in the order in which they are documented.
func Operators() []string {
	var names []string
	for _, op := range core.Operators() {
		names = append(names, op.String())
	}
	return append(names, nameBetween)
}

func operatorNames() string { return strings.Join(Operators(), ", ") }

func (p parser) operator(field, name string, raw any) (Condition, error) {
	switch name {
	case nameAny, nameAll, nameNone:
		return p.related(field, name, raw)
	case nameBetween:
		return p.between(field, raw)
	}
	kind, ok := core.OperatorNamed(name)
	if !ok {
		return Condition{}, fmt.Errorf("unknown operator; use %s, or %s, %s or %s for a relation", operatorNames(), nameAny, nameAll, nameNone)
	}
	c := Condition{Kind: kind, Name: field}
	list, isList := elements(raw)
	if !kind.TakesList() || !isList {
		v, ok, err := p.value(raw)
		if err == nil && !ok { // an object that a JSON field is compared with
			v = raw
		}
		_, plain := raw.(map[string]any)
		if err == nil && kind.TakesList() && (!ok || !plain) {
			err = errors.New("must be a list of values")
		}
		c.Values = []any{v}
		return c, err
	}
	values, err := p.values(list)
	c.Values = values
	return c, err
}

// values parses the values of a list.
func (p parser) values(list []any) ([]any, error) {
	values := make([]any, len(list))
	for i, raw := range list {
		v, ok, err := p.value(raw)
		if err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
		if values[i] = v; !ok {
			values[i] = raw
		}
	}
	return values, nil
}

// between parses the two bounds of a range.
func (p parser) between(field string, raw any) (Condition, error) {
	list, _ := elements(raw)
	if len(list) != 2 {
		return Condition{}, errors.New("must be a list of two values, the lower bound first")
	}
	ends, err := p.values(list)
	if err != nil {
		return Condition{}, err
	}
	return And(
		Condition{Kind: core.FilterGe, Name: field, Values: ends[:1]},
		Condition{Kind: core.FilterLe, Name: field, Values: ends[1:]},
	), nil
}

// elements returns the elements of a list, from JSON or from a Go slice.
func elements(raw any) ([]any, bool) {
	if list, ok := raw.([]any); ok {
		return list, true
	}
	if t := reflect.TypeOf(raw); t == nil || t.Kind() != reflect.Slice {
		return nil, false
	}
	v, err := core.List.Convert(raw)
	list, ok := v.Any().([]any)
	return list, ok && err == nil
}

// related parses a condition on related records. $all and $none of a path hold for the record at the end of its to-ones, which
// must exist.
func (p parser) related(relation, name string, raw any) (Condition, error) {
	if name == nameAny {
		part, err := p.object(raw)
		return relatedTo(relation, part), err
	}
	parse := p.object
	if name == nameAll {
		parse = p.notEmpty
	}
	part, err := parse(raw)
	if name == nameAll {
		part = negation(part)
	}
	path, last := "", relation
	if i := strings.LastIndexByte(relation, '.'); i > 0 {
		path, last = relation[:i], relation[i+1:]
	}
	c := negation(relatedTo(last, part))
	if path != "" {
		c = relatedTo(path, c)
	}
	return c, err
}

func relatedTo(relation string, part Condition) Condition {
	return Condition{Kind: core.FilterRelated, Name: relation, Parts: []Condition{part}}
}
