package postgres

import (
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
)

// importedConstant matches what pg_get_expr writes for a constant: a text, a
// number or a truth, and maybe its type.
var importedConstant = regexp.MustCompile(`^(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d*)?|true|false))(?:::([\w ."]+(?:\(\d+(?:,\d+)?\))?(?:\[\])*))?$`)

// importedNumber matches the constants that the server converts from one type of
// number to another without saying so.
var importedNumber = regexp.MustCompile(`^-?\d+(?:\.\d*)?$`)

// constant returns the default of the column if that is a constant which the
// model can hold, as a plain Go value.
func (c *importedColumn) constant(t core.Type) (any, bool) {
	m := importedConstant.FindStringSubmatch(c.Default)
	if m == nil {
		return nil, false
	}
	literal := strings.ReplaceAll(m[1], "''", "'") + m[2]
	if m[3] != "" && m[3] != c.Base && !importedNumber.MatchString(literal) {
		return nil, false
	}
	v, err := t.Convert(importedLiteral(t, literal))
	if err != nil || !v.IsSet() {
		return nil, false
	}
	return v.Any(), true
}

// importedLiteral returns a literal of SQL as something that the type converts.
func importedLiteral(t core.Type, literal string) any {
	switch t {
	case core.Bool:
		return map[string]any{"true": true, "false": false}[literal]
	case core.Time:
		if at, err := time.Parse("2006-01-02 15:04:05-07", literal); err == nil {
			return at
		}
	case core.Bytes:
		if b, err := hex.DecodeString(strings.TrimPrefix(literal, `\x`)); err == nil {
			return b
		}
	case core.JSON:
		return json.RawMessage(literal)
	case core.List:
		if literal == "{}" {
			return []any{}
		}
		return nil
	}
	return literal
}
