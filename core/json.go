package core

import (
	"encoding/json"
	"reflect"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// toJSON returns raw in canonical JSON text, as type JSON or List. Go values
// that the canonical writer does not know (structs, typed slices and maps) go
// through encoding/json first.
func toJSON(t Type, raw any) (Value, error) {
	text, err := strictjson.AppendCanonical(nil, raw)
	if err != nil {
		if text, err = marshalled(raw); err != nil {
			return Value{}, errLossy
		}
	}
	if string(text) == "null" {
		return Null, nil
	}
	if t == List && text[0] != '[' {
		return Value{}, errLossy
	}
	return Value{typ: t, str: string(text)}, nil
}

// jsonText marks bytes as JSON for Convert.
type jsonText = json.RawMessage

func marshalled(raw any) ([]byte, error) {
	switch reflect.Indirect(reflect.ValueOf(raw)).Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
	default:
		return nil, errLossy
	}
	encoded, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	return strictjson.AppendCanonical(nil, json.RawMessage(encoded))
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
	parsed, err := strictjson.Parse([]byte(v.str), 0)
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
