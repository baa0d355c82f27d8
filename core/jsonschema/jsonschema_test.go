package jsonschema_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/jsonschema"
)

const boxes = `{
	"type": "object", "required": ["width"], "additionalProperties": false,
	"properties": {
		"width": {"type": "integer", "minimum": 1},
		"name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
		"inner": {"type": "array", "items": {"$ref": "#"}, "uniqueItems": true},
		"unit": {"$ref": "#/$defs/unit"},
		"either": {"anyOf": [{"type": "string"}, {"minimum": 10}]},
		"a/b~c": {"const": 1}, "never": false
	},
	"$defs": {"unit": {"enum": ["cm", "in"]}}
}`

func TestViolations(t *testing.T) {
	s := jsonschema.MustCompile(boxes)
	for content, want := range map[string]string{
		`{"width": 1}`: "",
		`{"width": 3, "name": "abc", "inner": [{"width": 2}], "unit": "cm", "either": 10, "a/b~c": 1}`: "",
		`1`:                                `[]: type type "object"`,
		`{}`:                               `[]: required required ["width"]`,
		`{"width": 0.5}`:                   `[width]: type type "integer"`,
		`{"width": 1, "name": "too long"}`: `[name]: maxLength maxLength 5; [name]: pattern pattern "^[a-z]+$"`,
		`{"width": 1, "more": 2}`:          `[]: additionalProperties additionalProperties false`,
		`{"width": 1, "inner": [{"width": 1}, {"width": 0}]}`: `[inner 1 width]: minimum minimum 1`,
		`{"width": 1, "inner": [{"width": 1}, {"width": 1}]}`: `[inner]: uniqueItems uniqueItems true`,
		`{"width": 1, "unit": "m"}`:                           `[unit]: enum enum ["cm","in"]`,
		`{"width": 1, "either": 9}`:                           `[either]: anyOf anyOf [{"type":"string"},{"minimum":10}]`,
		`{"width": 1, "a/b~c": 2}`:                            `[a/b~c]: const const 1`,
		`{"width": 1, "never": 2}`:                            `[never]: false false`,
		`{"width": 1e1000000000}`:                             `[width]: number a number of at most 1,000 digits`,
		`{"width": 1, "inner": [1, 1e-2000000]}`:              `[inner 1]: number a number of at most 1,000 digits`,
	} {
		var value any
		d := json.NewDecoder(strings.NewReader(content))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range s.Violations(value) {
			got = append(got, fmt.Sprint(c.Path, ": ", c.Rule, " ", c.Accepted))
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%s\n got %s\nwant %s", content, text, want)
		}
	}
}

func TestDocumentsThatAreNotSupported(t *testing.T) {
	for document, want := range map[string]string{
		`{`:                                    "EOF",
		`{"type": 1}`:                          "jsonschema",
		`{"$ref": "https://example.com/a"}`:    `the reference "https://example.com/a" is not supported`,
		`{"items": {"$ref": "file:///etc/x"}}`: "is not supported",
		`{"$ref": "#/properties/a"}`:           "refer to #/$defs/NAME",
		`{"$ref": "#/$defs/a"}`:                "#/$defs/a",
		`{"$id": "https://example.com"}`:       "the keyword $id is not supported",
		`{"allOf": [{"$dynamicRef": "#a"}]}`:   "the keyword $dynamicRef is not supported",
		`{"$schema": "https://example.com/s"}`: "other documents are not loaded",
		`{"pattern": "(?=a)"}`:                 "jsonschema",
	} {
		if _, err := jsonschema.Compile(document); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", document, err, want)
		}
	}
	if _, err := jsonschema.Compile(`{"properties": {"$ref": {"type": "string"}}, "const": {"$id": 1}}`); err != nil {
		t.Errorf("names of members: %v", err)
	}
}

func TestStoreRejectsContent(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "box", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "size", Type: core.JSON, Schema: jsonschema.MustCompile(boxes)},
	}})
	store, err := core.New(t.Context(), m, memory.New())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	insert := func(content any) error {
		rec, err := m.Resource("box").NewRecord(map[string]any{"size": content})
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Insert(context.Background(), m.Resource("box"), rec)
		return err
	}
	if err := insert(map[string]any{"width": 4}); err != nil {
		t.Error(err)
	}
	err = insert(map[string]any{"width": 0})
	const want = `VALIDATION_FAILED violations=[{"accepted":"minimum 1","object_name":"box","path":["size","width"],"rule":"schema minimum"}]`
	if !errors.Is(err, core.ValidationFailed) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func Example() {
	s := jsonschema.MustCompile(`{"type": "array", "items": {"type": "string"}, "maxItems": 2}`)
	for _, v := range s.Violations([]any{"a", 1, "c"}) {
		fmt.Println(v.Path, v.Accepted)
	}
	// Output:
	// [] maxItems 2
	// [1] type "string"
}
