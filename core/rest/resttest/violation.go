package resttest

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/larder-go/larder/core"
)

// statuses maps every code to its HTTP status.
var statuses = map[core.Code]int{
	core.NotFound: 404, core.NoSuchURL: 404, core.UnknownField: 400, core.FieldReadOnly: 400, core.FieldUpdateForbidden: 400,
	core.SearchForbidden: 400, core.BadParam: 400, core.BadFieldValue: 400, core.BadRequest: 400, core.ValidationFailed: 400, core.Unauthorized: 401,
	core.Forbidden: 403, core.MethodNotAllowed: 405, core.ReadOnly: 405, core.AlreadyExists: 409, core.StillReferenced: 409, core.PreconditionFailed: 412, core.PreconditionRequired: 428, core.KeyReused: 422,
	core.TooLarge: 413, core.UnsupportedMediaType: 415, core.ServerError: 500, core.Unavailable: 503,
	core.OutcomeUnknown: 503, core.QueryTooExpensive: 503,
}

// violation returns the rule for all answers that the reply breaks; empty if there is none.
func (r reply) violation(method string) string {
	if r.header.Get("X-Content-Type-Options") != "nosniff" {
		return "no X-Content-Type-Options: nosniff"
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
	if r.header.Get("Content-Length") != strconv.Itoa(len(r.body)) {
		return "Content-Length is not the body's"
	}
	body, err := core.ParseJSON(r.body, 1000)
	if err != nil {
		return "body is not JSON: " + err.Error()
	}
	if r.status < 400 {
		if r.header.Get("Cache-Control") != "private, no-cache" {
			return "Cache-Control of data is not private, no-cache"
		}
		return ""
	}
	if r.header.Get("Cache-Control") != "no-store" {
		return "Cache-Control of an error is not no-store"
	}
	if problem {
		return ""
	}
	return errorViolation(r.status, body)
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
