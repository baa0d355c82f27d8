package openapi30_test

import (
	"encoding/json"
	"testing"

	"github.com/larder-go/larder/core/rest/internal/openapi30"
)

func TestSchemas(t *testing.T) {
	for from, want := range map[string]string{
		`{"type": ["string", "null"], "enum": ["a", null]}`:                        `{"enum":["a",null],"nullable":true,"type":"string"}`,
		`{"type": ["string", "integer"]}`:                                          `{"anyOf":[{"type":"string"},{"type":"integer"}]}`,
		`{"type": "null", "description": "d"}`:                                     `{"description":"d"}`,
		`{"oneOf": [{"type": ["integer", "null"]}, {"$ref": "#/a"}]}`:              `{"oneOf":[{"nullable":true,"type":"integer"},{"$ref":"#/a"}]}`,
		`{"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}`:                           `{"anyOf":[{"$ref":"#/a"},{"enum":[null],"nullable":true,"type":"object"}]}`,
		`{"const": 1, "contains": {}, "if": {}}`:                                   `{"enum":[1]}`,
		`{"exclusiveMinimum": 1, "exclusiveMaximum": 2}`:                           `{"exclusiveMaximum":true,"exclusiveMinimum":true,"maximum":2,"minimum":1}`,
		`{"$ref": "#/a", "description": "d", "readOnly": true}`:                    `{"$ref":"#/a"}`,
		`{"$ref": "#/a", "type": "array", "items": true}`:                          `{"allOf":[{"items":{},"type":"array"},{"$ref":"#/a"}]}`,
		`{"properties": {"const": {"const": 1}, "type": {"type": "string"}}}`:      `{"properties":{"const":{"enum":[1]},"type":{"type":"string"}}}`,
		`{"additionalProperties": false, "x-n": 1}`:                                `{"additionalProperties":false,"x-n":1}`,
		`{"additionalProperties": {"type": ["string", "null"]}, "not": {"if": 1}}`: `{"additionalProperties":{"nullable":true,"type":"string"}}`,
	} {
		var doc map[string]any
		text := `{"paths": {"/a": {"get": {"example": {"schema": true}, "parameters": [{"schema": ` + from + `}]}}}, "components": {"schemas": {"s": ` + from + `}}}`
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		openapi30.Convert(doc)
		got, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if want := `{"components":{"schemas":{"s":` + want + `}},"openapi":"3.0.3","paths":{"/a":{"get":{"example":{"schema":true},"parameters":[{"schema":` + want + `}]}}}}`; string(got) != want {
			t.Errorf("%s\n got %s\nwant %s", from, got, want)
		}
	}
}
