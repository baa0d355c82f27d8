package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendCanonical appends the canonical JSON text of v to dst. The text has no white space; names are sorted by code
// point, the byte order of UTF-8; strings are written by [AppendString] and numbers by [CanonicalNumber]. Equal values
// have equal texts, and parsing a canonical text and writing it again gives the same text. (RFC 8785 sorts names by
// UTF-16 units instead, which differs above U+FFFF.)
//
// v may be nil, a bool, a string, a Go int or uint of any size, a float32 or float64 (written as the shortest decimal
// that reads back as the same float), a [json.Number], a [json.RawMessage], and a []any or map[string]any of such
// values. A nil slice or map is written as an empty one. AppendCanonical does not modify v.
//
// Errors: any other type, by its name; NaN and infinities; invalid UTF-8 and U+0000 in a string or name; numbers that
// CanonicalNumber rejects; raw messages that [Parse] rejects, with a wrapped [*SyntaxError]; nesting deeper than
// [DefaultNesting], which also catches a value that contains itself. With an error the result is the unchanged dst.
func AppendCanonical(dst []byte, v any) ([]byte, error) {
	text, err := defaultLimits.appendValue(dst, v, 0)
	if err != nil {
		return dst, err
	}
	return text, nil
}

// AppendStored appends the canonical text of JSON that a storage holds to dst. Unlike AppendCanonical it accepts
// numbers of any size and any nesting, so that values from other programs stay readable.
//
// Every error is a [*SyntaxError]. With an error the result is the unchanged dst.
func AppendStored(dst, text []byte) ([]byte, error) {
	v, err := Parse(text, math.MaxInt)
	if err != nil {
		return dst, err
	}
	return limits{maxNesting: math.MaxInt}.appendValue(dst, v, 0)
}

// limits are the bounds of a canonical text.
type limits struct {
	maxNesting   int  // greatest depth of arrays and objects
	boundNumbers bool // numbers out of range are an error
}

var defaultLimits = limits{maxNesting: DefaultNesting, boundNumbers: true}

func (l limits) appendValue(dst []byte, v any, nesting int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return appendValidString(dst, v)
	case json.Number:
		return l.appendNumber(dst, string(v))
	case []any:
		return l.appendArray(dst, v, nesting)
	case map[string]any:
		return l.appendObject(dst, v, nesting)
	case json.RawMessage:
		return l.appendRaw(dst, v, nesting)
	default:
		return appendGoNumber(dst, v)
	}
}

// appendGoNumber appends a Go number. Any other type is an error.
func appendGoNumber(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int8:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int16:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case uint:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case uint64:
		return strconv.AppendUint(dst, v, 10), nil
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	default:
		return dst, fmt.Errorf("type %T has no canonical JSON", v)
	}
}

// appendValidString appends a string or name that every storage can hold.
func appendValidString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errors.New("invalid UTF-8 in a string")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return dst, errors.New("U+0000 in a string")
	}
	return AppendString(dst, s), nil
}

func (l limits) appendArray(dst []byte, list []any, nesting int) (_ []byte, err error) {
	if nesting == l.maxNesting {
		return dst, errTooDeep
	}
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = l.appendValue(dst, v, nesting+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (l limits) appendObject(dst []byte, members map[string]any, nesting int) (_ []byte, err error) {
	if nesting == l.maxNesting {
		return dst, errTooDeep
	}
	var few [16]string // keeps the names of a usual object off the heap
	names := few[:0]
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValidString(dst, name); err != nil {
			return dst, err
		}
		dst = append(dst, ':')
		if dst, err = l.appendValue(dst, members[name], nesting+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (l limits) appendRaw(dst []byte, raw json.RawMessage, nesting int) ([]byte, error) {
	v, err := Parse(raw, DefaultNesting)
	if err != nil {
		return dst, fmt.Errorf("raw message: %w", err)
	}
	return l.appendValue(dst, v, nesting)
}

var errTooDeep = fmt.Errorf("nesting deeper than %d", DefaultNesting)
