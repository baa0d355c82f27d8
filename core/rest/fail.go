package rest

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
)

// retryAfter is the number of seconds before a client should repeat a request.
const retryAfter = "1"

// WriteError answers a request with an error as the handler itself does: with the status of its code, the details, the form
// that the request accepts, and a line in the log for a failure of the server. It is for handlers of the program that stand
// beside this one and use the engine or the store.
//
//	mux.HandleFunc("/restore/{id}", func(w http.ResponseWriter, r *http.Request) {
//		if err := restore(r.Context(), r.PathValue("id")); err != nil {
//			h.WriteError(w, r, err)
//			return
//		}
//		w.WriteHeader(http.StatusNoContent)
//	})
//
// An error that neither is nor wraps a [*core.Error], a [core.Code] or the error of an ended context is a failure of the
// server, and the client sees nothing of it. So is a nil error. WriteError does not know the methods of the URL and whether
// the store denies anonymous callers everything: set the header Allow before a [core.MethodNotAllowed], and ask
// [engine.Engine.Admit] before an anonymous request is answered in a way that reveals something. It must be called before
// anything is written to w.
func (h *Handler) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		err = errNoError
	}
	x := exchange{h: h, api: h.api, w: w, r: r, reserved: reservation{budget: &h.budget}}
	defer x.reserved.releaseAll()
	if core.PrincipalOf(r.Context()) != nil {
		x.ctx = r.Context()
	}
	x.fail(err)
}

var errNoError = errors.New("WriteError was called with a nil error")

// fail answers with the error, and logs its cause if the client does not see it.
func (x *exchange) fail(err error) {
	e := core.AsError(err)
	status, known := statuses[e.Code]
	if !known { // the message of a code that is not of core may be internal
		e = &core.Error{Code: core.ServerError, Cause: err}
		status = http.StatusInternalServerError
	}
	x.logFailure(status, e.Code, err)
	switch h := x.w.Header(); e.Code {
	case core.Unauthorized:
		h.Set("WWW-Authenticate", x.challenge(e.Message))
	case core.MethodNotAllowed, core.ReadOnly:
		if x.endpoint != nil {
			h.Set("Allow", x.allow())
		}
	case core.TooManyRequests:
		setQuota(h, e.Quota)
	case core.Unavailable:
		h.Set("Retry-After", retryAfter)
	}
	x.answerError(status, e, requestOf(err))
}

// setQuota sets the headers of a request beyond a limit: Retry-After, and the fields of draft-ietf-httpapi-ratelimit-headers-10.
func setQuota(h http.Header, q *core.Quota) {
	if q == nil {
		h.Set("Retry-After", retryAfter)
		return
	}
	seconds := strconv.Itoa(q.Seconds())
	h.Set("Retry-After", seconds)
	if q.Window == 0 {
		h.Set("RateLimit-Policy", fmt.Sprintf(`%q;q=%d;qu="concurrent-requests"`, q.Name, q.Limit))
		return
	}
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", q.Name, q.Limit, q.Window/time.Second))
	h.Set("RateLimit", fmt.Sprintf("%q;r=0;t=%s", q.Name, seconds))
}

// appendError appends the JSON body of the error.
func appendError(dst []byte, e *core.Error, request int) []byte {
	dst = append(dst, `{"error":{"code":`...)
	dst = core.TextValue(string(e.Code)).AppendJSON(dst)
	dst = append(dst, `,"message":`...)
	dst = core.TextValue(message(e)).AppendJSON(dst)
	return append(appendDetails(dst, e, request), "}}"...)
}

// appendProblem appends the error as the JSON of a problem (RFC 9457). The code and the details are extension members.
func appendProblem(dst []byte, status int, e *core.Error, request int) []byte {
	dst = append(dst, `{"type":"about:blank","title":`...)
	dst = core.TextValue(http.StatusText(status)).AppendJSON(dst)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, `,"detail":`...)
	dst = core.TextValue(message(e)).AppendJSON(dst)
	dst = append(dst, `,"code":`...)
	dst = core.TextValue(string(e.Code)).AppendJSON(dst)
	return append(appendDetails(dst, e, request), '}')
}

// appendDetails appends the member details. request is the position of the failed request in a batch, from 1; 0 for none.
func appendDetails(dst []byte, e *core.Error, request int) []byte {
	dst = append(dst, `,"details":{`...)
	details := e.Details()
	if request > 0 {
		details = append(details, core.Detail{Name: "request", Value: request - 1})
	}
	for i, d := range details {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = core.TextValue(d.Name).AppendJSON(dst)
		dst = append(dst, ':')
		v, _ := core.JSON.Convert(d.Value) // a value without a JSON form becomes null
		dst = v.AppendJSON(dst)
	}
	return append(dst, '}')
}

