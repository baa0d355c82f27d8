package importer

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// unique reports whether an index makes the values of the column unique.
func (t *table) unique(column string) bool {
	return slices.ContainsFunc(t.indexes, func(x index) bool { return x.Unique && x.singleColumn() == column })
}

// uniqueImmediately reports whether a unique index on the column is checked with every statement.
func (t *table) uniqueImmediately(column string) bool {
	return slices.ContainsFunc(t.indexes, func(x index) bool { return x.Unique && x.Immediate && x.singleColumn() == column })
}

// hasIndexOn reports whether an index finds all rows by their value of the column.
func (t *table) hasIndexOn(column string) bool {
	return slices.ContainsFunc(t.indexes, func(x index) bool {
		return !x.Partial && x.Columns[0] == column && x.findsEqual()
	})
}

// field returns the field that the index makes Unique or Indexed; nil if there is none. An index on a column and the key
// counts, because it also orders rows with equal values.
func (x index) field(r *resource) *core.FieldSpec {
	if !x.Unique && !x.Partial && !x.Expression && len(x.Columns) == 2 && x.Columns[1] == r.key {
		return r.field(x.Columns[0])
	}
	return r.field(x.singleColumn())
}

// findsEqual reports whether the index finds equal values.
func (x index) findsEqual() bool { return x.Method == "btree" || x.Method == "hash" }

// addIndexes makes fields Unique or Indexed, and adds notes on uniqueness that a model cannot express.
func (m *modelBuilder) addIndexes(r *resource) {
	for _, x := range r.table.indexes {
		f := x.field(r)
		switch {
		case x.Primary:
		case x.Unique && f == nil:
			m.note(r.table, x.Name, Note{
				Kind: Server, Finding: "unique " + x.describe() + "; a model cannot express this",
				Advice: "a violation is reported without a field",
			})
		case f == nil || !x.findsEqual():
		case f.ToOne == "" && !f.Type.Ordered():
			if x.Unique {
				m.note(r.table, x.Name, Note{Kind: Server, Finding: "unique; a field of type " + f.Type.String() + " cannot be Unique in a model"})
			}
		case x.Unique && !f.Key:
			f.Unique = true
			if x.NullsEqual {
				m.note(r.table, x.Name, Note{
					Kind: Changed, Finding: "NULLS NOT DISTINCT: at most one record may have no " + quoteName(f.Name),
					Advice: "drop the clause: in a model nulls are always distinct",
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

// noteOrder adds a note on a text field whose index does not serve the order of the model.
func (m *modelBuilder) noteOrder(r *resource, f *core.FieldSpec) {
	c := r.table.column(f.Name)
	if c == nil || !c.exact() || c.ByCodePoint || f.Type != core.Text || !f.Key && !f.Unique && !f.Indexed {
		return
	}
	columns := quoteName(f.Name) + ` COLLATE "C"`
	if !f.Key {
		columns += ", " + quoteName(r.key)
	}
	if key := r.table.column(r.key); !f.Key && r.field(r.key).Type == core.Text && !key.ByCodePoint {
		columns += ` COLLATE "C"`
	}
	m.note(r.table, f.Name, Note{
		Kind: Changed, Finding: "its index does not sort by code point: orders, ranges, prefixes and pages cannot use it",
		Advice: "create an index on (" + columns + ")",
	})
}

// describe names the columns and rows of the index.
func (x index) describe() string {
	text := "over " + quoteNames(x.Columns)
	if x.Expression {
		text = "over an expression"
	}
	if x.Partial {
		text += " in part of the records"
	}
	return text
}
