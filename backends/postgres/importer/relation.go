package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// relation is a foreign key that becomes a relation.
type relation struct {
	foreignKey

	from, to *resource
	columns  []string // of from, in the order of the key of to
	field    string   // name of the to-one relation
	via      bool     // the relation is derived from fields of its own
	label    string   // distinguishes the relation from others between the same resources
	toOne    bool     // the inverse is to-one, because the columns are unique
}

// addRelations makes the relations of one column first, because relations of several columns are derived from them. No derived relation
// has the name of a column, and no inverse the name of a field.
func (m *modelBuilder) addRelations() []*relation {
	relations := m.relations()
	for _, rel := range relations {
		rel.label = rel.distinct(relations)
	}
	for _, rel := range relations {
		if rel.via {
			rel.addDerived(rel.ambiguous(relations))
		}
	}
	for _, rel := range relations {
		m.declareRules(rel, relations)
		m.noteRelation(rel)
	}
	for _, rel := range relations {
		rel.addInverse(rel.ambiguous(relations))
	}
	return relations
}

// relations returns the relations of all foreign keys that can be one, after it has set the types of their fields.
func (m *modelBuilder) relations() (all []*relation) {
	leaveOut := func(r *resource, k foreignKey, finding, advice string) {
		if k.acts() {
			finding += "; its ON DELETE action bypasses all policies"
		}
		m.note(r.table, k.Name, Note{Kind: LeftOut, Finding: finding, Advice: advice})
	}
	for _, r := range m.resources {
		for _, k := range r.table.foreign {
			rel, finding, advice := m.relation(r, k)
			switch {
			case rel == nil:
				leaveOut(r, k, finding, advice)
				continue
			case len(rel.columns) > 1 || rel.keyAlone() || r.field(rel.columns[0]).ToOne != "":
				rel.via = true
			default:
				f := r.field(rel.columns[0])
				f.Unordered, f.Scale = false, nil
				f.Type, f.ToOne, rel.field = 0, rel.to.table.resource, f.Name
			}
			all = append(all, rel)
		}
	}
	return slices.DeleteFunc(all, func(rel *relation) bool {
		finding := ""
		if rel.via {
			finding = m.unifyTypes(rel)
		}
		if finding != "" {
			leaveOut(rel.from, rel.foreignKey, finding, "the server keeps it; its columns are plain fields")
		}
		return finding != ""
	})
}

// relation returns the relation of a foreign key of r, without names; or nil and the reason why the key cannot be a relation.
func (m *modelBuilder) relation(r *resource, k foreignKey) (rel *relation, finding, advice string) {
	kept := "the server keeps it; its column is a plain field"
	its := "its column is a plain field"
	if len(k.Columns) > 1 {
		kept, its = "the server keeps it; its columns are plain fields", "its columns are plain fields"
	}
	refers := "the foreign key " + quoteNames(k.Columns) + " refers to "
	name := quoteName(k.Target)
	if !k.Enforced {
		return nil, refers + name + ", but is NOT ENFORCED", its + "; ALTER TABLE ... ALTER CONSTRAINT ... ENFORCED"
	}
	if !slices.Contains(m.catalog.schemas, k.TargetSchema) {
		return nil, refers + quoteName(k.TargetSchema) + "." + name + ", which is in another schema", "add that schema to Options.Schemas; until then " + its
	}
	if k.Period {
		return nil, refers + name + " by PERIOD, and a relation refers to one record by equality", kept
	}
	i := slices.IndexFunc(m.resources, func(o *resource) bool {
		return o.table.Name == k.Target && cmp.Or(o.table.schema, m.catalog.schemas[0]) == k.TargetSchema
	})
	if i < 0 {
		return nil, refers + name + ", which is no resource", kept
	}
	rel = &relation{foreignKey: k, from: r, to: m.resources[i], toOne: r.table.unique(k.Columns)}
	for _, part := range rel.to.key {
		i := slices.Index(k.TargetColumns, part)
		if i < 0 || len(k.Columns) != len(rel.to.key) {
			return nil, refers + quoteNames(k.TargetColumns) + " of " + name + ", which is not its key", "refer to the key"
		}
		c, target := r.table.column(k.Columns[i]), rel.to.table.column(part)
		switch {
		case r.field(c.Name) == nil:
			return nil, refers + name + ", and the column was left out", ""
		case c.keyType() != target.keyType():
			return nil, refers + name + " from a column of another type", "give both columns one type"
		}
		rel.columns = append(rel.columns, c.Name)
	}
	return rel, "", ""
}

