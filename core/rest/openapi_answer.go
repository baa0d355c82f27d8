package rest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// headers are those that several answers share.
func headers() object {
	text := object{"type": "string"}
	return object{
		"ETag":     object{"description": "Tag of the representation at this depth, on answers with one record.", "schema": text},
		"Link":     object{"description": `The next page, as rel="next", if there is one (RFC 8288).`, "schema": text},
		"Location": object{"description": "Path of the record, if one was created.", "schema": text},
		"Retry-After": object{
			"description": "Seconds after which the request may succeed. Absent with the code OUTCOME_UNKNOWN: the write may have happened.", "schema": object{"type": "integer"},
		},
		"Allow":            object{"description": "The methods that are served.", "schema": text},
		"WWW-Authenticate": object{"description": "How to authenticate.", "schema": text},
	}
}

// answerOf describes an answer with a body and headers.
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

// errorHeaders are the headers of errors that have any.
var errorHeaders = map[int]string{
	http.StatusUnauthorized:       "WWW-Authenticate",
	http.StatusMethodNotAllowed:   "Allow",
	http.StatusServiceUnavailable: "Retry-After",
}

// errorAnswers describes the answer to every error, by status.
func errorResponses() object {
	all := object{}
	for _, status := range slices.Compact(slices.Sorted(maps.Values(statuses))) {
		var headers []string
		if name := errorHeaders[status]; name != "" {
			headers = append(headers, name)
		}
		all[strconv.Itoa(status)] = response(http.StatusText(status)+".", ref("schemas", "Error"), headers...)
	}
	return all
}

// common are the errors that every operation can end with.
var commonErrors = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusRequestEntityTooLarge, http.StatusInternalServerError, http.StatusServiceUnavailable,
}

// answers adds the errors that an operation can end with to its successes.
func responses(successes object, errors ...int) object {
	for _, status := range slices.Concat(commonErrors, errors) {
		code := strconv.Itoa(status)
		successes[code] = ref("responses", code)
	}
	return successes
}
