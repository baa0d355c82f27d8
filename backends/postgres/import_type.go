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
	"bpchar": {"text without its trailing blanks", "make the column text"},
	"numeric": {
		"text, which keeps every digit but sorts as text",
		"make the column bigint if it counts in whole units, or double precision if 15 digits are enough",
	},
	"money":     {"text in the spelling of the server's lc_monetary", "make the column bigint, in the smallest unit"},
	"timestamp": {"text, because it names no instant", "make the column timestamp with time zone"},
	"interval":  {"text, which does not sort by length", "make the column bigint, in seconds"},
	"timetz":    {"text, which does not sort by instant", ""},
}

// modelType returns the type of the model that holds the column's values; 0 if
// none does.
func (c *importedColumn) modelType() core.Type {
	switch {
	case c.Kind == "p":
		return 0
	case c.Kind == "c":
		return core.JSON
	case c.Array:
		return core.List
	case c.exact():
		return importedExact[c.Type]
	}
	return core.Text
}

func (c *importedColumn) exact() bool { return c.Builtin && importedExact[c.Type] != 0 }

// typeNote says what the column's type became; nothing if its values are held as
// they are.
func (c *importedColumn) typeNote() (note ImportNote, ok bool) {
	switch {
	case c.modelType() == 0:
		return ImportNote{Kind: ImportLeftOut, What: c.Declared + ": is no type of columns that can be written", Advice: "drop the column"}, true
	case c.exact(), c.Array && c.Builtin && importedExact[c.Element] != 0:
		return note, false
	}
	is := c.spelled()
	return ImportNote{Kind: ImportChanged, What: c.Declared + " is " + is.what, Advice: is.advice}, true
}

// spelled says what a type becomes whose values are held in another form.
func (c *importedColumn) spelled() importedSpelled {
	known, ok := importedSpelling[c.Type]
	switch {
	case c.Kind == "c":
		return importedSpelled{"json, an object of its parts", ""}
	case c.Array:
		return importedSpelled{"a list, its elements are as the server spells them in JSON", ""}
	case c.Kind == "e":
		return importedSpelled{"text, which does not sort in the order of the values", ""}
	case ok && c.Builtin:
		return known
	}
	return importedSpelled{"text, as the server spells it", ""}
}
