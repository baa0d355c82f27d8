package access

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// rule is a [Rule] that has been checked against a model.
type rule struct {
	label    string
	resource *core.Resource
	roles    []string // of the policy, for explanations
	// ownRoles are compared with the roles of principals. The reserved roles are not among them, so that a principal gains
	// nothing from a role of that name.
	ownRoles      []string
	anonymous     bool
	authenticated bool
	fields        *fieldList
	using, check  predicate
	checkIsUsing  bool // the rule has no check of its own
	choosesKey    bool
}

// isFor reports whether p has one of the roles of the rule.
func (r *rule) isFor(p *core.Principal) bool {
	if p == nil {
		return r.anonymous
	}
	if r.authenticated {
		return true
	}
	for _, role := range p.Roles {
		if slices.Contains(r.ownRoles, role) {
			return true
		}
	}
	return false
}

// grant is a rule with its conditions for one principal.
type grant struct {
	rule  *rule
	using core.Filter
	check core.Filter
}

// grants are the grants for one principal, resource and operation. Each of them permits the operation on its own.
type grants []grant

// grantsFor returns the grants of the rules that apply to p. A rule does not apply if p lacks a value of one of its
// conditions, even if the operation needs only the other one.
func grantsFor(rules []*rule, p *core.Principal) (all grants) {
	for _, r := range rules {
		if !r.isFor(p) {
			continue
		}
		using, lacks := r.using.filter(p)
		if lacks != nil {
			continue
		}
		check := using
		if !r.checkIsUsing {
			if check, lacks = r.check.filter(p); lacks != nil {
				continue
			}
		}
		all = append(all, grant{r, using, check})
	}
	return all
}

// withFields returns the grants that list every field of the operation, and a field that another grant does not list. The
// function returns a field of the operation that is not listed, or nil.
func (gs grants) withFields(unlisted func(*fieldList) *core.Field) (kept grants, lacking *core.Field) {
	for _, g := range gs {
		f := unlisted(g.rule.fields)
		switch {
		case f == nil:
			kept = append(kept, g)
		case lacking == nil:
			lacking = f
		}
	}
	return kept, lacking
}

// using is the condition on rows before the operation. It matches rows that any grant permits.
func (gs grants) using() core.Filter {
	all := make([]core.Filter, len(gs))
	for i, g := range gs {
		all[i] = g.using
	}
	return core.Or(all...)
}

// check is the condition on rows after the operation.
func (gs grants) check() core.Filter {
	all := make([]core.Filter, len(gs))
	for i, g := range gs {
		all[i] = g.check
	}
	return core.Or(all...)
}

// allRows reports whether one of the grants is for every row.
func (gs grants) allRows() bool {
	return slices.ContainsFunc(gs, func(g grant) bool { return g.using.Kind() == core.FilterAll })
}

// everything reports whether one of the grants is for every row with all fields.
func (gs grants) everything() bool {
	return slices.ContainsFunc(gs, func(g grant) bool { return g.using.Kind() == core.FilterAll && g.rule.fields == nil })
}

// sameFields reports whether all grants have the same list of fields, so that every row shows the same fields.
func (gs grants) sameFields() bool {
	return !slices.ContainsFunc(gs, func(g grant) bool { return !g.rule.fields.equal(gs[0].rule.fields) })
}

// show reports whether the field is shown of any row.
func (gs grants) show(f *core.Field) bool {
	return slices.ContainsFunc(gs, func(g grant) bool { return g.rule.fields.lists(f) })
}

// projection returns a function that replaces each record of the op's result by the part that the grants to read show: the
// fields of the rules that match the record, or the key alone. The backend evaluates conditions on related rows.
func (gs grants) projection(op *core.Op) func(res *core.Result) error {
	if gs.everything() {
		return func(*core.Result) error { return nil }
	}
	if !slices.ContainsFunc(gs, func(g grant) bool { return g.using.Crosses() }) {
		return func(res *core.Result) error {
			for i, rec := range res.Records {
				matches := func(j int) bool {
					is, err := gs[j].using.Match(rec, nil)
					return err == nil && is && complete(rec)
				}
				res.Records[i] = gs.project(rec, matches)
			}
			return nil
		}
	}
	at := len(op.Conditions)
	op.Conditions = slices.Clone(op.Conditions)
	for _, g := range gs {
		op.Conditions = append(op.Conditions, g.using)
	}
	return func(res *core.Result) error {
		if len(res.Conditions) != len(res.Records) {
			return &core.Error{Code: core.ServerError, Cause: errNoConditions}
		}
		for i, rec := range res.Records {
			answers := res.Conditions[i]
			res.Records[i] = gs.project(rec, func(j int) bool { return at+j < len(answers) && answers[at+j] })
		}
		return nil
	}
}

var errNoConditions = errors.New("access: an inner decorator has not returned the answers to the conditions of the op")

// project returns the part of the record that the grants show. matches reports whether the record matches the j-th of them.
func (gs grants) project(rec core.Record, matches func(j int) bool) core.Record {
	has := make([]bool, rec.Len())
	for j, g := range gs {
		if !matches(j) {
			continue
		}
		if g.rule.fields == nil {
			return rec
		}
		g.rule.fields.mark(has)
	}
	return newFieldList(rec.Resource(), has).project(rec)
}

// complete reports whether the record has every column. A condition cannot be decided on a record from which an inner
// decorator has removed columns.
func complete(rec core.Record) bool {
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			return false
		}
	}
	return true
}
