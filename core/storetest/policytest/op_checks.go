package policytest

import (
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// The functions of this file judge an op that arrived innermost on behalf of a
// guest, against the rows that are stored. Each returns what is wrong, or "".

// judgment is one of them.
type opCheck func(g actor, all rows, op *core.Op) string

// bound returns a condition as the backend will get it. One that does not fit is
// refused by the store, and so meets no row.
func bind(op *core.Op, f core.Filter) core.Filter {
	b, err := op.Resource.Bind(f)
	if err != nil {
		return core.None()
	}
	return b
}

// usingHides looks at the rows that an op may reach.
func usingExcludes(g actor, all rows, op *core.Op) string {
	if op.Kind == core.Insert || op.Kind == core.NextID {
		return ""
	}
	using := bind(op, op.Using)
	for _, row := range all[op.Resource.Index()] {
		if !g.mayMatch(op.Kind, row) && using.Match(row) {
			return fmt.Sprintf("%v reaches %v; Using is %v", op.Kind, row, op.Using)
		}
	}
	return ""
}

// mayReach reports whether an op of the kind may meet the row as it is.
func (g actor) mayMatch(kind core.Kind, row core.Record) bool {
	switch kind {
	case core.Load, core.Select, core.Count:
		return g.canRead(row)
	case core.Update, core.Delete:
		return g.canChange(kind, row)
	}
	return g.canRead(row) && g.canChange(kind, row)
}

// checkHolds looks at the rows that an op may leave.
func checkRejects(g actor, all rows, op *core.Op) string {
	check := bind(op, op.Check)
	for _, after := range afterImages(all, op) {
		if !g.canResultIn(op.Kind, after) && check.Match(after) {
			return fmt.Sprintf("%v may leave %v; Check is %v", op.Kind, after, op.Check)
		}
	}
	return ""
}

// left returns the rows that the op would leave without guards; those of a kind
// that nobody knows may be any.
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
			for _, change := range op.Records {
				if change.Key() == row.Key() && using.Match(row) {
					after = append(after, row.Merge(change))
				}
			}
		}
	case unknownKind:
		return all[op.Resource.Index()]
	}
	return after
}

// principalStays looks at whom the op is for. A decorator may make the program
// responsible for an op of its own.
func principalUnchanged(g actor, _ rows, op *core.Op) string {
	if op.Principal == g.principal || op.Principal.IsSystem() {
		return ""
	}
	return fmt.Sprintf("%v that was sent for %v arrives for %v", op.Kind, g.principal, op.Principal)
}

// fieldsStay looks at what the op names.
func namedFieldsReadable(g actor, _ rows, op *core.Op) string {
	for _, o := range op.Order {
		if !g.canReadField(o.Field) {
			return fmt.Sprintf("%v in the order of %v, which is not read", op.Kind, o.Field)
		}
	}
	if f := g.unreadableField(bind(op, op.Where)); f != nil {
		return fmt.Sprintf("%v where %v, and %v is not read", op.Kind, op.Where, f)
	}
	return ""
}

// namesUnread returns a field of the condition that the guest does not read.
func (g actor) unreadableField(where core.Filter) *core.Field {
	if f := where.Field(); f != nil && !g.canReadField(f) {
		return f
	}
	for _, part := range where.Filters() {
		if f := g.unreadableField(part); f != nil {
			return f
		}
	}
	return nil
}
