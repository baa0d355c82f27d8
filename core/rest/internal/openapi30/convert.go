// Package openapi30 turns OpenAPI documents of the version 3.1 into the version 3.0, for programs that read only the older one.
package openapi30

import (
	"maps"
	"slices"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// Convert turns an OpenAPI 3.1 document, decoded by encoding/json, into OpenAPI 3.0.3, which has older schemas. It modifies
// the document. Rules that 3.0.3 cannot express are left out, so its schemas accept all that those of 3.1 accept.
func Convert(doc map[string]any) {
	doc["openapi"] = "3.0.3"
	delete(doc, "jsonSchemaDialect")
	delete(doc, "webhooks")
	if info, ok := doc["info"].(object); ok {
		delete(info, "summary")
		if license, ok := info["license"].(object); ok {
			delete(license, "identifier")
		}
	}
	components, _ := doc["components"].(object)
	schemas, _ := components["schemas"].(object)
	for name, schema := range schemas {
		schemas[name] = convert(schema)
	}
	convertIn(doc["paths"])
	for _, kind := range []string{"parameters", "headers", "responses", "requestBodies"} {
		convertIn(components[kind])
	}
}

// convertIn converts the schemas in a part of the document.
func convertIn(part any) {
	switch x := part.(type) {
	case object:
		for name, v := range x {
			switch name {
			case "schema":
				x[name] = convert(v)
			case "example", "examples": // may have any members
			default:
				convertIn(v)
			}
		}
	case []any:
		for _, v := range x {
			convertIn(v)
		}
	}
}

// kept are the keywords that both versions read alike and that hold no schemas.
var kept = []string{
	"default", "deprecated", "description", "discriminator", "enum", "example", "format", "maxItems", "maxLength", "maxProperties", "maximum", "minItems",
	"minLength", "minProperties", "minimum", "multipleOf", "pattern", "readOnly", "required", "title", "uniqueItems", "writeOnly", "xml",
}

// convert returns a schema of OpenAPI 3.1 as one of 3.0.3.
func convert(schema any) any {
	from, ok := schema.(object)
	if !ok { // true, which accepts everything; false has no form without "not", whose meaning turns when a rule is left out
		return object{}
	}
	to := object{}
	for keyword, v := range from {
		switch keyword {
		case "properties":
			properties := object{}
			members, _ := v.(object)
			for name, property := range members {
				properties[name] = convert(property)
			}
			to[keyword] = properties
		case "items":
			to[keyword] = convert(v)
		case "additionalProperties":
			to[keyword] = v
			if _, ok := v.(object); ok {
				to[keyword] = convert(v)
			}
		case "allOf", "anyOf", "oneOf":
			to[keyword] = convertAll(v)
		case "const":
			to["enum"] = []any{v}
		case "exclusiveMinimum":
			to["minimum"], to[keyword] = v, true
		case "exclusiveMaximum":
			to["maximum"], to[keyword] = v, true
		case "contentEncoding", "$ref", "type":
		default:
			if slices.Contains(kept, keyword) || strings.HasPrefix(keyword, "x-") {
				to[keyword] = v
			}
		}
	}
	addType(to, from["type"])
	return besideRef(to, from["$ref"])
}

// convertAll returns a list of schemas as those of 3.0.3. null has no type of its own there.
func convertAll(list any) []any {
	var all []any
	schemas, _ := list.([]any)
	for _, schema := range schemas {
		if s, ok := schema.(object); ok && s["type"] == "null" {
			all = append(all, object{"type": "object", "nullable": true, "enum": []any{nil}})
			continue
		}
		all = append(all, convert(schema))
	}
	return all
}

// addType adds the type to a schema. A type of null alone becomes any type.
func addType(to object, types any) {
	if name, ok := types.(string); ok && name != "null" {
		to["type"] = name
	}
	names, ok := types.([]any)
	if !ok {
		return
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name any) bool { return name == "null" })
	switch {
	case len(others) == 1:
		to["type"] = others[0]
		if len(others) < len(names) {
			to["nullable"] = true
		}
	case len(others) == len(names) && to["anyOf"] == nil:
		either := []any{}
		for _, name := range others {
			either = append(either, object{"type": name})
		}
		to["anyOf"] = either
	}
}

// annotations are the keywords without an effect on validity.
var annotations = []string{"deprecated", "description", "example", "readOnly", "title", "writeOnly"}

// besideRef adds a reference to the other keywords of a schema. A reference in OpenAPI 3.0.3 has no keywords beside it, so
// annotations are left out, and rules become a schema of their own.
func besideRef(to object, target any) object {
	if target == nil {
		return to
	}
	maps.DeleteFunc(to, func(keyword string, _ any) bool { return slices.Contains(annotations, keyword) })
	reference := object{"$ref": target}
	if len(to) == 0 {
		return reference
	}
	return object{"allOf": []any{to, reference}}
}
