package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// listPath describes the URL of a resource, a collection of records.
func (n schemaNames) listPath(r *core.Resource) object {
	name := r.APIName()
	list := n.list(r, "List records of "+name, "Answers with a page of the records that match the conditions.")
	list["parameters"] = append(n.deletedParameter(r), list["parameters"].([]any)...) //nolint:forcetypeassert // list built it
	path := object{"get": n.operation("list_"+n.nameOf(r), r, list)}
	if r.ReadOnly() {
		return path
	}
	path["post"] = n.operation("create_"+n.nameOf(r), r, object{
		"summary":     "Create a record of " + name,
		"description": "Creates the record and the new records in its relations: all or nothing.",
		"parameters":  n.shown(r),
		"requestBody": bodyOf(ref("schemas", n.create[r]), n.createExample(r), plainJSON),
		"responses": responses(object{"201": response("The created record.", n.answer(r, n.depth), "ETag", "Location")},
			writeFailures(http.StatusUnsupportedMediaType)...),
	})
	counted := object{"type": "object", "required": []string{"count"}, "properties": object{"count": object{"type": "integer"}}}
	arguments := slices.Concat([]any{needed(filterArgument(r, true))}, parameterRefs("max", "dry"), equalities(r, listArguments))
	const all = "The records that a list with these conditions has, all of them or none."
	path["patch"] = n.operation("patchMany_"+n.nameOf(r), r, object{
		"summary": "Change many records of " + name, "description": "Makes the same change of many records. " + all,
		"parameters":  arguments,
		"requestBody": bodyOf(ref("schemas", n.patch[r]), n.patchExample(r), plainJSON, mergePatch),
		"responses": responses(object{"200": response("The number of records that were changed, or that a dry run has found.", counted)},
			writeFailures(http.StatusUnsupportedMediaType)...),
	})
	path["delete"] = n.operation("deleteMany_"+n.nameOf(r), r, object{
		"summary": "Delete many records of " + name, "description": "Deletes many records. " + all,
		"parameters": arguments,
		"responses":  responses(object{"200": response("The number of records that were deleted, or that a dry run has found.", counted)}, writeFailures()...),
	})
	return path
}

// batchTag is the tag of operations that belong to no resource.
const batchTag = "batch"

// batchPath describes the URL of batches.
func batchPath() object {
	text, headers := object{"type": "string"}, object{"type": "object", "additionalProperties": object{"type": "string"}}
	request := object{"type": "object", "required": []string{"method", "path"}, "additionalProperties": false, "properties": object{
		"method": object{"type": "string", "enum": batchMethods}, "path": text, "headers": headers, "body": object{},
	}}
	answer := object{"type": "object", "required": []string{"status"}, "properties": object{"status": object{"type": "integer"}, "headers": headers, "body": object{}}}
	return object{"post": object{
		"operationId": "batch", "tags": []string{batchTag}, "summary": "Send several requests in one transaction",
		"description": "All of the requests happen or none. If one fails, its error is the answer, with its position as the detail request.",
		"requestBody": bodyOf(object{"type": "array", "maxItems": maxBatch, "items": request}, nil, plainJSON),
		"responses": responses(object{"200": response("The answers in the order of the requests.", object{"type": "array", "items": answer})},
			writeFailures(http.StatusPreconditionFailed, http.StatusUnsupportedMediaType)...),
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
			op["responses"].(object)[strconv.Itoa(http.StatusUnprocessableEntity)] = ref("responses", statusName(http.StatusUnprocessableEntity))
		}
	}
}

// list describes a request for a list of records.
func (n schemaNames) list(r *core.Resource, summary, description string) object {
	arguments := slices.Concat([]any{filterArgument(r, false), sortArgument(r)}, parameterRefs("limit", "after", "before", "offset", "count"), n.shown(r))
	if len(r.Searchable()) > 0 {
		arguments = append(arguments, ref("parameters", "search"))
	}
	return object{
		"summary": summary, "description": description,
		"parameters": append(arguments, equalities(r, listArguments)...),
		"responses":  responses(object{"200": response("A page of records.", ref("schemas", n.page[r]), "Link", "X-Total-Count")}),
	}
}

