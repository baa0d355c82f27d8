package ownership

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// guard restricts the operations of one store. It is immutable.
type guard struct {
	owners []owner  // by index of the resource; the zero owner for shared resources
	claim  string   // name of the claim that owns records; "" for the id
	bypass []string // roles
}

// restrict narrows the op to the records of its principal, or returns an error.
func (g *guard) restrict(op *core.Op) error {
	p := op.Principal
	switch {
	case p == nil:
		return core.Unauthorized
	case p.IsSystem():
		return nil
	case slices.ContainsFunc(g.bypass, p.HasRole):
		g.setDefaultOwner(op)
		return nil
	case op.Kind == core.Tx:
		return nil
	case op.Resource == nil:
		return &core.Error{Code: core.Forbidden, Cause: errUnknownKind}
	}
	o := g.owners[op.Resource.Index()]
	f := o.field
	if f == nil {
		return nil
	}
	id := g.ownerOf(p, f)
	if !id.IsSet() {
		return forbidden(op.Resource, fmt.Errorf("ownership: %s needs %s of type %s, which the principal lacks", f, g.source(), f.Type()))
	}
	return o.narrow(op, id)
}

var errUnknownKind = errors.New("ownership: unknown kind of operation")

// narrow narrows the op to the records of the owner, and sets the owner of new records.
func (o owner) narrow(op *core.Op, id core.Value) error {
	switch op.Kind {
	case core.Load, core.Select, core.Count, core.Visibility, core.Aggregate, core.Delete, core.Restore:
	case core.Insert, core.Update:
		if o.path != nil {
			break // the condition on the after image decides
		}
		if err := checkOwners(op, o.field, id); err != nil {
			return err
		}
		if op.Kind == core.Insert {
			op.Records = withOwner(op.Records, o.field, id)
		}
	case core.NextID:
		return nil
	default:
		return forbidden(op.Resource, errUnknownKind)
	}
	op.Guard(o.equals(id))
	return nil
}

// setDefaultOwner sets the owner of records that a principal with a bypass role inserts without an owner.
func (g *guard) setDefaultOwner(op *core.Op) {
	if op.Kind != core.Insert {
		return
	}
	o := g.owners[op.Resource.Index()]
	if o.field == nil || o.path != nil {
		return
	}
	if id := g.ownerOf(op.Principal, o.field); id.IsSet() {
		op.Records = withOwner(op.Records, o.field, id)
	}
}

// withOwner returns copies of the records in which the owner is set if it was absent or null.
func withOwner(records []core.Record, f *core.Field, owner core.Value) []core.Record {
	out := make([]core.Record, len(records))
	for i, rec := range records {
		if !rec.At(f.Column()).IsSet() {
			rec = rec.With(f.Column(), owner)
		}
		out[i] = rec
	}
	return out
}

// checkOwners rejects records with another owner, and updates that remove the owner.
func checkOwners(op *core.Op, f *core.Field, owner core.Value) error {
	for _, rec := range op.Records {
		v := rec.At(f.Column())
		if v == owner || v.IsAbsent() || v.IsNull() && op.Kind == core.Insert {
			continue
		}
		return forbidden(op.Resource, fmt.Errorf("ownership: the %s sets %s to another owner than the principal", op.Kind, f))
	}
	return nil
}

// forbidden is the error of an operation that is denied whatever records exist. The cause is for the log and must contain
// neither ids of principals nor values.
func forbidden(r *core.Resource, cause error) error {
	err := r.Forbidden()
	err.Cause = cause
	return err
}
