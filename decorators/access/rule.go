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

// few is how many grants need no memory of their own.
const few = 4

// grants appends what the rules allow p. A rule with a condition that p lacks a
// value for, be it the one that is not needed, allows nothing.
func grants(dst []grant, rules []*rule, p *core.Principal) []grant {
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
		dst = append(dst, grant{r, using, check})
	}
	return dst
}

// either is Or without the memory where there is one filter, as there mostly is.
type either struct {
	first core.Filter
	rest  []core.Filter
	n     int
}

func (e *either) add(f core.Filter) {
	if e.n++; e.n == 1 {
		e.first = f
	} else {
		e.rest = append(e.rest, f)
	}
}

// narrow narrows the condition to what any of the filters matches; to nothing if
// there are none.
func (e *either) narrow(condition *core.Filter) {
	f := e.first
	switch {
	case e.n == 0:
		f = core.None()
	case e.n > 1:
		f = core.Or(append([]core.Filter{e.first}, e.rest...)...)
	}
	if condition.Kind() == core.FilterAll {
		*condition = f
		return
	}
	*condition = core.And(*condition, f)
}