// keyAlone reports whether the column of the relation is the whole key. Such a key stays a scalar.
func (rel *relation) keyAlone() bool { return slices.Equal(rel.columns, rel.from.key) }

// unifyTypes gives the fields of a derived relation the types of the key of its target, or returns the reason why that is
// impossible.
func (m *modelBuilder) unifyTypes(rel *relation) (finding string) {
	for i, column := range rel.columns {
		f, part := rel.from.field(column), rel.to.field(rel.to.key[i])
		typ, want := m.valueType(f), m.valueType(part)
		if typ != want && (f.Key || f.ToOne != "" || want != core.Text) {
			return fmt.Sprintf("the foreign key %s refers to %s, but the model holds %s as %s, and %s of %s as %s",
				quoteNames(rel.Columns), quoteName(rel.Target), quoteName(column), typ, quoteName(part.Name), quoteName(rel.Target), want)
		}
	}
	for i, column := range rel.columns {
		f, part := rel.from.field(column), rel.to.field(rel.to.key[i])
		if m.valueType(f) != m.valueType(part) {
			f.Type, f.Scale, f.Default = core.Text, nil, nil
			m.note(rel.from.table, column, Note{Kind: Changed, Finding: rel.from.table.column(column).Declared + " is text, as in the key of " + quoteName(rel.Target)})
		}
	}
	return ""
}

// valueType returns the type of the values of a scalar, or of a relation to a key of one column.
func (m *modelBuilder) valueType(f *core.FieldSpec) core.Type {
	for _, r := range m.resources {
		if f.ToOne != "" && f.ToOne == r.table.resource {
			return r.field(r.key[0]).Type
		}
	}
	return f.Type
}

// distinct returns the columns of the relation as a name: the columns that neither the key nor another relation has; if there are
// none, the columns that no other relation has, or all.
func (rel *relation) distinct(relations []*relation) string {
	alone := slices.DeleteFunc(slices.Clone(rel.Columns), func(column string) bool { return rel.shares(column, relations) })
	beside := slices.DeleteFunc(slices.Clone(alone), rel.from.isKey)
	for _, columns := range [][]string{beside, alone} {
		if len(columns) > 0 {
			return strings.Join(columns, "_")
		}
	}
	return strings.Join(rel.Columns, "_")
}

// shares reports whether another relation has the column, too.
func (rel *relation) shares(column string, relations []*relation) bool {
	return slices.ContainsFunc(relations, func(other *relation) bool {
		return other != rel && other.from == rel.from && slices.Contains(other.columns, column)
	})
}

// ambiguous reports whether there are several relations between the resources, or one within a resource.
func (rel *relation) ambiguous(relations []*relation) bool {
	return rel.from == rel.to || slices.ContainsFunc(relations, func(other *relation) bool {
		return other != rel && other.from == rel.from && other.to == rel.to
	})
}

// addDerived adds a to-one relation beside the fields of its columns.
func (rel *relation) addDerived(byColumns bool) {
	rel.field = rel.from.freeName(rel.to.table.resource, rel.to.table.resource+"_by_"+rel.label, byColumns)
	f := core.FieldSpec{Name: rel.field, ToOne: rel.to.table.resource, Via: rel.columns}
	f.ReadOnly = slices.ContainsFunc(rel.columns, func(column string) bool { return rel.from.field(column).ReadOnly })
	rel.from.fields = append(rel.from.fields, f)
}

// declareRules declares the effect of deletes and of partners that are taken. Columns of a derived relation that are NOT NULL are
// Required, so that a model detaches the relation by the others.
func (m *modelBuilder) declareRules(rel *relation, relations []*relation) {
	if rel.from.table.readOnly() {
		return
	}
	own := rel.own(relations)
	for _, column := range own {
		c, part := rel.from.table.column(column), rel.from.field(column)
		part.Required = part.Required || rel.via && c.RefusesNull && !c.hasDefault()
	}
	f := rel.from.field(rel.field)
	if rel.toOne {
		f.Partner = core.RefusePartner
	}
	var n Note
	f.OnDelete, n = rel.onDelete(slices.DeleteFunc(own, func(column string) bool { return rel.from.field(column).Required }))
	if n.Finding != "" {
		m.note(rel.from.table, rel.Name, n)
	}
}

