package importer

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
)

// relation is a foreign key that becomes a relation.
type relation struct {
	from, to *resource
	column   string
	toOne    bool // the inverse is to-one, because the column is unique
}

// addRelations makes all to-one relations first and the inverse relations afterwards, because the name of an inverse must
// differ from the names of all fields.
func (m *modelBuilder) addRelations() {
	var relations []relation
	for _, r := range m.resources {
		for _, k := range r.table.foreign {
			if to, finding, advice := m.target(r, k); to == nil {
				if k.acts() {
					finding += "; its ON DELETE action bypasses all policies"
				}
				m.note(r.table, k.Name, Note{Kind: LeftOut, Finding: finding, Advice: advice})
			} else {
				relations = append(relations, m.relate(r, to, k))
			}
		}
	}
	for _, rel := range relations {
		several := slices.ContainsFunc(relations, func(other relation) bool {
			return other.from == rel.from && other.to == rel.to && other.column != rel.column
		})
		rel.addInverse(several || rel.from == rel.to)
	}
}

// target returns the resource that a foreign key of r refers to; or nil and the reason why the key cannot be a relation.
func (m *modelBuilder) target(r *resource, k foreignKey) (to *resource, finding, advice string) {
	const kept = "the server keeps it; "
	refers := "the foreign key " + quoteNames(k.Columns) + " refers to "
	name := quoteName(k.Target)
	if !k.Enforced {
		return nil, refers + name + ", but is NOT ENFORCED", "its column is a plain field; ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED"
	}
	if !slices.Contains(m.catalog.schemas, k.TargetSchema) {
		return nil, refers + quoteName(k.TargetSchema) + "." + name + ", which is in another schema", "add that schema to Options.Schemas; until then its column is a plain field"
	}
	if len(k.Columns) > 1 {
		return nil, refers + name + " by several columns", "refer to a primary key of a single column"
	}
	i := slices.IndexFunc(m.resources, func(o *resource) bool {
		return o.table.Name == k.Target && cmp.Or(o.table.schema, m.catalog.schemas[0]) == k.TargetSchema
	})
	if i < 0 {
		return nil, refers + name + ", which is no resource", kept + "its column is a plain field"
	}
	to = m.resources[i]
	f := r.field(k.Columns[0])
	switch {
	case k.TargetColumns[0] != to.key:
		return nil, refers + quoteName(k.TargetColumns[0]) + " of " + name + ", which is not its key", "refer to the key"
	case f == nil:
		return nil, refers + name + ", and the column was left out", ""
	case f.Key:
		return nil, refers + name + " from the primary key, which cannot be a relation", "give the relation a column of its own, UNIQUE"
	case f.ToOne != "":
		return nil, refers + name + ", and the column is a relation to " + quoteName(f.ToOne) + " already", kept + "drop one of the two"
	case r.table.column(f.Name).keyType() != to.table.column(to.key).keyType():
		return nil, refers + name + " from a column of another type", "give both columns one type"
	}
	return to, "", ""
}

// relate makes a field the to-one relation of its foreign key.
func (m *modelBuilder) relate(r, to *resource, k foreignKey) relation {
	f := r.field(k.Columns[0])
	f.Unordered, f.Scale = false, nil
	f.Type, f.ToOne = 0, to.table.resource
	toOne := r.table.unique(f.Name)
	if !r.table.readOnly() {
		f.OnDelete = k.onDelete(r.table.column(f.Name))
		if toOne {
			f.Partner = core.RefusePartner
		}
	}
	switch {
	case r.table.readOnly() && k.acts():
		m.note(r.table, k.Name, Note{Kind: Server, Finding: "its ON DELETE action changes the read-only table and bypasses all policies"})
	case k.OnDelete == setDefault:
		m.note(r.table, k.Name, Note{
			Kind: Changed, Finding: "ON DELETE SET DEFAULT: a model restricts the delete of a record of " + quoteName(f.ToOne) + " instead",
			Advice: "use ON DELETE SET NULL, CASCADE or RESTRICT",
		})
	}
	if !k.Valid {
		m.note(r.table, k.Name, Note{
			Kind: Changed, Finding: "the foreign key is NOT VALID: older records may refer to records that do not exist",
			Advice: "ALTER TABLE ... VALIDATE CONSTRAINT",
		})
	}
	if !r.table.hasIndexOn(f.Name) {
		m.note(r.table, f.Name, Note{
			Kind: Changed, Finding: "no index begins with the column: finding the references to a record of " + quoteName(f.ToOne) + " scans the whole table",
			Advice: "create an index on it",
		})
	}
	if r.table.uniqueImmediately(f.Name) && r.table.column(f.Name).NotNull {
		m.note(r.table, f.Name, Note{
			Kind: Changed, Finding: "unique and NOT NULL: two records cannot swap their references in one request",
			Advice: "make the UNIQUE constraint DEFERRABLE, or allow null",
		})
	}
	return relation{from: r, to: to, column: f.Name, toOne: toOne}
}

// Values of pg_constraint.confdeltype. NO ACTION and RESTRICT have other values.
const (
	cascade    = "c"
	setNull    = "n"
	setDefault = "d"
)

// acts reports whether the server itself changes or deletes the referring rows.
func (k foreignKey) acts() bool {
	return k.Enforced && (k.OnDelete == cascade || k.OnDelete == setNull || k.OnDelete == setDefault)
}

// onDelete returns the rule of the relation. SET NULL of a NOT NULL column refuses the delete, too.
func (k foreignKey) onDelete(c *column) core.OnDelete {
	switch {
	case k.OnDelete == cascade:
		return core.Cascade
	case k.OnDelete == setNull && !c.NotNull:
		return core.Detach
	}
	return core.Restrict
}

// addInverse adds the inverse of a relation to its target, read-only: in SQL, a change of a row changes no rows that refer
// to it. With byColumn, its name has the column in it.
func (rel relation) addInverse(byColumn bool) {
	long := rel.from.table.resource + "_by_" + rel.column
	name := rel.from.table.resource
	if byColumn || rel.to.has(name) {
		name = long
	}
	for i := 2; rel.to.has(name); i++ {
		name = long + "_" + strconv.Itoa(i)
	}
	f := core.FieldSpec{Name: name, Inverse: rel.column, ReadOnly: true}
	if rel.toOne {
		f.ToOne = rel.from.table.resource
	} else {
		f.ToMany = rel.from.table.resource
	}
	rel.to.fields = append(rel.to.fields, f)
}

// has reports whether the resource has a field of that name, or its table a column.
func (r *resource) has(name string) bool {
	return r.field(name) != nil || r.table.column(name) != nil
}
