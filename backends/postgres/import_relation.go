package postgres

import (
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
)

// importedRelation is a foreign key that becomes a relation.
type importedRelation struct {
	from, to *importedResource
	column   string
	single   bool // the column is unique: one-to-one
}

// addRelations makes the to-one fields first and the other sides afterwards,
// because the names of those must not be the names of any field.
func (m *importer) addRelations() {
	var relations []importedRelation
	for _, r := range m.resources {
		for _, k := range r.table.foreign {
			if to, why, advice := m.target(r, k); to == nil {
				if k.Acts {
					why += ", and by it the server deletes or changes records past all policies"
				}
				m.note(r.table, k.Name, ImportNote{Kind: ImportLeftOut, What: why, Advice: advice})
			} else {
				relations = append(relations, m.relate(r, to, k))
			}
		}
	}
	for _, rel := range relations {
		several := slices.ContainsFunc(relations, func(other importedRelation) bool {
			return other.from == rel.from && other.to == rel.to && other.column != rel.column
		})
		rel.addInverse(several || rel.from == rel.to)
	}
}

// target returns the resource that a foreign key of r refers to, or why it cannot
// be a relation.
func (m *importer) target(r *importedResource, k importedForeignKey) (to *importedResource, why, advice string) {
	const kept = "the server keeps it; "
	refers := "the foreign key " + importedNames(k.Columns) + " refers to "
	name := quotedImportName(k.Target)
	if !k.Enforced {
		return nil, refers + name + ", but is NOT ENFORCED", "its column is a plain field; ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED"
	}
	if k.TargetSchema != m.catalog.schema {
		return nil, refers + quotedImportName(k.TargetSchema) + "." + name + ", which is in another schema", kept + "its column is a plain field"
	}
	if len(k.Columns) > 1 {
		return nil, refers + name + " by several columns", "refer to a primary key of a single column"
	}
	i := slices.IndexFunc(m.resources, func(o *importedResource) bool { return o.table.Name == k.Target })
	if i < 0 {
		return nil, refers + name + ", which is no resource", kept + "its column is a plain field"
	}
	to = m.resources[i]
	f := r.field(k.Columns[0])
	switch {
	case k.TargetColumns[0] != to.key:
		return nil, refers + quotedImportName(k.TargetColumns[0]) + " of " + name + ", which is not the primary key", "refer to the primary key"
	case f == nil:
		return nil, refers + name + ", and the column was left out", ""
	case f.Key:
		return nil, refers + name + " from the primary key, which cannot be a relation", "give the relation a column of its own, UNIQUE"
	case f.ToOne != "":
		return nil, refers + name + ", and the column is a relation to " + quotedImportName(f.ToOne) + " already", kept + "drop one of the two"
	case f.Type != to.field(to.key).Type:
		return nil, refers + name + " from a column of another type", "give both columns one type"
	}
	return to, "", ""
}

// relate makes a column the to-one relation that its foreign key says.
func (m *importer) relate(r, to *importedResource, k importedForeignKey) importedRelation {
	f := r.field(k.Columns[0])
	f.Type, f.ToOne, f.Cascade = 0, to.table.Name, k.Cascade
	if !k.Valid {
		m.note(r.table, k.Name, ImportNote{
			Kind: ImportChanged, What: "the foreign key is NOT VALID: older records may refer to nothing",
			Advice: "ALTER TABLE ... VALIDATE CONSTRAINT",
		})
	}
	if !r.table.findsBy(f.Name) {
		m.note(r.table, f.Name, ImportNote{
			Kind: ImportChanged, What: "no index begins with the column: what refers to a record of " + quotedImportName(f.ToOne) + " is searched for in the whole table",
			Advice: "create an index on it",
		})
	}
	if r.table.uniqueNow(f.Name) && r.table.column(f.Name).NotNull {
		m.note(r.table, f.Name, ImportNote{
			Kind: ImportChanged, What: "unique and NOT NULL: two records cannot swap what they refer to in one request",
			Advice: "make the UNIQUE constraint DEFERRABLE, or allow null",
		})
	}
	return importedRelation{from: r, to: to, column: f.Name, single: r.table.unique(f.Name)}
}

// addInverse adds the other side of a relation to its target. A table's own name
// does not say by which of several columns it refers.
func (rel importedRelation) addInverse(byColumn bool) {
	long := rel.from.table.Name + "_by_" + rel.column
	name := rel.from.table.Name
	if byColumn || rel.to.has(name) {
		name = long
	}
	for i := 2; rel.to.has(name); i++ {
		name = long + "_" + strconv.Itoa(i)
	}
	f := core.FieldSpec{Name: name, Inverse: rel.column}
	if rel.single {
		f.ToOne = rel.from.table.Name
	} else {
		f.ToMany = rel.from.table.Name
	}
	rel.to.fields = append(rel.to.fields, f)
}

// has reports whether the name is that of a field, or of a column that was left
// out.
func (r *importedResource) has(name string) bool {
	return r.field(name) != nil || r.table.column(name) != nil
}
