package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// modelBuilder converts a catalog to resources and notes.
type modelBuilder struct {
	catalog   *catalog
	resources []*resource // ordered by name
	notes     map[*table][]Note
}

// resource is a resource in progress, and its table.
type resource struct {
	table   *table
	key     []string // columns
	keyName string   // field that shows a key of several columns; "" for a key of one column
	fields  []core.FieldSpec
	uniques [][]string
	indexes []core.Index
	known   []string // indexes and uniques as text
}

// result describes the catalog as resources and notes.
func (c *catalog) result() *Result {
	m := &modelBuilder{catalog: c, notes: make(map[*table][]Note)}
	for _, t := range c.tables {
		if core.PrivateName(t.Name) {
			continue // of another model
		}
		if key, ok := m.key(t); ok {
			m.resources = append(m.resources, &resource{table: t, key: key, keyName: t.keyName(key)})
		}
	}
	for _, r := range m.resources {
		m.addFields(r)
	}
	relations := m.addRelations()
	for _, r := range m.resources {
		m.addIndexes(r)
		m.addRules(r)
	}
	m.addLists(relations)
	out := &Result{Schema: c.schemas[0], Sources: m.sources()}
	for _, r := range m.resources {
		out.Resources = append(out.Resources, core.ResourceSpec{
			Name: r.table.resource, Description: r.table.Comment, ReadOnly: r.table.readOnly(), Fields: r.fields,
			KeyName: specialKeyName(r.keyName), Unique: r.uniques, Indexes: r.indexes,
		})
	}
	supplyAPINames(out.Resources)
	if slices.ContainsFunc(c.tables, func(t *table) bool { return t.Name == core.AnswersName }) {
		out.Resources = append(out.Resources, core.ResourceSpec{Name: core.AnswersName})
	}
	for _, t := range c.tables {
		out.Notes = append(out.Notes, m.notes[t]...)
	}
	return out
}

// sources locates the resources of further schemas; nil if there are none.
func (m *modelBuilder) sources() map[string]postgres.Source {
	var all map[string]postgres.Source
	for _, r := range m.resources {
		if r.table.schema == "" {
			continue
		}
		if all == nil {
			all = make(map[string]postgres.Source)
		}
		s := postgres.Source{Schema: r.table.schema, Table: r.table.Name}
		if r.table.readOnly() {
			s.Table, s.View = "", r.table.Name
		}
		all[r.table.resource] = s
	}
	return all
}

// note adds a note on an object of the table, or on the table itself if object is empty.
func (m *modelBuilder) note(t *table, object string, n Note) {
	n.Schema, n.Table, n.Object = t.schema, t.Name, object
	m.notes[t] = append(m.notes[t], n)
}

// leaveOut adds the note on a table that does not become a resource.
func (m *modelBuilder) leaveOut(t *table, finding, advice string) {
	m.note(t, "", Note{Kind: LeftOut, Finding: finding, Advice: advice})
}

// key returns the key columns of a table; false, after a note, if the table cannot be a resource. Partitions in the schema
// of their partitioned table have no note.
func (m *modelBuilder) key(t *table) ([]string, bool) {
	switch {
	case t.ParentIn != "" && !slices.Contains(m.catalog.schemas, t.ParentIn):
		m.leaveOut(t, "a partition of "+quoteName(t.ParentIn)+"."+quoteName(t.Parent)+", which is in another schema", "add that schema to Options.Schemas")
		return nil, false
	case t.Partition:
		return nil, false
	case !validName(t.resource):
		m.leaveOut(t, "the name has control characters", "rename the "+t.kind())
		return nil, false
	}
	if t.Heirs {
		m.note(t, "", Note{
			Kind: Changed, Finding: "other tables inherit from it: it shows their records as well, and keys are unique in each table only",
			Advice: "make it a partitioned table",
		})
	}
	columns := t.key()
	if len(columns) == 0 {
		m.leaveOut(t, "the "+t.kind()+" has no key", t.keyAdvice())
		return nil, false
	}
	for _, name := range columns {
		if c := t.column(name); !c.keyable(len(columns) > 1) {
			m.leaveOut(t, fmt.Sprintf("the key %s of type %s cannot be a key of a model", quoteName(c.Name), c.Declared),
				"make it UNIQUE and add a primary key of type bigint, text or uuid")
			return nil, false
		}
	}
	switch {
	case t.readOnly():
		m.noteReadOnly(t)
	case t.primary() == nil:
		m.note(t, keyObject(columns), Note{
			Kind: Changed, Finding: "the key of the model, because it is UNIQUE and NOT NULL and the table has no primary key: it never changes",
			Advice: "make it the primary key",
		})
	}
	return columns, true
}

// maxScale is the greatest [core.FieldSpec.Scale]. The server permits others, negative ones included, and enforces them.
const maxScale = 1000

