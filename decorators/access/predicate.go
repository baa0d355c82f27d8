package access

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// predicate is a [Condition] on the fields of one resource. The zero predicate matches every row.
type predicate struct {
	dynamic bool        // some values come from the principal
	static  core.Filter // the filter for every principal, unless dynamic

	kind     core.FilterKind
	field    *core.Field // nil for And, Or and Not
	operands []operand
	kids     []predicate

	relation core.Relation   // of a condition on related rows; its only kid is the condition on them
	where    Operation       // of a [Where]
	policy   *CompiledPolicy // of a [Where]
}

// operand is one value of a comparison.
type operand struct {
	fixed bool
	value core.Value    // if fixed
	from  FromPrincipal // otherwise
}

// eachWhere calls the function with the resource and operation of each [Where] in the predicate.
func (pr *predicate) eachWhere(fn func(r *core.Resource, o Operation)) {
	if pr.where != 0 {
		fn(pr.relation.Target(), pr.where)
	}
	for i := range pr.kids {
		pr.kids[i].eachWhere(fn)
	}
}

// missing is a value that a condition takes from the principal and that the principal lacks.
type missing struct {
	from FromPrincipal
	typ  core.Type
}

func (m missing) String() string {
	return fmt.Sprintf("needs %s of type %s, which the principal lacks", m.from, m.typ)
}

// filter returns the filter for p. If p lacks a value, it returns that value and no usable filter, since the condition may
// stand inside a Not.
func (pr *predicate) filter(p *core.Principal) (core.Filter, *missing) {
	if !pr.dynamic {
		return pr.static, nil
	}
	return pr.build(p)
}

func (pr *predicate) build(p *core.Principal) (core.Filter, *missing) {
	switch {
	case pr.field != nil:
		return pr.comparison(p)
	case pr.where != 0:
		target := pr.relation.Target()
		return pr.relation.Match(grantsFor(pr.policy.of(target).of(pr.where), p).using()), nil
	}
	kids := make([]core.Filter, len(pr.kids))
	for i := range pr.kids {
		var lacks *missing
		if kids[i], lacks = pr.kids[i].filter(p); lacks != nil {
			return core.None(), lacks
		}
	}
	switch pr.kind {
	case core.FilterAnd:
		return core.And(kids...), nil
	case core.FilterOr:
		return core.Or(kids...), nil
	case core.FilterNot:
		return core.Not(kids[0]), nil
	case core.FilterRelated:
		return pr.relation.Match(kids[0]), nil
	}
	return core.None(), nil
}

func (pr *predicate) comparison(p *core.Principal) (core.Filter, *missing) {
	values := make([]core.Value, 0, len(pr.operands))
	for _, o := range pr.operands {
		ok := true
		switch {
		case o.fixed:
			values = append(values, o.value)
		case pr.kind == core.FilterIn:
			values, ok = o.from.appendAll(values, p, pr.field.Type())
		default:
			values, ok = o.from.append(values, p, pr.field.Type())
		}
		if !ok {
			return core.None(), &missing{o.from, pr.field.Type()}
		}
	}
	return pr.field.Compare(pr.kind, values...), nil
}
