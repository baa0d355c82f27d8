package policytest

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// isDeleted reports whether the row is a deleted one, see PolicySpec.DeletedAt.
func (spec PolicySpec) isDeleted(row core.Record) bool {
	f := row.Resource().Field(spec.DeletedAt)
	return f != nil && row.At(f.Column()).IsSet()
}

// living returns the rows that are not deleted.
func (spec PolicySpec) living(all rows) rows {
	living := make(rows, len(all))
	for i, some := range all {
		living[i] = slices.DeleteFunc(slices.Clone(some), spec.isDeleted)
	}
	return living
}

// setsDeletedAt reports whether the op writes records that set the time of a delete, or set it to null.
func (spec PolicySpec) setsDeletedAt(op *core.Op) bool {
	f := op.Resource.Field(spec.DeletedAt)
	return f != nil && slices.ContainsFunc(op.Records, func(rec core.Record) bool { return !rec.At(f.Column()).IsAbsent() })
}

// writesDeleted reports whether the operation would write a deleted row, which only a Delete may.
func (t *guardRun) writesDeleted(a operation) bool {
	return slices.ContainsFunc(a.records, t.isDeleted)
}

// readableBy returns the rows that a read of the actor finds: those of its resource are deleted ones if it reads these.
func (g actor) readableBy(a operation, all rows) rows {
	readable := g.readable(all)
	if a.deleted {
		readable[a.res.Index()] = slices.DeleteFunc(slices.Clone(all[a.res.Index()]), func(row core.Record) bool { return !g.canRestore(row) })
	}
	return readable
}

// shownOfDeleted returns the names of the fields that reads of deleted rows compare in two worlds: all but the time of the
// delete, which differs.
func (w *worlds) shownOfDeleted(r *core.Resource) []string {
	names := []string{}
	for _, f := range r.Columns() {
		if f.Name() != w.DeletedAt {
			names = append(names, f.Name())
		}
	}
	return names
}
