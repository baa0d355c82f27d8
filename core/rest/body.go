package rest

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/internal/strictjson"
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
	if err := buf.readAll(http.MaxBytesReader(x.w, x.r.Body, limit), x.r.ContentLength); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, tooLarge(limit)
		}
		return nil, &core.Error{Code: core.BadRequest, Message: "the body ends early", Cause: err}
	}
	return x.parse(buf.b)
}

func tooLarge(limit int64) error {
	return &core.Error{Code: core.TooLarge, Message: "the body has more than " + strconv.FormatInt(limit, 10) + " bytes"}
}

const (
	// valuesFactor bounds the memory of a body's values as a multiple of
	// [Options.MaxBody].
	valuesFactor = 8
	// leastValues is a bound in bytes below which the values of a body are never
	// refused.
	leastValues = 64 << 10
)

// parse parses a body, unless its values would take too much memory: small values take
// up to 60 times their text.
func (x *exchange) parse(text []byte) (any, error) {
	limit := max(valuesFactor*x.h.opts.MaxBody, leastValues)
	if strictjson.Weigh(text, x.h.opts.MaxNesting, limit) > limit {
		return nil, &core.Error{Code: core.TooLarge, Message: "the body has too many values: they would take more than " +
			strconv.FormatInt(limit, 10) + " bytes of memory; send it in parts"}
	}
	return core.ParseJSON(text, x.h.opts.MaxNesting)
}

// leastRead is the room in bytes for a single read.
const leastRead = 512

// readAll appends everything that r has. It doubles the buffer, up to the length that
// the client announced (below 0 if it did not), so a client pays with bytes that it
// sends.
func (buf *buffer) readAll(r io.Reader, announced int64) error {
	for {
		if size := int64(len(buf.b)); cap(buf.b)-len(buf.b) < leastRead {
			room := max(size, leastRead)
			if announced > size {
				room = min(room, announced-size+leastRead)
			}
			grown := make([]byte, size, size+room)
			copy(grown, buf.b)
			buf.b = grown
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
