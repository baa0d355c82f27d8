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

// fitting are the names in pg_type of types whose columns a type can be stored in.
var fitting = [...][]string{
	core.Int: {"int8", "int4", "int2"}, core.Float: {"float8", "float4"}, core.Text: {"text", "varchar"},
	core.Bool: {"bool"}, core.Time: {"timestamptz"}, core.UUID: {"uuid"}, core.Bytes: {"bytea"},
	core.JSON: {"jsonb"}, core.List: {"jsonb"},
}

// fits reports whether a column of that type can hold the field.
func fits(f *core.Field, name string) bool {
	if !f.Many() {
		return slices.Contains(fitting[f.Type()], name)
	}
	return len(name) > 0 && name[0] == '_' && slices.Contains(fitting[f.Target().Key().Type()], name[1:])
}
