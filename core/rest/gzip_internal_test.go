package rest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// sendTo sends a body of 1 MiB to a client that accepts gzip, on a handler whose other requests hold the bytes.
func sendTo(t *testing.T, others int64) (*httptest.ResponseRecorder, *exchange) {
	t.Helper()
	h := &Handler{opts: Options{Gzip: true}}
	h.budget.limit = 4 << 20
	if err := (&reservation{budget: &h.budget}).tryAcquire(others); err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	x := &exchange{h: h, w: w, r: r, reserved: reservation{budget: &h.budget}}
	w.Header().Set("ETag", `"a"`)
	x.send(http.StatusOK, []byte(strings.Repeat("a", 1<<20)))
	return w, x
}

func TestCompressionTakesItsMemoryFromTheBudget(t *testing.T) {
	w, x := sendTo(t, 1<<20)
	if got := w.Header(); got.Get("Content-Encoding") != "gzip" || got.Get("ETag") != `"a-gzip"` {
		t.Errorf("headers %v", got)
	}
	if held := x.reserved.held; held != int64(w.Body.Len()) {
		t.Errorf("the request holds %d bytes for a body of %d", held, w.Body.Len())
	}
}

func TestAnswerIsNotCompressedWithoutRoomInTheBudget(t *testing.T) {
	w, x := sendTo(t, 2<<20)
	if got := w.Header(); got.Get("Content-Encoding") != "" || got.Get("ETag") != `"a"` || w.Body.Len() != 1<<20 || x.reserved.held != 0 {
		t.Errorf("headers %v, %d bytes, %d held", got, w.Body.Len(), x.reserved.held)
	}
}

func TestLongErrorOfWriteErrorIsCompressed(t *testing.T) {
	h := &Handler{opts: Options{Gzip: true}}
	h.budget.limit = 4 << 20
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	h.WriteError(w, r, &core.Error{Code: core.BadRequest, Message: strings.Repeat("a", gzipFrom)})
	if got := w.Header(); w.Code != http.StatusBadRequest || got.Get("Content-Encoding") != "gzip" || got.Get("Vary") != varyOn || h.budget.used != 0 {
		t.Errorf("%d %v, %d bytes held", w.Code, got, h.budget.used)
	}
}

func TestCompressorTakesLessMemoryThanReserved(t *testing.T) {
	text := []byte(strings.Repeat("a long line of text ", 50_000))
	least := uint64(1 << 40) // other goroutines may allocate, too
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	if least > compressorBytes {
		t.Errorf("%d bytes, more than %d", least, compressorBytes)
	}
}
