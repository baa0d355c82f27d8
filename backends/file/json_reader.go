package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

// jsonReader reads JSON in the form of the journal, without white space, directly into values of known types.
type jsonReader struct {
	text []byte
	pos  int
}

func (r *jsonReader) rest() []byte { return r.text[r.pos:] }

func (r *jsonReader) done() bool { return r.pos == len(r.text) }

// fail returns an error that names the expected text and the current position.
func (r *jsonReader) fail(expected string) error {
	return fmt.Errorf("byte %d of the line: expected %s", r.pos, expected)
}

// literal skips s if it comes next.
func (r *jsonReader) literal(s string) bool {
	if len(r.text)-r.pos < len(s) || string(r.text[r.pos:r.pos+len(s)]) != s {
		return false
	}
	r.pos += len(s)
	return true
}

// number skips and returns the characters of a number.
func (r *jsonReader) number() []byte {
	begin := r.pos
	for r.pos < len(r.text) && strings.IndexByte("+-.0123456789Ee", r.text[r.pos]) >= 0 {
		r.pos++
	}
	return r.text[begin:r.pos]
}

func (r *jsonReader) integer(n *int64) bool {
	begin := r.pos
	v, err := strconv.ParseInt(string(r.number()), 10, 64)
	if err != nil {
		r.pos = begin
		return false
	}
	*n = v
	return true
}

var errString = errors.New("invalid JSON string")

// string reads a string.
func (r *jsonReader) string() (string, error) {
	raw, err := r.quoted()
	if err != nil {
		return "", err
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", errString
	}
	return s, nil
}

// quoted skips a string and returns it with its quotes and escapes.
func (r *jsonReader) quoted() ([]byte, error) {
	rest := r.rest()
	if len(rest) == 0 || rest[0] != '"' {
		return nil, r.fail("a string")
	}
	for i := 1; ; i++ {
		end := bytes.IndexByte(rest[i:], '"')
		if end < 0 {
			return nil, r.fail("the end of a string")
		}
		if i += end; !escaped(rest[:i]) {
			r.pos += i + 1
			return rest[:i+1], nil
		}
	}
}

// escaped reports whether the text ends with an odd number of backslashes.
func escaped(text []byte) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// raw skips a value and returns its text without validating it.
func (r *jsonReader) raw() ([]byte, error) {
	begin, depth := r.pos, 0
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; c {
		case '"':
			if _, err := r.quoted(); err != nil {
				return nil, err
			}
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return r.text[begin:r.pos], nil
			}
			depth--
		case ',':
			if depth == 0 {
				return r.text[begin:r.pos], nil
			}
		}
		r.pos++
	}
	return r.text[begin:], nil
}

// value reads a value of the field, or null.
func (r *jsonReader) value(f *fieldSchema) (core.Value, error) {
	if r.literal("null") {
		return core.Null, nil
	}
	switch t := f.typ; t {
	case core.Int:
		var n int64
		if !r.integer(&n) {
			return core.Value{}, r.fail("an integer")
		}
		return core.IntValue(n), nil
	case core.Float:
		f, err := strconv.ParseFloat(string(r.number()), 64)
		if err != nil || math.IsNaN(f) {
			return core.Value{}, r.fail("a number")
		}
		return core.FloatValue(f), nil
	case core.Bool:
		isTrue := r.literal("true")
		if !isTrue && !r.literal("false") {
			return core.Value{}, r.fail("true or false")
		}
		return core.BoolValue(isTrue), nil
	case core.JSON, core.List:
		raw, err := r.raw()
		if err != nil {
			return core.Value{}, err
		}
		return t.StoredJSON(raw)
	case core.Tuple:
		s, err := r.string()
		if err != nil {
			return core.Value{}, err
		}
		return core.ParseTuple(s, f.of...)
	default:
		return r.textual(t)
	}
}

// textual reads a value of a type that JSON represents as a string.
func (r *jsonReader) textual(t core.Type) (core.Value, error) {
	s, err := r.string()
	if err != nil {
		return core.Value{}, err
	}
	if t == core.Text && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return core.TextValue(s), nil
	}
	return t.Convert(s)
}
