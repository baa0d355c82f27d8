package rest

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLargeBuffersAreNotKept(t *testing.T) {
	large := &buffer{make([]byte, maxPooled+1)}
	large.release()
	for range 100 {
		if buf := newBuffer(); buf == large {
			t.Fatal("kept")
		}
	}
}

func TestBuffersReadWholeBodies(t *testing.T) {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 100_000} {
		text := strings.Repeat("x", size)
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(text), "in bytes": iotest.OneByteReader(strings.NewReader(text)),
			"with the end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			buf := newBuffer()
			if err := buf.readAll(r, -1); err != nil || !bytes.Equal(buf.b, []byte(text)) {
				t.Errorf("%d bytes %s: %d, %v", size, name, len(buf.b), err)
			}
			buf.release()
		}
	}
}

func TestBuffersReportFailedReads(t *testing.T) {
	buf := newBuffer()
	defer buf.release()
	if err := buf.readAll(iotest.ErrReader(io.ErrUnexpectedEOF), -1); err == nil {
		t.Error("no error")
	}
}
