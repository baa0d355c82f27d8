package rest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/rest/resttest"
)

// intercepting returns a decorator that calls fn before every operation but Tx, and returns its error.
func intercepting(fn func(ctx context.Context) error) core.Decorator {
	return core.Decorator{Name: "through", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind != core.Tx {
				if err := fn(ctx); err != nil {
					return core.Result{}, err
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

func get(ctx context.Context, h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil))
	return w
}

func TestRequestTimeoutIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h, err := rest.New(newEngine(t, cookieModel(), intercepting(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})), rest.Options{Timeout: time.Minute, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		w := get(t.Context(), h, "/cookie/1")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || time.Since(start) != time.Minute {
			t.Errorf("%d %v after %s", w.Code, w.Header(), time.Since(start))
		}
		if !strings.Contains(log.String(), "deadline exceeded") {
			t.Errorf("log:\n%s", &log)
		}
	})
}

func TestAuthenticateRunsWithinTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := rest.New(newEngine(t, cookieModel()), rest.Options{
			Timeout: time.Minute,
			Logger:  slog.New(slog.DiscardHandler),
			Authenticate: func(r *http.Request) (*core.Principal, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if w := get(t.Context(), h, "/cookie"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestCanceledRequestIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	h, err := rest.New(newEngine(t, cookieModel(), intercepting(func(ctx context.Context) error { return ctx.Err() })),
		rest.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if w := get(ctx, h, "/cookie/1"); w.Code != http.StatusServiceUnavailable || log.Len() > 0 {
		t.Errorf("%d, log:\n%s", w.Code, &log)
	}
}

func TestLogLinesAreShortForLargeRequests(t *testing.T) {
	var log bytes.Buffer
	h, err := rest.New(newEngine(t, cookieModel()), rest.Options{
		Logger:       slog.New(slog.NewTextHandler(&log, nil)),
		Authenticate: func(r *http.Request) (*core.Principal, error) { return nil, errors.New(r.URL.Path) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(strings.Repeat("M", 120_000), "/cookie/"+strings.Repeat("é", 60_000), nil)
	r.Header.Set("X-Request-Id", strings.Repeat("x", 120_000))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if log.Len() < 1000 || log.Len() > 6000 || !strings.Contains(log.String(), `é...`) {
		t.Errorf("%d bytes: %.500s", log.Len(), &log)
	}
}

func TestErrAbortHandlerPassesThrough(t *testing.T) {
	h, err := rest.New(newEngine(t, cookieModel(), intercepting(func(context.Context) error { panic(http.ErrAbortHandler) })), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if reason, _ := recover().(error); !errors.Is(reason, http.ErrAbortHandler) {
			t.Errorf("panic %v", reason)
		}
	}()
	get(t.Context(), h, "/cookie/1")
	t.Error("no panic")
}

// brokenClient is a client whose connection breaks while the answer is written.
type brokenClient struct{ *httptest.ResponseRecorder }

func (brokenClient) Write([]byte) (int, error) { panic("broken pipe") }

func TestPanicWhileWritingAbortsTheConnection(t *testing.T) {
	h, err := rest.New(newEngine(t, cookieModel()), rest.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if reason, _ := recover().(error); !errors.Is(reason, http.ErrAbortHandler) {
			t.Errorf("panic %v", reason)
		}
	}()
	h.ServeHTTP(brokenClient{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/cookie", nil))
	t.Error("no panic")
}

func TestIncompleteBodyIsBadRequest(t *testing.T) {
	h, err := rest.New(newEngine(t, cookieModel()), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := "POST /cookie HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{}"
	if _, err = io.WriteString(conn, request); err == nil {
		err = conn.(*net.TCPConn).CloseWrite()
	}
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), `{"error":{"code":"BAD_REQUEST","message":"The request is not valid: the body is incomplete; send the request again.","details":{"msg":"the body is incomplete; send the request again"}}}`) {
		t.Errorf("%s %v", answer, err)
	}
}

func TestBodyAnnouncedTooLargeIsNotRead(t *testing.T) {
	h, err := rest.New(newEngine(t, cookieModel()), rest.Options{MaxBody: 100})
	if err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/cookie", iotest.ErrReader(errors.New("read")))
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = 101
	if h.ServeHTTP(w, r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHeadersOfMiddlewareAreKept(t *testing.T) {
	h, err := rest.New(newEngine(t, cookieModel()), rest.Options{Authenticate: func(*http.Request) (*core.Principal, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/cookie", nil))
	if got := strings.Join(w.Header().Values("Vary"), ", "); got != "Origin, Authorization, Accept, Accept-Encoding" {
		t.Errorf("Vary %q", got)
	}
}

func TestPrincipalOfTheContextIsReplaced(t *testing.T) {
	var seen []string
	h, err := rest.New(newEngine(t, cookieModel(), intercepting(func(ctx context.Context) error {
		seen = append(seen, core.PrincipalOf(ctx).String())
		return nil
	})), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	get(core.System(t.Context()), h, "/cookie/1")
	if len(seen) == 0 || seen[0] != "anonymous" {
		t.Errorf("ops ran for %v", seen)
	}
}

func TestDefaultLoggerIsSlogDefault(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	h, err := rest.New(newEngine(t, cookieModel()), rest.Options{Authenticate: func(*http.Request) (*core.Principal, error) { return nil, errors.New("no token") }})
	if err != nil {
		t.Fatal(err)
	}
	if w := get(t.Context(), h, "/cookie"); w.Code != http.StatusUnauthorized || !strings.Contains(log.String(), "no token") {
		t.Errorf("%d, log:\n%s", w.Code, &log)
	}
}

func TestRules(t *testing.T) {
	resttest.Run(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}

// keyed returns a handler on remembered answers, and a function that posts a cookie as the principal 1 with keys.
func keyed(t *testing.T, opts rest.Options) (*engine.Engine, func(keys ...string) *httptest.ResponseRecorder) {
	t.Helper()
	api := newEngine(t, rememberingModel())
	opts.Authenticate = func(*http.Request) (*core.Principal, error) { return &core.Principal{ID: core.IntValue(1)}, nil }
	h, err := rest.New(api, opts)
	if err != nil {
		t.Fatal(err)
	}
	return api, func(keys ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/cookie", strings.NewReader("{}"))
		r.Header["Content-Type"], r.Header["Idempotency-Key"] = []string{"application/json"}, keys
		w := httptest.NewRecorder()
		w.Header().Set("Vary", "Origin") // as middleware does
		h.ServeHTTP(w, r)
		return w
	}
}

func TestExpiredAnswersAreDeletedByLaterWrites(t *testing.T) {
	api, post := keyed(t, rest.Options{RememberFor: time.Nanosecond})
	for i := range 100 {
		if w := post(strconv.Itoa(i)); w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if left, err := api.Forget(t.Context(), 1000); err != nil || left > 1 {
		t.Errorf("%d answers are left, %v", left, err)
	}
}

func TestKeyedRequestKeepsHeadersOfMiddleware(t *testing.T) {
	_, post := keyed(t, rest.Options{})
	for range 2 {
		w := post("k")
		if got := w.Header()["Vary"]; w.Code != http.StatusCreated || !slices.Equal(got, []string{"Origin", "Authorization, Accept, Accept-Encoding"}) {
			t.Errorf("%d with Vary %q", w.Code, got)
		}
	}
}

func TestSeveralOrEmptyKeysAreRejected(t *testing.T) {
	api, post := keyed(t, rest.Options{})
	for _, keys := range [][]string{{"a", "b"}, {""}, {}} {
		if w := post(keys...); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "one key of 1 to 255") {
			t.Errorf("%q: %d %s", keys, w.Code, w.Body)
		}
	}
	if list, err := api.List(t.Context(), "cookie", engine.Query{}); err != nil || len(list.Views) > 0 {
		t.Errorf("%d cookies, %v", len(list.Views), err)
	}
}
