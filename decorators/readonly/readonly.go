package readonly

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. The zero value makes the whole store read-only.
type Options struct {
	// Resources names the read-only resources by their names in the model. nil means all of them; an empty list is an error.
	Resources []string
	// Switch makes the resources read-only while it is on. nil means always.
	Switch *Switch
}

// New returns the decorator. A stack may have several.
//
// [core.New] fails if the options name a resource that the model does not have, or an empty list of resources. The error
// lists the resources of the model.
func New(opts Options) core.Decorator {
	opts.Resources = slices.Clone(opts.Resources)
	return core.Decorator{
		Name: "readonly", Note: opts.note(), Kind: core.KindPolicy, KnowsRelated: true, Repeatable: true,
		ReadOnly: func(r *core.Resource) bool {
			return (opts.Switch == nil || opts.Switch.On()) && (opts.Resources == nil || slices.Contains(opts.Resources, r.Name()))
		},
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			named, err := opts.named(m)
			if err != nil {
				return nil, err
			}
			g := guard{named: named, next: next, toggle: opts.Switch}
			if opts.Switch == nil {
				return g.always, nil
			}
			return g.whileOn, nil
		},
	}
}

// note describes the settings.
func (o Options) note() string {
	switch {
	case o.Resources == nil && o.Switch == nil:
		return "the whole store"
	case o.Switch == nil:
		return strings.Join(o.Resources, ", ")
	case o.Resources == nil:
		return "while its switch is on"
	}
	return strings.Join(o.Resources, ", ") + ", while its switch is on"
}

// named reports for each resource of the model, by its index, whether the options name it. nil means all of them.
func (o Options) named(m *core.Model) ([]bool, error) {
	switch {
	case o.Resources == nil:
		return nil, nil
	case len(o.Resources) == 0:
		return nil, errors.New("option Resources: names no resource; use nil for all of them")
	}
	named := make([]bool, len(m.Resources()))
	for _, name := range o.Resources {
		r := m.Resource(name)
		if r == nil {
			return nil, fmt.Errorf("option Resources: there is no resource %q; the model %q has %s", name, m.Name(), resourceNames(m))
		}
		named[r.Index()] = true
	}
	return named, nil
}

func resourceNames(m *core.Model) string {
	var names []string
	for _, r := range m.Resources() {
		names = append(names, r.Name())
	}
	return strings.Join(names, ", ")
}

// guard rejects the writes of one store.
type guard struct {
	named  []bool // by index of the resource; nil means all
	next   core.Handler
	toggle *Switch
}

// covers reports whether the guard concerns the resource of the op. An op of unknown kind without a resource may write to any
// resource.
func (g guard) covers(op *core.Op) bool {
	return g.named == nil || op.Resource == nil || g.named[op.Resource.Index()]
}

// always is the handler without a switch.
func (g guard) always(ctx context.Context, op *core.Op) (core.Result, error) {
	switch {
	case op.Kind == core.Tx:
		if g.named == nil {
			op.Tx.ReadOnly = true
		}
	case op.Writes() && g.covers(op):
		return core.Result{}, rejection(op)
	}
	return g.next(ctx, op)
}

// whileOn is the handler with a switch. It counts the writers that pass, for [Switch.Wait].
func (g guard) whileOn(ctx context.Context, op *core.Op) (core.Result, error) {
	switch {
	case !op.Writes() || op.Kind != core.Tx && !g.covers(op):
	case op.Kind != core.Tx && op.Tx != nil: // its transaction is counted or restricted
		if g.toggle.On() || g.named != nil && g.toggle.isRestricted(op.Tx) {
			return core.Result{}, rejection(op)
		}
	case g.toggle.enter():
		defer g.toggle.leave()
	case op.Kind != core.Tx:
		return core.Result{}, rejection(op)
	case g.named == nil:
		op.Tx.ReadOnly = true
	default:
		g.toggle.restrict(op.Tx)
		defer g.toggle.unrestrict(op.Tx)
	}
	return g.next(ctx, op)
}

// rejection is the error of a rejected write.
func rejection(op *core.Op) error {
	if op.Resource == nil {
		return core.ReadOnly
	}
	return &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
}
