package rest

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/internal/strictjson"
)

// readBody reads and parses the request's body. It first asks the store about an anonymous request, so the body of a
// caller that may do nothing takes no memory.
//
// Errors: those of [exchange.anonymousError], [core.UnsupportedMediaType], [core.TooLarge], [core.BadRequest], and
// [core.Unavailable] if the budget has no room in time.
func (x *exchange) readBody() (any, error) {
	if x.inBatch != nil {
		return x.inBatch.readBody()
	}
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
	if x.r.Header[keyHeader] != nil {
		x.bodyHash = sha256.Sum256(buf.b)
	}
	return x.parseBody(buf.b)
}

func tooLarge(limit int64) error {
	return &core.Error{Code: core.TooLarge, Message: "the body has more than " + strconv.FormatInt(limit, 10) + " bytes; send less at once"}
}

const (
	// valueFactor bounds the memory of a body's values, as a multiple of [Options.MaxBody].
	valueFactor = 8
	// minValueBytes is the number of bytes that the values of a body may always take.
	minValueBytes = 64 << 10
)

// parseBody parses a body, unless its values would take too much memory. Small values take up to 60 times the bytes of
// their JSON.
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

// minRead is the free space in bytes that every read gets.
const minRead = 512

// readAll reads r to its end into buf, and returns the number of bytes that it reserved for buf, also with an error. It
// doubles the buffer, up to the announced length, so a client that announces a large body and sends little of it does
// not reserve much.
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

// growBuffer makes room for more of a body, and returns the number of bytes that are reserved for buf afterwards.
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

// buffer holds a body while it is read or written. Buffers are pooled; a caller must not use one after its release.
type buffer struct{ b []byte }

// maxPooledBytes is the greatest capacity of a pooled buffer, so that a large answer does not keep its memory.
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
