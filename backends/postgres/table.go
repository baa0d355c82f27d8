package postgres

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// table describes the storage of a resource for the builders of statements.
type table struct {
	resource       *core.Resource
	relation       relation    // for writes; no name for a read-only resource
	from           string      // item of FROM
	columns        []*column   // by field
	cells          []*column   // of all fields, without duplicates
	stored         []*column   // cells of the table itself
	viewOnly       []*column   // columns of the view or query that the table lacks
	jsonText       []*column   // stored columns that may contain JSON as text
	readsJSONLater atomic.Bool // writes read jsonText with a second statement, see [transaction.returning]
	readFrom       *table      // relation for reads; the table itself without a view or query
	tables         []*table    // of all resources
	readOnly       bool
	key            *column
	keySource      core.KeySource
	keyParts       []*core.Field            // fields that a generated key is computed from
	sequence       *sequence                // of an integer key, if it ascends; otherwise nil
	remote         bool                     // the rows may be on another node than the sequence, so that no statement may use both
	descending     bool                     // the sequence of an integer key descends
	fields         map[string]*core.Field   // by column
	uniques        map[string]*column       // by constraint or index of the columns of one field
	uniqueIndexes  map[string]*core.Index   // by constraint or index
	constraints    map[string][]*column     // columns of unique constraints, indexes and foreign keys, in the order of the database
	indexed        map[string][]*core.Field // by index
	indexes        []catalogIndex           // of the table or materialized view
	foreignKeys    map[string]*foreignKey   // by constraint
	checks         map[string][]*core.Field // by constraint
	rules          map[string]string        // rules of the model, by constraint
	multiColumn    map[string]bool          // CHECK constraints of several columns
	// referrers lists the foreign keys to this table that a Delete must handle.
	referrers []referrer
	// immediateSelfReference is set if rows refer to rows of the same table and the server checks that with every
	// statement.
	immediateSelfReference bool
}

// column describes a stored field for the builders of statements. A field of type [core.Tuple] has several cells, which
// are the columns of the table, and most attributes of its own column have no meaning.
type column struct {
	form

	field             *core.Field
	typ               core.Type // of the values
	cells             []*column // in the order of the elements of a tuple; the column itself for other types
	element           int       // position in the tuple of the field; -1 for a field with one cell
	index             int       // position in records
	name              string    // quoted
	paramType         string    // SQL type of parameters
	sqlType           string    // declared type, with modifiers
	notNull           bool      // rejects nulls
	hasNulls          bool      // may contain nulls
	partlyNull        bool      // some cells may be null while others are not
	uniqueImmediate   bool      // unique, checked with every row
	viewOnly          bool      // exists only in the view or query
	generated         bool      // GENERATED ALWAYS AS (...)
	identityAlways    bool      // GENERATED ALWAYS AS IDENTITY
	defaultExpr       string    // default expression; for an identity, nextval of its sequence
	hasDefault        bool      // an omitted value is not null
	keepOnReset       bool      // a replacement that omits the field keeps the value; see [core.Op.Reset]
	orderCollation    string    // COLLATE clause for comparison by code point; "" if the column's collation does that
	equalityCollation string    // COLLATE clause for equality of strings; "" if the column's collation has it
	collation         string    // qualified and quoted; "" for a type without collations
	mayFail           bool      // computing the value may fail
	limits            limits
}

// cell names one column of a table: that of a field, or of an element of a field of type [core.Tuple].
type cell struct {
	field *core.Field
	name  string
	typ   core.Type // not Tuple
	was   []string  // former names
}

// cellsOf returns the cells of a stored field. A derived field has those of its parts. The columns of a relation to a key
// of several fields have the names of the relation and of the column of the key, joined by "_".
func cellsOf(f *core.Field) (cells []cell) {
	switch {
	case f.Parts() != nil:
		for _, part := range f.Parts() {
			cells = append(cells, cellsOf(part)...)
		}
	case f.Type() == core.Tuple:
		for _, c := range cellsOf(f.Target().Key()) {
			cells = append(cells, c.of(f))
		}
	default:
		var was []string
		if f.Was() != "" {
			was = []string{f.Was()}
		}
		cells = []cell{{f, f.Name(), f.Type(), was}}
	}
	return cells
}

