package resttest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// failingWrites returns a decorator that fails every write with err. If err is nil, it panics instead.
func failingWrites(err error) core.Decorator {
	return core.Decorator{
		Name: "failing writes", Kind: core.KindPolicy, KnowsRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				switch {
				case !op.Writes() || op.Kind == core.Tx:
					return next(ctx, op)
				case err == nil:
					panic(errSecret.Error())
				}
				return core.Result{}, err
			}, nil
		},
	}
}

func testErrors(t *testing.T, newBackend NewBackend) {
	plain := setup{model: things()}
	with := func(err error) setup { return setup{model: things(), decorators: []core.Decorator{failingWrites(err)}} }
	strict := setup{model: things(), rest: rest.Options{RequireIfMatch: true}}
	small := setup{model: things(), rest: rest.Options{MaxBody: 8}}
	closed := setup{model: things(), rest: rest.Options{
		Authenticate: func(*http.Request) (*core.Principal, error) { return nil, errSecret },
	}}
	shown := make(map[core.Code]bool)
	for _, row := range []struct {
		setup    setup
		exchange exchange
		headers  []string
	}{
		{plain, exchange{"GET /thing/1", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`}, nil},
		{plain, exchange{"GET /nope/1", "", 404, `NO_SUCH_URL {"path": "/nope/1"}`}, nil},
		{plain, exchange{"POST /thing", `{"x": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": "x"}`}, nil},
		{plain, exchange{"POST /thing", `{"id": 1}`, 400, `FIELD_IS_READONLY {"object_name": "thing", "field_name": "id"}`}, nil},
		{plain, exchange{"PATCH /thing/7", `{"once": "b"}`, 400, `FIELD_UPDATE_FORBIDDEN {"object_name": "thing", "field_name": "once"}`}, nil},
		{plain, exchange{`GET /thing?filter={"likes": 1}`, "", 400, `SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "likes"}`}, nil},
		{plain, exchange{`GET /thing?limit=-1`, "", 400, `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}`}, nil},
		{plain, exchange{`POST /thing`, `{"int": "x"}`, 400,
			`BAD_FIELD_VALUE {"object_name": "thing", "field_name": "int", "type": "int", "value": "x"}`}, nil},
		{with(&core.Error{Code: core.ValidationFailed, Violations: []core.Violation{{Resource: "thing", Rule: "full moon"}}}), exchange{"POST /thing", `{}`, 400, `VALIDATION_FAILED {"violations": [{"object_name": "thing", "path": [], "rule": "full moon", "accepted": ""}]}`}, nil},
		{plain, exchange{`POST /thing`, `[`, 400, `BAD_REQUEST {"msg": "*"}`}, nil},
		{closed, exchange{"GET /thing", "", 401, `UNAUTHORIZED {}`}, nil},
		{with(core.Forbidden), exchange{"POST /thing", `{}`, 403, `FORBIDDEN {}`}, nil},
		{plain, exchange{"POST /thing/1", `{}`, 405, `METHOD_NOT_ALLOWED {"method": "POST", "allowed_methods": "*"}`}, nil},
		{with(core.ReadOnly), exchange{"POST /thing", `{}`, 405, `READ_ONLY {}`}, nil},
		{plain, exchange{"POST /thing", `{"code": "taken"}`, 409, `CONFLICT {"object_name": "thing", "field_name": "code"}`}, nil},
		{with(&core.Error{Code: core.StillReferenced, Resource: "thing", Field: "likes"}), exchange{"POST /thing", `{}`, 409, `STILL_REFERENCED {"object_name": "thing", "field_name": "likes"}`}, nil},
		{plain, exchange{"PATCH /thing/7", `{}`, 412, `PRECONDITION_FAILED {"etag": "*"}`}, []string{"If-Match", `"a"`}},
		{strict, exchange{"PATCH /thing/7", `{}`, 428, `PRECONDITION_REQUIRED {"header": "If-Match"}`}, nil},
		{with(&core.Error{Code: core.KeyReused, Param: keyHeader}), exchange{"POST /thing", `{}`, 422, `IDEMPOTENCY_KEY_REUSED {"header": "Idempotency-Key"}`}, nil},
		{small, exchange{"POST /thing", `{"int":10}`, 413, `TOO_LARGE {"msg": "*"}`}, nil},
		{plain, exchange{"POST /thing", `{}`, 415, `UNSUPPORTED_MEDIA_TYPE {"param_name": "Content-Type", "accepted_values": "application/json"}`}, []string{"Content-Type", "text/html"}},
		{with(errSecret), exchange{"POST /thing", `{}`, 500, `SERVER_ERROR {}`}, nil},
		{with(core.ErrClosed), exchange{"POST /thing", `{}`, 503, `UNAVAILABLE {}`}, nil},
		{with(core.ErrCommitUnknown), exchange{"POST /thing", `{}`, 503, `OUTCOME_UNKNOWN {}`}, nil},
		{with(&core.Error{Code: core.TooManyRequests, Quota: &core.Quota{Name: "writes", Limit: 5, Window: time.Minute, RetryAfter: 1500 * time.Millisecond}}), exchange{"POST /thing", `{}`, 429, `TOO_MANY_REQUESTS {"limit": "writes", "retry_after": 2}`}, nil},
		{with(core.QueryTooExpensive), exchange{"POST /thing", `{}`, 503, `QUERY_TOO_EXPENSIVE {}`}, nil},
	} {
		code, _, _ := strings.Cut(row.exchange.want, " ")
		shown[core.Code(code)] = true
		t.Run(code, func(t *testing.T) {
			c := row.setup.start(t, newBackend)
			if core.Code(code) == core.KeyReused { // of a server that accepts no keys, so its documents do not have the error
				c.described = nil
			}
			if row.setup.decorators == nil && row.setup.rest.MaxBody == 0 && row.setup.rest.Authenticate == nil {
				c.check(t, exchange{"PUT /thing/7", `{"once": "a", "code": "taken"}`, 201, ""}, "If-None-Match", "*")
			}
			testErrorHeaders(t, core.Code(code), c.check(t, row.exchange, row.headers...))
		})
	}
	t.Run("every code has a case", func(t *testing.T) {
		for code := range statuses {
			if !shown[code] {
				t.Errorf("%s has none", code)
			}
		}
	})
	t.Run("Accept chooses the form of RFC 9457", func(t *testing.T) { testProblems(t, plain.start(t, newBackend)) })
	t.Run("an unknown code is 500", func(t *testing.T) {
		c := with(&core.Error{Code: "TEAPOT", Message: errSecret.Error()}).start(t, newBackend)
		c.check(t, exchange{"POST /thing", `{}`, 500, `SERVER_ERROR {}`})
	})
	t.Run("the error of a setter reaches the client", func(t *testing.T) {
		plain.start(t, newBackend).check(t, exchange{"POST /thing", `{"upper": 5}`, 400, `BAD_REQUEST {"msg": "upper is a text"}`})
	})
	t.Run("a wrapped error keeps its code", func(t *testing.T) {
		c := with(errors.Join(errSecret, core.Forbidden)).start(t, newBackend)
		c.check(t, exchange{"POST /thing", `{}`, 403, `FORBIDDEN {}`})
	})
}

// testProblems checks the form of RFC 9457, and which headers choose it.
func testProblems(t *testing.T, c *client) {
	for accept, chosen := range map[string]bool{
		"application/problem+json": true, "application/json, application/problem+json": true, "text/html,application/problem+json;q=0.5": true,
		"Application/Problem+JSON": true, "application/problem+json;q=0": false, "application/problem+json;q=x": false,
		"application/json": false, "*/*": false, "application/*": false, "": false, ",;": false, "application/problem+xml": false,
	} {
		r := c.send(t, "GET", "/thing/1", nil, "Accept", accept)
		want, media := `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`, "application/json"
		if chosen {
			media = "application/problem+json"
			want = `{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no thing with the id 1, or you may not see it.",
				"code": "OBJECT_DOES_NOT_EXIST", "details": {"object_name": "thing", "object_id": 1}}`
		}
		if r.status != 404 || r.header.Get("Content-Type") != media || !r.is(t, want) {
			t.Errorf("Accept %q: %d %s %s", accept, r.status, r.header.Get("Content-Type"), r.body)
		}
	}
	if r := c.send(t, "GET", "/thing", nil, "Accept", "application/problem+json"); r.status != 200 || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("an answer that is no error: %d %s", r.status, r.header.Get("Content-Type"))
	}
}

// testErrorHeaders checks the headers that HTTP requires for a status, and that Retry-After is only on errors after
// which nothing was written.
func testErrorHeaders(t *testing.T, code core.Code, r reply) {
	t.Helper()
	for name, want := range map[string]bool{
		"Www-Authenticate": r.status == 401, "Allow": r.status == 405, "Retry-After": code == core.Unavailable || code == core.TooManyRequests,
		"Ratelimit": code == core.TooManyRequests, "Ratelimit-Policy": code == core.TooManyRequests,
	} {
		if want != (r.header.Get(name) != "") {
			t.Errorf("%s %d with %s %q", code, r.status, name, r.header.Get(name))
		}
	}
}
