package rest

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/internal/strictjson"
)

// body reads and parses the request's body. An anonymous request asks the store
// first, so a caller that may do nothing costs no memory.
func (x *exchange) readBody() (any, error) {
	if err := x.anonymousError(); err != nil {
		return nil, err
	}
	if x.r.ContentLength == 0 {
		return nil, &core.Error{Code: core.BadRequest, Message: "the body is empty; send JSON"}
	}
	if err := x.checkMediaType(); err != nil {
		return nil, err
	}
	limit := x.h.opts.MaxBody
	if x.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	buf := newBuffer()
	defer buf.release()
	held, err := x.readAll(buf, http.MaxBytesReader(x.w, x.r.Body, limit))
	if err != nil {
		return nil, err
	}
	defer x.reserved.release(held)
	return x.parseBody(buf.b)
}

func tooLarge(limit int64) error {
	return &core.Error{Code: core.TooLarge, Message: "the body has more than " + strconv.FormatInt(limit, 10) + " bytes; send less at once"}
}

const (
	// valuesFactor bounds the memory of a body's values as a multiple of
	// [Options.MaxBody].
	valueFactor = 8
	// leastValues is a bound in bytes below which the values of a body are never
	// refused.
	minValueBytes = 64 << 10
)

// parse parses a body, unless its values would take too much memory: small values take
// up to 60 times their text.
func (x *exchange) parseBody(text []byte) (any, error) {
	limit := max(valueFactor*x.h.opts.MaxBody, minValueBytes)
	weight := strictjson.Weigh(text, x.h.opts.MaxNesting, limit)
	if weight > limit {
		return nil, &core.Error{Code: core.TooLarge, Message: "the body has too many values: they would take more than " +
			strconv.FormatInt(limit, 10) + " bytes of memory; send it in parts"}
	}
	if err := x.reserved.acquire(x.ctx, weight); err != nil {
		return nil, err
	}
	return core.ParseJSON(text, x.h.opts.MaxNesting)
}

// leastRead is the room in bytes for a single read.
const minRead = 512

// readAll appends everything that r has, and returns how many bytes the request's share
// holds for it. It doubles the buffer, up to the length that the client announced, so a
// client pays with bytes that it sends.
func (x *exchange) readAll(buf *buffer, r io.Reader) (held int64, err error) {
	if err := x.reserved.acquire(x.ctx, int64(cap(buf.b))); err != nil {
		return 0, err
	}
	for held = int64(cap(buf.b)); ; {
		if cap(buf.b)-len(buf.b) < minRead {
			if held, err = x.growBuffer(buf, held); err != nil {
				return held, err
			}
		}
		n, err := r.Read(buf.b[len(buf.b):cap(buf.b)])
		buf.b = buf.b[:len(buf.b)+n]
		switch _, tooLong := errors.AsType[*http.MaxBytesError](err); {
		case errors.Is(err, io.EOF):
			return held, nil
		case tooLong:
			return held, tooLarge(x.h.opts.MaxBody)
		case err != nil:
			return held, &core.Error{Code: core.BadRequest, Message: "the body is incomplete; send the request again", Cause: err}
		}
	}
}

// extend makes room for more of a body, and returns how many bytes the share holds
// afterwards.
func (x *exchange) growBuffer(buf *buffer, held int64) (int64, error) {
	size := int64(len(buf.b))
	room := max(size, minRead)
	if left := x.r.ContentLength - size; left >= 0 {
		room = min(room, left+minRead)
	}
	if err := x.reserved.acquire(x.ctx, size+room); err != nil {
		return held, err
	}
	grown := make([]byte, size, size+room)
	copy(grown, buf.b)
	buf.b = grown
	x.reserved.release(held)
	return size + room, nil
}

// buffer holds a body while it is read or written.
type buffer struct{ b []byte }

// maxPooled is the capacity above which a buffer is not kept, so that one large
// answer does not hold its memory for ever.
const maxPooledBytes = 256 << 10

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 4<<10)} }}

func newBuffer() *buffer {
	buf := buffers.Get().(*buffer) //nolint:forcetypeassert // the pool holds nothing else
	buf.b = buf.b[:0]
	return buf
}

func (buf *buffer) release() {
	if cap(buf.b) <= maxPooledBytes {
		buffers.Put(buf)
	}
}
