package rest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/larder-go/larder/core"
)

func TestLargeBuffersAreNotPooled(t *testing.T) {
	large := &buffer{make([]byte, maxPooledBytes+1)}
	large.release()
	for range 100 {
		if buf := newBuffer(); buf == large {
			t.Fatal("a large buffer is pooled")
		}
	}
}

// exchangeReading returns an exchange whose request announces a body of that length.
func exchangeReading(t *testing.T, announced int64) *exchange {
	t.Helper()
	h := &Handler{budget: byteBudget{limit: 1 << 20}}
	return &exchange{h: h, ctx: t.Context(), reserved: reservation{budget: &h.budget}, r: &http.Request{ContentLength: announced}}
}

func TestReadAllReadsWholeBodies(t *testing.T) {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 100_000} {
		text := strings.Repeat("x", size)
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(text), "in bytes": iotest.OneByteReader(strings.NewReader(text)),
			"with the end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			for _, announced := range []int64{-1, int64(size)} {
				x, buf := exchangeReading(t, announced), &buffer{}
				held, err := x.readAll(buf, r)
				if err != nil || !bytes.Equal(buf.b, []byte(text)) {
					t.Errorf("%d bytes %s: %d, %v", size, name, len(buf.b), err)
				}
				if held != int64(cap(buf.b)) || held != x.reserved.held || cap(buf.b) > 2*max(size, minRead) {
					t.Errorf("%d bytes %s: capacity %d, %d reserved, the reservation has %d", size, name, cap(buf.b), held, x.reserved.held)
				}
				r = strings.NewReader(text)
			}
		}
	}
}

func TestReadAllReportsFailedReads(t *testing.T) {
	if _, err := exchangeReading(t, -1).readAll(&buffer{}, iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, core.BadRequest) {
		t.Errorf("error %v", err)
	}
}
