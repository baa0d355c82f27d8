package ownership

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// guard is the decorator at work. It never changes, and keeps nothing of any
// operation.
type guard struct {
	owners []*core.Field // by index of the resource; nil for shared ones
	claim  string        // that owns, or the id if it is empty
	bypass []string      // roles
}

// admit narrows the op to what its principal owns, or refuses it.
func (g *guard) admit(op *core.Op) error {
	p := op.Principal
	switch {
	case p == nil:
		return core.Unauthorized
	case p.IsSystem():
		return nil
	case slices.ContainsFunc(g.bypass, p.HasRole):
		g.sign(op)
		return nil
	case op.Kind == core.Tx:
		return nil
	case op.Resource == nil:
		return &core.Error{Code: core.Forbidden, Cause: errUnknownKind}
	}
	f := g.owners[op.Resource.Index()]
	if f == nil {
		return nil
	}
	own := g.ownOf(p, f)
	if !own.IsSet() {
		return refuse(f, fmt.Errorf("the principal owns nothing: its %s is no %s, which %s needs", g.source(), f.Type(), f))
	}
	return g.narrow(op, f, own)
}

var errUnknownKind = errors.New("ownership does not know this kind of operation")

// narrow lets the op meet nothing but what belongs to own.
func (g *guard) narrow(op *core.Op, f *core.Field, own core.Value) error {
	switch op.Kind {
	case core.Load, core.Select, core.Count, core.Delete:
	case core.Insert, core.Update:
		if err := checkNamed(op, f, own); err != nil {
			return err
		}
		if op.Kind == core.Insert {
			op.Records = stamped(op.Records, f, own)
		}
	case core.NextID:
		return nil
	default:
		return refuse(f, errUnknownKind)
	}
	op.Guard(f.Equals(own))
	return nil
}

// sign stamps what a principal that passes inserts without saying for whom.
func (g *guard) sign(op *core.Op) {
	if op.Kind != core.Insert || g.owners[op.Resource.Index()] == nil {
		return
	}
	f := g.owners[op.Resource.Index()]
	if own := g.ownOf(op.Principal, f); own.IsSet() {
		op.Records = stamped(op.Records, f, own)
	}
}

// refuse is the error of an operation that is refused whatever the store holds. The
// cause is for logs, which may have to hold neither ids of principals nor values.
func refuse(f *core.Field, cause error) error {
	err := f.Resource().Forbidden()
	err.Cause = cause
	return err
}
