package ownership

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. The zero value has records owned by the
// principal's id, in all resources, and no role passes.
type Options struct {
	// Claim names the claim of the principal that owns records, in the place of the
	// principal's id. A text owns through fields of type text and uuid, a whole number
	// through those of type int; everything else owns nothing.
	Claim string
	// Fields names the owner field of resources where it is another than usual, by the
	// name of the resource.
	Fields map[string]string
	// Shared names resources whose records have no owner: every principal meets all of
	// them, and nobody does not.
	Shared []string
	// Bypass names roles whose principals meet all records, see the package's page.
	Bypass []string
}

// New returns the decorator for records whose owner is stored in the named field, in every resource for which the options
// say nothing else. The name may be empty if [Options.Fields] has a field for each resource that is not shared.
//
// [core.New] fails with the decorator if a resource lacks the field or clients can
// reach it, if the field cannot hold an owner, or if the options name what the model
// does not have. Its error lists every mistake and says what to change.
func New(field string, opts Options) core.Decorator {
	o := Options{Claim: opts.Claim, Fields: maps.Clone(opts.Fields), Shared: slices.Clone(opts.Shared), Bypass: slices.Clone(opts.Bypass)}
	return core.Decorator{
		Name: "ownership", Note: o.note(field), Kind: core.KindPolicy, Repeatable: true, // one for users, one for tenants
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			fields, err := o.owners(m, field)
			if err != nil {
				return nil, err
			}
			g := guard{owners: fields, claim: o.Claim, bypass: o.Bypass}
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if err := g.admit(op); err != nil {
					return core.Result{}, err
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// note tells how the decorator is set up.
func (o Options) note(name string) string {
	var parts []string
	add := func(title string, names []string) {
		if len(names) > 0 {
			parts = append(parts, title+strings.Join(names, ", "))
		}
	}
	own := "the principal's id"
	if o.Claim != "" {
		own = "claim " + o.Claim
	}
	if name != "" {
		parts = append(parts, name+" is "+own)
	}
	for _, resource := range slices.Sorted(maps.Keys(o.Fields)) {
		parts = append(parts, resource+"."+o.Fields[resource]+" is "+own)
	}
	add("shared: ", o.Shared)
	add("bypass: ", o.Bypass)
	return strings.Join(parts, "; ")
}
