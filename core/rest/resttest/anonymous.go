package resttest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// rejectingWrites rejects every write with [core.ReadOnly], for every principal.
func rejectingWrites() core.Decorator {
	return core.Decorator{Name: "rejecting writes", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch {
			case op.Kind == core.Tx:
				op.Tx.ReadOnly = true
			case op.Writes():
				return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
			}
			return next(ctx, op)
		}, nil
	}}
}

// failingToBegin returns a decorator that fails every transaction before it begins.
func failingToBegin() core.Decorator {
	return core.Decorator{Name: "failing to begin", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Tx {
				return core.Result{}, core.Unavailable
			}
			return next(ctx, op)
		}, nil
	}}
}

// requests returns valid and invalid requests of every kind. Each is a method, a target without spaces, and an optional
// body, separated by spaces.
func requests() []string {
	return []string{
		"GET /note", "GET /note?depth=0", "GET /note?limit=0", "GET /note?limit=1", `GET /note?filter={"text":"a"}`,
		`GET /note?filter={"id":{"in":[]}}`, `GET /folder?filter={"notes":1}`, `GET /note?filter={"folder":1}`, "HEAD /note", "HEAD /nope", "HEAD /note/abc",
		"GET /note/1", "GET /note/1?depth=0", "POST /note {}", "POST /note []", "POST /note?depth=0 []", "POST /note?depth=0 {}", "POST /note [{}]",
		"PUT /note/1 {}", "PUT /note/1?depth=0 {}", "PATCH /note/1 {}", `PATCH /note/1?depth=0 {"text": "a"}`, "DELETE /note/1", "DELETE /folder/1",
		`PATCH /note?filter={}&max=1 {"text":"a"}`, "DELETE /note?filter={}&max=1", "DELETE /note?max=1", "PATCH /note {}", "POST /$batch []", "POST /$batch {}", "GET /$batch",
		"GET /folder/1/notes", "HEAD /folder/1/notes", "GET /folder/1/notes?limit=1", "GET /folder/1/notes?nope=1", "GET /folder/x/notes", "POST /folder/1/notes {}",
		"GET /folder/1/nope", "OPTIONS /folder/1/nope", // related records
		"GET /openapi.json", "HEAD /openapi.json", "POST /openapi.json {}", "GET /openapi.json?depth=2", "GET /openapi-3.0.json", // documents
		"GET /", "GET /nope", "GET /nope/1", "POST /nope {}", "BREW /nope", "OPTIONS /nope", "GET /note/", "GET /note/1/text", "GET /%FF", // paths
		"BREW /note", "PUT /note {}", "DELETE /note", "POST /note/1 {}", "TRACE /note/1", // methods
		"GET /note/abc", "PUT /note/abc {}", "PATCH /note/007 {}", "DELETE /note/1.0", "GET /note/9223372036854775808", "PUT /note/4503599627370497 {}", // ids
		"GET /note?depth=99", "GET /note?depth=-1", "GET /note?depth=x", "GET /note/1?depth=99", "DELETE /note/1?depth=99",
		"POST /note?depth=99 {}", "GET /note?limit=-1", "GET /note?limit=1&limit=2", "GET /note?after=x", "GET /note?after=",
		"GET /note?filter=[", "GET /note?filter=1", "GET /note?sort=text", "GET /note?sort=[1]", // arguments
		`GET /note?filter={"nope":1}`, `GET /note?filter={"owner":1}`, `GET /note?filter={"id":"x"}`, `GET /folder?filter={"notes":[1]}`,
		`GET /note?filter={"id":{"nope":1}}`, `GET /note?sort=["nope"]`, `GET /note?sort=["owner"]`, `GET /folder?sort=["notes"]`, // names
		"POST /note {", "POST /note 1", "POST /note [1]", "PUT /note/1 []", "PATCH /note/1 null", "POST /note", "PUT /note/1", // bodies
		`POST /note {"nope": 1}`, `POST /note {"owner": 1}`, `POST /note {"id": 1}`, `POST /note {"text": []}`, `POST /note {"folder": {"nope": 1}}`,
		`PATCH /note/1 {"nope": 1}`, `PUT /note/1 {"id": 1}`, `POST /note {"text": "` + strings.Repeat("x", 1<<10) + `"}`,
		`POST /note {"folder": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	}
}

// testAnonymous checks that all anonymous requests get the same answer, where the store denies anonymous callers
// everything.
func testAnonymous(t *testing.T, newBackend NewBackend) {
	stacks := map[string][]core.Decorator{"owned records": {owning()}, "owned records, read-only": {rejectingWrites(), owning()}}
	for name, stack := range stacks {
		t.Run("an anonymous request is 401 with a challenge: "+name, func(t *testing.T) {
			c := setup{model: notes(), decorators: stack, rest: rest.Options{Authenticate: byNumber, MaxBody: 1 << 10}}.start(t, newBackend)
			denied := c.check(t, exchange{"GET /note", "", 401, `UNAUTHORIZED {}`})
			for _, text := range requests() {
				for _, header := range [][]string{
					nil, {"If-Match", "x"}, {"If-Match", "*"}, {"If-None-Match", "*"}, {"Content-Type", "text/html"}, {"Content-Encoding", "gzip"},
				} {
					parts := append(strings.SplitN(text, " ", 3), "")
					r := c.send(t, parts[0], escape(parts[1]), reader(parts[2]), header...)
					if r.status != 401 || !sameHeaders(r.header, denied.header) || parts[0] != "HEAD" && string(r.body) != string(denied.body) {
						t.Errorf("%s with %q: %d %v %s", text, header, r.status, r.header, r.body)
					}
				}
			}
		})
	}
	t.Run("the body of an anonymous request is not read", func(t *testing.T) { testUnreadBody(t, newBackend) })
	t.Run("OPTIONS needs no credentials", func(t *testing.T) {
		c := ownedNotes().start(t, newBackend)
		for _, target := range []string{"/note", "/note/1", "/folder/1/notes", "/openapi.json", "/openapi-3.0.json"} {
			c.check(t, exchange{"OPTIONS " + target, "", 204, ""})
		}
	})
	t.Run("anonymous callers see errors where something is allowed", func(t *testing.T) {
		c := setup{model: cookies(), decorators: []core.Decorator{rejectingWrites()}}.start(t, newBackend)
		for _, x := range []exchange{
			{"GET /openapi.json", "", 200, ""}, {"GET /jar", "", 200, "[]"}, {"GET /jar/1", "", 404, ""}, {"GET /nope", "", 404, ""},
			{"GET /jar?depth=x", "", 400, ""}, {"POST /crumb?depth=0", `{}`, 405, `READ_ONLY {"object_name": "crumb"}`}, {"POST /crumb", `[]`, 201, "[]"},
		} {
			c.check(t, x)
		}
	})
	t.Run("anonymous callers see errors where the store fails", func(t *testing.T) {
		c := setup{model: notes(), decorators: []core.Decorator{failingToBegin()}}.start(t, newBackend)
		c.check(t, exchange{"GET /nope", "", 404, ""})
		c.check(t, exchange{"POST /note", `{`, 503, `UNAVAILABLE`})
	})
	t.Run("a principal sees errors", func(t *testing.T) {
		c := ownedNotes().start(t, newBackend).as(user(1))
		for _, x := range []exchange{
			{"GET /openapi.json", "", 200, ""}, {"GET /nope", "", 404, ""}, {"GET /note?depth=x", "", 400, ""}, {"BREW /note", "", 405, ""}, {"POST /note", "[]", 201, "[]"},
		} {
			c.check(t, x)
		}
	})
}

// testUnreadBody sends Expect: 100-continue (RFC 9110, section 10.1.1), so the client sends a body only after the server
// has begun to read it.
func testUnreadBody(t *testing.T, newBackend NewBackend) {
	c := ownedNotes().start(t, newBackend)
	c.http.Transport.(*http.Transport).ExpectContinueTimeout = time.Minute
	for _, row := range []struct {
		token string
		read  bool
	}{{"", false}, {user(1), true}} {
		for _, request := range []string{"POST /note", "PUT /note/1", "PATCH /note/1"} {
			method, target, _ := splitRequest(request)
			body := &counted{Reader: strings.NewReader(`{"text": "a"}`)}
			r := c.as(row.token).send(t, method, target, body, "Expect", "100-continue")
			if (body.n.Load() > 0) != row.read || (r.status == 401) == row.read {
				t.Errorf("%q: %s: %d after %d bytes", row.token, request, r.status, body.n.Load())
			}
		}
	}
}

// counted counts the bytes that are read from its Reader.
type counted struct {
	io.Reader

	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}
