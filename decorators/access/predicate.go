package access

import "github.com/larder-go/larder/core"

// predicate is a [Condition] that fits a resource. What depends on nothing but
// the model is bound once.
type predicate struct {
	ready core.Filter // if dynamic is false
	// dynamic: some values come from the principal.
	dynamic bool

	kind     core.FilterKind
	field    *core.Field
	operands []operand
	kids     []predicate
}

// operand is one value of a comparison: from the principal, or given.
type operand struct {
	from  FromPrincipal
	given core.Value
	fixed bool
}

// filter returns the predicate for p; missing is what p lacks, if anything, and
// then there is no filter, not even one that could be negated.
func (pr *predicate) filter(p *core.Principal) (f core.Filter, missing *operand) {
	if !pr.dynamic {
		return pr.ready, nil
	}
	return pr.build(p)
}

func (pr *predicate) build(p *core.Principal) (f core.Filter, missing *operand) {
	if pr.field != nil {
		return pr.comparison(p)
	}
	kids := make([]core.Filter, len(pr.kids))
	for i := range pr.kids {
		if kids[i], missing = pr.kids[i].filter(p); missing != nil {
			return core.None(), missing
		}
	}
	switch pr.kind {
	case core.FilterAnd:
		return core.And(kids...), nil
	case core.FilterOr:
		return core.Or(kids...), nil
	case core.FilterNot:
		return core.Not(kids[0]), nil
	}
	return core.None(), nil
}

func (pr *predicate) comparison(p *core.Principal) (core.Filter, *operand) {
	if pr.kind == core.FilterEq && !pr.operands[0].fixed { // which takes no memory
		o := &pr.operands[0]
		v, ok := o.from.one(p, pr.field.Type())
		if !ok {
			return core.None(), o
		}
		return pr.field.Equals(v), nil
	}
	values := make([]core.Value, 0, len(pr.operands))
	for i := range pr.operands {
		o := &pr.operands[i]
		ok := true
		switch {
		case o.fixed:
			values = append(values, o.given)
		case pr.kind == core.FilterIn:
			values, ok = o.from.appendAll(values, p, pr.field.Type())
		default:
			values, ok = o.from.appendOne(values, p, pr.field.Type())
		}
		if !ok {
			return core.None(), o
		}
	}
	return pr.field.Compare(pr.kind, values...), nil
}
