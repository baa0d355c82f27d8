package rest

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"sync"
)

const (
	// gzipFrom is the number of bytes from which on a body is compressed. Shorter bodies fit into one packet anyway.
	gzipFrom = 1 << 10
	// gzipSuffix ends the entity tag of a compressed body: each encoding has a strong tag of its own (RFC 9110, section
	// 8.8.3.3).
	gzipSuffix = "-gzip"
	// compressorBytes bounds the memory of a compressor.
	compressorBytes = 1280 << 10
)

var compressors = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return w
}}

// gzipTag returns the entity tag of a compressed representation. The tag is that of the same representation without
// compression.
func gzipTag(tag string) string { return strings.TrimSuffix(tag, `"`) + gzipSuffix + `"` }

// acceptableTags returns the tags of the representations of the body that the client accepts. The tag of the
// representation that an answer would have comes first.
func (x *exchange) acceptableTags(tag string, body []byte) []string {
	tags := []string{tag}
	if acceptsGzip(x.r.Header["Accept-Encoding"]) {
		tags = append(tags, gzipTag(tag))
	}
	if x.compresses(body) {
		slices.Reverse(tags)
	}
	return tags
}

// compresses reports whether an answer with the body is compressed, provided that the budget has room.
func (x *exchange) compresses(body []byte) bool {
	return x.h.opts.Gzip && x.inBatch == nil && len(body) >= gzipFrom && acceptsGzip(x.r.Header["Accept-Encoding"])
}

// acceptsGzip reports whether the lines of Accept-Encoding permit gzip. x-gzip is another name of it (RFC 9110, section
// 8.4.1.3).
func acceptsGzip(lines []string) bool {
	for _, name := range []string{"gzip", "x-gzip", "*"} {
		if weight, named := weightOf(lines, name); named {
			return weight > 0
		}
	}
	return false
}

// compress compresses the body into buf, and sets the headers of a compressed answer. It returns the body itself, and
// sets no header, while other requests hold the memory that the compression needs.
func (x *exchange) compress(buf *buffer, body []byte) []byte {
	held := compressorBytes + int64(len(body))
	if x.reserved.tryAcquire(held) != nil {
		return body
	}
	out := bytes.NewBuffer(buf.b)
	w := compressors.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool holds nothing else
	w.Reset(out)
	_, _ = w.Write(body) // a bytes.Buffer returns no errors
	_ = w.Close()
	w.Reset(io.Discard) // the pool keeps no answer
	compressors.Put(w)
	buf.b = out.Bytes()
	x.reserved.release(held - int64(len(buf.b)))
	h := x.w.Header()
	h.Set("Content-Encoding", "gzip")
	if tag := h.Get("ETag"); tag != "" {
		h.Set("ETag", gzipTag(tag))
	}
	return buf.b
}
