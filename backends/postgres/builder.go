package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// builder writes one statement and collects its arguments.
type builder struct {
	strings.Builder

	alias string // of the row in conditions
	args  []any
	fence string // condition that must hold before conditions that may fail are evaluated; "" for none
	err   error  // of the first condition that cannot be written
}

// newBuilder returns a builder for a statement whose conditions concern the row t. It has room for most statements.
func newBuilder() *builder {
	b := &builder{alias: "t", args: make([]any, 0, 4)}
	b.Grow(512)
	return b
}

// call returns the statement as a call, with read for its rows.
func (b *builder) call(read func(rows pgx.Rows) error) call {
	return call{sql: b.String(), args: b.args, read: read}
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.WriteString(p)
	}
}

// param adds an argument and returns its parameter. The cast gives the parameter the same type in every protocol.
func (b *builder) param(cast string, argument any) string {
	b.args = append(b.args, argument)
	return "$" + strconv.Itoa(len(b.args)) + "::" + cast
}

// keys adds keys of the table as one array, or with many unset the only key, and returns the parameter.
func (b *builder) keys(t *table, keys []core.Value, many bool) string {
	if many {
		return b.param(t.key.elementType()+"[]", t.key.array(keys))
	}
	return b.param(t.key.paramType, t.key.argument(keys[0]))
}

// column returns the column of the row that conditions are about.
func (b *builder) column(c *column) string { return b.alias + "." + c.name }

// list writes the columns as they are, with commas between them.
func (b *builder) columns(columns []*column) {
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(b.column(c))
	}
}
