package access

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// maxConditionDepth leaves room, below the depth that a filter may have, for what
// other layers put around it.
const maxConditionDepth = 50

// operatorNames are the comparisons, as the JSON form spells them.
var operatorNames = map[core.FilterKind]string{
	core.FilterEq: "eq", core.FilterNe: "ne", core.FilterIn: "in", core.FilterPrefix: "prefix",
	core.FilterLt: "lt", core.FilterLe: "le", core.FilterGt: "gt", core.FilterGe: "ge",
}

// compileCondition returns the predicate that the condition is on the resource,
// or its first mistake.
func compileCondition(r *core.Resource, c Condition, depth int) (predicate, error) {
	switch {
	case depth > maxConditionDepth:
		return predicate{}, fmt.Errorf("is nested more than %d deep", maxConditionDepth)
	case c.isZero():
		return predicate{}, errors.New("holds a condition that says nothing")
	case c.n.kind == core.FilterAll:
		return predicate{}, nil
	case len(c.n.kids) > 0:
		return compileParts(r, c, depth)
	case operatorNames[c.n.kind] == "":
		return predicate{}, errors.New("holds an And or Or of nothing")
	}
	return compileComparison(r, c.n)
}

func compileParts(r *core.Resource, c Condition, depth int) (predicate, error) {
	out := predicate{kind: c.n.kind, kids: make([]predicate, len(c.n.kids))}
	for i, kid := range c.n.kids {
		var err error
		if out.kids[i], err = compileCondition(r, kid, depth+1); err != nil {
			return predicate{}, err
		}
		out.dynamic = out.dynamic || out.kids[i].dynamic
	}
	if !out.dynamic {
		out.ready, _ = out.build(nil)
	}
	return out, nil
}

func compileComparison(r *core.Resource, n *condition) (predicate, error) {
	f, err := storedField(r, n.field)
	if err != nil {
		return predicate{}, err
	}
	if err := suits(f, n.kind); err != nil {
		return predicate{}, err
	}
	out := predicate{kind: n.kind, field: f, operands: make([]operand, len(n.values))}
	for i, raw := range n.values {
		if out.operands[i], err = compileOperand(f, n.kind, raw); err != nil {
			return predicate{}, err
		}
		out.dynamic = out.dynamic || !out.operands[i].fixed
	}
	if !out.dynamic {
		out.ready, _ = out.build(nil)
	}
	return out, nil
}

// suits refuses comparisons that the field's type does not have.
func suits(f *core.Field, kind core.FilterKind) error {
	ok := !f.Many()
	switch kind {
	case core.FilterEq, core.FilterNe, core.FilterIn:
	case core.FilterPrefix:
		ok = ok && f.Type() == core.Text
	default:
		ok = ok && f.Type().Ordered()
	}
	if ok {
		return nil
	}
	what := f.Type().String()
	if f.Many() {
		what = "to-many"
	}
	return fmt.Errorf("compares %s, which is %s, with %s", f, what, operatorNames[kind])
}

func compileOperand(f *core.Field, kind core.FilterKind, raw any) (operand, error) {
	if from, ok := raw.(FromPrincipal); ok {
		return operand{from: from}, suitsPrincipal(f, from)
	}
	v, err := f.Convert(raw)
	if err != nil {
		return operand{}, fmt.Errorf("compares %s, which is %s, with a value that does not fit: %v", f, f.Type(), raw)
	}
	if v.IsAbsent() {
		v = core.Null
	}
	if v.IsNull() && kind != core.FilterEq && kind != core.FilterNe && kind != core.FilterIn {
		return operand{}, fmt.Errorf("asks for %s %s null, which nothing is", f, operatorNames[kind])
	}
	return operand{given: v, fixed: true}, nil
}

func suitsPrincipal(f *core.Field, from FromPrincipal) error {
	switch {
	case !f.Type().Ordered():
		return fmt.Errorf("compares %s, which is %s, with what the principal has; it cannot be", f, f.Type())
	case !from.id && from.claim == "":
		return fmt.Errorf("compares %s with a claim without a name", f)
	}
	return nil
}

// storedField returns the field of that name, or an error that says what to name
// instead.
func storedField(r *core.Resource, name string) (*core.Field, error) {
	f := r.Field(name)
	switch {
	case f == nil:
		return nil, fmt.Errorf("names the field %q, which %s does not have", name, r)
	case f.Stored():
		return f, nil
	case f.Inverse() != nil:
		return nil, fmt.Errorf("names %s, which is stored on the other side; make a rule about %s", f, f.Inverse())
	}
	return nil, fmt.Errorf("names %s, which is computed; name the fields that it is made of", f)
}
