package policytest

import (
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// opCheck checks an op that arrived innermost on behalf of an actor against the stored rows. It returns a description of
// the violation, or "".
type opCheck func(g actor, all rows, op *core.Op) string

// bind returns a filter as the backend gets it. The store rejects an op with a filter that cannot be bound, so such a
// filter matches no row.
func bind(op *core.Op, f core.Filter) core.Filter {
	b, err := op.Resource.Bind(f)
	if err != nil {
		return core.None()
	}
	return b
}

// usingExcludes checks that Using excludes every stored row that the actor may not read or change.
func usingExcludes(g actor, all rows, op *core.Op) string {
	if op.Kind == core.Insert || op.Kind == core.NextID {
		return ""
	}
	using := bind(op, op.Using)
	for _, row := range all[op.Resource.Index()] {
		if !g.mayReach(op, row) && kit.Matches(using, row, all.of) {
			return fmt.Sprintf("the %v matches %v; Using is %v", op.Kind, row, op.Using)
		}
	}
	return ""
}

// mayReach reports whether the before image of the op may be the row. An Update that sets or clears the time of a delete may come
// from a Delete or a Restore.
func (g actor) mayReach(op *core.Op, row core.Record) bool {
	switch {
	case op.Deleted && op.Kind == core.Visibility: // of a field that a search looks into, beside the condition of the search
		return g.isDeleted(row) && g.canReadLiving(row)
	case op.Deleted:
		return g.canRestore(row)
	case op.Kind == core.Restore: // the decorator that keeps records adds that they are deleted
		return !g.isDeleted(row) || g.canChange(core.Restore, row)
	case op.Kind == core.Update && g.setsDeletedAt(op):
		return g.canChange(core.Update, row) || g.canChange(core.Delete, row) || g.canChange(core.Restore, row)
	}
	return g.mayMatch(op.Kind, row)
}

// mayMatch reports whether the before image of an op of the kind may be the row.
func (g actor) mayMatch(kind core.Kind, row core.Record) bool {
	switch kind {
	case core.Load, core.Select, core.Count, core.Visibility, core.Aggregate:
		return g.canRead(row)
	case core.Update, core.Delete:
		return g.canChange(kind, row)
	}
	return g.canRead(row) && g.canChange(kind, row)
}

// checkRejects checks that Check rejects every after image that may not result from the op.
func checkRejects(g actor, all rows, op *core.Op) string {
	check := bind(op, op.Check)
	images := afterImages(all, op)
	state := all.with(images...)
	g = g.in(state)
	for _, after := range images {
		kind := op.Kind
		if g.setsDeletedAt(op) && g.isDeleted(after) {
			kind = core.Delete
		}
		if !g.canResultIn(kind, after) && kit.Matches(check, after, state.of) {
			return fmt.Sprintf("the %v may result in %v; Check is %v", op.Kind, after, op.Check)
		}
	}
	return ""
}

// afterImages returns the rows that the op could result in without Check. An op of an unknown kind could result in any
// row.
func afterImages(all rows, op *core.Op) []core.Record {
	var after []core.Record
	switch op.Kind {
	case core.Insert:
		for _, rec := range op.Records {
			after = append(after, kit.WithDefaults(rec))
		}
	case core.Update:
		using := bind(op, op.Using)
		for _, row := range all[op.Resource.Index()] {
			for i, change := range op.Records {
				if change.Key() == row.Key() && kit.Matches(using, row, all.of) {
					after = append(after, op.AfterImage(i, row))
				}
			}
		}
	case unknownKind:
		return all[op.Resource.Index()]
	}
	return after
}

// principalUnchanged checks the principal of the op. A decorator may run an op of its own as the system.
func principalUnchanged(g actor, _ rows, op *core.Op) string {
	if op.Principal == g.principal || op.Principal.IsSystem() {
		return ""
	}
	return fmt.Sprintf("the %v was sent for %v and arrives for %v", op.Kind, g.principal, op.Principal)
}

// namedFieldsReadable checks that the order, Where and the fields of a Visibility or Aggregate are readable fields only.
func namedFieldsReadable(g actor, _ rows, op *core.Op) string {
	if op.Kind == core.Visibility || op.Kind == core.Aggregate {
		for _, f := range op.Fields {
			if !g.canReadField(f) {
				return fmt.Sprintf("the %v names %v, which the principal may not read", op.Kind, f)
			}
		}
	}
	for _, o := range op.Order {
		if !g.canReadField(o.Field) {
			return fmt.Sprintf("the %v is sorted by %v, which the principal may not read", op.Kind, o.Field)
		}
	}
	if f := g.unreadableField(bind(op, op.Where)); f != nil {
		return fmt.Sprintf("the %v has the filter %v, and the principal may not read %v", op.Kind, op.Where, f)
	}
	return ""
}

// unreadableField returns a field of the filter that the actor may not read, or nil.
func (g actor) unreadableField(where core.Filter) *core.Field {
	if f := where.Field(); f != nil && !g.canReadField(f) {
		return f
	}
	if stored := where.Relation().Stored; stored != nil {
		if !g.canReadField(stored) {
			return stored
		}
		return g.unreadableField(where.Where())
	}
	_, searched := where.Search()
	for _, in := range searched {
		if !g.canReadField(in.Field) {
			return in.Field
		}
	}
	for _, part := range where.Filters() {
		if f := g.unreadableField(part); f != nil {
			return f
		}
	}
	return nil
}
