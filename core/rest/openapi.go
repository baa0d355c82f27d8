package rest

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/larder-go/larder/core/engine"
)

// object is a JSON object of the OpenAPI document.
type object = map[string]any

// document returns the OpenAPI 3.1 document of an engine's model.
func document(api *engine.Engine, opts Options, actions []*action) ([]byte, error) {
	n := nameSchemas(api)
	paths, schemas := object{}, object{"Error": errorSchema(), "Problem": problemSchema()}
	for _, r := range api.Model().Resources() {
		path := "/" + url.PathEscape(r.APIName())
		paths[path] = n.listPath(r)
		if opts.Aggregates {
			paths[path+"/"+aggregateName] = n.aggregatePath(r)
		}
		paths[path+"/{id}"] = n.onePath(r, api.Options(), opts)
		for _, f := range r.Fields() {
			if engine.ToMany(f) {
				paths[path+"/{id}/"+url.PathEscape(f.APIName())] = n.relatedPath(f)
			}
		}
		schemas[n.read[r]] = n.readSchema(r)
		if r.ReadOnly() {
			continue
		}
		schemas[n.write[r]] = n.writeSchema(r)
		for _, f := range r.Fields() {
			if n.contents[f] != "" {
				n.addContent(schemas, f)
			}
		}
		if n.create[r] != n.write[r] {
			schemas[n.create[r]] = n.createSchema(r)
		}
	}
	n.addActions(paths, schemas, api.Model(), opts, actions)
	if api.Model().RemembersAnswers() {
		addKeyHeader(paths)
	}
	paths["/"+batchName] = batchPath()
	components := object{
		"schemas": schemas, "parameters": parameters(api.Options(), opts), "headers": headers(), "responses": errorResponses(),
	}
	doc := object{
		"openapi":    "3.1.0",
		"info":       object{"title": opts.Title, "version": opts.Version},
		"servers":    []any{object{"url": opts.Prefix + "/"}},
		"paths":      paths,
		"components": components,
	}
	if opts.Prefix != "" {
		doc["servers"] = []any{object{"url": opts.Prefix}}
	}
	if opts.Authenticate != nil {
		scheme, _, _ := strings.Cut(opts.Challenge, " ")
		components["securitySchemes"] = object{"http": object{"type": "http", "scheme": strings.ToLower(scheme)}}
		doc["security"] = []any{object{"http": []any{}}}
	}
	return json.Marshal(doc)
}

// ref returns a reference to a component of the document.
func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }
