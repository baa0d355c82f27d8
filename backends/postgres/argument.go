package postgres

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

// argument returns the value as pgx sends it for a parameter of the column's type.
// Lists of keys go as the text of an array, because parameters that are arrays of
// arrays cannot have rows of different lengths.
func (c *column) argument(v core.Value) any {
	switch v.Type() {
	case core.Int:
		return v.Int()
	case core.Float:
		return v.Float()
	case core.Bool:
		return v.Bool()
	case core.Time:
		return v.Time()
	case core.Bytes:
		return []byte(v.Text())
	case core.List:
		if c.field.Many() {
			return keyArray(v, c.field.Target().Key().Type())
		}
		return v.Text()
	case core.Text, core.UUID, core.JSON:
		return v.Text()
	}
	return nil
}

// sample is a value of the Go type that argument returns, for columns whose arrays do
// not have an element of their own.
func (c *column) sample() any {
	switch c.field.Type() {
	case core.Float:
		return float64(0)
	case core.Bool:
		return false
	case core.Time:
		return core.IntValue(0).Time()
	case core.Bytes:
		return []byte{}
	}
	return ""
}

// parameter is the type that the column's values have in an array of them.
func (c *column) elementType() string {
	switch c.field.Type() {
	case core.JSON, core.List:
		return "text"
	}
	return c.paramType
}

// fromParameter turns an expression of the type parameter into one of the column's.
func (c *column) fromParameter(expression string) string {
	if c.elementType() == c.paramType {
		return c.fromModel(expression)
	}
	return c.fromModel(expression + "::" + c.paramType)
}

// keyArray spells a list of keys as PostgreSQL spells arrays (manual, section
// 8.15.2).
func keyArray(list core.Value, t core.Type) string {
	keys, err := list.Elements(t)
	if err != nil { // the store has checked it
		return "{}"
	}
	text := []byte{'{'}
	for i, key := range keys {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendElement(text, key.String())
	}
	return string(append(text, '}'))
}

var elementEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func appendElement(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = append(dst, elementEscapes.Replace(s)...)
	return append(dst, '"')
}

// check returns an error for a value that the column cannot hold although its type
// in the model can, and for a column that cannot be written to.
func (c *column) check(v core.Value) error {
	f := c.field
	if c.generated || c.viewOnly {
		return readOnlyError(f)
	}
	fits := true
	switch v.Type() {
	case core.Int:
		fits = v.Int() >= c.limits.low && v.Int() <= c.limits.high
	case core.Text:
		fits = c.limits.fitsText(v.Text()) && !(c.hasNumerics && hasLargeExponent(v.Text()))
	case core.Float:
		fits = !c.limits.float32 || fitsFloat32(v.Float())
	}
	if fits {
		return nil
	}
	return badValue(f, v)
}

// fitsSingle reports whether the server stores the number with 32 bits: it refuses
// those that would become infinite or zero.
func fitsFloat32(f float64) bool {
	return math.Abs(f) <= math.MaxFloat32 && (f == 0 || float32(f) != 0)
}

// text reports whether a column can hold the text. The server would cut some of
// those that it cannot.
func (l limits) fitsText(s string) bool {
	switch {
	case l.bytes > 0:
		return len(s) <= l.bytes
	case l.size == 0 || len(s) <= l.size && !l.exactSize:
		return true
	case l.ignoreBlanks:
		s = trimBlanks(s)
	}
	n := utf8.RuneCountInString(s)
	return n == l.size || n < l.size && !l.exactSize
}

// readonly is the error of a column that cannot be written to. Clients are told
// nothing of a hidden one.
func readOnlyError(f *core.Field) *core.Error {
	if f.Hidden() {
		return badValues(f.Resource())
	}
	return &core.Error{Code: core.FieldReadOnly, Resource: f.Resource().APIName(), Field: f.APIName()}
}

// badValue is the error of a value that a column does not take. Clients are told
// nothing of a hidden one.
func badValue(f *core.Field, v core.Value) *core.Error {
	if f.Hidden() {
		return badValues(f.Resource())
	}
	return &core.Error{
		Code: core.BadFieldValue, Resource: f.Resource().APIName(), Field: f.APIName(), Type: f.Type(), Value: v.Any(),
	}
}
