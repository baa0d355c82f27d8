package rest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// listPath describes the URL of a resource, a collection of records.
func (n schemaNames) listPath(r *core.Resource) object {
	records := object{"type": "array", "items": idOrRecord(r, n.read)}
	path := object{"get": n.operation("list_"+n.read[r], r, n.page(r))}
	if r.ReadOnly() {
		return path
	}
	written := ref("schemas", n.create[r])
	path["post"] = n.operation("create_"+n.read[r], r, object{
		"parameters":  parameterRefs("depth", "fields"),
		"requestBody": bodyOf(object{"oneOf": []any{written, object{"type": "array", "items": written}}}, plainJSON),
		"responses": responses(object{"201": response("The created record, or the created records of a list.",
			object{"oneOf": []any{idOrRecord(r, n.read), records}}, "ETag", "Location")},
			http.StatusConflict, http.StatusUnsupportedMediaType),
	})
	counted := object{"200": response("The number of records that were changed, or that a dry run has found.", object{
		"type": "object", "required": []string{"count"}, "properties": object{"count": object{"type": "integer"}},
	})}
	arguments := append(parameterRefs("selection", "max", "dry"), equalities(r, listArguments)...)
	path["patch"] = n.operation("patchMany_"+n.read[r], r, object{
		"parameters":  arguments,
		"requestBody": bodyOf(ref("schemas", n.write[r]), plainJSON, mergePatch),
		"responses":   responses(maps.Clone(counted), http.StatusConflict, http.StatusUnsupportedMediaType),
	})
	path["delete"] = n.operation("deleteMany_"+n.read[r], r, object{"parameters": arguments, "responses": responses(counted, http.StatusConflict)})
	return path
}

// batchPath describes the URL of batches.
func batchPath() object {
	text, headers := object{"type": "string"}, object{"type": "object", "additionalProperties": object{"type": "string"}}
	request := object{"type": "object", "required": []string{"method", "path"}, "additionalProperties": false, "properties": object{
		"method": object{"type": "string", "enum": batchMethods}, "path": text, "headers": headers, "body": object{},
	}}
	answer := object{"type": "object", "required": []string{"status"}, "properties": object{"status": object{"type": "integer"}, "headers": headers, "body": object{}}}
	return object{"post": object{
		"operationId": "batch", "summary": "Requests in one transaction, all or none; the error of one, with its position as the detail request, is the answer.",
		"requestBody": bodyOf(object{"type": "array", "maxItems": maxBatch, "items": request}, plainJSON),
		"responses": responses(object{"200": response("The answers in the order of the requests.", object{"type": "array", "items": answer})},
			http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnsupportedMediaType),
	}}
}

// addKeyHeader adds the header for repetitions to all writes of the paths, with its error.
func addKeyHeader(paths object) {
	for _, path := range paths {
		for _, method := range []string{"post", "put", "patch", "delete"} {
			op, ok := path.(object)[method].(object)
			if !ok {
				continue
			}
			given, _ := op["parameters"].([]any)
			op["parameters"] = append(slices.Clone(given), ref("parameters", keyHeader))
			reused := strconv.Itoa(http.StatusUnprocessableEntity)
			op["responses"].(object)[reused] = ref("responses", reused)
		}
	}
}

// page describes a request for a list of records.
func (n schemaNames) page(r *core.Resource) object {
	records := object{"type": "array", "items": idOrRecord(r, n.read)}
	arguments := []string{"filter", "sort", "limit", "after", "before", "offset", "count", "depth", "fields"}
	if len(r.Searchable()) > 0 {
		arguments = append(arguments, "search")
	}
	return object{
		"parameters": append(parameterRefs(arguments...), equalities(r, listArguments)...),
		"responses":  responses(object{"200": response("A page of records.", records, "Link", "X-Total-Count")}),
	}
}

// relatedPath describes the URL of the records of a to-many relation.
func (n schemaNames) relatedPath(f *core.Field) object {
	return object{
		"parameters": []any{idParameter(f.Resource())},
		"get":        n.operation("related_"+n.related[f], f.Resource(), n.page(f.Target())),
	}
}

func idParameter(r *core.Resource) object {
	return object{"name": "id", "in": "path", "required": true, "schema": typeSchema(r.Key().Type())}
}

// onePath describes the URL of a record.
func (n schemaNames) onePath(r *core.Resource, limits engine.Options, opts Options) object {
	record := idOrRecord(r, n.read)
	path := object{
		"parameters": []any{idParameter(r)},
		"get": n.operation("get_"+n.read[r], r, object{
			"parameters": parameterRefs("depth", "fields", "If-None-Match"),
			"responses": responses(object{
				"200": response("The record.", record, "ETag"),
				"304": object{"description": "The client has the current record."},
			}),
		}),
	}
	if !r.ReadOnly() {
		n.addWrites(path, r, limits, opts)
	}
	return path
}

// addWrites describes the methods that write a record.
func (n schemaNames) addWrites(path object, r *core.Resource, limits engine.Options, opts Options) {
	record, written := idOrRecord(r, n.read), ref("schemas", n.write[r])
	failures := []int{http.StatusConflict, http.StatusPreconditionFailed}
	if opts.RequireIfMatch {
		failures = append(failures, http.StatusPreconditionRequired)
	}
	withBody := append(slices.Clone(failures), http.StatusUnsupportedMediaType)
	path["patch"] = n.operation("patch_"+n.read[r], r, object{
		"parameters":  parameterRefs("depth", "fields", "If-Match", "If-None-Match"),
		"requestBody": bodyOf(written, plainJSON, mergePatch),
		"responses":   responses(object{"200": response("The changed record.", record, "ETag")}, withBody...),
	})
	path["put"] = n.operation("put_"+n.read[r], r, object{
		"parameters":  parameterRefs("depth", "fields", "If-Match", "If-None-Match"),
		"requestBody": bodyOf(n.replacing(r, written), plainJSON),
		"responses":   responses(n.putResponses(r, limits), withBody...),
	})
	path["delete"] = n.operation("delete_"+n.read[r], r, object{
		"parameters": parameterRefs("depth", "fields", "If-Match", "If-None-Match"),
		"responses": responses(object{"200": response("The record is deleted.", object{"type": "null"})},
			failures...),
	})
}

// putResponses describes the successes of PUT. It has no 201 where clients cannot choose keys.
func (n schemaNames) putResponses(r *core.Resource, opts engine.Options) object {
	record := idOrRecord(r, n.read)
	found := object{"200": response("The replaced record.", record, "ETag")}
	if n.keyInBody(r) || !opts.GeneratedKeysOnly {
		found["201"] = response("The created record.", record, "ETag", "Location")
	}
	return found
}

func (n schemaNames) operation(id string, r *core.Resource, op object) object {
	op["operationId"] = id
	op["tags"] = []string{r.APIName()}
	return op
}

func bodyOf(schema object, media ...string) object {
	content := object{}
	for _, m := range media {
		content[m] = object{"schema": schema}
	}
	return object{"required": true, "content": content}
}
