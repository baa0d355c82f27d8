package rest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// headers describes the headers of answers.
func headers() object {
	text := object{"type": "string"}
	return object{
		"ETag":          object{"description": "Entity tag of the record at this depth.", "required": true, "schema": text},
		"Link":          object{"description": `The next page as rel="next", the previous as rel="prev" and the first as rel="first", where there is one (RFC 8288).`, "schema": text},
		"X-Total-Count": object{"description": "Number of records of the whole list, with count=true.", "schema": object{"type": "integer"}},
		"Location":      object{"description": "Path of the created record.", "required": true, "schema": text},
		"Retry-After": object{
			"description": "Seconds after which the request may succeed. Absent with the code OUTCOME_UNKNOWN: the write may have happened. Absent with the code QUERY_TOO_EXPENSIVE: the request would fail again.", "schema": object{"type": "integer"},
		},
		"RateLimit":        object{"description": "The exceeded limit of a rate: r requests are left, and t seconds pass until there are more (draft-ietf-httpapi-ratelimit-headers).", "schema": text},
		"RateLimit-Policy": object{"description": "The exceeded limit: q requests in w seconds, or at once.", "schema": text},
		"Allow":            object{"description": "The methods that this URL supports now.", "required": true, "schema": text},
		"WWW-Authenticate": object{"description": "How to authenticate.", "required": true, "schema": text},
	}
}

// response describes an answer with a body and headers.
func response(description string, schema object, headers ...string) object {
	answer := object{"description": description, "content": object{plainJSON: object{"schema": schema}}}
	if len(headers) > 0 {
		refs := object{}
		for _, name := range headers {
			refs[name] = ref("headers", name)
		}
		answer["headers"] = refs
	}
	return answer
}

// commonErrors are the statuses of errors that every operation can have.
var commonErrors = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
	http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
}

// writeFailures returns the statuses of further errors that every write can have, and others.
func writeFailures(others ...int) []int {
	return append([]int{http.StatusMethodNotAllowed, http.StatusConflict}, others...)
}

// responses adds the errors of an operation to its successes.
func responses(successes object, errors ...int) object {
	for _, status := range slices.Concat(commonErrors, errors) {
		successes[strconv.Itoa(status)] = ref("responses", statusName(status))
	}
	return successes
}

// detailNames are the names of the details of each code, as [core.Error.Details] has them. A name that ends with "?" is absent
// in some errors of the code.
var detailNames = map[core.Code]string{
	core.NotFound:             "object_name object_id",
	core.NoSuchURL:            "path",
	core.UnknownField:         "object_name field_name",
	core.FieldReadOnly:        "object_name field_name",
	core.FieldUpdateForbidden: "object_name? field_name? field_names?",
	core.SearchForbidden:      "object_name field_name",
	core.BadParam:             "param_name accepted_values",
	core.BadFieldValue:        "object_name field_name type value accepted_values?",
	core.BadRequest:           "msg",
	core.ValidationFailed:     "violations",
	core.Unauthorized:         "",
	core.Forbidden:            "object_name? msg?",
	core.MethodNotAllowed:     "method? allowed_methods?",
	core.ReadOnly:             "object_name?",
	core.AlreadyExists:        "object_name? field_name? field_names?",
	core.StillReferenced:      "object_name? field_name? field_names?",
	core.PreconditionFailed:   "etag?",
	core.PreconditionRequired: "header",
	core.KeyReused:            "header",
	core.TooManyRequests:      "limit? retry_after?",
	core.TooLarge:             "msg",
	core.UnsupportedMediaType: "param_name? accepted_values?",
	core.ServerError:          "",
	core.Unavailable:          "",
	core.OutcomeUnknown:       "",
	core.QueryTooExpensive:    "",
}

// detailSchema describes a detail of an error.
func detailSchema(name string) object {
	text := object{"type": "string"}
	switch name {
	case "object_id", "value":
		return object{}
	case "retry_after":
		return object{"type": "integer", "description": "Seconds after which a request may succeed."}
	case "field_names":
		return object{"type": "array", "items": text}
	case "violations":
		return object{"type": "array", "items": object{
			"type": "object", "required": []string{"object_name", "path", "rule", "accepted"}, "properties": object{
				"object_name": text, "rule": text, "accepted": text,
				"path": object{"type": "array", "items": object{}, "description": "The field, after the relations and positions that lead to a nested record."},
			},
		}}
	}
	return text
}

// codeSchema describes the errors of a code.
func codeSchema(code core.Code) object {
	required, properties := []string{}, object{
		"index":   object{"type": "integer", "description": "Position of the rejected element in a list of the request, from 0."},
		"request": object{"type": "integer", "description": "Position of the failed request in a batch, from 0."},
	}
	for name := range strings.FieldsSeq(detailNames[code]) {
		name, optional := strings.CutSuffix(name, "?")
		if !optional {
			required = append(required, name)
		}
		properties[name] = detailSchema(name)
	}
	details := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		details["required"] = required
	}
	return object{"type": "object", "required": []string{"code", "message", "details"}, "properties": object{
		"code":    object{"type": "string", "enum": []core.Code{code}},
		"message": object{"type": "string", "description": "The error in a sentence for people."},
		"details": details,
	}}
}

// codesOf returns the codes of a status.
func codesOf(status int) (codes []core.Code) {
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		if statuses[code] == status {
			codes = append(codes, code)
		}
	}
	return codes
}

// codeName returns the name of the schema of a code: ObjectDoesNotExistError for OBJECT_DOES_NOT_EXIST.
func codeName(code core.Code) string {
	var b strings.Builder
	for word := range strings.SplitSeq(string(code), "_") {
		b.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return strings.TrimSuffix(b.String(), "Error") + "Error"
}

// statusName returns the name of the answers with a status: NotFound for 404. The schema of their body has "Body" after it.
func statusName(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

// errorStatuses returns the statuses of errors, ascending.
func errorStatuses() []int { return slices.Compact(slices.Sorted(maps.Values(statuses))) }

// errorSchemas describes the errors of each code, and the bodies of each status.
func errorSchemas() object {
	all := object{}
	for _, status := range errorStatuses() {
		codes := codesOf(status)
		either, mapping := []any{}, object{}
		for _, code := range codes {
			all[codeName(code)] = codeSchema(code)
			target := ref("schemas", codeName(code))
			either, mapping[string(code)] = append(either, target), target["$ref"]
		}
		inner := object{"oneOf": either, "discriminator": object{"propertyName": "code", "mapping": mapping}}
		if len(codes) == 1 {
			inner = ref("schemas", codeName(codes[0]))
		}
		all[statusName(status)+"Body"] = object{"type": "object", "required": []string{"error"}, "properties": object{"error": inner}}
	}
	return all
}

// errorHeaders maps the status of an error to its headers.
var errorHeaders = map[int][]string{
	http.StatusUnauthorized:       {"WWW-Authenticate"},
	http.StatusMethodNotAllowed:   {"Allow"},
	http.StatusTooManyRequests:    {"Retry-After", "RateLimit", "RateLimit-Policy"},
	http.StatusServiceUnavailable: {"Retry-After"},
}

// errorResponses describes the answer of every error, by the name of its status.
func errorResponses() object {
	all := object{}
	for _, status := range errorStatuses() {
		all[statusName(status)] = response(http.StatusText(status)+".", ref("schemas", statusName(status)+"Body"), errorHeaders[status]...)
	}
	return all
}
