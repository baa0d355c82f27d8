package resttest

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// logBuffer is a log that is safe for concurrent use.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *logBuffer) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *logBuffer) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func testInternals(t *testing.T, newBackend NewBackend) {
	authenticate := func(err error) func(*http.Request) (*core.Principal, error) {
		return func(*http.Request) (*core.Principal, error) {
			if err == nil {
				panic(errSecret)
			}
			return nil, err
		}
	}
	decorated := func(err error) setup { return setup{model: things(), decorators: []core.Decorator{failingWrites(err)}} }
	closed := func(err error) setup {
		return setup{model: things(), rest: rest.Options{Authenticate: authenticate(err), Challenge: `Basic realm="larder"`}}
	}
	secret := errSecret.Error()
	post := exchange{"POST /thing", `{"text": "fail"}`, 500, `SERVER_ERROR {}`}
	for _, row := range []struct {
		rule     string
		setup    setup
		exchange exchange
		level    string
		logged   string
	}{
		{"an error of a decorator", decorated(fmt.Errorf("wrapped: %w", errSecret)), post, "ERROR", secret},
		{"the cause of an error with a code", decorated(&core.Error{Code: core.Unavailable, Cause: errSecret}),
			exchange{"POST /thing", `{}`, 503, `UNAVAILABLE {}`}, "WARN", secret},
		{"the message of a server error", decorated(&core.Error{Code: core.ServerError, Message: secret}), post, "ERROR", "SERVER_ERROR"},
		{"a panic of a decorator", decorated(nil), post, "ERROR", secret},
		{"an error of a getter", setup{model: things()}, post, "ERROR", secret},
		{"an error of the authenticator", closed(errSecret), exchange{"GET /thing", "", 401, `UNAUTHORIZED {}`}, "INFO", secret},
		{"a panic of the authenticator", closed(nil), exchange{"GET /thing", "", 500, `SERVER_ERROR {}`}, "ERROR", secret},
	} {
		t.Run(row.rule+" is logged and hidden from the client", func(t *testing.T) {
			var log logBuffer
			row.setup.rest.Logger = slog.New(slog.NewTextHandler(&log, nil))
			c := row.setup.start(t, newBackend)
			r := c.check(t, row.exchange, "X-Request-Id", "request-17")
			if shown := fmt.Sprint(r.header, string(r.body)); strings.Contains(shown, "secret") || strings.Contains(shown, ".go") {
				t.Errorf("the client reads %s", shown)
			}
			method, target, _ := splitRequest(row.exchange.request)
			for _, want := range []string{"level=" + row.level, "method=" + method, "path=" + target, "request_id=request-17", row.logged} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %s in the log:\n%s", want, &log)
				}
			}
		})
	}
	t.Run("errors of clients are not logged", func(t *testing.T) {
		var log logBuffer
		c := setup{model: things(), rest: rest.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}.start(t, newBackend)
		c.check(t, exchange{"GET /thing/1", "", 404, ""})
		c.check(t, exchange{"POST /thing", `{`, 400, ""})
		if log.String() != "" {
			t.Errorf("log:\n%s", &log)
		}
	})
	t.Run("the server continues after a panic", func(t *testing.T) {
		c := decorated(nil).start(t, newBackend)
		c.check(t, post)
		c.check(t, exchange{"GET /thing", "", 200, `[]`})
	})
	t.Run("answers do not repeat the Host header", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		c.check(t, exchange{"POST /jar", `[{}, {}]`, 201, ""})
		for _, target := range []string{"/jar?limit=1", "/jar/1", "/openapi.json", "/nope"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "evil.example"
			res, err := c.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body bytes.Buffer
			_, err = body.ReadFrom(res.Body)
			if err = errors.Join(err, res.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if shown := fmt.Sprint(res.Header, body.String()); strings.Contains(shown, "evil") {
				t.Errorf("%s: %s", target, shown)
			}
		}
	})
}
