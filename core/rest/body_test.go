package rest_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// chests is a model with values of any shape and with every kind of relation to many.
func chests() *core.Model {
	return core.MustModel("hoard", core.ResourceSpec{Name: "chest", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "json", Type: core.JSON}, {Name: "list", Type: core.List}, {Name: "text", Type: core.Text},
		{Name: "parent", ToOne: "chest"}, {Name: "chests", ToMany: "chest", Inverse: "parent"}, {Name: "likes", ToMany: "chest"},
	}})
}

// repeated returns before and after with as many items between them as fit into size bytes.
func repeated(before, item, after string, size int) string {
	return before + strings.Repeat(item+",", (size-len(before)-len(after)-len(item))/(len(item)+1)) + item + after
}

// measure returns the answer to a request, and the number of bytes that the handler allocates for it.
func measure(h http.Handler, method, target, body string) (answer string, allocated uint64) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	return w.Body.String(), after.TotalAlloc - before.TotalAlloc
}

func TestHostileBodyAllocatesAtMostItsFactor(t *testing.T) {
	const (
		maxBody = 1 << 20
		reading = 2
		parsing = 8
		writing = 8 // canonical JSON and values to store, if the body was parsed
	)
	h, err := rest.New(newEngine(t, chests()), rest.Options{MaxBody: maxBody})
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{maxBody, maxBody / 2, maxBody / 4, maxBody / 8}
	for _, item := range []string{`{}`, `[]`, `0`, `12`, `null`, `""`, `"a"`, `"\n"`, `{"":0}`, `{"a":{"b":[]}}`, `[[[[[[]]]]]]`, `1e20`, `1e-400`, `{"json":0}`} {
		for name, around := range map[string][2]string{
			"a list": {`[`, `]`}, "a JSON field": {`{"json":[`, `]}`}, "a list field": {`{"list":[`, `]}`}, "a to-many": {`{"chests":[`, `]}`},
			"a one-directional list": {`{"likes":[`, `]}`}, "a field that does not exist": {`{"x":[`, `]}`}, "an open list": {`[`, ``},
		} {
			for _, size := range sizes {
				body := repeated(around[0], item, around[1], size)
				answer, allocated := measure(h, http.MethodPost, "/chest", body)
				factor := reading + parsing
				if !strings.Contains(answer, `"error"`) || strings.Contains(answer, `"the value of `) {
					factor += writing
				}
				if allocated > uint64(factor*maxBody) {
					t.Errorf("%s of %s, %d bytes: %.80s after %.1f times MaxBody", name, item, size, answer, float64(allocated)/maxBody)
				}
			}
		}
	}
}

func TestBodyOfTooManyValuesIsTooLarge(t *testing.T) {
	h, err := rest.New(newEngine(t, chests()), rest.Options{MaxBody: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/chest", strings.NewReader(repeated(`{"json":[`, `{}`, `]}`, 1<<20)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	const want = `{"error":{"code":"TOO_LARGE","message":"The request or its answer is too large: the body has too many values: they would take more than 8388608 bytes of memory; send it in parts.","details":{"msg":"the body has too many values: they would take more than 8388608 bytes of memory; send it in parts"}}}`
	if got := w.Body.String(); w.Code != http.StatusRequestEntityTooLarge || got != want {
		t.Errorf("%d %s", w.Code, got)
	}
}

// pausedBody is a body whose end arrives when goOn is closed.
type pausedBody struct {
	first *strings.Reader
	goOn  <-chan struct{}
}

func (d pausedBody) Read(p []byte) (int, error) {
	if d.first.Len() == 0 {
		<-d.goOn
	}
	return d.first.Read(p)
}

func TestBytesInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := rest.New(newEngine(t, chests()), rest.Options{MaxInFlight: 64 << 10, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		send := func(method, target string, body io.Reader) <-chan *httptest.ResponseRecorder {
			done := make(chan *httptest.ResponseRecorder, 1)
			go func() {
				r, w := httptest.NewRequest(method, target, body), httptest.NewRecorder()
				r.Header.Set("Content-Type", "application/json")
				h.ServeHTTP(w, r)
				done <- w
			}()
			synctest.Wait()
			return done
		}
		goOn := make(chan struct{})
		slow := send(http.MethodPost, "/chest", pausedBody{strings.NewReader(`{"text": "` + strings.Repeat("x", 64<<10)), goOn})
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			waiting := send(method, "/chest", strings.NewReader(`{}`))
			if len(waiting) > 0 {
				t.Errorf("%s is served while the budget is used up", method)
			}
			if w := <-waiting; w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		}
		waiting := send(http.MethodPost, "/chest", strings.NewReader(`{}`))
		close(goOn)
		if w := <-slow; w.Code != http.StatusBadRequest {
			t.Errorf("the incomplete body: %d %s", w.Code, w.Body)
		}
		if w := <-waiting; w.Code != http.StatusCreated {
			t.Errorf("the request that waited: %d %s", w.Code, w.Body)
		}
		large := send(http.MethodPost, "/chest", strings.NewReader(`{"text": "`+strings.Repeat("x", 1<<20)+`"}`))
		if w := <-large; w.Code != http.StatusCreated {
			t.Errorf("a body larger than the bound, alone: %d %s", w.Code, w.Body)
		}
	})
}

// pausedClient is a client that reads its answer when goOn is closed.
type pausedClient struct {
	*httptest.ResponseRecorder

	goOn <-chan struct{}
}

func (s pausedClient) Write(p []byte) (int, error) {
	<-s.goOn
	return s.ResponseRecorder.Write(p)
}

func TestBytesOfAnswersInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := rest.New(newEngine(t, chests()), rest.Options{MaxInFlight: 1 << 20, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		text := `{"text": "` + strings.Repeat("x", 300<<10) + `"}`
		if answer, _ := measure(h, http.MethodPost, "/chest", `[`+text+`,`+text+`]`); strings.Contains(answer, `"error"`) {
			t.Fatal(answer)
		}
		goOn, done := make(chan struct{}), make(chan struct{})
		go func() {
			h.ServeHTTP(pausedClient{httptest.NewRecorder(), goOn}, httptest.NewRequest(http.MethodGet, "/chest", nil))
			close(done)
		}()
		synctest.Wait()
		for _, target := range []string{"/chest", "/chest?depth=0"} {
			if w := get(t.Context(), h, target); w.Code != http.StatusServiceUnavailable {
				t.Errorf("while an answer of 600 kB is written: %s: %d", target, w.Code)
			}
		}
		close(goOn)
		<-done
		if w := get(t.Context(), h, "/chest"); w.Code != http.StatusOK {
			t.Errorf("afterwards: %d", w.Code)
		}
	})
}