// addFields adds a field for each column. Relations are plain fields until [modelBuilder.addRelations].
func (m *modelBuilder) addFields(r *resource) {
	for _, c := range r.columns() {
		if !validName(c.Name) {
			m.note(r.table, c.Name, Note{Kind: LeftOut, Finding: "the name has control characters", Advice: "rename the column"})
			continue
		}
		if n, ok := c.typeNote(); ok {
			m.note(r.table, c.Name, n)
		}
		typ := c.modelType()
		if typ == 0 {
			continue
		}
		f := core.FieldSpec{Name: c.Name, Description: c.Comment, Type: typ, Key: r.isKey(c.Name), ReadOnly: c.Generated}
		f.Unordered = c.unordered() && !f.Key
		if f.Type == core.Decimal && c.Scale != nil && *c.Scale >= 0 && *c.Scale <= maxScale {
			f.Scale = c.Scale
		}
		if f.Key {
			f.Type, f.Scale = c.keyPartType(len(r.key) > 1), nil
			if n, ok := c.keyTypeNote(f.Type); ok {
				m.note(r.table, c.Name, n)
			}
		}
		switch {
		case r.table.readOnly(): // no record is created
		case f.Key && len(r.key) == 1:
			f.Assigned = assigned(r.table, c)
			m.noteKey(r.table, c)
		case f.Key:
			m.addPartDefault(r.table, c, &f)
		default:
			m.addDefault(r.table, c, &f)
		}
		r.fields = append(r.fields, f)
	}
	if !r.table.readOnly() && !r.table.uniqueImmediately(r.key) {
		m.note(r.table, keyObject(r.key), Note{
			Kind: Refused, Finding: "the primary key is DEFERRABLE: two records could share a key until the commit",
			Advice: "make it NOT DEFERRABLE",
		})
	}
}

// columns returns the columns of the table. Those of a key of several columns have the order of the key, which orders the
// records.
func (r *resource) columns() []*column {
	ordered := slices.Clone(r.table.columns)
	next := 0
	for i, c := range ordered {
		if r.isKey(c.Name) {
			ordered[i] = r.table.column(r.key[next])
			next++
		}
	}
	return ordered
}

// isKey reports whether the column is the key or a part of it.
func (r *resource) isKey(column string) bool { return slices.Contains(r.key, column) }

// noteKey adds a note on the source of new keys.
func (m *modelBuilder) noteKey(t *table, c *column) {
	n := Note{Kind: Server}
	switch {
	case c.Identity == "a":
		n.Finding, n.Advice = "new keys come from an identity GENERATED ALWAYS", "make it GENERATED BY DEFAULT, or the server rejects records that name their key"
	case c.Identity != "":
		n.Finding = "new keys come from an identity"
	case c.Generated:
		n.Finding = "keys are generated from other columns"
	case c.Default != "":
		n.Finding = "new keys come from " + c.Default
	case c.modelType() == core.Int && !t.refers(c):
		n.Finding = "the key has no default: clients must name it when they create a record"
		n.Advice = "make it GENERATED BY DEFAULT AS IDENTITY to let the server generate keys"
	default:
		return
	}
	m.note(t, c.Name, n)
}

// addPartDefault sets the default of a part of the key, or adds a note on values that the server generates.
func (m *modelBuilder) addPartDefault(t *table, c *column, f *core.FieldSpec) {
	n := Note{Kind: Server, Finding: "a part of the key: clients must name it when they create a record"}
	switch {
	case c.Generated:
		n.Finding = "a part of the key, and generated from other columns: no record can be created"
		n.Advice = "make it a plain column"
	case c.Identity == "a":
		n.Finding = "a part of the key, and an identity GENERATED ALWAYS: no record can be created"
		n.Advice = "make it GENERATED BY DEFAULT"
	case c.Identity != "":
		n.Finding += ", although it is an identity"
	case c.Default == "" || strings.HasPrefix(c.Default, "NULL::"):
		return
	default:
		constant, ok := c.constant(f.Type)
		if ok {
			f.Default = constant
			return
		}
		n.Finding += ", although its default is " + c.Default
	}
	m.note(t, c.Name, n)
}

// assigned reports whether clients must name keys. A UUID key without a default is random, unless it is a foreign key.
func assigned(t *table, c *column) bool {
	return !c.hasDefault() && (c.modelType() != core.UUID || t.refers(c))
}

// hasDefault reports whether the server has a value for the column of a new record.
func (c *column) hasDefault() bool { return c.Identity != "" || c.Generated || c.Default != "" }

// refers reports whether the column alone is a foreign key.
func (t *table) refers(c *column) bool {
	return slices.ContainsFunc(t.foreign, func(k foreignKey) bool { return slices.Equal(k.Columns, []string{c.Name}) })
}

// addDefault sets the default of a field, or adds a note on values that the server generates.
func (m *modelBuilder) addDefault(t *table, c *column, f *core.FieldSpec) {
	n := Note{Kind: Server}
	switch {
	case c.Generated:
		n.Finding = "read-only, because it is generated from other columns"
	case c.Identity == "a":
		f.ReadOnly = true
		n.Finding = "read-only, because it is an identity GENERATED ALWAYS"
	case c.Identity != "":
		n.Finding = "new records get it from an identity"
	case c.Default == "" || strings.HasPrefix(c.Default, "NULL::"):
		return
	default:
		constant, ok := c.constant(f.Type)
		if ok {
			f.Default = constant
			return
		}
		n.Finding = "new records get " + c.Default
	}
	m.note(t, c.Name, n)
}

// validName reports whether a model accepts the name.
func validName(s string) bool { return s != "" && !strings.ContainsFunc(s, unicode.IsControl) }

// bareName matches names that need no quotes in SQL, but for keywords.
var bareName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// quoteName returns a name as SQL spells it, in one line and with quotes only where necessary.
func quoteName(s string) string {
	switch {
	case bareName.MatchString(s):
		return s
	case !validName(s):
		return strconv.Quote(s)
	}
	return pgsql.Name(s)
}

// quoteNames returns names separated by commas.
func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, s := range names {
		quoted[i] = quoteName(s)
	}
	return strings.Join(quoted, ", ")
}

// field returns the field of that name; nil if there is none.
func (r *resource) field(name string) *core.FieldSpec {
	i := slices.IndexFunc(r.fields, func(f core.FieldSpec) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &r.fields[i]
}
