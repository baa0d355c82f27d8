package softdelete

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// check returns the mistakes of all resources with the field.
func check(m *core.Model, field string, opts Options) error {
	var mistakes []error
	for _, r := range keptBy(m, field) {
		f := r.Field(field)
		fail := func(format string, args ...any) {
			mistakes = append(mistakes, fmt.Errorf("resource %q: "+format, append([]any{r.Name()}, args...)...))
		}
		if !f.Stored() || f.Type() != core.Time || !f.Hidden() || f.Required() || f.HasDefaultFunc() || f.ConstantDefault().IsSet() {
			fail("the field %[2]s does not fit; declare it as {Name: %[2]q, Type: core.Time, Hidden: true}, not Required and without a default", f.Name())
			continue
		}
		for _, ref := range r.Referrers() {
			if c := ref.Resource(); ref.OnDelete() == core.Cascade && c.Field(field) == nil && !c.ReadOnly() {
				fail("a delete also deletes records of %s by %s, for good, so that they could not be restored; give %s the field %s, or %s another OnDelete",
					c, ref, c, f.Name(), ref)
			}
		}
		if isJoinByKey(m, r) {
			fail("the key of a link is its two relations, so that a link that was deleted could not be made again; "+
				"give the resource a key of its own, and the two relations a unique index with the condition core.Eq(%q, nil)", f.Name())
		}
		if opts.KeepsUnique {
			continue
		}
		for _, u := range r.Uniques() {
			switch {
			case u == r.Key():
			case u.Inverse() != nil && !u.Inverse().Many():
				fail("a deleted record would hold its one-to-one partner in %s; make %s a to-many relation, or set KeepsUnique", u.Name(), u.Inverse())
			default:
				fail("a deleted record would hold its %s; declare it as an index {Fields: []string{%q}, Where: core.Eq(%q, nil), Unique: true}, or set KeepsUnique", u.Name(), u.Name(), f.Name())
			}
		}
		for _, x := range r.Indexes() {
			if x.Unique && !holdsLiving(x.Where, f) {
				fail("a deleted record would hold its %s; give the unique index the condition core.Eq(%q, nil), or set KeepsUnique", x, f.Name())
			}
		}
	}
	return errors.Join(mistakes...)
}

// holdsLiving reports whether only records match in which the field is null.
func holdsLiving(where core.Filter, f *core.Field) bool {
	if where.Kind() == core.FilterAnd {
		return slices.ContainsFunc(where.Filters(), func(part core.Filter) bool { return holdsLiving(part, f) })
	}
	return where.Kind() == core.FilterEq && where.Field() == f && where.Values()[0].IsNull()
}

// isJoinByKey reports whether a list goes through the resource whose links have no key of their own.
func isJoinByKey(m *core.Model, r *core.Resource) bool {
	for _, list := range m.Resources() {
		for _, f := range list.Fields() {
			if near, far := f.Through(); near != nil && near.Resource() == r && near.KeyPart() && far.KeyPart() {
				return true
			}
		}
	}
	return false
}

// blockersOf returns the relations to the resource that must not lead to a deleted record: those that cascade or restrict.
// Where resources reference each other in a circle, a delete of records of several resources has no order in which each
// referring record comes first, so these relations are left out.
func blockersOf(r *core.Resource) (blockers []*core.Field) {
	for _, f := range r.Referrers() {
		if c := f.Resource(); f.OnDelete() != core.Detach && !c.ReadOnly() && (c == r || !leadsTo(r, c, make(map[*core.Resource]bool))) {
			blockers = append(blockers, f)
		}
	}
	return blockers
}

// leadsTo reports whether references lead from one resource to the other.
func leadsTo(from, to *core.Resource, seen map[*core.Resource]bool) bool {
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(from.References(), func(f *core.Field) bool { return f.Target() == to || leadsTo(f.Target(), to, seen) })
}
