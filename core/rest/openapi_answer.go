package rest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// headers describes the headers of answers.
func headers() object {
	text := object{"type": "string"}
	return object{
		"ETag":          object{"description": "Entity tag of the record at this depth, on answers with one record.", "schema": text},
		"Link":          object{"description": `The next page as rel="next", the previous as rel="prev" and the first as rel="first", where there is one (RFC 8288).`, "schema": text},
		"X-Total-Count": object{"description": "Number of records of the whole list, with count=true.", "schema": object{"type": "integer"}},
		"Location":      object{"description": "Path of the created record.", "schema": text},
		"Retry-After": object{
			"description": "Seconds after which the request may succeed. Absent with the code OUTCOME_UNKNOWN: the write may have happened. Absent with the code QUERY_TOO_EXPENSIVE: the request would fail again.", "schema": object{"type": "integer"},
		},
		"Allow":            object{"description": "The methods that this URL supports now.", "schema": text},
		"WWW-Authenticate": object{"description": "How to authenticate.", "schema": text},
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

// errorHeaders maps the status of an error to its header.
var errorHeaders = map[int]string{
	http.StatusUnauthorized:       "WWW-Authenticate",
	http.StatusMethodNotAllowed:   "Allow",
	http.StatusServiceUnavailable: "Retry-After",
}

// errorResponses describes the answer of every error, by status.
func errorResponses() object {
	all := object{}
	for _, status := range slices.Compact(slices.Sorted(maps.Values(statuses))) {
		var headers []string
		if name := errorHeaders[status]; name != "" {
			headers = append(headers, name)
		}
		answer := response(http.StatusText(status)+".", ref("schemas", "Error"), headers...)
		answer["content"].(object)[problemJSON] = object{"schema": ref("schemas", "Problem")}
		all[strconv.Itoa(status)] = answer
	}
	return all
}

// commonErrors are the statuses of errors that every operation can have.
var commonErrors = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusRequestEntityTooLarge, http.StatusInternalServerError, http.StatusServiceUnavailable,
}

// responses adds the errors of an operation to its successes.
func responses(successes object, errors ...int) object {
	for _, status := range slices.Concat(commonErrors, errors) {
		code := strconv.Itoa(status)
		successes[code] = ref("responses", code)
	}
	return successes
}