// noteRelation adds notes on the behaviour of the server that differs from that of the model.
func (m *modelBuilder) noteRelation(rel *relation) {
	t, target := rel.from.table, quoteName(rel.to.table.resource)
	object, columns, all := rel.Columns[0], "the column", "it"
	if len(rel.Columns) > 1 {
		object, columns, all = rel.Name, "its columns", "("+quoteNames(rel.Columns)+")"
	}
	if t.readOnly() && rel.acts() {
		m.note(t, rel.Name, Note{Kind: Server, Finding: "its ON DELETE action changes the read-only table and bypasses all policies"})
	}
	if !rel.Valid {
		m.note(t, rel.Name, Note{
			Kind: Changed, Finding: "the foreign key is NOT VALID: older records may refer to records that do not exist",
			Advice: "ALTER TABLE ... VALIDATE CONSTRAINT",
		})
	}
	if !t.hasIndexOn(rel.Columns) {
		m.note(t, object, Note{
			Kind: Changed, Finding: "no index begins with " + columns + ": finding the references to a record of " + target + " scans the whole table",
			Advice: "create an index on " + all,
		})
	}
	nullable := func(column string) bool { return !t.column(column).NotNull }
	if t.uniqueImmediately(rel.Columns) && !slices.ContainsFunc(rel.Columns, nullable) && !slices.ContainsFunc(rel.Columns, rel.from.isKey) {
		m.note(t, object, Note{
			Kind: Changed, Finding: "unique and NOT NULL: two records cannot swap their references in one request",
			Advice: "make the UNIQUE constraint DEFERRABLE, or allow null",
		})
	}
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

// own returns the columns that belong to the relation alone. A derived relation shares columns with the key and other relations.
func (rel *relation) own(relations []*relation) []string {
	return slices.DeleteFunc(slices.Clone(rel.Columns), func(column string) bool {
		return rel.via && (rel.from.isKey(column) || rel.shares(column, relations))
	})
}

// onDelete returns the rule of the relation, and a note if it is not that of the foreign key. SET NULL of a NOT NULL column
// refuses the delete. A model detaches the relation by the columns detached.
func (rel *relation) onDelete(detached []string) (rule core.OnDelete, n Note) {
	instead := "a model restricts the delete of a record of " + quoteName(rel.to.table.resource) + " instead"
	switch {
	case rel.OnDelete == cascade:
		return core.Cascade, n
	case rel.OnDelete == setDefault:
		return core.Restrict, Note{Kind: Changed, Finding: "ON DELETE SET DEFAULT: " + instead, Advice: "use ON DELETE SET NULL, CASCADE or RESTRICT"}
	case rel.OnDelete != setNull:
		return core.Restrict, n
	}
	cleared, action := rel.Columns, "ON DELETE SET NULL"
	if len(rel.SetColumns) > 0 {
		cleared, action = rel.SetColumns, fmt.Sprintf("ON DELETE SET NULL (%s)", quoteNames(rel.SetColumns))
	}
	if slices.ContainsFunc(cleared, func(column string) bool { return rel.from.table.column(column).NotNull }) {
		return core.Restrict, n
	}
	kept, also := without(cleared, detached), without(detached, cleared)
	n = Note{Kind: Changed}
	switch {
	case len(detached) == 0:
		n.Finding = action + ": " + instead + ", because all columns belong to other relations"
		return core.Restrict, n
	case len(also) > 0:
		n.Finding = action + ": " + instead + ", because a detached relation has no " + quoteNames(also) + " either"
		n.Advice = "use ON DELETE SET NULL without columns"
		return core.Restrict, n
	case len(kept) > 0 && rel.MatchFull:
		n.Finding, n.Advice = action+": "+instead+", because MATCH FULL does not permit to keep "+quoteNames(kept), "use MATCH SIMPLE"
		return core.Restrict, n
	case len(kept) > 0:
		n.Finding = action + ": a model keeps " + quoteNames(kept) + ", which belongs to another relation"
		n.Advice = "use ON DELETE SET NULL (" + quoteNames(detached) + ")"
		return core.Detach, n
	}
	return core.Detach, Note{}
}

// without returns the names that are not among the others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// addInverse adds the inverse of a relation to its target, read-only: in SQL, a change of a row changes no rows that refer
// to it. With byColumns, its name has the columns in it.
func (rel *relation) addInverse(byColumns bool) {
	name := rel.from.table.resource
	f := core.FieldSpec{Name: rel.to.freeName(name, name+"_by_"+rel.label, byColumns), Inverse: rel.field, ReadOnly: true}
	if rel.toOne {
		f.ToOne = rel.from.table.resource
	} else {
		f.ToMany = rel.from.table.resource
	}
	rel.to.fields = append(rel.to.fields, f)
}

// join is a table whose key consists of two foreign keys.
type join [2]*relation

// addLists adds the lists through join tables to both sides, read-only like other inverses. The names of all other fields come
// first.
func (m *modelBuilder) addLists(relations []*relation) {
	var joins []join
	for _, r := range m.resources {
		if j, ok := r.join(relations); ok {
			joins = append(joins, j)
		}
	}
	for _, j := range joins {
		several := slices.ContainsFunc(joins, func(other join) bool {
			return other != j && (other[0].to == j[0].to && other[1].to == j[1].to || other[0].to == j[1].to && other[1].to == j[0].to)
		})
		m.addList(j[0], j[1], several)
		m.addList(j[1], j[0], several)
	}
}

// join returns the two relations that the key of the resource consists of; false if it consists of others.
func (r *resource) join(relations []*relation) (j join, ok bool) {
	var inKey []*relation
	rest := r.key
	for _, rel := range relations {
		if rel.from == r && len(without(rel.columns, r.key)) == 0 {
			inKey, rest = append(inKey, rel), without(rest, rel.columns)
		}
	}
	whole := func(rel *relation) bool { return len(rel.columns) == len(r.key) }
	if len(inKey) != len(j) || len(rest) > 0 || slices.ContainsFunc(inKey, whole) || r.table.readOnly() {
		return j, false
	}
	return join(inKey), true
}

// addList adds the list of the records that links join with the records of a resource. near is the relation of a link to that resource,
// far the relation to the records of the list.
func (m *modelBuilder) addList(near, far *relation, several bool) {
	link, target := near.from.table.resource, far.to.table.resource
	long, through := target+"_through_"+link, link
	if near.to == far.to {
		long, through = long+"_by_"+far.label, link+"."+far.field
	}
	namesake := func(r *resource) bool { return r.table.resource == through && r != near.from }
	if slices.ContainsFunc(m.resources, namesake) || near.from.joinsTwice(near, far) {
		m.note(near.from.table, far.Name, Note{Kind: LeftOut, Finding: "the list of " + quoteName(target) + " through its table, because a model cannot say which relations lead there"})
		return
	}
	name := near.to.freeName(target, long, several || near.to == far.to)
	near.to.fields = append(near.to.fields, core.FieldSpec{Name: name, ToMany: target, Through: through, ReadOnly: true})
}

// joinsTwice reports whether a pair of unique columns joins the same resources as the two relations. A list of a model cannot
// say which of the two it goes through.
func (r *resource) joinsTwice(near, far *relation) bool {
	leads := func(column string, rel *relation) bool { return r.field(column).ToOne == rel.to.table.resource }
	joins := func(a, b string) bool {
		return leads(a, near) && leads(b, far) && (near.to != far.to || b == far.field)
	}
	return slices.ContainsFunc(r.uniques, func(pair []string) bool {
		return len(pair) == 2 && (joins(pair[0], pair[1]) || joins(pair[1], pair[0]))
	})
}

// freeName returns a name that the resource does not have yet: the short one, or the long one with a number if necessary.
func (r *resource) freeName(short, long string, ambiguous bool) string {
	if !ambiguous && !r.has(short) {
		return short
	}
	free := long
	for i := 2; r.has(free); i++ {
		free = long + "_" + strconv.Itoa(i)
	}
	return free
}

// has reports whether the resource has a field of that name, or its table a column.
func (r *resource) has(name string) bool {
	return r.field(name) != nil || r.table.column(name) != nil || name == r.keyName
}
