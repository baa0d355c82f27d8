package softdelete

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. With the zero value it keeps the deleted records of every resource that has the
// field, and a deleted record holds no unique value.
type Options struct {
	// KeepsUnique means that a deleted record holds its unique values and its one-to-one partners, so that no other record can
	// have them until it is restored or purged. Otherwise [core.New] demands that every unique index of the resources has the
	// condition that the field is null.
	KeepsUnique bool
}

// New returns the decorator. field is the name of the field with the time of the delete, which is null in living records. It is
// a stored, hidden field of type time without a default. Records of resources without the field are deleted for good.
//
// [core.New] fails if no resource has the field or if a resource does not fit. The error lists every mistake and its correction.
func New(field string, opts Options) core.Decorator {
	return core.Decorator{
		Name: "softdelete", Note: "a delete sets " + field, Kind: core.KindEffect, KnowsRelated: true, InsidePolicies: true,
		Keeps: func(r *core.Resource) bool { return r.Field(field) != nil },
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			if len(keptBy(m, field)) == 0 {
				return nil, errors.New("no resource has the field " + field + "; add {Name: \"" + field + "\", Type: core.Time, Hidden: true} to those whose records can be restored")
			}
			if err := check(m, field, opts); err != nil {
				return nil, err
			}
			return newKeeper(m, field, next).handle, nil
		},
	}
}

// keptBy returns the resources with the field.
func keptBy(m *core.Model, field string) []*core.Resource {
	return slices.DeleteFunc(slices.Clone(m.Resources()), func(r *core.Resource) bool { return r.Field(field) == nil })
}

// keeper keeps the deleted records of one store. It is immutable.
type keeper struct {
	next      core.Handler
	resources []kept // by index of the resource
}

// kept is what the keeper knows about a resource.
type kept struct {
	field           *core.Field // nil if records are deleted for good
	living, deleted core.Filter
	blockers        []*core.Field // relations whose living records refuse a delete of their target
	clears          bool          // records that point at the resource may be deleted ones
}

func newKeeper(m *core.Model, field string, next core.Handler) *keeper {
	k := &keeper{next, make([]kept, len(m.Resources()))}
	for i, r := range m.Resources() {
		of := &k.resources[i]
		if of.field = r.Field(field); of.field != nil {
			of.living, of.deleted = of.field.Compare(core.FilterEq, core.Null), of.field.Compare(core.FilterNe, core.Null)
			of.blockers = blockersOf(r)
		}
		of.clears = slices.ContainsFunc(r.Referrers(), func(f *core.Field) bool { return f.Resource().Field(field) != nil })
	}
	return k
}

// program is the principal of operations that the decorator sends for itself.
var program = core.PrincipalOf(core.System(context.Background()))

// handle is the handler of the decorator. Deleted records do not exist for any principal, the system included, unless an
// operation asks for them.
func (k *keeper) handle(ctx context.Context, op *core.Op) (core.Result, error) {
	if op.Resource == nil || op.Kind == core.NextID {
		return k.next(ctx, op)
	}
	of := &k.resources[op.Resource.Index()]
	switch {
	case op.Kind == core.Delete && len(op.Keys) == 0:
		return k.next(ctx, op)
	case op.Writes() && op.Tx != nil && op.Tx.ReadOnly: // further writes would fail by their own resources
		return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
	case op.Kind == core.Delete && (of.field == nil || op.Principal.SeesDeleted()):
		return k.remove(ctx, op)
	case op.Kind == core.Restore && of.field != nil && len(op.Keys) > 0:
		return k.restore(ctx, op)
	case of.field == nil || op.Principal.SeesDeleted() || op.Kind == core.Restore:
		return k.next(ctx, op)
	}
	switch op.Kind {
	case core.Load, core.Select, core.Count, core.Aggregate, core.Visibility:
		if op.Deleted {
			op.Using = core.And(op.Using, of.deleted)
		} else {
			op.Using = core.And(op.Using, of.living)
		}
	case core.Delete:
		return k.delete(ctx, op)
	case core.Update:
		op.Using = core.And(op.Using, of.living)
		of.checkLiving(op)
	case core.Insert:
		of.checkLiving(op)
	default: // a kind that does not exist yet
		op.Guard(of.living)
	}
	return k.next(ctx, op)
}

// checkLiving rejects a write that would leave deleted records. Only one that sets the field can.
func (of *kept) checkLiving(op *core.Op) {
	if slices.ContainsFunc(op.Records, func(rec core.Record) bool { return rec.At(of.field.Column()).IsSet() }) {
		op.Check = core.And(op.Check, of.living)
	}
}

// with returns an update of the records with the keys that sets the field.
func (of *kept) with(keys []core.Value, at core.Value) []core.Record {
	r := of.field.Resource()
	changes := make([]core.Record, len(keys))
	for i, key := range keys {
		changes[i] = r.Patch(key).Set(of.field, at)
	}
	return changes
}
