package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// toJSON returns raw in canonical JSON text, as type JSON or List. Go values
// that the canonical writer does not know (structs, named types, typed slices
// and maps) go through encoding/json first.
func toJSON(t Type, raw any) (Value, error) {
	if p, ok := raw.(*json.RawMessage); ok && p != nil && *p != nil {
		raw = *p // which needs no detour
	}
	text, err := strictjson.AppendCanonical(nil, raw)
	if err != nil {
		if text, err = marshalCanonical(raw); err != nil {
			return Value{}, errLossy
		}
	}
	return jsonValue(t, text)
}

// StoredJSON returns the JSON text that a storage holds as a value of type t, which is
// [JSON] or [List]. It is for backends that read it: unlike [Type.Convert] it accepts
// numbers of any size and any nesting, because another program may have stored them,
// and one such value must not make its record unreadable.
func (t Type) StoredJSON(text []byte) (Value, error) {
	canonical, err := strictjson.AppendStored(nil, text)
	if err != nil {
		return Value{}, err
	}
	return jsonValue(t, canonical)
}

// jsonValue returns canonical text as a value.
func jsonValue(t Type, canonical []byte) (Value, error) {
	if string(canonical) == "null" {
		return Null, nil
	}
	if t == List && canonical[0] != '[' {
		return Value{}, errLossy
	}
	return Value{typ: t, str: string(canonical)}, nil
}

// jsonText marks bytes as JSON for Convert.
type jsonText = json.RawMessage

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

// repaired reports whether encoding/json put replacement characters where text
// was not UTF-8: it spells them with an escape, and those that were there already
// without.
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

// ListOf returns a value of type [List] that holds the given values in order.
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

// Elements returns the elements of a [List], each as a value of type t; nil for
// any other value.
//
// Errors: [BadFieldValue], when an element does not fit t.
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

// ParseJSON reads one JSON text strictly (RFC 8259) into nil, bool, json.Number,
// string, []any and map[string]any. Unlike encoding/json it refuses what it would
// have to repair: duplicate names, invalid UTF-8, lone surrogates and U+0000; and
// nesting deeper than maxNesting, where 0 means 64. Numbers may have any size:
// [Type.Convert] refuses those that a field cannot hold.
//
// Errors: [BadRequest], with a message that says what is wrong at which byte.
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
