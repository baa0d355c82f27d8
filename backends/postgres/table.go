package postgres

import (
	"math"
	"sync/atomic"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// table is a resource as statements see it.
type table struct {
	resource       *core.Resource
	tableName      string // in the schema, "" for a query
	from           string // as FROM has it
	columns        []*column
	stored         []*column   // that it has itself
	viewOnly       []*column   // that only what is read has, as that has them
	jsonText       []*column   // stored, with JSON as text
	readsJSONLater atomic.Bool // writes do not return texts, see [transaction.returned]
	readFrom       *table      // what is read, which may be the table itself
	readOnly       bool
	key            *column
	keySource      core.KeySource           // of the keys
	keyParts       []*core.Field            // that a generated key is made of
	sequence       *sequence                // of an Int key, if it goes up; may be nil
	descending     bool                     // the sequence of an Int key does
	fields         map[string]*core.Field   // by column
	uniques        map[string]*core.Field   // by constraint or index on one column
	indexed        map[string][]*core.Field // by index
	foreignKeys    map[string]*core.Field   // by constraint
	checks         map[string][]*core.Field // of the model, by constraint
	multiColumn    map[string]bool          // constraints on several columns
	// referrers are the foreign keys to the table that a Delete has to see to.
	referrers []referrer
	// tree: rows refer to others of the table, and the server checks that with every
	// statement.
	immediateSelfReference bool
}

// column is a stored field as statements see it.
type column struct {
	form

	field             *core.Field
	index             int    // in records
	name              string // quoted
	paramType         string // type of its parameters
	sqlType           string // its own, with modifiers
	notNull           bool   // takes no null
	hasNulls          bool   // may have some
	uniqueImmediate   bool   // unique, by an index that looks at every row by itself
	viewOnly          bool   // not in the table, only in what is read
	generated         bool   // GENERATED ALWAYS AS (...)
	identityAlways    bool   // GENERATED ALWAYS AS IDENTITY
	defaultExpr       string // default expression, or what gives the values of an identity
	hasDefault        bool   // a value that is not given is not null
	keepOnReset       bool   // a replacement that does not name the field leaves it alone; see [core.Op.Reset]
	orderCollation    string // what makes comparison one by code point, if the column's is not
	equalityCollation string // the same for equality
	mayFail           bool   // reading it may fail
	limits            limits
}

// limits are what a column holds less of than its type in the model.
type limits struct {
	low, high    int64 // Int
	size         int   // Text, in characters; 0 means any
	bytes        int   // the same in bytes
	exactSize    bool  // not less than size either
	ignoreBlanks bool  // those at the end do not count
	float32      bool  // Float of 32 bits
}

func bindTables(found *catalog, schema string, m *core.Model, opts Options) []*table {
	tables := make([]*table, len(m.Resources()))
	for i, r := range m.Resources() {
		s := opts.source(r)
		t := bindTable(found.readFrom(r, s), schema, s, r, opts)
		t.readFrom, t.readOnly = t, s.Table == ""
		if s.readsElsewhere() && !t.readOnly {
			t = withReadSource(t, bindTable(found.tables[s.Table], schema, Source{Table: s.Table}, r, opts))
		}
		if t.readOnly {
			t.keySource = core.KeySource{Assigned: r.Key().Assigned()}
		}
		t.tableName, tables[i] = s.Table, t
	}
	bindReferrers(found, tables)
	return tables
}

// written returns the table that is written to where another one is read.
func withReadSource(reads, t *table) *table {
	t.readFrom = reads
	for i, c := range t.columns {
		if c.viewOnly {
			t.viewOnly = append(t.viewOnly, reads.columns[i])
		}
	}
	return t
}

func bindTable(found *catalogTable, schema string, s Source, r *core.Resource, opts Options) *table {
	t := &table{
		resource: r, from: s.from(schema), columns: make([]*column, len(r.Columns())),
		fields: make(map[string]*core.Field), uniques: make(map[string]*core.Field), indexed: make(map[string][]*core.Field),
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
		if f := t.fields[x.columns[0]]; x.unique && len(x.columns) == 1 && f != nil {
			t.uniques[x.name] = f
		}
		for _, name := range x.columns {
			if f := t.fields[name]; f != nil {
				t.indexed[x.name] = append(t.indexed[x.name], f)
			}
		}
	}
	for _, k := range found.foreignKeys {
		if f := t.fields[k.column]; f != nil && f.Target() != nil && k.targetSchema == schema && k.target == opts.source(f.Target()).Table {
			t.foreignKeys[k.name] = f
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
		mayFail:     found.mayFail || found.mayHoldJSONText(),
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
	l := limits{low: math.MinInt64, high: math.MaxInt64, size: int(c.size), float32: c.typeName == "float4"}
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
