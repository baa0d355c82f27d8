package rest

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/larder-go/larder/core"
)

// body reads and parses the request's body. An anonymous request asks the store
// first, so a caller that may do nothing costs no memory.
func (x *exchange) body() (any, error) {
	if err := x.ask(); err != nil {
		return nil, err
	}
	if x.r.ContentLength == 0 {
		return nil, &core.Error{Code: core.BadRequest, Message: "the body is empty"}
	}
	if err := x.acceptable(); err != nil {
		return nil, err
	}
	limit := x.h.opts.MaxBody
	if x.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	buf := newBuffer()
	defer buf.release()
	if err := buf.readAll(http.MaxBytesReader(x.w, x.r.Body, limit)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, tooLarge(limit)
		}
		return nil, &core.Error{Code: core.BadRequest, Message: "the body ends early", Cause: err}
	}
	return core.ParseJSON(buf.b, x.h.opts.MaxNesting)
}

func tooLarge(limit int64) error {
	return &core.Error{Code: core.TooLarge, Message: "the body has more than " + strconv.FormatInt(limit, 10) + " bytes"}
}

// readAll appends everything that r has.
func (buf *buffer) readAll(r io.Reader) error {
	for {
		if len(buf.b) == cap(buf.b) {
			buf.b = append(buf.b, 0)[:len(buf.b)]
		}
		n, err := r.Read(buf.b[len(buf.b):cap(buf.b)])
		buf.b = buf.b[:len(buf.b)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
