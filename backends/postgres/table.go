package postgres

import (
	"math"
	"sync/atomic"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// table describes the storage of a resource for the builders of statements.
type table struct {
	resource       *core.Resource
	relation       relation // for writes; no name for a read-only resource
	from           string   // item of FROM
	columns        []*column
	stored         []*column   // columns of the table itself
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
	descending     bool                     // the sequence of an integer key descends
	fields         map[string]*core.Field   // by column
	uniques        map[string]*core.Field   // by constraint or index of one column
	uniqueIndexes  map[string]uniqueIndex   // by constraint or index
	indexed        map[string][]*core.Field // by index
	foreignKeys    map[string]*core.Field   // by constraint
	checks         map[string][]*core.Field // by constraint
	multiColumn    map[string]bool          // CHECK constraints of several columns
	// referrers lists the foreign keys to this table that a Delete must handle.
	referrers []referrer
	// immediateSelfReference is set if rows refer to rows of the same table and the server checks that with every
	// statement.
	immediateSelfReference bool
}

// column describes a stored field for the builders of statements.
type column struct {
	form

	field             *core.Field
	index             int    // position in records
	name              string // quoted
	paramType         string // SQL type of parameters
	sqlType           string // declared type, with modifiers
	notNull           bool   // rejects nulls
	hasNulls          bool   // may contain nulls
	uniqueImmediate   bool   // unique, checked with every row
	viewOnly          bool   // exists only in the view or query
	generated         bool   // GENERATED ALWAYS AS (...)
	identityAlways    bool   // GENERATED ALWAYS AS IDENTITY
	defaultExpr       string // default expression; for an identity, nextval of its sequence
	hasDefault        bool   // an omitted value is not null
	keepOnReset       bool   // a replacement that omits the field keeps the value; see [core.Op.Reset]
	orderCollation    string // COLLATE clause for comparison by code point; "" if the column's collation does that
	equalityCollation string // COLLATE clause for equality of strings; "" if the column's collation has it
	collation         string // qualified and quoted; "" for a type without collations
	mayFail           bool   // computing the value may fail
	limits            limits
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
		t.relation, tables[i] = s.relation(schema, s.Table), t
		t.tables, t.readFrom.tables = tables, tables
	}
	bindReferrers(found, tables)
	return tables
}

// withReadSource returns a table that is read from a view or query.
func withReadSource(reads, t *table) *table {
	t.readFrom = reads
	for i, c := range t.columns {
		if c.viewOnly {
			t.viewOnly = append(t.viewOnly, reads.columns[i])
		}
	}
	return t
}

// bindTable describes one table, view or query for a resource.
func bindTable(found *catalogTable, schema string, s Source, r *core.Resource, opts Options) *table {
	t := &table{
		resource: r, from: s.from(schema), columns: make([]*column, len(r.Columns())),
		fields: make(map[string]*core.Field), uniques: make(map[string]*core.Field), uniqueIndexes: make(map[string]uniqueIndex), indexed: make(map[string][]*core.Field),
		foreignKeys: make(map[string]*core.Field), checks: make(map[string][]*core.Field), multiColumn: make(map[string]bool),
	}
	for i, f := range r.Columns() {
		if found.columns[f.Name()] == nil {
			t.columns[i] = &column{field: f, index: i, viewOnly: true}
			continue
		}
		t.columns[i] = bindColumn(found.columns[f.Name()], f)
		t.columns[i].uniqueImmediate = found.hasUnique(f.Name(), true)
		t.stored = append(t.stored, t.columns[i])
		if found.columns[f.Name()].mayHoldJSONText() {
			t.jsonText = append(t.jsonText, t.columns[i])
		}
		t.fields[f.Name()] = f
	}
	t.key = t.columns[r.Key().Column()]
	t.keySource = found.columns[r.Key().Name()].keySource(r.Key())
	for _, num := range found.columns[r.Key().Name()].generatedFrom {
		if f := t.fields[found.byNum[num].name]; f != nil {
			t.keyParts = append(t.keyParts, f)
		}
	}
	t.descending = r.Key().Type() == core.Int && found.columns[r.Key().Name()].sequenceStep < 0
	t.sequence = sequenceOf(found.columns[r.Key().Name()], r.Key())
	for _, x := range found.indexes {
		if f := t.fields[x.columns[0]]; x.unique && f != nil && x.ofColumn(f.Name()) {
			t.uniques[x.name] = f
		}
		for _, name := range x.columns {
			if f := t.fields[name]; f != nil {
				t.indexed[x.name] = append(t.indexed[x.name], f)
			}
		}
	}
	t.bindUniqueIndexes(found)
	for _, k := range found.foreignKeys {
		if f := t.fields[k.column]; f != nil && f.Target() != nil {
			if to := opts.source(f.Target()); k.target == to.relation(schema, to.Table) {
				t.foreignKeys[k.name] = f
			}
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

func bindColumn(found *catalogColumn, f *core.Field) *column {
	c := &column{
		form: formOf(found, f), field: f, index: f.Column(), name: pgsql.Name(f.Name()), paramType: sqlType(f),
		notNull: found.notNull || f.Key(), hasNulls: found.hasNulls && !f.Key(), generated: found.generated, identityAlways: found.identity == "a",
		sqlType: found.declared, defaultExpr: found.defaultExpr, hasDefault: found.hasDefault(), limits: limitsOf(found),
		mayFail: found.mayFail || found.mayHoldJSONText(), collation: found.collation,
		keepOnReset: found.generated || found.identity != "" || found.varies,
	}
	if found.identity != "" {
		c.defaultExpr = "nextval(" + pgsql.String(found.sequence) + "::regclass)"
	}
	if f.Type() == core.Text && (c.text || !found.byCodePoint) {
		c.orderCollation = ` COLLATE "C"`
	}
	if f.Type() == core.Text && (c.text || !found.deterministic) {
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
