package postgres

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// unique reports whether the values of the column alone are unique.
func (t *importedTable) unique(column string) bool {
	return slices.ContainsFunc(t.indexes, func(x importedIndex) bool { return x.Unique && x.alone() == column })
}

// uniqueNow reports the same of constraints that are not deferrable.
func (t *importedTable) uniqueNow(column string) bool {
	return slices.ContainsFunc(t.indexes, func(x importedIndex) bool { return x.Unique && x.Immediate && x.alone() == column })
}

// findsBy reports whether an index helps to find all rows by the column.
func (t *importedTable) findsBy(column string) bool {
	return slices.ContainsFunc(t.indexes, func(x importedIndex) bool {
		return !x.Partial && x.Columns[0] == column && x.compares()
	})
}

// serves returns the field that the index is for: of one column, or of one and the
// key, which makes ties come in order.
func (x importedIndex) serves(r *importedResource) *core.FieldSpec {
	if !x.Unique && !x.Partial && !x.Expression && len(x.Columns) == 2 && x.Columns[1] == r.key {
		return r.field(x.Columns[0])
	}
	return r.field(x.alone())
}

// compares reports whether the index finds equal values.
func (x importedIndex) compares() bool { return x.Method == "btree" || x.Method == "hash" }

// addUniques marks the fields that have an index of their own, and notes the
// uniqueness that a model cannot express.
func (m *importer) addUniques(r *importedResource) {
	for _, x := range r.table.indexes {
		f := x.serves(r)
		switch {
		case x.Primary:
		case x.Unique && f == nil:
			m.note(r.table, x.Name, ImportNote{
				Kind: ImportServer, What: "unique " + x.about() + ", which no field of a model can say",
				Advice: "a violation is an error that names no field",
			})
		case f == nil || !x.compares():
		case f.ToOne == "" && !f.Type.Ordered():
			if x.Unique {
				m.note(r.table, x.Name, ImportNote{Kind: ImportServer, What: "unique, which no field of type " + f.Type.String() + " can be in a model"})
			}
		case x.Unique && !f.Key:
			f.Unique = true
			if x.NullsEqual {
				m.note(r.table, x.Name, ImportNote{
					Kind: ImportChanged, What: "NULLS NOT DISTINCT: one record at the most may have no " + quotedImportName(f.Name),
					Advice: "in a model null does not count as a value: drop the clause",
				})
			}
		case !f.Key && f.ToOne == "":
			f.Indexed = true
		}
	}
	for i := range r.fields {
		f := &r.fields[i]
		f.Indexed = f.Indexed && !f.Unique
		m.noteOrder(r, f)
	}
}

// noteOrder says of a text that its index does not serve its order.
func (m *importer) noteOrder(r *importedResource, f *core.FieldSpec) {
	c := r.table.column(f.Name)
	if c == nil || !c.exact() || c.ByCodePoint || f.Type != core.Text || !f.Key && !f.Unique && !f.Indexed {
		return
	}
	columns := quotedImportName(f.Name) + ` COLLATE "C"`
	if !f.Key {
		columns += ", " + quotedImportName(r.key)
	}
	if key := r.table.column(r.key); !f.Key && r.field(r.key).Type == core.Text && !key.ByCodePoint {
		columns += ` COLLATE "C"`
	}
	m.note(r.table, f.Name, ImportNote{
		Kind: ImportChanged, What: "sorts by code point, which its index does not, and so do ranges, prefixes and pages",
		Advice: "create an index on (" + columns + ")",
	})
}

// about returns what the index is on.
func (x importedIndex) about() string {
	what := "over " + importedNames(x.Columns)
	if x.Expression {
		what = "over an expression"
	}
	if x.Partial {
		what += " in part of the records"
	}
	return what
}
