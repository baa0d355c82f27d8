package resttest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// statuses maps every code to its HTTP status.
var statuses = map[core.Code]int{
	core.NotFound: 404, core.NoSuchURL: 404, core.UnknownField: 400, core.FieldReadOnly: 400, core.FieldUpdateForbidden: 400,
	core.SearchForbidden: 400, core.BadParam: 400, core.BadFieldValue: 400, core.BadRequest: 400, core.ValidationFailed: 400, core.Unauthorized: 401,
	core.Forbidden: 403, core.MethodNotAllowed: 405, core.ReadOnly: 405, core.AlreadyExists: 409, core.StillReferenced: 409, core.PreconditionFailed: 412, core.PreconditionRequired: 428, core.KeyReused: 422,
	core.TooManyRequests: 429, core.TooLarge: 413, core.UnsupportedMediaType: 415, core.ServerError: 500, core.Unavailable: 503,
	core.OutcomeUnknown: 503, core.QueryTooExpensive: 503,
}

// violation returns the rule for all answers that the reply breaks; empty if there is none.
func (r reply) violation(method string) string {
	if r.header.Get("X-Content-Type-Options") != "nosniff" {
		return "no X-Content-Type-Options: nosniff"
	}
	if violation := r.cacheViolation(); violation != "" {
		return violation
	}
	if violation := r.exposureViolation(); violation != "" {
		return violation
	}
	if r.status == http.StatusCreated && r.header.Get("Preference-Applied") != "" && len(r.body) == 0 {
		return ""
	}
	if r.status == http.StatusNoContent || r.status == http.StatusNotModified {
		if len(r.body) > 0 {
			return "a body where none can be"
		}
		return ""
	}
	problem := r.status >= 400 && r.header.Get("Content-Type") == "application/problem+json"
	if got := r.header.Get("Content-Type"); got != "application/json" && !problem {
		return "Content-Type " + strconv.Quote(got)
	}
	if method == http.MethodHead {
		return ""
	}
	body, err := core.ParseJSON(r.body, 1000)
	if err != nil {
		return "body is not JSON: " + err.Error()
	}
	if r.status < 400 || problem {
		return ""
	}
	return errorViolation(r.status, body)
}

// lengthViolation checks the Content-Length of a reply with the body as it was sent.
func (r reply) lengthViolation(method string) string {
	if r.header.Get("Content-Type") != "" && method != http.MethodHead && r.header.Get("Content-Length") != strconv.Itoa(len(r.body)) {
		return "Content-Length is not the body's"
	}
	return ""
}

// cacheViolation checks the headers for caches, which every answer has: no cache may give it to another client, and a
// cache stores no error.
func (r reply) cacheViolation() string {
	want := "private, no-cache"
	if r.status >= http.StatusBadRequest {
		want = "no-store"
	}
	if got := r.header.Values("Cache-Control"); len(got) != 1 || got[0] != want {
		return fmt.Sprintf("Cache-Control %q, want %q", got, want)
	}
	if got, want := r.header.Values("Vary"), "Authorization, Accept, Accept-Encoding"; len(got) != 1 || got[0] != want {
		return fmt.Sprintf("Vary %q, want %q", got, want)
	}
	return ""
}

// unexposed are the headers of answers that a script of another origin reads without CORS, or never needs.
var unexposed = []string{"Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Vary", "X-Content-Type-Options"}

// exposureViolation checks that every other header is one of [rest.AnswerHeaders].
func (r reply) exposureViolation() string {
	for name := range r.header {
		same := func(other string) bool { return http.CanonicalHeaderKey(other) == name }
		if !slices.Contains(unexposed, name) && !slices.ContainsFunc(rest.AnswerHeaders(), same) {
			return name + " is missing in rest.AnswerHeaders"
		}
	}
	return ""
}

// errorViolation checks the body of an error: {"error": {"code": ..., "message": ..., "details": {...}}}. The message is
// a sentence, or several.
func errorViolation(status int, body any) string {
	outer, _ := body.(map[string]any)
	inner, _ := outer["error"].(map[string]any)
	code, _ := inner["code"].(string)
	_, details := inner["details"].(map[string]any)
	message, _ := inner["message"].(string)
	switch {
	case len(outer) != 1 || len(inner) != 3 || !details:
		return "error has another shape"
	case message == "" || message != strings.TrimSpace(message) || !unicode.IsUpper([]rune(message)[0]) || !strings.HasSuffix(message, "."):
		return "message is no sentence"
	case statuses[core.Code(code)] != status:
		return "status is not that of code " + strconv.Quote(code)
	}
	return ""
}
