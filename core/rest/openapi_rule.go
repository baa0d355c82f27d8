package rest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// ruled returns the schema of a field's values in bodies with the rules of the model, and the rules that JSON Schema cannot
// express, in words. Answers have only the lists of values, so that clients can write back what they read; a record may be
// older than the other rules.
func (n schemaNames) ruled(f *core.Field, schema object) (_ object, words string) {
	if f.Target() != nil {
		return schema, ""
	}
	schema = maps.Clone(schema)
	s := f.Spec()
	texts := []string{addBounds(f, schema), addValues(f, schema), transitions(s.Transitions)}
	if s.MinLength > 0 {
		schema["minLength"] = s.MinLength
	}
	if s.MaxLength > 0 {
		schema["maxLength"] = s.MaxLength
	}
	if s.Pattern != "" {
		schema["pattern"] = jsonPattern(s.Pattern)
	}
	if s.Schema != nil {
		n.addContentSchema(f, schema)
	}
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	return schema, strings.Join(texts, " ")
}

// addBounds adds the bounds of a number to the schema, and returns those of other types in words.
func addBounds(f *core.Field, schema object) string {
	var words []string
	least, greatest := f.Bounds()
	for _, bound := range []struct {
		v              core.Value
		keyword, words string
	}{{least, "minimum", "At least"}, {greatest, "maximum", "At most"}} {
		switch {
		case !bound.v.IsSet():
		case f.Type() == core.Int || f.Type() == core.Float:
			schema[bound.keyword] = json.RawMessage(bound.v.AppendJSON(nil))
		default:
			words = append(words, bound.words+" "+strings.Trim(string(f.AppendJSON(nil, bound.v)), `"`)+".")
		}
	}
	return strings.Join(words, " ")
}

// addValues adds the values that the field can have, or returns them in words if the values have several spellings.
func addValues(f *core.Field, schema object) string {
	values := f.OneOf()
	if values == nil {
		values = statesOf(f)
	}
	if values == nil {
		return ""
	}
	if f.Type() == core.Decimal {
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = f.DecimalText(v)
		}
		return "One of " + strings.Join(texts, ", ") + "."
	}
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = json.RawMessage(v.AppendJSON(nil))
	}
	schema["enum"] = all
	return ""
}

// statesOf returns the states that the Transitions of a field reach from a new record; nil if a new record can have any state.
func statesOf(f *core.Field) (values []core.Value) {
	all := f.Spec().Transitions
	if len(all[""]) == 0 {
		return nil
	}
	names := slices.Collect(maps.Keys(all))
	for _, following := range all {
		names = append(names, following...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name != "" {
			values = append(values, core.TextValue(name))
		}
	}
	return values
}

// transitions returns the changes of state in words.
func transitions(states map[string][]string) string {
	var words []string
	for _, from := range slices.Sorted(maps.Keys(states)) {
		to := strings.Join(states[from], ", ")
		switch {
		case from == "":
			words = append(words, fmt.Sprintf("New records have one of: %s.", to))
		case to == "":
			words = append(words, from+" is final.")
		default:
			words = append(words, fmt.Sprintf("%s may become: %s.", from, to))
		}
	}
	return strings.Join(words, " ")
}

// jsonPattern returns a pattern of a field for JSON Schema, where "." does not match line breaks.
func jsonPattern(pattern string) string {
	var b strings.Builder
	escaped, brackets := false, false
	for _, c := range pattern {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '[':
			brackets = true
		case c == ']':
			brackets = false
		case c == '.' && !brackets:
			b.WriteString(`[\s\S]`)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// addContentSchema adds the schema of the content of a field, a component of the document, to that of its type.
func (n schemaNames) addContentSchema(f *core.Field, schema object) {
	inner := ref("schemas", n.content[f])
	if f.Required() || takesNull(contentOf(f)) {
		maps.Copy(schema, inner)
	} else {
		schema["anyOf"] = []any{inner, object{"type": "null"}}
	}
}

// contentOf returns the schema of the content of a field; true for content that the document cannot describe.
func contentOf(f *core.Field) (document any) {
	if err := json.Unmarshal(f.Spec().Schema.Document(), &document); err != nil {
		return true
	}
	return document
}

// takesNull reports whether null becomes a further value of a schema by its type alone. Generators of clients read such a schema
// better than a choice of it and null.
func takesNull(schema any) bool {
	members, _ := schema.(object)
	_, typed := members["type"].(string)
	for _, keyword := range []string{"$ref", "allOf", "anyOf", "const", "enum", "if", "not", "oneOf"} {
		typed = typed && members[keyword] == nil
	}
	return typed
}

// addContent adds the schema of the content of a field and its definitions to the components, with references to these.
func (n schemaNames) addContent(schemas object, f *core.Field) {
	document := contentOf(f)
	refs := map[string]string{"#": n.content[f]}
	top, _ := document.(object)
	definitions := object{}
	for _, keyword := range []string{"$defs", "definitions"} {
		members, _ := top[keyword].(object)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			component := uniqueName(n.content[f]+"_"+name, n.used)
			refs["#/"+keyword+"/"+name], definitions[component] = component, members[name]
		}
		delete(top, keyword)
	}
	delete(top, "$schema")
	if !f.Required() && takesNull(top) {
		document = orNull(top)
	}
	schemas[n.content[f]] = withRefs(document, refs)
	for component, definition := range definitions {
		schemas[component] = withRefs(definition, refs)
	}
}

// withRefs replaces the references in a schema.
func withRefs(schema any, refs map[string]string) any {
	switch x := schema.(type) {
	case object:
		for name, v := range x {
			if to, _ := v.(string); name == "$ref" && refs[to] != "" {
				x[name] = ref("schemas", refs[to])["$ref"]
				continue
			}
			x[name] = withRefs(v, refs)
		}
	case []any:
		for i, v := range x {
			x[i] = withRefs(v, refs)
		}
	}
	return schema
}

// mustName returns the fields that a new record needs in its body: see [engine.Engine.MustName].
// Relations to the record that a body is nested in are left out.
func (n schemaNames) mustName(r *core.Resource) (names []string) {
	for _, f := range r.Fields() {
		if n.api.MustName(f) && settable(f) && f.Inverse() == nil {
			names = append(names, f.APIName())
		}
	}
	return names
}
