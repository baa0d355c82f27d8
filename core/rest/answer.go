package rest

import (
	"net/http"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// answer sends JSON that a client may keep and revalidate.
func (x *exchange) answer(status int, body []byte) {
	x.setCacheHeaders()
	x.finish(status, body)
}

// revalidate sets the headers of an answer that only its reader may keep, and
// only to ask again.
func (x *exchange) setCacheHeaders() {
	h := x.w.Header()
	h.Set("Cache-Control", "private, no-cache")
	if x.h.opts.Authenticate != nil {
		h.Add("Vary", "Authorization") // middleware may have set others
	}
}

// answerOne sends one record with its tag.
func (x *exchange) answerOne(status int, view engine.View) {
	buf := newBuffer()
	defer buf.release()
	buf.b = x.h.appendView(buf.b, view)
	x.w.Header().Set("ETag", tagOf(buf.b))
	x.answer(status, buf.b)
}

// answerNew sends one record that the request created.
func (x *exchange) answerCreated(view engine.View) {
	x.w.Header().Set("Location", x.resource.recordPath(view.Key()))
	x.answerOne(http.StatusCreated, view)
}

// answerList sends records in a list.
func (x *exchange) answerList(status int, views []engine.View) {
	buf := newBuffer()
	defer buf.release()
	buf.b = append(buf.b, '[')
	for i, v := range views {
		if i > 0 {
			buf.b = append(buf.b, ',')
		}
		buf.b = x.h.appendView(buf.b, v)
	}
	buf.b = append(buf.b, ']')
	x.answer(status, buf.b)
}

// answerError sends the error in the one shape that errors have.
func (x *exchange) answerError(status int, e *core.Error) {
	buf := newBuffer()
	defer buf.release()
	buf.b = appendError(buf.b, e)
	x.w.Header().Set("Cache-Control", "no-store")
	x.finish(status, buf.b)
}

// finish writes the answer; nil is no body.
func (x *exchange) finish(status int, body []byte) {
	h := x.w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if body != nil {
		h.Set("Content-Type", plainJSON)
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.wrote = true
	x.w.WriteHeader(status)
	if body != nil {
		x.w.Write(body)
	}
}
