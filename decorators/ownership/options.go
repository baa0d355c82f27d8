package ownership

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. With the zero value, the id of the principal owns records, in all resources and
// for all roles.
type Options struct {
	// Claim names the claim of the principal that owns records instead of its id. A string owns through fields of type text
	// and uuid, an integer through fields of type int. Other claims own nothing. Default: the id.
	Claim string
	// Fields names the owner field of resources in which it differs from the argument of New, by the name of the resource
	// in the model.
	Fields map[string]string
	// Through names, for resources without an owner field, the to-one relation to the record whose owner owns theirs:
	// {"issue": "project"}. Chains are allowed: {"comment": "issue", "issue": "project"}. A record without such a related
	// record has no owner.
	Through map[string]string
	// Shared names resources without owners. Every principal except the anonymous one can access all their records.
	Shared []string
	// Bypass names roles whose principals can access all records; see "Roles without restriction" in the package comment.
	Bypass []string
}

// New returns the decorator. The owner of a record is stored in the named field, unless [Options.Fields] names another one
// for the resource. The name may be empty if Fields or Shared has every resource. A stack may have several, such as one
// for users and one for tenants.
//
// [core.New] fails if a resource lacks the field, if the field cannot hold an owner or clients can see or set it, or if the
// options name a resource that the model does not have. The error lists every mistake and its
// correction.
func New(field string, opts Options) core.Decorator {
	o := Options{Claim: opts.Claim, Fields: maps.Clone(opts.Fields), Through: maps.Clone(opts.Through), Shared: slices.Clone(opts.Shared), Bypass: slices.Clone(opts.Bypass)}
	return core.Decorator{
		Name: "ownership", Note: o.note(field), Kind: core.KindPolicy, Repeatable: true, // one for users, one for tenants
		KnowsRelated: true, UsesRelated: len(o.Through) > 0,
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			owners, err := o.owners(m, field)
			if err != nil {
				return nil, err
			}
			g := guard{owners: owners, claim: o.Claim, bypass: o.Bypass}
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if err := g.restrict(op); err != nil {
					return core.Result{}, err
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// note describes the settings.
func (o Options) note(name string) string {
	var parts []string
	add := func(title string, names []string) {
		if len(names) > 0 {
			parts = append(parts, title+strings.Join(names, ", "))
		}
	}
	owner := "the principal's id"
	if o.Claim != "" {
		owner = "claim " + o.Claim
	}
	if name != "" {
		parts = append(parts, name+" is "+owner)
	}
	for _, resource := range slices.Sorted(maps.Keys(o.Fields)) {
		parts = append(parts, resource+"."+o.Fields[resource]+" is "+owner)
	}
	for _, resource := range slices.Sorted(maps.Keys(o.Through)) {
		parts = append(parts, resource+" through "+o.Through[resource])
	}
	add("shared: ", o.Shared)
	add("bypass: ", o.Bypass)
	return strings.Join(parts, "; ")
}
