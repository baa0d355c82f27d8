package access

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// rule is a [Rule] that fits a model.
type rule struct {
	label    string
	resource *core.Resource
	roles    []string // as the policy names them
	// held are those that principals have in their Roles. The reserved ones are not
	// among them, whatever a principal calls its own.
	held          []string
	anonymous     bool
	authenticated bool
	fields        *list
	using, check  predicate
	// symmetric: check is the same as using.
	symmetric bool
	// chooses: the rule allows an Insert to choose keys.
	chooses bool
}

// isFor reports whether p has one of the rule's roles.
func (r *rule) isFor(p *core.Principal) bool {
	if p == nil {
		return r.anonymous
	}
	if r.authenticated {
		return true
	}
	for _, role := range p.Roles {
		if slices.Contains(r.held, role) {
			return true
		}
	}
	return false
}

// grant is what a rule allows one principal.
type grant struct {
	rule         *rule
	using, check core.Filter
}

// whole reports whether the grant is for every row with all fields.
func (g *grant) whole() bool { return g.using.Kind() == core.FilterAll && g.rule.fields == nil }

// grants returns what the rules allow p. A rule with a condition that p lacks a
// value for, be it the one that is not needed, allows nothing.
func grants(rules []*rule, p *core.Principal) (allowed []grant) {
	for _, r := range rules {
		if !r.isFor(p) {
			continue
		}
		using, missing := r.using.filter(p)
		if missing != nil {
			continue
		}
		check := using
		if !r.symmetric {
			if check, missing = r.check.filter(p); missing != nil {
				continue
			}
		}
		allowed = append(allowed, grant{r, using, check})
	}
	return allowed
}
