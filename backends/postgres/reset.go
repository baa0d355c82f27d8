package postgres

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// withoutKept returns the records of an Update without the nulls that stand for a
// default which is not the same for every row: those columns keep their values.
func (t *table) withoutKeptColumns(op *core.Op) []core.Record {
	recs := op.Records
	for _, f := range op.Reset {
		i := f.Column()
		if !t.columns[i].keepOnReset {
			continue
		}
		for place, rec := range recs {
			if !rec.At(i).IsNull() {
				continue
			}
			if &recs[0] == &op.Records[0] {
				recs = slices.Clone(recs)
			}
			recs[place] = rec.With(i, core.Value{})
		}
	}
	return recs
}

// resets reports whether a record sets the column to its default.
func (u *update) resets(c change) bool {
	return c.toDefault && slices.ContainsFunc(u.recs, func(rec core.Record) bool { return rec.At(c.index).IsNull() })
}
