package rest

import (
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// readSchema describes a record in answers. Answers omit null fields, so only the key is required.
func (n schemaNames) readSchema(r *core.Resource) object {
	properties := object{}
	for _, f := range r.Fields() {
		if f.Hidden() {
			continue
		}
		schema := describe(n.field(f, n.read), f.Description(), throughNote(f), onDemandNote(f))
		if r.ReadOnly() || !settable(f) && !(n.keyInBody(r) && slices.Contains(keyMembers(r), f)) {
			schema["readOnly"] = true
		}
		properties[f.APIName()] = schema
		addNext(properties, f)
	}
	return describe(object{"type": "object", "properties": properties, "required": []string{r.Key().APIName()}}, r.Description())
}

// onDemandNote says that an answer shows the field only if it is asked for; empty for other fields.
func onDemandNote(f *core.Field) string {
	if f.OnDemand() {
		return "Shown only if the argument fields names it."
	}
	return ""
}

// writeSchema describes a record in the bodies of PATCH and PUT.
func (n schemaNames) writeSchema(r *core.Resource) object {
	properties := object{}
	for _, f := range r.Fields() {
		switch {
		case f.Hidden():
		case !settable(f):
			schema := describe(n.field(f, n.create), f.Description(), throughNote(f), "PATCH and PUT accept the value that a read shows.")
			schema["readOnly"] = true
			properties[f.APIName()] = schema
			addNext(properties, f)
		default:
			digits := ""
			if (f.Type() == core.Text || f.Type() == core.Decimal) && f.Target() == nil {
				digits = "A number is accepted, as the string of its digits."
			}
			schema, words := n.ruled(f, n.field(f, n.create))
			if !f.Required() {
				schema = orNull(schema)
			}
			properties[f.APIName()] = describe(schema, f.Description(), throughNote(f), words, digits)
			addNext(properties, f)
		}
	}
	return describe(object{"type": "object", "properties": properties, "additionalProperties": false}, r.Description())
}

// describe sets the description of a schema to the texts that are not empty.
func describe(schema object, texts ...string) object {
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	if len(texts) > 0 {
		schema["description"] = strings.Join(texts, " ")
	}
	return schema
}

// throughNote names the join resource of a list that goes through one.
func throughNote(f *core.Field) string {
	near, _ := f.Through()
	if near == nil {
		return ""
	}
	return "Records of " + near.Resource().APIName() + " join the two: a record that joins the list gets one, and a record that leaves it loses its own."
}

// addNext describes the member NAME@next of a list side.
func addNext(properties object, f *core.Field) {
	if engine.Continues(f) {
		properties[f.APIName()+engine.NextSuffix] = object{
			"type": "string", "format": "uri-reference", "readOnly": true,
			"description": "URL of the list that continues " + f.APIName() + ", if " + f.APIName() + " does not show all records; ignored in bodies.",
		}
	}
}

// createSchema describes the body of POST where it names the key or has to name other fields.
func (n schemaNames) createSchema(r *core.Resource) object {
	schema := n.writeSchema(r)
	properties := schema["properties"].(object) //nolint:forcetypeassert // writeSchema returns an object
	required := []string{}
	for _, f := range keyMembers(r) {
		if !n.keyInBody(r) || f.KeyPart() && f.ReadOnly() {
			continue
		}
		key, words := n.ruled(f, n.field(f, n.create))
		properties[f.APIName()] = describe(key, f.Description(), words)
		if !f.HasDefaultFunc() && !f.ConstantDefault().IsSet() {
			required = append(required, f.APIName())
		}
	}
	schema["required"] = append(required, n.must[r]...)
	return schema
}

// keyMembers returns the fields that name an assigned key in the body of POST: the key, or its parts.
func keyMembers(r *core.Resource) []*core.Field {
	if parts := r.Key().Parts(); parts != nil {
		return parts
	}
	return []*core.Field{r.Key()}
}

// settable reports whether a client can ever set the field in a body.
func settable(f *core.Field) bool {
	if c := f.Computed(); c != nil && c.Set == nil {
		return false
	}
	return !f.Key() && !f.KeyPart() && !f.Hidden() && !f.ReadOnly()
}

// field describes the values of a field. The records of a relation have the schemas in names.
func (n schemaNames) field(f *core.Field, names map[*core.Resource]string) object {
	switch target := f.Target(); {
	case target == nil:
		return typeSchema(f.Type())
	case f.Many():
		return object{"type": "array", "items": idOrRecord(target, names), "uniqueItems": true}
	default:
		return idOrRecord(target, names)
	}
}

// idOrRecord describes a record at any depth: its id at depth 0, an object otherwise. It is always the id if the record
// has no schema in names.
func idOrRecord(r *core.Resource, names map[*core.Resource]string) object {
	id := typeSchema(r.Key().Type())
	if names[r] == "" {
		return id
	}
	return object{"oneOf": []any{id, ref("schemas", names[r])}}
}

// typeSchema describes the JSON of a type; an empty schema allows any value.
func typeSchema(t core.Type) object {
	switch t {
	case core.Int:
		return object{"type": "integer", "format": "int64"}
	case core.Float:
		return object{"type": "number", "format": "double"}
	case core.Text:
		return object{"type": "string"}
	case core.Bool:
		return object{"type": "boolean"}
	case core.Time:
		return object{"type": "string", "format": "date-time"}
	case core.Date:
		return object{"type": "string", "format": "date"}
	case core.LocalTime:
		return object{"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?$"}
	case core.Decimal:
		return object{"type": "string", "format": "decimal", "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$"}
	case core.UUID:
		return object{"type": "string", "format": "uuid"}
	case core.Bytes:
		return object{"type": "string", "format": "byte", "contentEncoding": "base64"}
	case core.Tuple:
		return object{
			"type": "string", "pattern": "^[^,]*(,[^,]*)+$",
			"description": "The parts of the key, joined by commas; in a part, %2C stands for a comma and %25 for a percent sign.",
		}
	case core.List:
		return object{"type": "array", "items": object{}}
	}
	return object{}
}

// orNull returns the schema with null as a further value.
func orNull(schema object) object {
	schema = maps.Clone(schema)
	if t, ok := schema["type"].(string); ok {
		schema["type"] = []string{t, "null"}
	}
	if values, ok := schema["enum"].([]any); ok {
		schema["enum"] = append(slices.Clip(values), nil)
	}
	if either, ok := schema["oneOf"].([]any); ok {
		schema["oneOf"] = append(slices.Clip(either), object{"type": "null"})
	}
	return schema
}

// errorSchema describes the body of every error.
func errorSchema() object {
	return object{
		"type": "object", "required": []string{"error"}, "properties": object{
			"error": object{"type": "object", "required": []string{"code", "message", "details"}, "properties": errorMembers("message")},
		},
	}
}

// problemSchema describes the body of an error for clients that accept the format of RFC 9457.
func problemSchema() object {
	members := errorMembers("detail")
	members["type"], members["title"] = object{"const": "about:blank"}, object{"type": "string", "description": "The reason phrase of the status."}
	members["status"] = object{"type": "integer"}
	return object{"type": "object", "required": slices.Sorted(maps.Keys(members)), "properties": members}
}

// errorMembers describes the members that both forms of an error have. message is the name of the sentence for people.
func errorMembers(message string) object {
	return object{
		"code":    object{"type": "string", "enum": slices.Sorted(maps.Keys(statuses))},
		message:   object{"type": "string", "description": "The error in a sentence for people."},
		"details": object{"type": "object"},
	}
}
