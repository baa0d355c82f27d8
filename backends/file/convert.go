package file

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
	"github.com/larder-go/larder/core/reference"
)

// convertContent converts the content of a journal to records of the model, which may differ from the model of the
// journal. A field is found by its name or its former name. A field that the journal lacks gets its default if that is
// a constant, and null otherwise.
func convertContent(c *content, m *core.Model, dropLost bool) (memtable.Content, error) {
	resources := m.Stored()
	out := memtable.Content{Records: make([][]core.Record, len(resources)), Positions: make([]int64, len(resources))}
	same := c.schema.equal(schemaOf(m))
	current := c.schema.renamed(m)
	if unplaced := unplacedData(c, current, m); len(unplaced) > 0 && !dropLost {
		return out, fmt.Errorf("the model %q has no field for data of the file, which the model %q wrote: %s; check the path, set FieldSpec.Was on a renamed field, or delete the data with Options.DropLost",
			m.Name(), c.schema.model, strings.Join(unplaced, ", "))
	}
	for i, r := range resources {
		from := current.resource(r.Name())
		if from == nil {
			continue
		}
		var err error
		if out.Records[i], err = convertResource(&c.rows[from.index], from, r); err != nil {
			return out, err
		}
		out.Positions[i] = c.position(from)
	}
	if same {
		return out, nil
	}
	err := reference.CheckIntegrity(m, func(r *core.Resource) iter.Seq[core.Record] { return slices.Values(out.Records[r.Index()]) })
	if err != nil {
		return out, fmt.Errorf("the records violate a rule of the new model: %w", err)
	}
	return out, nil
}

// unplacedData describes the resources and fields with data that the model lacks.
func unplacedData(c *content, current schema, m *core.Model) (unplaced []string) {
	for _, from := range current.resources {
		r, rows := m.Resource(from.name), &c.rows[from.index]
		if r == nil {
			if n := rows.size(); n > 0 && !core.PrivateName(from.name) {
				unplaced = append(unplaced, fmt.Sprintf("resource %s (%d records)", from.name, n))
			}
			continue
		}
		counts := countNonNull(rows, len(from.fields))
		for i, f := range from.fields {
			if f.parts != nil {
				continue
			}
			if to := r.Field(f.name); to != nil && to.Stored() {
				continue
			}
			if n := counts[i]; n > 0 {
				unplaced = append(unplaced, fmt.Sprintf("field %s.%s (of %d records)", from.name, f.name, n))
			}
		}
	}
	return unplaced
}

// countNonNull returns, by field, the number of rows that have a value.
func countNonNull(rows *rows, fields int) []int {
	counts := make([]int, fields)
	for row := range rows.all() {
		for column := range row.cells() {
			counts[column]++
		}
	}
	return counts
}

// convertResource converts rows to records, ascending by key.
func convertResource(rows *rows, from *resourceSchema, r *core.Resource) ([]core.Record, error) {
	if was, is := from.keyText(), schemaOf(r.Model()).resource(r.Name()).keyText(); was != is && rows.size() > 0 {
		return nil, fmt.Errorf("the key of %s is %s in the file but %s in the model; a key keeps its type, and a renamed one needs FieldSpec.Was",
			r, was, is)
	}
	columns := columnMapping(from, r)
	same := columns == nil
	records := make([]core.Record, 0, rows.size())
	for row := range rows.all() {
		if same {
			records = append(records, r.RecordOf(row.dense(len(from.fields))))
			continue
		}
		values, err := convertRow(row, columns, r)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r, row.at(from.key), err)
		}
		records = append(records, r.RecordOf(values))
	}
	return records, nil
}

// columnMapping returns, by column of the resource, the column in the journal's rows, -1 for a new field or derivedColumn.
// It returns nil if the columns are identical.
func columnMapping(from *resourceSchema, r *core.Resource) []int {
	columns := make([]int, len(r.Columns()))
	same := len(columns) == len(from.fields)
	for i, f := range r.Columns() {
		columns[i] = from.field(f.Name())
		if f.Parts() != nil {
			columns[i] = derivedColumn
		}
		same = same && f.Parts() == nil && columns[i] == i && from.fields[i].typ == f.Type()
	}
	if same {
		return nil
	}
	return columns
}

// derivedColumn stands for the column of a derived field, which is computed from the others.
const derivedColumn = -2

// convertRow returns the row's values in the columns of the resource.
func convertRow(row row, columns []int, r *core.Resource) ([]core.Value, error) {
	out := make([]core.Value, len(columns))
	for i, f := range r.Columns() {
		if columns[i] == derivedColumn {
			continue // RecordOf computes it
		}
		if columns[i] < 0 {
			out[i] = newFieldValue(f)
			continue
		}
		was := row.at(columns[i])
		v, err := f.Convert(was)
		if err != nil {
			return nil, fmt.Errorf("%w; keep the type %s of the field, or change the values before its type", err, was.Type())
		}
		out[i] = v
	}
	return out, nil
}

// newFieldValue returns the value of a new field in existing records. A unique field has none, since its values must
// differ.
func newFieldValue(f *core.Field) core.Value {
	if v := f.ConstantDefault(); v.IsSet() && !f.Unique() {
		return v
	}
	return core.Null
}
