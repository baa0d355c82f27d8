package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/core"
)

// typeCases has the types of chapter 8 of the manual, and the beginning of the note on each; empty without a note.
var typeCases = []struct {
	sql  string
	want core.Type
	note string
}{
	// 8.1 numbers
	{"smallint", core.Int, ""},
	{"integer", core.Int, ""},
	{"bigint", core.Int, ""},
	{"smallserial", core.Int, ""},
	{"serial", core.Int, ""},
	{"bigserial", core.Int, ""},
	{"real", core.Float, ""},
	{"double precision", core.Float, ""},
	{"numeric", core.Decimal, ""},
	{"numeric(10,2)", core.Decimal, ""},
	// 8.2 money
	{"money", core.Text, "money is text in the spelling of"},
	// 8.3 texts
	{"text", core.Text, ""},
	{"varchar", core.Text, ""},
	{"varchar(7)", core.Text, ""},
	{"char(7)", core.Text, "character(7) is text without its trailing blanks"},
	{"name", core.Text, ""},
	{`"char"`, core.Text, `"char" is text`},
	// 8.4 bytes
	{"bytea", core.Bytes, ""},
	// 8.5 times
	{"timestamptz", core.Time, ""},
	{"timestamptz(0)", core.Time, ""},
	{"timestamp", core.LocalTime, ""},
	{"timestamp(3)", core.LocalTime, ""},
	{"date", core.Date, ""},
	{"time", core.Text, "time without time zone is text"},
	{"timetz", core.Text, "time with time zone is text, which does not sort by instant"},
	{"interval", core.Text, "interval is text, which does not sort by length"},
	{"interval day to second(3)", core.Text, "interval day to second(3) is text"},
	// 8.6 truth
	{"boolean", core.Bool, ""},
	// 8.7 enums
	{"mood", core.Text, "SCHEMA.mood is text, which does not sort in the order of the values"},
	// 8.8 geometry
	{"point", core.Text, "point is text"},
	{"polygon", core.Text, "polygon is text"},
	// 8.9 networks
	{"inet", core.Text, "inet is text"},
	{"cidr", core.Text, "cidr is text"},
	{"macaddr", core.Text, "macaddr is text"},
	{"macaddr8", core.Text, "macaddr8 is text"},
	// 8.10 bits
	{"bit(3)", core.Text, "bit(3) is text"},
	{"bit varying", core.Text, "bit varying is text"},
	// 8.11 text search
	{"tsvector", core.Text, "tsvector is text"},
	{"tsquery", core.Text, "tsquery is text"},
	// 8.12 to 8.14
	{"uuid", core.UUID, ""},
	{"xml", core.Text, "xml is text"},
	{"json", core.JSON, ""},
	{"jsonb", core.JSON, ""},
	// 8.15 arrays
	{"integer[]", core.List, ""},
	{"text[3][3]", core.List, ""},
	{"jsonb[]", core.List, ""},
	{"numeric(4,1)[]", core.List, "numeric(4,1)[] is a list, its elements are as the server spells them"},
	{"mood[]", core.List, "SCHEMA.mood[] is a list"},
	// 8.16 composites
	{"pair", core.JSON, "SCHEMA.pair is json, an object of its parts"},
	{"pair[]", core.List, "SCHEMA.pair[] is a list, its elements are as"},
	// 8.17 ranges
	{"int4range", core.Text, "int4range is text"},
	{"nummultirange", core.Text, "nummultirange is text"},
	{"span", core.Text, "SCHEMA.span is text"},
	// 8.18 domains
	{"positive", core.Int, ""},
	{"small", core.Int, ""},
	{"price", core.Decimal, ""},
	{"words", core.List, ""},
	{"pairs", core.JSON, "SCHEMA.pairs is json"},
	// 8.19 and 8.20 identifiers and positions
	{"oid", core.Text, "oid is text"},
	{"regclass", core.Text, "regclass is text"},
	{"pg_lsn", core.Text, "pg_lsn is text"},
	// a type of the schema with the name of a built-in type
	{"SCHEMA.int4", core.Text, "SCHEMA.int4 is text"},
	{"SCHEMA.int4[]", core.List, "SCHEMA.int4[] is a list"},
}

// typesSQL is the beginning of a table with columns of all types.
const typesSQL = `
	CREATE TYPE mood AS ENUM ('sad', 'ok');
	CREATE TYPE pair AS (a int, b int);
	CREATE TYPE span AS RANGE (subtype = float8);
	CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
	CREATE DOMAIN small AS positive CHECK (VALUE < 10);
	CREATE DOMAIN price AS numeric(8,2);
	CREATE DOMAIN words AS text[];
	CREATE DOMAIN pairs AS pair;
	CREATE TYPE SCHEMA.int4 AS ENUM ('four');
	CREATE TABLE t (id bigint PRIMARY KEY`

func TestEveryTypeOfTheManual(t *testing.T) {
	var sql strings.Builder
	sql.WriteString(typesSQL)
	for i, c := range typeCases {
		fmt.Fprintf(&sql, ", c%d %s", i, c.sql)
	}
	got := importertest.Import(t, sql.String()+")")
	schema := `"` + strings.ReplaceAll(got.Schema, `"`, `""`) + `"`
	notes := make(map[string]string)
	for _, n := range got.Notes {
		if n.Kind == importer.LeftOut || n.Kind == importer.Changed {
			notes[n.Object] = n.Finding
		}
	}
	types := make(map[string]core.Type)
	for _, f := range got.Resources[0].Fields {
		types[f.Name] = f.Type
	}
	for i, c := range typeCases {
		name := fmt.Sprintf("c%d", i)
		note := strings.ReplaceAll(c.note, "SCHEMA", schema)
		if types[name] != c.want || !strings.HasPrefix(notes[name], note) || (note == "") != (notes[name] == "") {
			t.Errorf("%s became %v with note %q, want %v with %q", c.sql, types[name], notes[name], c.want, note)
		}
	}
	if _, err := got.Model(); err != nil {
		t.Error(err)
	}
}