// of returns the cell of a relation for a cell of the key of its target.
func (c cell) of(f *core.Field) cell {
	referring := cell{field: f, name: f.Name() + "_" + c.name, typ: c.typ}
	for _, field := range []string{f.Name(), f.Was()} {
		for _, element := range append([]string{c.name}, c.was...) {
			if name := field + "_" + element; field != "" && name != referring.name {
				referring.was = append(referring.was, name)
			}
		}
	}
	return referring
}

// columnNames returns the names of the cells, without duplicates.
func columnNames(cells []cell) (names []string) {
	for _, c := range cells {
		if !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// cellsOfResource returns the cells of all fields of a resource, without duplicates.
func cellsOfResource(r *core.Resource) (cells []cell) {
	for _, f := range r.Columns() {
		if f.Parts() == nil {
			cells = append(cells, cellsOf(f)...)
		}
	}
	return cells
}

// limits are the restrictions of a column type, compared with the model's type.
type limits struct {
	scale           *int32 // Decimal: digits after the point; nil means any number
	low, high       int64  // range of an Int
	size            int    // characters of a Text; 0 means unlimited
	bytes           int    // bytes of a Text; 0 means unlimited
	exactSize       bool   // size is also the minimum
	ignoreBlanks    bool   // trailing blanks do not count
	singlePrecision bool   // Float of single precision
}

// bindTables returns the tables of the resources of a model, in their order. The catalog must fit the model.
func bindTables(found *catalog, schema string, m *core.Model, opts Options) []*table {
	tables := make([]*table, len(m.Stored()))
	for i, r := range m.Stored() {
		s := opts.source(r)
		t := bindTable(found.readFrom(schema, r, s), schema, s, r, opts)
		t.readFrom, t.readOnly = t, s.Table == ""
		if s.readsElsewhere() && !t.readOnly {
			t = withReadSource(t, bindTable(found.tables[s.relation(schema, s.Table)], schema, Source{Table: s.Table, Schema: s.Schema}, r, opts))
		}
		if t.readOnly {
			t.keySource = core.KeySource{Assigned: r.Key().Assigned()}
		}
		t.keySource.Partial = s.readsElsewhere() || found.readFrom(schema, r, s).rowSecurity
		t.relation, tables[i] = s.relation(schema, s.Table), t
		t.tables, t.readFrom.tables = tables, tables
		t.remote = found.citus
	}
	bindReferrers(found, tables)
	return tables
}

// withReadSource returns a table that is read from a view or query.
func withReadSource(reads, t *table) *table {
	t.readFrom = reads
	for i, c := range t.cells {
		if c.viewOnly {
			t.viewOnly = append(t.viewOnly, reads.cells[i])
		}
	}
	return t
}

// bindTable describes one table, view or query for a resource.
func bindTable(found *catalogTable, schema string, s Source, r *core.Resource, opts Options) *table {
	t := &table{
		resource: r, from: s.from(schema), columns: make([]*column, len(r.Columns())),
		fields: make(map[string]*core.Field), uniques: make(map[string]*column), uniqueIndexes: make(map[string]*core.Index), indexed: make(map[string][]*core.Field),
		foreignKeys: make(map[string]*foreignKey), checks: make(map[string][]*core.Field), rules: make(map[string]string), multiColumn: make(map[string]bool),
		constraints: make(map[string][]*column),
	}
	t.bindColumns(found)
	t.bindKey(found)
	t.indexes = found.indexes
	for _, x := range found.indexes {
		if x.unique {
			t.constraints[x.name] = t.named(x.columns)
		}
		if c := t.uniqueColumn(x); c != nil {
			t.uniques[x.name] = c
		}
		for _, name := range x.columns {
			if f := t.fields[name]; f != nil {
				t.indexed[x.name] = append(t.indexed[x.name], f)
			}
		}
	}
	t.bindUniqueIndexes(found)
	for _, k := range found.foreignKeys {
		for _, f := range r.References() {
			to := opts.source(f.Target())
			if t.foreignKeys[k.name] == nil && k.target == to.relation(schema, to.Table) && k.columnsAre(f) {
				t.foreignKeys[k.name] = &foreignKey{f, strings.Join(k.columns, ", "), strings.Join(k.targetColumns, ", "), k.full && len(k.columns) > 1}
				t.constraints[k.name] = t.named(k.columns)
				t.columns[f.Column()].partlyNull = t.columns[f.Column()].partlyNull && !k.full
			}
		}
	}
	for _, f := range r.Columns() {
		for _, k := range constraintsOf(f, true) {
			t.rules[k.name()] = k.rule
		}
	}
	for name, columns := range found.checks {
		for _, column := range columns {
			if f := t.fields[column]; f != nil {
				t.checks[name] = append(t.checks[name], f)
			}
		}
		if len(columns) > 1 {
			t.multiColumn[name] = true
		}
	}
	return t
}

// bindColumns sets the columns of the fields. A derived field has the cells of its parts.
func (t *table) bindColumns(found *catalogTable) {
	fields := t.resource.Columns()
	for i, f := range fields {
		if f.Parts() != nil {
			continue
		}
		c := bindField(found, f)
		t.columns[i] = c
		t.cells = append(t.cells, c.cells...)
		if c.viewOnly {
			continue
		}
		t.stored = append(t.stored, c.cells...)
		for at, name := range cellsOf(f) {
			t.fields[name.name] = f
			if found.columns[name.name].mayHoldJSONText() {
				t.jsonText = append(t.jsonText, c.cells[at])
			}
		}
	}
	for i, f := range fields {
		if f.Parts() == nil {
			continue
		}
		var cells []*column
		for _, part := range f.Parts() {
			cells = append(cells, t.columns[part.Column()].cells...)
		}
		t.columns[i] = columnOf(found, f, cells)
	}
}

// bindField describes a field that is not derived. If the table lacks one of its columns, it has none of them.
func bindField(found *catalogTable, f *core.Field) *column {
	names := cellsOf(f)
	cells := make([]*column, len(names))
	missing := slices.ContainsFunc(names, func(c cell) bool { return found.columns[c.name] == nil })
	for i, c := range names {
		if missing {
			cells[i] = &column{field: f, typ: c.typ, index: f.Column(), viewOnly: true}
		} else {
			cells[i] = bindColumn(found.columns[c.name], c)
			cells[i].uniqueImmediate = found.hasUnique([]string{c.name}, true)
		}
		cells[i].cells, cells[i].element = cells[i:i+1:i+1], -1
		if len(names) > 1 {
			cells[i].element = i
		}
	}
	return columnOf(found, f, cells)
}

// columnOf returns the column of a field with the cells: the only one, or one that summarises them.
func columnOf(found *catalogTable, f *core.Field, cells []*column) *column {
	if len(cells) == 1 {
		return cells[0]
	}
	whole := &column{field: f, typ: f.Type(), cells: cells, element: -1, index: f.Column(), notNull: true}
	for _, c := range cells {
		whole.notNull = whole.notNull && c.notNull
		whole.hasNulls = whole.hasNulls || c.hasNulls
		whole.mayFail = whole.mayFail || c.mayFail
		whole.viewOnly = whole.viewOnly || c.viewOnly
		whole.keepOnReset = whole.keepOnReset || c.keepOnReset
	}
	whole.partlyNull = whole.hasNulls
	whole.uniqueImmediate = found.hasUnique(columnNames(cellsOf(f)), true)
	return whole
}

// bindKey sets the key and the source of its values.
func (t *table) bindKey(found *catalogTable) {
	key := t.resource.Key()
	t.key = t.columns[key.Column()]
	for _, c := range cellsOf(key) {
		for _, num := range found.columns[c.name].generatedFrom {
			if f := t.fields[found.byNum[num].name]; f != nil {
				t.keyParts = append(t.keyParts, f)
			}
		}
	}
	if key.Type() == core.Tuple {
		t.keySource = core.DefaultKeySource(t.resource)
		return
	}
	column := found.columns[key.Name()]
	t.keySource = column.keySource(key)
	t.descending = key.Type() == core.Int && column.sequenceStep < 0
	t.sequence = sequenceOf(column, key)
}

// named returns the cells with the names of columns; nil if a column belongs to no field.
func (t *table) named(columns []string) []*column {
	cells := make([]*column, len(columns))
	for i, name := range columns {
		at := slices.IndexFunc(t.stored, func(c *column) bool { return c.name == pgsql.Name(name) })
		if at < 0 {
			return nil
		}
		cells[i] = t.stored[at]
	}
	return cells
}

// uniqueColumn returns the column of the field that a unique index on all rows covers; nil if there is none. An index over
// several columns is that of the key or of a Unique relation; otherwise it concerns the fields that share the columns.
func (t *table) uniqueColumn(x catalogIndex) *column {
	for _, c := range t.columns {
		whole := len(c.cells) == 1 || c.field.Key() || c.field.Unique()
		if x.unique && x.condition == "" && whole && !c.viewOnly && sameColumns(x.columns, columnNames(cellsOf(c.field))) {
			return c
		}
	}
	return nil
}

// in returns the value of the column in a record: the value of the field, or an element of it.
func (c *column) in(rec core.Record) core.Value {
	v := rec.At(c.index)
	if c.element >= 0 && v.IsSet() {
		return v.Tuple()[c.element]
	}
	return v
}

// elements returns the values of each cell of the column for values of the field.
func (c *column) elements(values []core.Value) [][]core.Value {
	if len(c.cells) == 1 {
		return [][]core.Value{values}
	}
	elements := make([][]core.Value, len(c.cells))
	for i := range elements {
		elements[i] = make([]core.Value, len(values))
	}
	for at, v := range values {
		for i, element := range v.Tuple() {
			elements[i][at] = element
		}
	}
	return elements
}

func bindColumn(found *catalogColumn, of cell) *column {
	f := of.field
	key := f.Key() || f.KeyPart()
	c := &column{
		form: formOf(found, of), field: f, typ: of.typ, index: f.Column(), name: pgsql.Name(of.name), paramType: of.sqlType(),
		notNull: found.notNull || key, hasNulls: found.hasNulls && !key, generated: found.generated, identityAlways: found.identity == "a",
		sqlType: found.declared, defaultExpr: found.defaultExpr, hasDefault: found.hasDefault(), limits: limitsOf(found),
		mayFail: found.mayFail || found.mayHoldJSONText(), collation: found.collation,
		keepOnReset: found.generated || found.identity != "" || found.varies,
	}
	if found.identity != "" {
		c.defaultExpr = "nextval(" + pgsql.String(found.sequence) + "::regclass)"
	}
	if of.typ == core.Text && (c.text || !found.byCodePoint) {
		c.orderCollation = ` COLLATE "C"`
	}
	if of.typ == core.Text && (c.text || !found.deterministic) {
		c.equalityCollation = ` COLLATE "C"`
	}
	return c
}

func limitsOf(c *catalogColumn) limits {
	l := limits{low: math.MinInt64, high: math.MaxInt64, size: int(c.size), scale: c.scale, singlePrecision: c.typeName == "float4"}
	switch c.typeName {
	case "int4":
		l.low, l.high = math.MinInt32, math.MaxInt32
	case "int2":
		l.low, l.high = math.MinInt16, math.MaxInt16
	case "bpchar":
		l.ignoreBlanks = true
	case "bit":
		l.exactSize = true
	case "name":
		l.bytes = pgsql.MaxName
	case "char":
		l.bytes = 1
	}
	return l
}
