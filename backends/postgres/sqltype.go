package postgres

import (
	"slices"

	"github.com/larder-go/larder/core"
)

var scalarTypes = [...]string{
	core.Int: "bigint", core.Float: "double precision", core.Text: "text", core.Bool: "boolean",
	core.Time: "timestamp with time zone", core.UUID: "uuid", core.Bytes: "bytea",
	core.JSON: "jsonb", core.List: "jsonb",
}

// sqlType returns the type of a field's column.
func sqlType(f *core.Field) string {
	if f.Many() {
		return scalarTypes[f.Target().Key().Type()] + "[]"
	}
	return scalarTypes[f.Type()]
}

// plain are the names in pg_type of types whose values a type of the model holds as
// they are.
var exactTypes = [...][]string{
	core.Int: {"int8", "int4", "int2"}, core.Float: {"float8", "float4"}, core.Text: {"text", "varchar"},
	core.Bool: {"bool"}, core.Time: {"timestamptz"}, core.UUID: {"uuid"}, core.Bytes: {"bytea"},
	core.JSON: {"jsonb"}, core.List: {"jsonb"},
}

// isPlain reports whether a column holds the field's values as they are.
func (c *catalogColumn) isExact(f *core.Field) bool {
	if !f.Many() {
		return slices.Contains(exactTypes[f.Type()], c.typeName)
	}
	return c.element != "" && c.typeName != "" && slices.Contains(exactTypes[f.Target().Key().Type()], c.typeName[1:])
}

// fits reports whether the column can hold the field: as it is, or in a [form].
func (c *catalogColumn) fits(f *core.Field) bool {
	if c.isExact(f) {
		return true
	}
	switch {
	case f.Many():
		return c.element != "" && c.element != "c" && f.Target().Key().Type() == core.Text
	case f.Type() == core.Text:
		return c.heldAsText()
	case f.Type() == core.List:
		return c.typeName == "json" || c.element != ""
	}
	return f.Type() == core.JSON && (c.typeName == "json" || c.kind == "c")
}

// spelled reports whether a type is held as text because no type of the model has
// its values.
func (c *catalogColumn) heldAsText() bool {
	if c.element != "" || c.kind == "c" || c.kind == "p" || c.typeName == "json" {
		return false
	}
	return !slices.ContainsFunc(exactTypes[:], func(names []string) bool { return slices.Contains(names, c.typeName) })
}
