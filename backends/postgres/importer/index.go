package importer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// unique reports whether an index makes the values of the columns unique.
func (t *table) unique(columns []string) bool {
	return slices.ContainsFunc(t.indexes, func(x index) bool { return x.makesUnique(columns) })
}

// uniqueImmediately reports whether a unique index on the columns is checked with every statement.
func (t *table) uniqueImmediately(columns []string) bool {
	return slices.ContainsFunc(t.indexes, func(x index) bool { return x.Immediate && x.makesUnique(columns) })
}

// makesUnique reports whether no two rows may have the same values in the columns, in any order.
func (x index) makesUnique(columns []string) bool {
	return x.Unique && !x.Partial && !x.Expression && len(x.Columns) == len(columns) && len(without(columns, x.Columns)) == 0
}

// hasIndexOn reports whether an index finds all rows by their values of the columns.
func (t *table) hasIndexOn(columns []string) bool {
	return slices.ContainsFunc(t.indexes, func(x index) bool {
		return !x.Partial && x.findsEqual() && len(x.Columns) >= len(columns) && len(without(columns, x.Columns[:len(columns)])) == 0
	})
}

// field returns the field that the index makes Unique or Indexed; nil if there is none. An index on a column and the key
// counts, because it also orders rows with equal values.
func (x index) field(r *resource) *core.FieldSpec {
	if columns := x.columnsBeforeKey(r); !x.Partial && !x.Expression && len(columns) == 1 {
		return r.field(columns[0])
	}
	return nil
}

// findsEqual reports whether the index finds equal values.
func (x index) findsEqual() bool { return x.Method == "btree" || x.Method == "hash" }

// addIndexes makes fields Unique or Indexed, adds indexes over several fields or some records, and adds notes on uniqueness that a model cannot express.
func (m *modelBuilder) addIndexes(r *resource) {
	for _, x := range r.table.indexes {
		f := x.field(r)
		switch {
		case x.Primary:
		case f == nil && m.addIndex(r, x):
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
		case f.Key && len(r.key) == 1:
		case x.Unique:
			f.Unique = true
			m.noteNulls(r, x)
		case f.ToOne == "":
			f.Indexed = true
		}
	}
	for i := range r.fields {
		f := &r.fields[i]
		f.Indexed = f.Indexed && !f.Unique
		m.noteOrder(r, f)
	}
}

// noteNulls adds a note on a unique index that compares nulls.
func (m *modelBuilder) noteNulls(r *resource, x index) {
	if x.NullsEqual {
		m.note(r.table, x.Name, Note{
			Kind: Changed, Finding: "NULLS NOT DISTINCT: at most one record may have no " + quoteNames(x.Columns),
			Advice: "drop the clause: in a model nulls are always distinct",
		})
	}
}

// maxIndexFields is the greatest number of fields of a [core.Index].
const maxIndexFields = 16

// addIndex adds an index over several fields or some records. It reports whether a model can express the index.
func (m *modelBuilder) addIndex(r *resource, x index) bool {
	if x.Unique && len(without(r.key, x.Columns)) == 0 || x.findsEqual() && x.ofRelation(r) {
		return true // the key alone is unique, and the relation has an index
	}
	fields, ok := x.fields(r)
	where, simple := x.where(r)
	if !ok || !simple || !x.Partial && len(fields) == 1 && !x.Unique && fields[0] == x.Columns[0] {
		return false
	}
	comparisons, _ := pgsql.ParseCondition(x.Condition)
	text := fmt.Sprintf("%q %v %v", fields, x.Unique, comparisons)
	if slices.Contains(r.known, text) {
		return true
	}
	r.known = append(r.known, text)
	if x.Unique && !x.Partial {
		r.uniques = append(r.uniques, fields)
	} else {
		r.indexes = append(r.indexes, core.Index{Fields: fields, Where: where, Unique: x.Unique})
	}
	m.noteNulls(r, x)
	return true
}

// fields returns the fields of the index with their directions, without the key at its end. ok is false if a model cannot
// express them.
func (x index) fields(r *resource) (fields []string, ok bool) {
	if x.Expression || !x.Unique && x.Method != "btree" || len(x.Columns) > maxIndexFields {
		return nil, false
	}
	columns := x.columnsBeforeKey(r)
	for i, column := range columns {
		f := r.field(column)
		option := x.Options[i]
		switch {
		case f == nil || f.ToOne == "" && !f.Type.Ordered(), f.Key && len(r.key) == 1 && i < len(columns)-1, slices.Contains(columns[:i], column):
			return nil, false
		case x.Unique, option == pgsql.Ascending:
			fields = append(fields, column)
		case option != pgsql.Descending || r.field("-"+column) != nil:
			return nil, false
		default:
			fields = append(fields, "-"+column)
		}
	}
	return fields, true
}

// columnsBeforeKey returns the columns without the key at the end, in ascending order. The key lacks columns that come before. An
// index on a key of one column has that column.
func (x index) columnsBeforeKey(r *resource) []string {
	for n := 1; n < len(x.Columns) && !x.Unique; n++ {
		descends := slices.ContainsFunc(x.Options[n:], func(option int16) bool { return option != pgsql.Ascending })
		if !descends && slices.Equal(x.Columns[n:], without(r.key, x.Columns[:n])) {
			return x.Columns[:n]
		}
	}
	return x.Columns
}

// ofRelation reports whether the index has the columns of a derived relation in ascending order. A relation is always indexed.
func (x index) ofRelation(r *resource) bool {
	columns := x.columnsBeforeKey(r)
	plain := !x.Unique && !x.Partial && !x.Expression && !slices.ContainsFunc(x.Options, func(option int16) bool { return option != pgsql.Ascending })
	return plain && slices.ContainsFunc(r.fields, func(f core.FieldSpec) bool {
		return len(f.Via) == len(columns) && len(without(columns, f.Via)) == 0
	})
}

// where returns the condition of the index; simple is false if a model cannot express it.
func (x index) where(r *resource) (where core.Filter, simple bool) {
	if !x.Partial {
		return core.All(), true
	}
	comparisons, simple := pgsql.ParseCondition(x.Condition)
	var parts []core.Filter
	for _, c := range comparisons {
		f := r.field(c.Column)
		if f == nil || f.ToOne == "" && !f.Type.Ordered() {
			return core.Filter{}, false
		}
		typ := f.Type
		if f.ToOne != "" {
			typ = r.table.column(c.Column).modelType()
		}
		part, ok := c.Filter(typ)
		if !ok {
			return core.Filter{}, false
		}
		parts = append(parts, part)
	}
	return core.And(parts...), simple
}

// noteOrder adds a note on a text field whose index does not serve the order of the model.
func (m *modelBuilder) noteOrder(r *resource, f *core.FieldSpec) {
	c := r.table.column(f.Name)
	if r.table.Kind == "v" || r.table.Kind == "f" || c == nil || !c.exact() || c.ByCodePoint || f.Type != core.Text || !f.Key && !f.Unique && !f.Indexed {
		return
	}
	var columns []string
	if !f.Key {
		columns = append(columns, quoteName(f.Name)+` COLLATE "C"`)
	}
	for _, name := range r.key {
		column := quoteName(name)
		if r.field(name).Type == core.Text && !r.table.column(name).ByCodePoint {
			column += ` COLLATE "C"`
		}
		columns = append(columns, column)
	}
	m.note(r.table, f.Name, Note{
		Kind: Changed, Finding: "its index does not sort by code point: orders, ranges, prefixes and pages cannot use it",
		Advice: "create an index on (" + strings.Join(columns, ", ") + ")",
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
