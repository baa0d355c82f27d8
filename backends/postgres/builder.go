package postgres

import (
	"strconv"
	"strings"
)

// builder writes one statement. Parameters are numbered in the order in which they
// are asked for, which is that of the arguments of the [shape].
type builder struct {
	strings.Builder

	alias  string // of the row that conditions are about
	params int
	fence  string // the guard of the statement, behind which conditions that may fail stand; may be ""
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.WriteString(p)
	}
}

// param returns the next parameter. Each has its type spelled out, so that it means
// the same in every protocol.
func (b *builder) param(cast string) string {
	b.params++
	return "$" + strconv.Itoa(b.params) + "::" + cast
}

// column returns the column of the row that conditions are about.
func (b *builder) column(c *column) string { return b.alias + "." + c.name }

// list writes the columns as they are, with commas between them.
func (b *builder) list(columns []*column) {
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(b.column(c))
	}
}
