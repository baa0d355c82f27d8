package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// toJSON converts raw to canonical JSON as type JSON or List. Go values that the canonical writer does not support,
// such as structs, go through encoding/json.
func toJSON(t Type, raw any) (Value, error) {
	if p, ok := raw.(*json.RawMessage); ok && p != nil && *p != nil {
		raw = *p // needs no encoding/json
	}
	text, err := strictjson.AppendCanonical(nil, raw)
	if err != nil {
		if text, err = marshalCanonical(raw); err != nil {
			return Value{}, errLossy
		}
	}
	return jsonValue(t, text)
}

// StoredJSON returns JSON text from a storage as a value of type t, which must be [JSON] or [List]. Unlike
// [Type.Convert] it accepts numbers of any size and any nesting: another program may have written them, and one such
// value must not make its record unreadable.
//
// Errors: invalid JSON; for a List, JSON that is no array.
func (t Type) StoredJSON(text []byte) (Value, error) {
	canonical, err := strictjson.AppendStored(nil, text)
	if err != nil {
		return Value{}, err
	}
	return jsonValue(t, canonical)
}

// jsonValue returns canonical text as a value of type t.
func jsonValue(t Type, canonical []byte) (Value, error) {
	if string(canonical) == "null" {
		return Null, nil
	}
	if t == List && canonical[0] != '[' {
		return Value{}, errLossy
	}
	return Value{typ: t, str: string(canonical)}, nil
}

func marshalCanonical(raw any) ([]byte, error) {
	encoded, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	if hasReplacement(encoded) {
		return nil, errLossy
	}
	return strictjson.AppendCanonical(nil, json.RawMessage(encoded))
}

// hasReplacement reports whether encoding/json has replaced invalid UTF-8. It escapes the replacement character, but
// not one that the text had.
func hasReplacement(encoded []byte) bool {
	for i := bytes.IndexByte(encoded, '\\'); i >= 0 && i+1 < len(encoded); {
		if bytes.HasPrefix(encoded[i:], []byte(`\ufffd`)) {
			return true
		}
		next := bytes.IndexByte(encoded[i+2:], '\\')
		if next < 0 {
			return false
		}
		i += 2 + next
	}
	return false
}

// ListOf returns a [List] of the values in order.
func ListOf(values ...Value) Value {
	text := []byte{'['}
	for i, v := range values {
		if i > 0 {
			text = append(text, ',')
		}
		text = v.AppendJSON(text)
	}
	return Value{typ: List, str: string(append(text, ']'))}
}

// Elements returns the elements of a [List], converted to type t; nil for a value of another type.
//
// Errors: [BadFieldValue] for an element that does not fit t.
func (v Value) Elements(t Type) ([]Value, error) {
	if v.typ != List {
		return nil, nil
	}
	parsed, err := strictjson.Parse([]byte(v.str), math.MaxInt)
	if err != nil {
		return nil, &Error{Code: BadFieldValue, Type: List, Cause: err}
	}
	items, _ := parsed.([]any)
	out := make([]Value, len(items))
	for i, item := range items {
		if out[i], err = t.Convert(item); err != nil {
			return nil, &Error{Code: BadFieldValue, Type: t, Value: item}
		}
	}
	return out, nil
}

// ParseJSON parses one JSON text strictly (RFC 8259) into nil, bool, json.Number, string, []any and map[string]any.
// It rejects text that encoding/json repairs: duplicate names, invalid UTF-8, lone surrogates and U+0000. maxNesting
// bounds the depth; 0 means 64. Numbers may have any size: [Type.Convert] rejects numbers that a field cannot hold.
//
// Errors: [BadRequest] with a message that names the problem and its byte offset.
func ParseJSON(text []byte, maxNesting int) (any, error) {
	v, err := strictjson.Parse(text, maxNesting)
	if err == nil {
		return v, nil
	}
	if syntax, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
		return nil, &Error{Code: BadRequest, Message: syntax.Error()}
	}
	return nil, &Error{Code: BadRequest, Message: "invalid JSON", Cause: err}
}
