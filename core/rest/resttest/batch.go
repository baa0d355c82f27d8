package resttest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// lockedCookies returns a policy that lets everybody read cookies, and change those that are not of the type locked.
func lockedCookies() core.Decorator {
	return core.Decorator{Name: "locked cookies", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		free, err := m.Resource("cookie").Bind(core.Not(core.Eq("type", "locked")))
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if (op.Kind == core.Update || op.Kind == core.Delete) && op.Resource.Name() == "cookie" {
				op.Using = core.And(op.Using, free)
			}
			return next(ctx, op)
		}, nil
	}}
}

func testBatches(t *testing.T, newBackend NewBackend) {
	malformed := func(body, message string, request int) exchange {
		return exchange{"POST /$batch", body, 400, fmt.Sprintf(`BAD_REQUEST {"msg": %q, "request": %d}`, message, request)}
	}
	setup{model: cookies(), engine: engine.Options{MaxWritten: 8}}.check(t, newBackend, []rule{
		{"the answers of a batch are in order, and each request sees the writes before", []exchange{
			{"POST /$batch", `[
				{"method": "PUT", "path": "/jar/1", "body": {"label": "a"}},
				{"method": "POST", "path": "/cookie?depth=0", "body": [{"jar": 1}, {"jar": 1, "type": "b"}]},
				{"method": "PATCH", "path": "/cookie/2", "body": {"price": 3}},
				{"method": "GET", "path": "/jar/1?depth=1"},
				{"method": "GET", "path": "/jar/1/cookies?depth=0&sort=-id&limit=1&count=true"},
				{"method": "DELETE", "path": "/cookie/1"},
				{"method": "PATCH", "path": "/cookie?filter=%7B%7D&max=5", "body": {"price": 4}, "headers": {"content-type": "application/merge-patch+json"}},
				{"method": "PUT", "path": "/jar/1", "body": {"label": "b"}, "headers": {"Prefer": "return=minimal"}}
			]`, 200, `[
				{"status": 201, "headers": {"ETag": "*", "Location": "/jar/1"}, "body": {"id": 1, "label": "a", "cookies": []}},
				{"status": 201, "body": [1, 2]},
				{"status": 200, "headers": {"ETag": "*"}, "body": {"id": 2, "type": "b", "price": 3, "jar": 1, "crumbs": []}},
				{"status": 200, "headers": {"ETag": "*"}, "body": {"id": 1, "label": "a", "cookies": [1, 2]}},
				{"status": 200, "headers": {"Link": "*", "X-Total-Count": "2"}, "body": [2]},
				{"status": 200, "body": null},
				{"status": 200, "body": {"count": 1}},
				{"status": 204, "headers": {"Preference-Applied": "return=minimal"}}
			]`},
			{"GET /jar", "", 200, `[{"id": 1, "label": "b", "cookies": []}]`},
			{"GET /cookie", "", 200, `[{"id": 2, "type": "b", "price": 4, "crumbs": []}]`},
			{"POST /$batch", `[]`, 200, `[]`},
		}},
		{"the error of a request is the answer, with its position, and nothing changes", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"POST /$batch", `[{"method": "POST", "path": "/jar", "body": {}}, {"method": "GET", "path": "/jar/7"}]`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 7, "request": 1}`},
			{"POST /$batch", `[{"method": "POST", "path": "/jar", "body": [{}, {"nope": 1}]}]`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "nope", "index": 1, "request": 0}`},
			{"POST /$batch", `[{"method": "DELETE", "path": "/jar/1"}, {"method": "GET", "path": "/nope"}]`, 404, `NO_SUCH_URL {"path": "/nope", "request": 1}`},
			{"POST /$batch", `[{"method": "DELETE", "path": "/jar/1"}, {"method": "PUT", "path": "/jar", "body": {}}]`, 405, `METHOD_NOT_ALLOWED {"method": "PUT", "allowed_methods": "*", "request": 1}`},
			{"POST /$batch", `[{"method": "DELETE", "path": "/jar/1"}, {"method": "POST", "path": "/jar"}]`, 400, `BAD_REQUEST {"msg": "*", "request": 1}`},
			{"POST /$batch", `[{"method": "DELETE", "path": "/jar/1"}, {"method": "PATCH", "path": "/jar/1", "body": {}, "headers": {"If-Match": "*"}}]`, 412, `PRECONDITION_FAILED {"request": 1}`},
			{"POST /$batch", `[{"method": "DELETE", "path": "/jar/1"}, {"method": "GET", "path": "/jar?nope=1"}]`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "nope", "request": 1}`},
			{"GET /jar?depth=0", "", 200, `[1]`},
		}},
		{"the requests of a batch share one limit of records to write", []exchange{
			{"POST /$batch", `[{"method": "POST", "path": "/jar", "body": [{}, {}, {}, {}, {}]}, {"method": "POST", "path": "/jar", "body": [{}, {}, {}, {}]}]`, 413, `TOO_LARGE {"msg": "*", "request": 1}`},
			{"GET /jar", "", 200, `[]`},
			{"POST /$batch", `[{"method": "POST", "path": "/jar?depth=0", "body": [{}, {}, {}, {}]}, {"method": "POST", "path": "/jar?depth=0", "body": [{}, {}, {}, {}]}]`, 200, ""},
		}},
		{"a batch has no other batch", []exchange{
			malformed(`[{"method": "POST", "path": "/$batch", "body": []}]`, "a batch cannot have another batch", 0),
			{"POST /$batch", `[{"method": "GET", "path": "/openapi.json"}]`, 404, `NO_SUCH_URL {"path": "/openapi.json", "request": 0}`},
		}},
		{"a malformed batch is 400", []exchange{
			{"POST /$batch", `{}`, 400, `BAD_REQUEST {"msg": "the body must be a JSON list of requests"}`},
			{"POST /$batch", "", 400, `BAD_REQUEST`},
			{"POST /$batch?depth=1", "[]", 400, `BAD_PARAM_VALUE`},
			{"POST /$batch", "[" + strings.Repeat(`{"method": "GET", "path": "/jar"},`, 1000) + "1]", 413, `TOO_LARGE`},
			{"POST /$batch", `[{"method": "GET", "path": "/jar"}, 1]`, 400, `BAD_REQUEST {"msg": "*", "request": 1}`},
			{"POST /$batch", `[{"method": "GET", "path": "/jar", "url": 1}]`, 400, `BAD_REQUEST {"msg": "*", "request": 0}`},
			{"POST /$batch", `[{"method": "get", "path": "/jar"}]`, 400, `BAD_REQUEST {"msg": "the method of a request must be one of GET, POST, PUT, PATCH, DELETE", "request": 0}`},
			{"POST /$batch", `[{"path": "/jar"}]`, 400, `BAD_REQUEST`},
			{"POST /$batch", `[{"method": "GET"}]`, 400, `BAD_REQUEST`},
			{"POST /$batch", `[{"method": "GET", "path": "jar"}]`, 400, `BAD_REQUEST`},
			{"POST /$batch", `[{"method": "GET", "path": "http://example.org/jar"}]`, 400, `BAD_REQUEST`},
			{"POST /$batch", `[{"method": "GET", "path": "//example.org/jar"}]`, 404, `NO_SUCH_URL`},
			{"POST /$batch", `[{"method": "GET", "path": "/jar", "headers": {"Authorization": "Bearer x"}}]`, 400, `BAD_REQUEST {"msg": "the headers of a request can be Content-Type, If-Match, If-None-Match, Prefer", "request": 0}`},
			{"POST /$batch", `[{"method": "PATCH", "path": "/jar/1", "body": {}, "headers": {"If-Match": "\"x\"", "if-match": "*"}}]`, 400, `BAD_REQUEST {"msg": "the headers of a request name If-Match twice", "request": 0}`},
			{"POST /$batch", `[{"method": "GET", "path": "/jar", "headers": {"Prefer": 1}}]`, 400, `BAD_REQUEST`},
			{"POST /$batch", `[{"method": "GET", "path": "/jar", "headers": []}]`, 400, `BAD_REQUEST`},
			{"POST /$batch", `[{"method": "POST", "path": "/jar", "body": {}, "headers": {"Content-Type": "text/plain"}}]`, 400, `BAD_REQUEST`},
		}},
	})
	t.Run("a batch has the paths that the server writes", func(t *testing.T) {
		c := setup{model: cookies(), rest: rest.Options{Prefix: "/api"}}.start(t, newBackend)
		c.check(t, exchange{"POST /$batch", `[{"method": "PUT", "path": "/api/jar/1?depth=0", "body": {}}]`, 200, `[{"status": 201, "headers": {"ETag": "*", "Location": "/api/jar/1"}, "body": 1}]`})
		c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/jar/1"}]`, 404, `NO_SUCH_URL {"path": "/jar/1", "request": 0}`})
	})
	t.Run("a batch can have aggregations", func(t *testing.T) {
		c := setup{model: cookies(), rest: rest.Options{Aggregates: true}}.start(t, newBackend)
		c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/jar/$aggregate?count"}, {"method": "POST", "path": "/jar?depth=0", "body": [{}, {}]}, {"method": "GET", "path": "/jar/$aggregate?count"}]`, 200,
			`[{"status": 200, "body": [{"count": 0}]}, {"status": 201, "body": [1, 2]}, {"status": 200, "body": [{"count": 2}]}]`})
		c.check(t, exchange{"POST /$batch", `[{"method": "POST", "path": "/jar", "body": {}}, {"method": "GET", "path": "/jar/$aggregate?sum=label"}]`, 400,
			`SEARCH_FORBIDDEN {"object_name": "jar", "field_name": "label", "request": 1}`})
		c.check(t, exchange{"GET /jar?depth=0", "", 200, `[1, 2]`})
	})
	t.Run("a batch that only reads is possible where writes are not", func(t *testing.T) {
		c := setup{model: cookies(), decorators: []core.Decorator{rejectingWrites()}}.start(t, newBackend)
		c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/jar"}]`, 200, `[{"status": 200, "body": []}]`})
		c.check(t, exchange{"POST /$batch", `[{"method": "POST", "path": "/jar", "body": {}}]`, 405, `READ_ONLY`})
	})
	t.Run("the answers of a batch have a common bound", func(t *testing.T) {
		c := setup{model: cookies(), engine: engine.Options{MaxBytes: 4 << 10}}.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1", `{"label": "` + strings.Repeat("x", 1500) + `"}`, 201, ""})
		c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/jar/1"}, {"method": "GET", "path": "/jar/1"}]`, 200, ""})
		c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/jar/1"}, {"method": "GET", "path": "/jar/1"}, {"method": "GET", "path": "/jar/1"}]`, 413,
			`TOO_LARGE {"msg": "the answers have more than 4096 bytes together; send fewer requests at once", "request": 2}`})
	})
	t.Run("policies guard every request of a batch", func(t *testing.T) {
		c := ownedNotes().start(t, newBackend)
		one, two := c.as(user(1)), c.as(user(2))
		one.check(t, exchange{"PUT /note/1", `{"text": "secret"}`, 201, ""})
		for _, x := range []string{`{"method": "GET", "path": "/note/1"}`, `{"method": "PATCH", "path": "/note/1", "body": {}}`, `{"method": "DELETE", "path": "/note/1"}`} {
			two.check(t, exchange{"POST /$batch", `[{"method": "POST", "path": "/note", "body": {}}, ` + x + `]`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "note", "object_id": 1, "request": 1}`})
		}
		two.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/note?count=true"}]`, 200, `[{"status": 200, "headers": {"X-Total-Count": "0"}, "body": []}]`})
		c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/note"}]`, 401, `UNAUTHORIZED {}`})
		one.check(t, exchange{"GET /note", "", 200, `[{"id": 1, "text": "secret"}]`})
	})
	t.Run("concurrent batches happen one after another", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				body := `[{"method": "POST", "path": "/cookie?depth=0", "body": {"jar": 1}}, {"method": "GET", "path": "/jar/1/cookies?depth=0&limit=0&count=true"}]`
				if r := c.send(t, "POST", "/$batch", reader(body)); r.status != 200 && r.status != 503 {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		wg.Wait()
	})
}
