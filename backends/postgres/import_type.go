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

// importedBetter are types of the same values as others that the backend takes.
var importedBetter = map[string]string{"json": "jsonb", "name": "text"}

// importedSpelled says of a type that becomes text what is lost by that, and what
// can be done.
type importedSpelled struct{ what, advice string }

var importedSpelling = map[string]importedSpelled{
	"bpchar": {"text without its trailing blanks", "make the column text"},
	"numeric": {
		"text, which keeps every digit but sorts as text",
		"make the column bigint if it counts in whole units, double precision if 15 digits are enough, or delete the field",
	},
	"money":     {"text in the spelling of the server's lc_monetary", "make the column bigint, in the smallest unit, or delete the field"},
	"timestamp": {"text, because it names no instant", "make the column timestamp with time zone, or delete the field"},
	"interval":  {"text, which does not sort by length", "make the column bigint, in seconds, or delete the field"},
	"timetz":    {"text, which does not sort by instant", "make the column text, or delete the field"},
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

// storable reports whether the backend takes the column for its type of the model.
func (c *importedColumn) storable() bool {
	return c.exact() && !c.Array && importedBetter[c.Type] == ""
}

// typeNote says what happened to the column's type; nothing if its values are held
// as they are.
func (c *importedColumn) typeNote() (note ImportNote, ok bool) {
	if c.modelType() == 0 {
		what := c.Declared + ": a model has no composite types"
		if c.NotNull && c.Default == "" && c.Identity == "" && !c.Generated {
			what += ", and the resource cannot be stored without the column, which is NOT NULL and has no default"
		}
		return ImportNote{Kind: ImportLeftOut, What: what, Advice: "spell its parts as columns, or as one column of type jsonb"}, true
	}
	if c.storable() {
		return note, false
	}
	is := c.spelled()
	return ImportNote{Kind: ImportRefused, What: c.Declared + " is " + is.what, Advice: is.advice}, true
}

// spelled says what a type becomes whose columns are not taken as they are.
func (c *importedColumn) spelled() importedSpelled {
	known, ok := importedSpelling[c.Type]
	switch {
	case c.Array && c.Builtin && importedExact[c.Element] != 0:
		return importedSpelled{"a list", "make the column jsonb"}
	case c.Array:
		return importedSpelled{"a list, its elements are as the server spells them in JSON", "make the column jsonb"}
	case c.exact():
		return importedSpelled{importedExact[c.Type].String(), "make the column " + importedBetter[c.Type]}
	case c.Kind == "e":
		return importedSpelled{"text, which does not sort in the order of the values", "make the column text, with a CHECK of its values"}
	case ok && c.Builtin:
		return known
	}
	return importedSpelled{"text, as the server spells it", "make the column text, or delete the field"}
}
