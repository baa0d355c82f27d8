// Package jsonschema describes the content of JSON fields by JSON Schema, version 2020-12.
//
//	{Name: "size", Type: core.JSON, Schema: jsonschema.MustCompile(`{
//		"type": "object", "required": ["width"], "additionalProperties": false,
//		"properties": {"width": {"type": "integer", "minimum": 1}}
//	}`)}
//
// The store rejects other content with [core.ValidationFailed], and the API description shows the schema.
//
// Patterns of a schema are regular expressions of package regexp. The keyword "format" is a comment.
package jsonschema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/larder-go/larder/core"
)

// Schema is a compiled JSON Schema. It is immutable and safe for concurrent use.
type Schema struct {
	text     json.RawMessage
	document any
	compiled *jsonschema.Schema
}

var _ core.ContentSchema = (*Schema)(nil)

// Compile returns the schema of a JSON document. Nothing is loaded: a reference must be "#" or lead to a definition of the
// document, such as "#/$defs/size".
//
// Errors: an error for text that is no JSON Schema, and one that names a reference or keyword that is not supported.
func Compile(document string) (*Schema, error) {
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("jsonschema: %w", err)
	}
	if err := checkReferences(parsed); err != nil {
		return nil, fmt.Errorf("jsonschema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(refusing{})
	if err := c.AddResource(location, parsed); err != nil {
		return nil, fmt.Errorf("jsonschema: %w", err)
	}
	compiled, err := c.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("jsonschema: %w", err)
	}
	var text bytes.Buffer
	if err := json.Compact(&text, []byte(document)); err != nil {
		return nil, fmt.Errorf("jsonschema: %w", err)
	}
	return &Schema{text.Bytes(), parsed, compiled}, nil
}

// MustCompile is [Compile] for schemas that are part of a program. It panics on an error.
func MustCompile(document string) *Schema {
	s, err := Compile(document)
	if err != nil {
		panic(err)
	}
	return s
}

// location is the address of every schema. Nothing is read there.
const location = "urn:larder:content"

// refusing is a loader that loads nothing.
type refusing struct{}

var errRemote = errors.New("other documents are not loaded; copy the definition to $defs")

func (refusing) Load(string) (any, error) { return nil, errRemote }

// checkReferences rejects references that API descriptions cannot show, and keywords that change how references work.
func checkReferences(schema any) error {
	members, ok := schema.(map[string]any)
	if list, isList := schema.([]any); isList {
		for _, part := range list {
			if err := checkReferences(part); err != nil {
				return err
			}
		}
	}
	if !ok {
		return nil
	}
	for _, keyword := range slices.Sorted(maps.Keys(members)) {
		v := members[keyword]
		switch keyword {
		case "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary":
			return fmt.Errorf("the keyword %s is not supported; use $ref and $defs", keyword)
		case "$ref":
			text, _ := v.(string)
			name, found := strings.CutPrefix(text, "#/$defs/")
			if !found {
				name, found = strings.CutPrefix(text, "#/definitions/")
			}
			if text != "#" && (!found || strings.ContainsAny(name, "/~%")) {
				return fmt.Errorf("the reference %q is not supported; copy the definition to $defs and refer to #/$defs/NAME", text)
			}
		case "const", "enum", "default", "examples":
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
			named, _ := v.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(named)) {
				if err := checkReferences(named[name]); err != nil {
					return err
				}
			}
		default:
			if err := checkReferences(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Document implements [core.ContentSchema].
func (s *Schema) Document() json.RawMessage { return slices.Clone(s.text) }

// Violations implements [core.ContentSchema]. The rule of a violation is the keyword, and the accepted part is the keyword with
// its value in the schema.
func (s *Schema) Violations(value any) []core.ContentViolation {
	if at, found := hugeNumber(value, nil); found {
		return []core.ContentViolation{{Path: at, Rule: "number", Accepted: "a number of at most 1,000 digits"}}
	}
	var failed *jsonschema.ValidationError
	if err := s.compiled.Validate(value); !errors.As(err, &failed) {
		if err == nil {
			return nil
		}
		return []core.ContentViolation{{Rule: "json"}}
	}
	found := s.collect(nil, failed, value)
	slices.SortStableFunc(found, func(a, b core.ContentViolation) int {
		return cmp.Or(strings.Compare(fmt.Sprint(a.Path...), fmt.Sprint(b.Path...)), strings.Compare(a.Rule, b.Rule))
	})
	return found
}

// maxExponent bounds the exponents of numbers. The validator computes with all digits of a number.
const maxExponent = 1000

// hugeNumber returns the path to a number with a large exponent.
func hugeNumber(value any, path []any) (at []any, found bool) {
	switch x := value.(type) {
	case json.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(x.String()), "e")
		n, err := strconv.Atoi(cmp.Or(exponent, "0"))
		return slices.Clone(path), err != nil || n > maxExponent || n < -maxExponent || len(x) > maxExponent
	case []any:
		for i, element := range x {
			if at, found := hugeNumber(element, append(path, i)); found {
				return at, true
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			if at, found := hugeNumber(x[name], append(path, name)); found {
				return at, true
			}
		}
	}
	return nil, false
}

// collect appends the violations that have no further cause. The branches of anyOf, oneOf and not are left out: one of them
// would suffice.
func (s *Schema) collect(found []core.ContentViolation, e *jsonschema.ValidationError, value any) []core.ContentViolation {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not:
	default:
		if len(e.Causes) > 0 {
			for _, cause := range e.Causes {
				found = s.collect(found, cause, value)
			}
			return found
		}
	}
	v := core.ContentViolation{Path: pathIn(value, e.InstanceLocation), Rule: "false"}
	if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
		v.Rule = path[0]
	}
	v.Accepted = s.accepted(e.SchemaURL, v.Rule)
	return append(found, v)
}

// pathIn returns the path of a JSON pointer with the positions in lists as numbers.
func pathIn(value any, pointer []string) []any {
	path := make([]any, len(pointer))
	for i, step := range pointer {
		path[i] = step
		switch x := value.(type) {
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(x) {
				return path[:i]
			}
			path[i], value = n, x[n]
		case map[string]any:
			value = x[step]
		}
	}
	return path
}

// maxAccepted bounds the value of a keyword in an error, in bytes.
const maxAccepted = 200

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// accepted returns the keyword of a part of the schema with its value, and without it if it is long.
func (s *Schema) accepted(url, keyword string) string {
	_, fragment, _ := strings.Cut(url, "#")
	part := s.document
	for _, step := range strings.Split(fragment, "/")[1:] {
		switch x := part.(type) {
		case map[string]any:
			part = x[unescapePointer.Replace(step)]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(x) {
				return keyword
			}
			part = x[n]
		}
	}
	members, _ := part.(map[string]any)
	text, err := json.Marshal(members[keyword])
	if members[keyword] == nil || err != nil || len(text) > maxAccepted {
		return keyword
	}
	return keyword + " " + string(text)
}
