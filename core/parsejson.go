package core

import (
	"errors"

	"github.com/larder-go/larder/core/internal/strictjson"
)

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
