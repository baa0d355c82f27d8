package rest

import "sync"

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
