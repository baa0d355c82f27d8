package rest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// schemas describes the records of all resources, their bodies, and errors.
func (n schemaNames) schemas() object {
	all := errorSchemas()
	for _, r := range n.api.Model().Resources() {
		for level := 1; level <= n.depth; level++ {
			all[n.read[r][level]] = n.readSchema(r, level)
		}
		all[n.page[r]] = object{"type": "array", "items": n.answer(r, n.depth), "description": "Records of " + r.APIName() + "."}
		all[n.field[r]] = fieldSchema(r)
		if r.ReadOnly() {
			continue
		}
		all[n.create[r]] = n.createSchema(r)
		all[n.replace[r]] = n.writeSchema(r, "PUT")
		all[n.patch[r]] = n.writeSchema(r, "PATCH")
		if names := n.mustName(r); names != nil {
			all[n.replace[r]].(object)["required"] = names //nolint:forcetypeassert // writeSchema returns an object
		}
		for _, f := range r.Fields() {
			if n.content[f] != "" {
				n.addContent(all, f)
			}
		}
	}
	return all
}

// describedDepth says which depth the document describes, and where other depths are described.
func describedDepth(depth, greatest int) string {
	shown := "relations show the ids of related records"
	switch {
	case depth == 0:
		shown = "a record is its id"
	case depth > 1:
		shown = fmt.Sprintf("relations show related records at depth %d", depth-1)
	}
	return fmt.Sprintf("This document describes answers of the depth %d: %s. The document of another depth, at most %d, has the argument depth: %s?depth=2.",
		depth, shown, greatest, documentName)
}

// answer describes a record in an answer at a depth: its id at depth 0, an object otherwise.
func (n schemaNames) answer(r *core.Resource, depth int) object {
	if depth == 0 {
		return typeSchema(r.Key().Type())
	}
	return ref("schemas", n.read[r][depth])
}

// readSchema describes a record in answers at a depth above 0. Answers omit null fields, so only the key is required.
func (n schemaNames) readSchema(r *core.Resource, depth int) object {
	properties := object{}
	for _, f := range visible(r) {
		schema := typeSchema(f.Type())
		switch {
		case f.Many():
			schema = object{"type": "array", "items": n.answer(f.Target(), depth-1)}
		case f.Target() != nil:
			schema = n.answer(f.Target(), depth-1)
		default:
			addValues(f, schema)
		}
		properties[f.APIName()] = describe(schema, f.Description(), throughNote(f), onDemandNote(f))
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

// fieldSchema describes the names of the fields that an answer can show.
func fieldSchema(r *core.Resource) object {
	var names []string
	for _, f := range visible(r) {
		names = append(names, f.APIName())
	}
	return object{"type": "string", "enum": names, "description": "A field of " + r.APIName() + "."}
}

// writeSchema describes a record in the bodies of PATCH and PUT. Fields that cannot be set are there, because a record that was read
// can be written back; they are not readOnly, because validating proxies reject a body with such a field.
func (n schemaNames) writeSchema(r *core.Resource, method string) object {
	properties := object{}
	for _, f := range visible(r) {
		if settable(f) {
			properties[f.APIName()] = n.settableSchema(f)
		} else {
			properties[f.APIName()] = describe(n.bodySchema(f), f.Description(), throughNote(f), "Cannot be set: "+method+" accepts the value that a read shows.")
		}
		addNext(properties, f)
	}
	return describe(object{"type": "object", "properties": properties, "additionalProperties": false}, r.Description())
}

// settableSchema describes the value of a field that a body can set.
func (n schemaNames) settableSchema(f *core.Field) object {
	digits := ""
	if (f.Type() == core.Text || f.Type() == core.Decimal) && f.Target() == nil {
		digits = "A number is accepted, as the string of its digits."
	}
	schema, words := n.ruled(f, n.bodySchema(f))
	if !f.Required() {
		schema = orNull(schema)
	}
	return describe(schema, f.Description(), throughNote(f), words, digits)
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
			"type": "string", "format": "uri-reference",
			"description": "URL of the list that continues " + f.APIName() + ", if " + f.APIName() + " does not show all records; ignored in bodies.",
		}
	}
}

// createSchema describes the body of POST, and a new record in the body of another.
func (n schemaNames) createSchema(r *core.Resource) object {
	properties := object{}
	for _, f := range visible(r) {
		if settable(f) {
			properties[f.APIName()] = n.settableSchema(f)
			addNext(properties, f)
		}
	}
	required := []string{}
	for _, f := range keyMembers(r) {
		if !n.keyInBody(r) || f.KeyPart() && f.ReadOnly() {
			continue
		}
		key, words := n.ruled(f, n.bodySchema(f))
		properties[f.APIName()] = describe(key, f.Description(), words)
		if !f.HasDefaultFunc() && !f.ConstantDefault().IsSet() {
			required = append(required, f.APIName())
		}
	}
	schema := object{"type": "object", "properties": properties, "additionalProperties": false}
	if required = append(required, n.mustName(r)...); len(required) > 0 {
		schema["required"] = required
	}
	return describe(schema, r.Description())
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

// bodySchema describes the values of a field in bodies.
func (n schemaNames) bodySchema(f *core.Field) object {
	switch target := f.Target(); {
	case target == nil:
		return typeSchema(f.Type())
	case f.Many():
		return object{"type": "array", "items": n.idOrNew(target)}
	default:
		return n.idOrNew(target)
	}
}

// idOrNew describes a related record in a body: the id of a record, or a new record.
func (n schemaNames) idOrNew(r *core.Resource) object {
	id := typeSchema(r.Key().Type())
	if r.ReadOnly() {
		return id
	}
	return object{"oneOf": []any{id, ref("schemas", n.create[r])}}
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

// orNull returns the schema with null as a further value. A choice of schemas has null in the first, which describes an id.
func orNull(schema object) object {
	schema = maps.Clone(schema)
	if t, ok := schema["type"].(string); ok {
		schema["type"] = []any{t, "null"}
	}
	if values, ok := schema["enum"].([]any); ok {
		schema["enum"] = append(slices.Clip(values), nil)
	}
	if either, ok := schema["oneOf"].([]any); ok {
		either = slices.Clone(either)
		either[0] = orNull(either[0].(object)) //nolint:forcetypeassert // idOrNew builds it of objects
		schema["oneOf"] = either
	}
	return schema
}
