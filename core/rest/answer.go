package rest

import (
	"net/http"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// answer writes the status and data as JSON; a nil body writes none.
func (x *exchange) answer(status int, body []byte) { x.write(status, plainJSON, body) }

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
	x.answer(status, nil)
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
	if acceptsProblem(x.r.Header["Accept"]) {
		x.write(status, problemJSON, appendProblem(buf.b, status, e, request))
		return
	}
	buf.b = appendError(buf.b, e, request)
	x.write(status, plainJSON, buf.b)
}

// write sends the status and the body, with the media type of the body; a nil body sends none.
func (x *exchange) write(status int, media string, body []byte) {
	h := x.w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if body != nil {
		h.Set("Content-Type", media)
	}
	x.send(status, body)
}

// varyOn are the headers of a request that select its answer: Authorization the principal, Accept the form of an error,
// and Accept-Encoding the compression.
const varyOn = "Authorization, Accept, Accept-Encoding"

// send sends the status and the body, compressed if the request and the options permit it; a nil body sends none. Every
// answer that is not recorded for a batch or a repetition has its headers for caches from here: no shared cache may store
// it, and a private one must revalidate data and may not store errors.
func (x *exchange) send(status int, body []byte) {
	h := x.w.Header()
	if x.inBatch == nil {
		h.Set("Cache-Control", "private, no-cache")
		if status >= http.StatusBadRequest {
			h.Set("Cache-Control", "no-store")
		}
		h.Add("Vary", varyOn) // Add: middleware may have set other names
	}
	if x.compresses(body) {
		buf := newBuffer()
		defer buf.release()
		body = x.compress(buf, body)
	}
	if body != nil {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.wrote = true
	x.w.WriteHeader(status)
	if body != nil {
		x.w.Write(body)
	}
}
