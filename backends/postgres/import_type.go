package postgres

import "github.com/larder-go/larder/core"

// importedExact are the types of the server, by their names in pg_type, whose
// values a type of the model holds as they are.
var importedExact = map[string]core.Type{
	"int2": core.Int, "int4": core.Int, "int8": core.Int,
	"float4": core.Float, "float8": core.Float,
	"text": core.Text, "varchar": core.Text, "name": core.Text,
	"bool": core.Bool, "timestamptz": core.Time, "uuid": core.UUID, "bytea": core.Bytes,
	"json": core.JSON, "jsonb": core.JSON,
}

// importedSpelled says of a type that becomes text what is lost by that, and what
// can be done.
type importedSpelled struct{ what, advice string }

var importedSpelling = map[string]importedSpelled{
	"bpchar": {"text without its trailing blanks", ""},
	"numeric": {
		"text, which keeps every digit but sorts as text",
		"if 15 digits are enough make the column double precision, if it counts in whole units bigint",
	},
	"money":     {"text in the spelling of the server's lc_monetary", "make the column numeric, or bigint in the smallest unit"},
	"timestamp": {"text, because it names no instant", "make the column timestamp with time zone"},
	"interval":  {"text, which does not sort by length", ""},
	"timetz":    {"text, which does not sort by instant", ""},
	"xml":       {"text", "the server cannot compare it: do not filter by it"},
}

// modelType returns the type of the model that holds the column's values; 0 if
// none does.
func (c *importedColumn) modelType() core.Type {
	switch {
	case c.Kind == "c" || c.ElemKind == "c":
		return 0
	case c.Array:
		return core.List
	case c.exact():
		return importedExact[c.Type]
	}
	return core.Text
}

func (c *importedColumn) exact() bool { return c.Builtin && importedExact[c.Type] != 0 }

// typeNote says what happened to the column's type; nothing if its values are held
// as they are.
func (c *importedColumn) typeNote() (note ImportNote, ok bool) {
	switch {
	case c.modelType() == 0:
		what := c.Declared + ": a model has no composite types"
		if c.NotNull && c.Default == "" && c.Identity == "" && !c.Generated {
			what += ", and records cannot be inserted without the column, which is NOT NULL and has no default"
		}
		return ImportNote{Kind: ImportLeftOut, What: what, Advice: "spell its parts as columns, or as one column of type jsonb"}, true
	case c.Array && c.Builtin && importedExact[c.Element] != 0:
		return note, false
	case c.Array:
		return ImportNote{Kind: ImportChanged, What: c.Declared + " is a list, its elements are as the server spells them in JSON"}, true
	case c.exact():
		return note, false
	}
	is := importedSpelled{"text, as the server spells it", ""}
	switch known, ok := importedSpelling[c.Type]; {
	case c.Kind == "e":
		is = importedSpelled{"text, which does not sort in the order of the values", "the server refuses other values than its own"}
	case ok && c.Builtin:
		is = known
	}
	return ImportNote{Kind: ImportChanged, What: c.Declared + " is " + is.what, Advice: is.advice}, true
}
