package postgres

import (
	"math"
	"sync/atomic"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// table is a resource as statements see it.
type table struct {
	resource *core.Resource
	table    string // in the schema, "" for a query
	name     string // as FROM has it
	columns  []*column
	stored   []*column   // that it has itself
	virtual  []*column   // that only what is read has, as that has them
	texts    []*column   // stored, with JSON as text
	apart    atomic.Bool // writes do not return texts, see [transaction.returned]
	reads    *table      // what is read, which may be the table itself
	readOnly bool
	key      *column
	source   core.KeySource           // of the keys
	keyParts []*core.Field            // that a generated key is made of
	sequence *sequence                // of an Int key, if it goes up; may be nil
	goesDown bool                     // the sequence of an Int key does
	fields   map[string]*core.Field   // by column
	uniques  map[string]*core.Field   // by constraint or index on one column
	indexed  map[string][]*core.Field // by index
	foreign  map[string]*core.Field   // by constraint
	checks   map[string][]*core.Field // of the model, by constraint
	joint    map[string]bool          // constraints on several columns
	// referrers are the foreign keys to the table that a Delete has to see to.
	referrers []referrer
	// tree: rows refer to others of the table, and the server checks that with every
	// statement.
	tree bool
}

// column is a stored field as statements see it.
type column struct {
	form

	field      *core.Field
	index      int    // in records
	name       string // quoted
	cast       string // type of its parameters
	sqlType    string // its own, with modifiers
	notNull    bool   // takes no null
	hasNulls   bool   // may have some
	immediate  bool   // unique, by an index that looks at every row by itself
	virtual    bool   // not in the table, only in what is read
	generated  bool   // GENERATED ALWAYS AS (...)
	always     bool   // GENERATED ALWAYS AS IDENTITY
	fallback   string // default expression, or what gives the values of an identity
	given      bool   // a value that is not given is not null
	kept       bool   // a replacement that does not name the field leaves it alone; see [core.Op.Reset]
	codePoints string // what makes comparison one by code point, if the column's is not
	equality   string // the same for equality
	fails      bool   // reading it may fail
	limits     limits
}

// limits are what a column holds less of than its type in the model.
type limits struct {
	low, high int64 // Int
	size      int   // Text, in characters; 0 means any
	bytes     int   // the same in bytes
	exact     bool  // not less than size either
	blanks    bool  // those at the end do not count
	single    bool  // Float of 32 bits
}

func bindTables(found *catalog, schema string, m *core.Model, opts Options) []*table {
	tables := make([]*table, len(m.Resources()))
	for i, r := range m.Resources() {
		s := opts.source(r)
		t := bindTable(found.reads(r, s), schema, s, r, opts)
		t.reads, t.readOnly = t, s.Table == ""
		if s.apart() && !t.readOnly {
			t = written(t, bindTable(found.tables[s.Table], schema, Source{Table: s.Table}, r, opts))
		}
		if t.readOnly {
			t.source = core.KeySource{Assigned: r.Key().Assigned()}
		}
		t.table, tables[i] = s.Table, t
	}
	bindReferrers(found, tables)
	return tables
}

// written returns the table that is written to where another one is read.
func written(reads, t *table) *table {
	t.reads = reads
	for i, c := range t.columns {
		if c.virtual {
			t.virtual = append(t.virtual, reads.columns[i])
		}
	}
	return t
}

func bindTable(found *catalogTable, schema string, s Source, r *core.Resource, opts Options) *table {
	t := &table{
		resource: r, name: s.from(schema), columns: make([]*column, len(r.Columns())),
		fields: make(map[string]*core.Field), uniques: make(map[string]*core.Field), indexed: make(map[string][]*core.Field),
		foreign: make(map[string]*core.Field), checks: make(map[string][]*core.Field), joint: make(map[string]bool),
	}
	for i, f := range r.Columns() {
		if found.columns[f.Name()] == nil {
			t.columns[i] = &column{field: f, index: i, virtual: true}
			continue
		}
		t.columns[i] = bindColumn(found.columns[f.Name()], f)
		t.columns[i].immediate = found.hasUnique(f.Name(), true)
		t.stored = append(t.stored, t.columns[i])
		if found.columns[f.Name()].holdsText() {
			t.texts = append(t.texts, t.columns[i])
		}
		t.fields[f.Name()] = f
	}
	t.key = t.columns[r.Key().Column()]
	t.source = found.columns[r.Key().Name()].source(r.Key())
	for _, num := range found.columns[r.Key().Name()].parts {
		if f := t.fields[found.byNum[num].name]; f != nil {
			t.keyParts = append(t.keyParts, f)
		}
	}
	t.goesDown = r.Key().Type() == core.Int && found.columns[r.Key().Name()].sequenceStep < 0
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
	for _, k := range found.foreign {
		if f := t.fields[k.column]; f != nil && f.Target() != nil && k.targetSchema == schema && k.target == opts.source(f.Target()).Table {
			t.foreign[k.name] = f
		}
	}
	for name, columns := range found.checks {
		for _, column := range columns {
			if f := t.fields[column]; f != nil {
				t.checks[name] = append(t.checks[name], f)
			}
		}
		if len(columns) > 1 {
			t.joint[name] = true
		}
	}
	return t
}

func bindColumn(found *catalogColumn, f *core.Field) *column {
	c := &column{
		form: formOf(found, f), field: f, index: f.Column(), name: pgsql.Name(f.Name()), cast: sqlType(f),
		notNull: found.notNull || f.Key(), hasNulls: found.hasNulls && !f.Key(), generated: found.generated, always: found.identity == "a",
		sqlType: found.declared, fallback: found.fallback, given: found.given(), limits: limitsOf(found),
		fails: found.computed || found.holdsText(),
		kept:  found.generated || found.identity != "" || found.varies,
	}
	if found.identity != "" {
		c.fallback = "nextval(" + pgsql.String(found.sequence) + "::regclass)"
	}
	if f.Type() == core.Text && (c.text || !found.byCodePoint) {
		c.codePoints = ` COLLATE "C"`
	}
	if f.Type() == core.Text && (c.text || !found.deterministic) {
		c.equality = ` COLLATE "C"`
	}
	return c
}

func limitsOf(c *catalogColumn) limits {
	l := limits{low: math.MinInt64, high: math.MaxInt64, size: int(c.size), single: c.typeName == "float4"}
	switch c.typeName {
	case "int4":
		l.low, l.high = math.MinInt32, math.MaxInt32
	case "int2":
		l.low, l.high = math.MinInt16, math.MaxInt16
	case "bpchar":
		l.blanks = true
	case "bit":
		l.exact = true
	case "name":
		l.bytes = pgsql.MaxName
	case "char":
		l.bytes = 1
	}
	return l
}
