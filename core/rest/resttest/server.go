package resttest

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest"
)

// setup describes a server: the model, the stack and the options.
type setup struct {
	model      *core.Model
	decorators []core.Decorator
	engine     engine.Options
	rest       rest.Options
}

// start serves a new store until the test ends.
func (s setup) start(tb testing.TB, newBackend NewBackend) *client {
	tb.Helper()
	backend, decorators := enginetest.Composed(newBackend(tb, s.model), s.decorators)
	store, err := core.New(tb.Context(), s.model, backend, decorators...)
	if err != nil {
		tb.Fatalf("store: %v", err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	if s.rest.Logger == nil {
		s.rest.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := rest.New(engine.New(store, s.engine), s.rest)
	if err != nil {
		tb.Fatalf("handler: %v", err)
	}
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
	tb.Cleanup(transport.CloseIdleConnections)
	described := &documents{server: h, prefix: s.rest.Prefix}
	return &client{url: server.URL, prefix: s.rest.Prefix, http: &http.Client{Transport: transport}, described: described}
}

// clients is the number of concurrent clients.
const clients = 20

// client sends requests to one server.
type client struct {
	url    string
	prefix string
	http   *http.Client
	token  string // Authorization, if not empty
	// described has the documents that every answer is compared with.
	described *documents
}

// as returns a client that sends the token as its Authorization.
func (c *client) as(token string) *client {
	other := *c
	other.token = token
	return &other
}

// reply is an answer with its whole body, which is decompressed.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send sends one request. The headers are names and values in turn; an empty value deletes a header. send checks the
// rules for all answers, see [reply.violation].
func (c *client) send(tb testing.TB, method, target string, body io.Reader, headers ...string) reply {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, c.url+c.prefix+target, body)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, target, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, target, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatalf("%s %s: body: %v", method, target, err)
	}
	r := reply{res.StatusCode, res.Header, content}
	violation := r.lengthViolation(method)
	if r.header.Get("Content-Encoding") == "gzip" && method != http.MethodHead {
		r.body = decompress(tb, content)
	}
	if violation = cmp.Or(violation, r.violation(method), c.described.violation(req, r)); violation != "" {
		tb.Errorf("%s %s: %s\n%d %v\n%s", method, target, violation, r.status, r.header, r.body)
	}
	return r
}
