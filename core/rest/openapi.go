package rest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/internal/openapi30"
)

// object is a JSON object of the OpenAPI document.
type object = map[string]any

// document returns an OpenAPI document of an engine's model.
//
// One document describes the answers of one depth, so every relation in it has one type: the id of the related record, or
// the record. A document of all depths would give each relation both types, and clients would have to distinguish them in
// every answer.
func document(api *engine.Engine, opts Options, actions []*action, form documentForm) ([]byte, error) {
	n := nameSchemas(api, form.depth)
	paths, schemas, tags := object{}, n.schemas(), []any{}
	components := object{"schemas": schemas, "parameters": parameters(api.Options(), opts, form.depth), "headers": headers(), "responses": errorResponses()}
	for _, r := range api.Model().Resources() {
		tags = append(tags, object{"name": r.APIName(), "description": cmp.Or(r.Description(), "Records of "+r.APIName()+".")})
		path := "/" + url.PathEscape(r.APIName())
		paths[path] = n.listPath(r)
		if opts.Aggregates {
			paths[path+"/"+aggregateName] = n.aggregatePath(r)
		}
		paths[path+"/{id}"] = n.onePath(r, api.Options(), opts)
		if api.Keeps(r.APIName()) && !r.ReadOnly() {
			paths[path+"/{id}/"+restoreName] = n.restorePath(r, opts)
		}
		for _, f := range r.Fields() {
			if engine.ToMany(f) {
				paths[path+"/{id}/"+url.PathEscape(f.APIName())] = n.relatedPath(f)
			}
		}
	}
	n.addActions(paths, schemas, opts, actions)
	if api.Model().RemembersAnswers() {
		addKeyHeader(paths)
	}
	paths["/"+batchName] = batchPath()
	doc := object{
		"openapi":    "3.1.0",
		"info":       object{"title": opts.Title, "version": opts.Version, "description": n.introduction(api.Options())},
		"servers":    []any{object{"url": opts.Prefix + "/"}},
		"tags":       append(tags, object{"name": batchTag, "description": "Several requests in one transaction."}),
		"paths":      paths,
		"components": components,
		"security":   []any{},
	}
	if opts.Prefix != "" {
		doc["servers"] = []any{object{"url": opts.Prefix}}
	}
	if opts.Authenticate != nil {
		scheme, _, _ := strings.Cut(opts.Challenge, " ")
		components["securitySchemes"] = object{"http": object{"type": "http", "scheme": strings.ToLower(scheme)}}
		doc["security"] = []any{object{"http": []any{}}}
		if form.open {
			doc["security"] = []any{object{}, object{"http": []any{}}}
		}
	}
	removeUnused(doc, components)
	return finishDocument(doc, opts.Document, form.old)
}

// finishDocument merges the members of [Options.Document] into the document, and returns it in the version of the form.
func finishDocument(doc, members object, old bool) ([]byte, error) {
	if members == nil && !old {
		return json.Marshal(doc)
	}
	var plain, changes object // of maps, slices and scalars only
	for _, part := range []struct {
		from object
		to   *object
	}{{doc, &plain}, {members, &changes}} {
		text, err := json.Marshal(part.from)
		if err == nil {
			err = json.Unmarshal(text, part.to)
		}
		if err != nil {
			return nil, err
		}
	}
	merge(plain, changes)
	if old {
		openapi30.Convert(plain)
	}
	return json.Marshal(plain)
}

// merge changes the members of an object as a merge patch says (RFC 7396).
func merge(all, changes object) {
	for name, change := range changes {
		inner, ok := change.(object)
		switch {
		case change == nil:
			delete(all, name)
		case ok:
			old, _ := all[name].(object)
			if old == nil {
				old = object{}
			}
			merge(old, inner)
			all[name] = old
		default:
			all[name] = change
		}
	}
}

// introduction describes the conventions of the API in CommonMark.
func (n schemaNames) introduction(limits engine.Options) string {
	return strings.Join([]string{
		describedDepth(n.depth, limits.MaxDepth), describedFilters(),
		"Fields without a value are absent in answers. A program that reads a record and writes it back sends the header If-Match with the ETag of the answer: " +
			"the write fails with PRECONDITION_FAILED if the record has changed in between.",
		"Every error has a code, a message for people and the details of the code. A request whose Accept names application/problem+json gets them as a problem of RFC 9457. " +
			"A POST to a list also takes an array of records, and creates all or none of them.",
	}, "\n\n")
}

// ref returns a reference to a component of the document.
func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// removeUnused deletes the components that neither the paths nor used components refer to.
func removeUnused(doc, components object) {
	used, next := map[string]bool{}, []any{doc["paths"]}
	for len(next) > 0 {
		var found []string
		for _, value := range next {
			found = appendRefs(found, value)
		}
		next = nil
		for _, name := range found {
			if used[name] {
				continue
			}
			used[name] = true
			kind, name, _ := strings.Cut(strings.TrimPrefix(name, "#/components/"), "/")
			if all, ok := components[kind].(object); ok {
				next = append(next, all[name])
			}
		}
	}
	for kind, all := range components {
		if kind == "securitySchemes" {
			continue
		}
		maps.DeleteFunc(all.(object), func(name string, _ any) bool { return !used["#/components/"+kind+"/"+name] }) //nolint:forcetypeassert // document built it
	}
}

// appendRefs appends the references in the value.
func appendRefs(refs []string, value any) []string {
	switch x := value.(type) {
	case object:
		for name, v := range x {
			if to, ok := v.(string); ok && name == "$ref" {
				refs = append(refs, to)
			}
			refs = appendRefs(refs, v)
		}
	case []any:
		for _, v := range x {
			refs = appendRefs(refs, v)
		}
	}
	return refs
}

// describe sets the description of a schema to the texts that are not empty.
func describe(schema object, texts ...string) object {
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	if len(texts) > 0 {
		schema["description"] = strings.Join(texts, " ")
	}
	return schema
}

// visible returns the fields of a resource that clients see.
func visible(r *core.Resource) []*core.Field {
	return slices.DeleteFunc(slices.Clone(r.Fields()), (*core.Field).Hidden)
}
