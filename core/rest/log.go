package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/larder-go/larder/core"
)

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
	maxRequestID   = 128
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
	if id := x.r.Header.Get("X-Request-Id"); id != "" {
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
