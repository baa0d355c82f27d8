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

// log records why an answer is what it is, where the client is not told.
func (x *exchange) logFailure(status int, code core.Code, err error) {
	var level slog.Level
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case code == core.OutcomeUnknown:
		level = slog.LevelWarn // also if the client left: only the log knows of the write
	case status == http.StatusServiceUnavailable && x.r.Context().Err() != nil:
		level = slog.LevelDebug // the client left, which is no failure of ours
	case status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case status == http.StatusUnauthorized:
		level = slog.LevelInfo
	default:
		return
	}
	x.logRequest(level, "request failed", slog.String("code", string(code)), slog.String("error", truncate(err.Error(), maxLoggedError)))
}

// How many bytes the log repeats of what a client sends.
const (
	maxRequestID   = 128
	maxLoggedPath  = 256
	maxLoggedError = 4 << 10 // which may quote the client
)

// logged returns at most that many bytes of a text, and says if there were more.
func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

func (x *exchange) logRequest(level slog.Level, message string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("method", truncate(x.r.Method, maxLoggedPath)), slog.String("path", truncate(x.r.URL.Path, maxLoggedPath)))
	if id := x.r.Header.Get("X-Request-Id"); id != "" {
		attrs = append(attrs, slog.String("request_id", id[:min(len(id), maxRequestID)]))
	}
	x.h.opts.Logger.LogAttrs(x.r.Context(), level, message, attrs...)
}

// ours are the headers that belong to the answer that a panic interrupted; those
// of middleware around the handler stay.
var recordHeaders = []string{"Etag", "Link", "Location"}

// catch turns a panic into a 500, unless it is the one that net/http knows as
// the wish to cut the connection.
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
		panic(http.ErrAbortHandler) // a client must not take half an answer for a whole one
	}
	for _, name := range recordHeaders {
		x.w.Header().Del(name)
	}
	x.answerError(http.StatusInternalServerError, &core.Error{Code: core.ServerError})
}
