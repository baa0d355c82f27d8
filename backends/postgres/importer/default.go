package importer

import (
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
)

// constantPattern matches the spelling of constants by pg_get_expr: a string, a number or a boolean, with an optional
// cast.
var constantPattern = regexp.MustCompile(`^(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d*)?|true|false))(?:::([\w ."]+(?:\(\d+(?:,\d+)?\))?(?:\[\])*))?$`)

// numberPattern matches numbers. The server converts these between numeric types without a visible cast.
var numberPattern = regexp.MustCompile(`^-?\d+(?:\.\d*)?$`)

// constant returns the default of the column as a Go value; false if it is no constant or the model cannot hold it.
func (c *column) constant(t core.Type) (any, bool) {
	m := constantPattern.FindStringSubmatch(c.Default)
	if m == nil {
		return nil, false
	}
	literal := strings.ReplaceAll(m[1], "''", "'") + m[2]
	if m[3] != "" && m[3] != c.Base && !numberPattern.MatchString(literal) {
		return nil, false
	}
	v, err := t.Convert(literalValue(t, literal))
	if err != nil || !v.IsSet() {
		return nil, false
	}
	return v.Any(), true
}

// literalValue returns an SQL literal as a value for [core.Type.Convert].
func literalValue(t core.Type, literal string) any {
	switch t {
	case core.Bool:
		return map[string]any{"true": true, "false": false}[literal]
	case core.Time:
		if at, err := time.Parse("2006-01-02 15:04:05-07", literal); err == nil {
			return at
		}
	case core.LocalTime:
		return strings.Replace(literal, " ", "T", 1)
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
