package importer

import "github.com/larder-go/larder/core"

// exactTypes maps the names in pg_type to types of the model that hold the values unchanged.
var exactTypes = map[string]core.Type{
	"int2": core.Int, "int4": core.Int, "int8": core.Int,
	"float4": core.Float, "float8": core.Float,
	"text": core.Text, "varchar": core.Text, "name": core.Text,
	"bool": core.Bool, "timestamptz": core.Time, "date": core.Date, "timestamp": core.LocalTime, "numeric": core.Decimal, "uuid": core.UUID, "bytea": core.Bytes,
	"json": core.JSON, "jsonb": core.JSON,
}

// conversion describes the form that values take in the model, and an alternative.
type conversion struct{ form, advice string }

// conversions has the built-in types, by their names in pg_type, for which more can be said than "text".
var conversions = map[string]conversion{
	"bpchar":   {"text without its trailing blanks", "make the column text"},
	"money":    {"text in the spelling of the server's lc_monetary", "make the column bigint, in the smallest unit"},
	"interval": {"text, which does not sort by length", "make the column bigint, in seconds"},
	"timetz":   {"text, which does not sort by instant", ""},
}

// modelType returns the type of the model for the column's values; 0 for pseudo-types, which have no values.
func (c *column) modelType() core.Type {
	switch {
	case c.Kind == "p":
		return 0
	case c.Kind == "c":
		return core.JSON
	case c.Array:
		return core.List
	case c.exact():
		return exactTypes[c.Type]
	}
	return core.Text
}

// keyType returns the type of a primary key with the column's values, and of relations to it. Types of the model that
// cannot be keys are held as text.
func (c *column) keyType() core.Type {
	switch typ := c.modelType(); typ {
	case core.Date, core.LocalTime, core.Decimal:
		return core.Text
	default:
		return typ
	}
}

// keyPartType is keyType, or for one of several parts of a key the type that such a part can have.
func (c *column) keyPartType(part bool) core.Type {
	if typ := c.modelType(); part && typ.Element() {
		return typ
	}
	return c.keyType()
}

// keyTypeNote returns the note on the type of a primary key, or of a part of it; false if it is the type of the column.
func (c *column) keyTypeNote(typ core.Type) (note Note, ok bool) {
	return Note{Kind: Changed, Finding: c.Declared + " is text, because it is the primary key"}, typ != c.modelType()
}

// exact reports whether the model holds the column's values unchanged.
func (c *column) exact() bool { return c.Builtin && exactTypes[c.Type] != 0 }

// typeNote returns the note on the column's type; false if the model holds its values unchanged.
func (c *column) typeNote() (note Note, ok bool) {
	switch {
	case c.modelType() == 0:
		return Note{Kind: LeftOut, Finding: "the pseudo-type " + c.Declared + " has no values", Advice: "drop the column"}, true
	case c.exact(), c.Array && c.Builtin && exactTypes[c.Element] != 0 && c.Element != "numeric":
		return note, false
	}
	to := c.conversion()
	finding := c.Declared + " is " + to.form
	if c.unordered() {
		finding += "; queries cannot sort by it or compare it by order"
	}
	return Note{Kind: Changed, Finding: finding, Advice: to.advice}, true
}

// unordered reports whether the column is held as text that does not sort as the values do.
func (c *column) unordered() bool {
	return c.modelType() == core.Text && !c.exact() && c.Type != "bpchar" && c.Type != "citext"
}

// conversion returns the form of values that the model does not hold unchanged.
func (c *column) conversion() conversion {
	known, ok := conversions[c.Type]
	switch {
	case c.Kind == "c":
		return conversion{"json, an object of its parts", ""}
	case c.Array:
		return conversion{"a list, its elements are as the server spells them in JSON", ""}
	case c.Kind == "e":
		return conversion{"text, which does not sort in the order of the values", ""}
	case ok && c.Builtin:
		return known
	}
	return conversion{"text, as the server spells it", ""}
}
