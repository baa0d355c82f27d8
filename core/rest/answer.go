package rest

import (
	"net/http"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// answer writes JSON that the client may store, and must revalidate before it uses it again.
func (x *exchange) answer(status int, body []byte) {
	x.setCacheHeaders()
	x.finish(status, body)
}

// setCacheHeaders forbids shared caches to store the answer, and private ones to use it without revalidation.
func (x *exchange) setCacheHeaders() {
	h := x.w.Header()
	h.Set("Cache-Control", "private, no-cache")
	if x.h.opts.Authenticate != nil {
		h.Add("Vary", "Authorization") // Add: middleware may have set other names
	}
}

// answerOne writes one record, with its ETag.
func (x *exchange) answerOne(status int, view engine.View) {
	buf := newBuffer()
	defer buf.release()
	buf.b = x.h.appendView(buf.b, view)
	x.w.Header().Set("ETag", tagOf(buf.b))
	x.answer(status, buf.b)
}

// answerCreated writes a record that the request created, with its Location; without a body if minimal is true.
func (x *exchange) answerCreated(view engine.View, minimal bool) {
	x.w.Header().Set("Location", x.resource.recordPath(view.Key().String()))
	if minimal {
		x.answerMinimal(http.StatusCreated)
		return
	}
	x.answerOne(http.StatusCreated, view)
}

// answerMinimal answers a write without a body (RFC 7240, section 4.2).
func (x *exchange) answerMinimal(status int) {
	x.w.Header().Set("Preference-Applied", "return=minimal")
	x.setCacheHeaders()
	x.finish(status, nil)
}

// answerList writes a list of records.
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

// answerError writes the body that every error has, in the form that the request accepts. request is the position of the
// failed request in a batch, from 1; 0 for none.
func (x *exchange) answerError(status int, e *core.Error, request int) {
	buf := newBuffer()
	defer buf.release()
	x.w.Header().Set("Cache-Control", "no-store")
	if acceptsProblem(x.r.Header["Accept"]) {
		x.write(status, problemJSON, appendProblem(buf.b, status, e, request))
		return
	}
	buf.b = appendError(buf.b, e, request)
	x.finish(status, buf.b)
}

// finish writes the status and the body as JSON; a nil body writes none.
func (x *exchange) finish(status int, body []byte) { x.write(status, plainJSON, body) }

// write writes the status and the body; a nil body writes none.
func (x *exchange) write(status int, media string, body []byte) {
	h := x.w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if body != nil {
		h.Set("Content-Type", media)
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.wrote = true
	x.w.WriteHeader(status)
	if body != nil {
		x.w.Write(body)
	}
}