// statuses maps every code of core to its HTTP status.
var statuses = map[core.Code]int{
	core.NotFound:             http.StatusNotFound,
	core.NoSuchURL:            http.StatusNotFound,
	core.UnknownField:         http.StatusBadRequest,
	core.FieldReadOnly:        http.StatusBadRequest,
	core.FieldUpdateForbidden: http.StatusBadRequest,
	core.SearchForbidden:      http.StatusBadRequest,
	core.BadParam:             http.StatusBadRequest,
	core.BadFieldValue:        http.StatusBadRequest,
	core.BadRequest:           http.StatusBadRequest,
	core.ValidationFailed:     http.StatusBadRequest,
	core.Unauthorized:         http.StatusUnauthorized,
	core.Forbidden:            http.StatusForbidden,
	core.MethodNotAllowed:     http.StatusMethodNotAllowed,
	core.ReadOnly:             http.StatusMethodNotAllowed,
	core.AlreadyExists:        http.StatusConflict,
	core.StillReferenced:      http.StatusConflict,
	core.PreconditionFailed:   http.StatusPreconditionFailed,
	core.PreconditionRequired: http.StatusPreconditionRequired,
	core.KeyReused:            http.StatusUnprocessableEntity,
	core.TooManyRequests:      http.StatusTooManyRequests,
	core.TooLarge:             http.StatusRequestEntityTooLarge,
	core.UnsupportedMediaType: http.StatusUnsupportedMediaType,
	core.ServerError:          http.StatusInternalServerError,
	core.Unavailable:          http.StatusServiceUnavailable,
	core.OutcomeUnknown:       http.StatusServiceUnavailable,
	core.QueryTooExpensive:    http.StatusServiceUnavailable,
}

// logFailure logs the cause of an answer that does not show it to the client.
func (x *exchange) logFailure(status int, code core.Code, err error) {
	var level slog.Level
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case code == core.OutcomeUnknown:
		level = slog.LevelWarn // also for a canceled request: only the log knows of the write
	case status == http.StatusServiceUnavailable && x.r.Context().Err() != nil:
		level = slog.LevelDebug // the client canceled the request
	case status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case status == http.StatusUnauthorized:
		level = slog.LevelInfo
	default:
		return
	}
	x.logRequest(level, "request failed", slog.String("code", string(code)), slog.String("error", truncate(err.Error(), maxLoggedError)))
}

// Greatest numbers of bytes that a log line repeats from a request.
const (
	maxLoggedPath  = 256
	maxLoggedError = 4 << 10 // an error may quote the request
)

// truncate returns at most limit bytes of text, followed by "..." if text is longer.
func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

// logRequest logs a message with the method, path and request id.
func (x *exchange) logRequest(level slog.Level, message string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("method", truncate(x.r.Method, maxLoggedPath)), slog.String("path", truncate(x.r.URL.Path, maxLoggedPath)))
	if id := cmp.Or(core.RequestIDOf(x.r.Context()), x.r.Header.Get(requestIDHeader)); id != "" {
		attrs = append(attrs, slog.String("request_id", id[:min(len(id), maxRequestID)]))
	}
	x.h.opts.Logger.LogAttrs(x.r.Context(), level, message, attrs...)
}

// recordHeaders are the headers of an answer with records. An error after a panic must not have them; headers that
// middleware has set stay.
var recordHeaders = []string{"Etag", "Link", "Location", "Preference-Applied", "X-Total-Count"}

// recoverPanic turns a panic into a 500. It passes [http.ErrAbortHandler] on, with which a handler asks net/http to
// abort the connection.
func (x *exchange) recoverPanic() {
	reason := recover()
	if reason == nil {
		return
	}
	if err, _ := reason.(error); errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	x.logRequest(slog.LevelError, "panic while serving a request", slog.String("error", truncate(fmt.Sprint(reason), maxLoggedError)), slog.String("stack", string(debug.Stack())))
	if x.wrote {
		panic(http.ErrAbortHandler) // abort, so that the client does not accept a partial answer
	}
	for _, name := range recordHeaders {
		x.w.Header().Del(name)
	}
	x.answerError(http.StatusInternalServerError, &core.Error{Code: core.ServerError}, 0)
}
