package rest

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	conditions "github.com/larder-go/larder/core/condition"
	"github.com/larder-go/larder/core/engine"
)

// parameters describes the arguments and headers of requests that do not depend on the resource.
func parameters(limits engine.Options, opts Options, depth int) object {
	levels := argument("depth", "Depth of the answer. "+describedDepth(depth, limits.MaxDepth), object{"type": "integer", "enum": []int{depth}})
	if depth != engine.DefaultDepth {
		needed(levels)
	}
	return object{
		"depth": levels,
		"limit": argument("limit", "Greatest number of records on the page. A page may have fewer; the list ends with the page without a Link. "+
			"0 checks the request: the page is empty and has no Link.",
			object{"type": "integer", "minimum": 0, "maximum": opts.MaxPageSize, "default": opts.PageSize}),
		"after":  argument("after", "Cursor from the Link to the next page.", object{"type": "string"}),
		"before": argument("before", "Cursor from the Link to the previous page.", object{"type": "string"}),
		"offset": argument("offset", "Number of records to leave out at the beginning, not with after or before. Following the Links is cheaper.",
			object{"type": "integer", "minimum": 0, "maximum": engine.MaxOffset, "default": 0}),
		deletedArgument: argument(deletedArgument, "Whether to read the deleted records that the caller may restore, and not the others.",
			object{"type": "boolean", "default": false}),
		"count": argument("count", "Whether to count all records of the list, in the header X-Total-Count.", object{"type": "boolean", "default": false}),
		"search": argument("search", "Words, separated by white space. Only records that have each word in one of their searchable fields: "+
			"as a part of the text, in upper or lower case for A to Z. At most 16 words and 1000 bytes.", object{"type": "string"}),
		"max": needed(argument("max", "Greatest number of records that the request may change. If more match, nothing changes.",
			object{"type": "integer", "minimum": 1})),
		"dry": argument("dry", "Whether only to count the records.", object{"type": "boolean", "default": false}),
		keyHeader: object{
			"name": keyHeader, "in": "header", "schema": object{"type": "string", "minLength": 1, "maxLength": maxKey},
			"description": "A key of the client for this request, such as a random UUID. If the request is repeated with the key, it is performed once and answered every time. " +
				"The key with another request is an error. Needs credentials.",
		},
		"If-Match":      condition("If-Match", "Write only if the record has one of these entity tags (RFC 9110, section 13.1.1)."),
		"If-None-Match": condition("If-None-Match", "Read or write only if the record has none of these entity tags (RFC 9110, section 13.1.2)."),
	}
}

// equalities describes the arguments of a list that are conditions on fields, all but the reserved ones.
func equalities(r *core.Resource, reserved []string) []any {
	var all []any
	for _, f := range r.Fields() {
		name := f.APIName()
		if f.Hidden() || f.Computed() != nil || f.Many() || slices.Contains(reserved, name) {
			continue
		}
		items := typeSchema(f.Type())
		if f.Type() == core.JSON || f.Type() == core.List {
			items = object{"type": "string", "contentMediaType": plainJSON}
		}
		all = append(all, arrayArgument(name, "Only records with this "+name+". Several values: records with one of them.", items))
	}
	return all
}

func argument(name, description string, schema object) object {
	return object{"name": name, "in": "query", "description": description, "schema": schema}
}

// arrayArgument describes an argument that is repeated for each item. Many generators of clients do so whatever the document
// says, although OpenAPI has commas between the items, too.
func arrayArgument(name, description string, items object) object {
	a := argument(name, description, object{"type": "array", "items": items})
	a["style"], a["explode"] = "form", true
	return a
}

// filterArgument describes the conditions of a list. It is a string, because few generators of clients serialise an argument
// with JSON in it. changes says that it selects records to change.
func filterArgument(r *core.Resource, changes bool) object {
	a := argument("filter", "Conditions as a JSON object, all of which must hold; {} selects all records. The description of the API has their language.", object{"type": "string"})
	if example := filterExample(r, changes); example != "" {
		a["example"] = example
	}
	return a
}

// describedFilters describes the language of conditions.
func describedFilters() string {
	return "Conditions are by field, or by a path over to-one relations such as jar.color: a value, or an object of the operators " +
		strings.Join(conditions.Operators(), ", ") + "; for a relation $any, $all or $none with conditions on its records. " +
		"$and and $or take a list of conditions, $not one. The argument of a list with the name of a field is an equality."
}

// sortArgument describes the order of a list.
func sortArgument(r *core.Resource) object {
	a := arrayArgument("sort", "Fields to sort by, or paths over to-one relations to a field such as jar.label; with - in front for descending.", object{"type": "string"})
	a["example"] = []string{"-" + r.Key().APIName()}
	return a
}

// shown describes the arguments that say how an answer shows records. fields has the names of the record's own fields alone:
// a path shows the related record, for which the schemas of the document have no place.
func (n schemaNames) shown(r *core.Resource) []any {
	key := r.Key().APIName()
	fields := arrayArgument("fields", "The only fields to show. Name "+key+" among them, because the schemas of answers require it.",
		ref("schemas", n.field[r]))
	fields["schema"].(object)["contains"] = object{"const": key} //nolint:forcetypeassert // argument built it
	if n.depth == 0 {
		return parameterRefs("depth")
	}
	return []any{ref("parameters", "depth"), fields}
}

func needed(argument object) object {
	argument["required"] = true
	return argument
}

func condition(header, description string) object {
	return object{"name": header, "in": "header", "description": description, "schema": object{"type": "string"}}
}

func parameterRefs(names ...string) []any {
	refs := make([]any, len(names))
	for i, name := range names {
		refs[i] = ref("parameters", name)
	}
	return refs
}
