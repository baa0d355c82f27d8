package explorer

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// condition is a row of the form of a list: a field, or a path such as "jar.label", an operator and a value.
type condition struct {
	Field, Operator, Value string
	Remove                 string // URL of the list without the condition
}

// operators are the operators of the form, with their names for people. The last two stand for a comparison with null.
var operators = []struct{ Name, Text string }{
	{"eq", "is"}, {"ne", "is not"}, {"contains", "contains"}, {"icontains", "contains, in any case"}, {"prefix", "begins with"},
	{"lt", "is less than"}, {"le", "is at most"}, {"gt", "is greater than"}, {"ge", "is at least"},
	{"in", "is one of: a, b, …"}, {"null", "is empty"}, {"set", "is not empty"},
}

// maxConditions is the greatest number of conditions that the form shows.
const maxConditions = 20

// conditions returns the conditions of a filter of the API that the form can show, and reports whether these are all: fields
// with values or operators, and a list of them in $and.
func conditions(filter string) ([]condition, bool) {
	if filter == "" {
		return nil, true
	}
	var all struct {
		And []map[string]json.RawMessage `json:"$and"`
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(filter), &members) != nil || json.Unmarshal([]byte(filter), &all) != nil {
		return nil, false
	}
	delete(members, "$and")
	var rows []condition
	for _, members := range append([]map[string]json.RawMessage{members}, all.And...) {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			var comparisons map[string]json.RawMessage
			if json.Unmarshal(members[name], &comparisons) != nil || comparisons == nil {
				comparisons = map[string]json.RawMessage{"eq": members[name]}
			}
			for _, operator := range slices.Sorted(maps.Keys(comparisons)) {
				c, ok := conditionOf(name, operator, comparisons[operator])
				if rows = append(rows, c); !ok || len(rows) > maxConditions {
					return nil, false
				}
			}
		}
	}
	return rows, true
}

// conditionOf returns the condition of one comparison, and reports whether the form can show it.
func conditionOf(field, operator string, raw json.RawMessage) (condition, bool) {
	c := condition{Field: field, Operator: operator, Value: plain(raw)}
	known := slices.ContainsFunc(operators, func(o struct{ Name, Text string }) bool { return o.Name == operator })
	switch {
	case strings.HasPrefix(field, "$") || !known || operator == "null" || operator == "set":
		return c, false
	case string(raw) == "null":
		null := map[string]string{"eq": "null", "ne": "set"}[operator]
		return condition{Field: field, Operator: null}, null != ""
	case operator == "in":
		var values []json.RawMessage
		if json.Unmarshal(raw, &values) != nil {
			return c, false
		}
		texts := make([]string, len(values))
		for i, value := range values {
			if texts[i] = plain(value); texts[i] != strings.TrimSpace(texts[i]) || strings.Contains(texts[i], ",") {
				return c, false
			}
		}
		c.Value = strings.Join(texts, ", ")
	case bytes.HasPrefix(raw, []byte("{")) || bytes.HasPrefix(raw, []byte("[")) || c.Value == "":
		return c, false
	}
	return c, true
}

// filterOf returns the filter of the API for the conditions on records of the resource; empty for none. Further is a filter
// that holds as well; empty for none.
func filterOf(r *core.Resource, rows []condition, further string) string {
	var parts []any
	if further != "" {
		parts = append(parts, json.RawMessage(further))
	}
	for _, c := range rows {
		f := fieldAt(r, c.Field)
		var value any
		operator := c.Operator
		switch operator {
		case "null", "set":
			operator = map[string]string{"null": "eq", "set": "ne"}[operator]
		case "in":
			values := []any{}
			for text := range strings.SplitSeq(c.Value, ",") {
				values = append(values, jsonOf(f, strings.TrimSpace(text)))
			}
			value = values
		default:
			value = jsonOf(f, c.Value)
		}
		parts = append(parts, map[string]any{c.Field: map[string]any{operator: value}})
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return string(mustJSON(parts[0]))
	}
	return string(mustJSON(map[string]any{"$and": parts}))
}

// fieldAt returns the field of a name or of a path over to-one relations; nil if there is none.
func fieldAt(r *core.Resource, path string) (f *core.Field) {
	for name := range strings.SplitSeq(path, ".") {
		if r == nil {
			return nil
		}
		if f = r.FieldByAPIName(name); f == nil {
			return nil
		}
		r = f.Target()
	}
	return f
}

// jsonOf returns a typed value as JSON: numbers, booleans and JSON as they are, if they are well-formed, and any other text as
// a string. The API reports values that do not fit the field; nil stands for a field that does not exist.
func jsonOf(f *core.Field, text string) json.RawMessage {
	literal := json.RawMessage(text)
	if f != nil && json.Valid(literal) {
		switch first := text[0]; f.Type() {
		case core.Int, core.Float:
			if first == '-' || first >= '0' && first <= '9' {
				return literal
			}
		case core.Bool:
			if text == "true" || text == "false" {
				return literal
			}
		case core.JSON, core.List:
			return literal
		}
	}
	return mustJSON(text)
}

// mustJSON returns the JSON of strings, JSON, and lists and maps of them, without escapes for HTML.
func mustJSON(value any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return json.RawMessage("null") // JSON that a person has typed; the API reports it
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// typed returns the conditions of a form that was sent; rows without a field are none.
func typed(query url.Values) (rows []condition) {
	fields, ops, values := query["$field"], query["$op"], query["$value"]
	for i := range min(len(fields), len(ops), len(values)) {
		if fields[i] != "" {
			rows = append(rows, condition{Field: fields[i], Operator: ops[i], Value: values[i]})
		}
	}
	return rows
}