// relatedPath describes the URL of the records of a to-many relation.
func (n schemaNames) relatedPath(f *core.Field) object {
	r := f.Resource()
	return object{
		"parameters": []any{idParameter(r)},
		"get": n.operation("related_"+n.nameOf(r)+"_"+f.APIName(), r, n.list(f.Target(),
			fmt.Sprintf("List the %s of a record of %s", f.APIName(), r.APIName()),
			"Answers with a page of the related records that match the conditions.")),
	}
}

func idParameter(r *core.Resource) object {
	return object{"name": "id", "in": "path", "required": true, "description": "Id of the record.", "schema": typeSchema(r.Key().Type())}
}

// onePath describes the URL of a record.
func (n schemaNames) onePath(r *core.Resource, limits engine.Options, opts Options) object {
	path := object{
		"parameters": []any{idParameter(r)},
		"get": n.operation("get_"+n.nameOf(r), r, object{
			"summary":     "Read a record of " + r.APIName(),
			"description": "Answers with the record. With the ETag of an earlier answer in If-None-Match, an unchanged record is 304.",
			"parameters":  slices.Concat(n.shown(r), n.deletedParameter(r), parameterRefs("If-None-Match")),
			"responses": responses(object{
				"200": response("The record.", n.answer(r, n.depth), "ETag"),
				"304": object{"description": "The client has the current record.", "headers": object{"ETag": ref("headers", "ETag")}},
			}, http.StatusPreconditionFailed),
		}),
	}
	if !r.ReadOnly() {
		n.addWrites(path, r, limits, opts)
	}
	return path
}

// addWrites describes the methods that write a record.
func (n schemaNames) addWrites(path object, r *core.Resource, limits engine.Options, opts Options) {
	name, record := r.APIName(), n.answer(r, n.depth)
	failures := writeFailures(http.StatusPreconditionFailed)
	if opts.RequireIfMatch {
		failures = append(failures, http.StatusPreconditionRequired)
	}
	withBody := append(slices.Clone(failures), http.StatusUnsupportedMediaType)
	arguments := append(n.shown(r), parameterRefs("If-Match", "If-None-Match")...)
	path["patch"] = n.operation("patch_"+n.nameOf(r), r, object{
		"summary": "Change a record of " + name, "description": "Changes the fields that the body names; null empties a field.",
		"parameters":  arguments,
		"requestBody": bodyOf(ref("schemas", n.patch[r]), n.patchExample(r), plainJSON, mergePatch),
		"responses":   responses(object{"200": response("The changed record.", record, "ETag")}, withBody...),
	})
	found := object{"200": response("The replaced record.", record, "ETag")}
	description := "Replaces the record: fields that the body does not name get their defaults or become empty."
	if n.keyInBody(r) || !limits.GeneratedKeysOnly {
		found["201"] = response("The created record.", record, "ETag", "Location")
		description += " Creates the record if there is none with the id."
	}
	path["put"] = n.operation("put_"+n.nameOf(r), r, object{
		"summary": "Replace a record of " + name, "description": description,
		"parameters":  arguments,
		"requestBody": bodyOf(ref("schemas", n.replace[r]), n.replaceExample(r), plainJSON),
		"responses":   responses(found, withBody...),
	})
	path["delete"] = n.operation("delete_"+n.nameOf(r), r, object{
		"summary": "Delete a record of " + name, "description": "Deletes the record. Relations to it are emptied, or the records with them are deleted, as the model says.",
		"parameters": arguments,
		"responses":  responses(object{"200": response("The record is deleted; the body is null.", object{"type": "null"})}, failures...),
	})
}

// nameOf returns the name of a resource in ids of operations.
func (n schemaNames) nameOf(r *core.Resource) string { return n.read[r][n.depth] }

// operation completes the description of an operation of a resource. The id is unique.
func (n schemaNames) operation(id string, r *core.Resource, op object) object {
	op["operationId"] = uniqueName(id, n.operations)
	op["tags"] = []string{r.APIName()}
	return op
}

// bodyOf describes a body in media types; without an example if it is nil.
func bodyOf(schema object, example any, media ...string) object {
	content := object{}
	for _, m := range media {
		content[m] = object{"schema": schema}
		if example != nil {
			content[m] = object{"schema": schema, "example": example}
		}
	}
	return object{"required": true, "content": content}
}
