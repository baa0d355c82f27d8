package resttest

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

func testRoutes(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"an unknown resource is 404 with the path", []exchange{
			{"GET /nope", "", 404, `NO_SUCH_URL {"path": "/nope"}`},
			{"GET /nope/1", "", 404, `NO_SUCH_URL {"path": "/nope/1"}`},
			{"POST /nope", `{}`, 404, `NO_SUCH_URL {"path": "/nope"}`},
			{"BREW /nope", "", 404, `NO_SUCH_URL`},
			{"GET /" + strings.Repeat("x", 300), "", 404, `NO_SUCH_URL {"path": "/` + strings.Repeat("x", 255) + `..."}`},
			{"GET /a%FF%00", "", 404, `NO_SUCH_URL {"path": "/a%FF%00"}`},
		}},
		{"paths with too few or too many parts are 404", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"GET /", "", 404, `NO_SUCH_URL {"path": "/"}`},
			{"GET /jar/", "", 404, `NO_SUCH_URL {"path": "/jar/"}`},
			{"GET /jar/1/", "", 404, `NO_SUCH_URL {"path": "/jar/1/"}`},
			{"GET /jar/1/cookies/", "", 404, `NO_SUCH_URL {"path": "/jar/1/cookies/"}`},
			{"GET /jar/1/cookies/1", "", 404, `NO_SUCH_URL {"path": "/jar/1/cookies/1"}`},
			{"GET /jar//cookies", "", 404, `NO_SUCH_URL {"path": "/jar//cookies"}`},
			{"GET //jar/1", "", 404, `NO_SUCH_URL`},
			{"GET /jar/../jar/1", "", 404, `NO_SUCH_URL`},
			{"GET /openapi.json/1", "", 404, `NO_SUCH_URL`},
		}},
		{"a literal $ begins an operation", []exchange{
			{"GET /$nope", "", 404, `NO_SUCH_URL {"path": "/$nope"}`}, {"GET /jar/$nope", "", 404, `NO_SUCH_URL {"path": "/jar/$nope"}`},
			{"GET /jar/1/$nope", "", 404, `NO_SUCH_URL`}, {"POST /%24batch", "[]", 404, `NO_SUCH_URL`}, {"POST /$batch/1", "[]", 404, `NO_SUCH_URL`},
		}},
		{"names are case-sensitive", []exchange{{"GET /Jar", "", 404, `NO_SUCH_URL`}}},
		{"an escaped name is the name", []exchange{{"GET /%6Aar", "", 200, `[]`}}},
		{"a name that is not UTF-8 is 404", []exchange{{"GET /%FF%00", "", 404, `NO_SUCH_URL`}}},
	})
	t.Run("a prefix is part of every URL", func(t *testing.T) {
		testPrefix(t, newBackend)
	})
}

func testPrefix(t *testing.T, newBackend NewBackend) {
	c := setup{model: cookies(), rest: rest.Options{Prefix: "/api/v1"}}.start(t, newBackend)
	r := c.check(t, exchange{"POST /jar", `{}`, 201, ""})
	if got, want := r.header.Get("Location"), "/api/v1/jar/"+r.field("id"); got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	c.check(t, exchange{"POST /jar", `{}`, 201, ""})
	if got := c.check(t, exchange{"GET /jar?limit=1", "", 200, ""}).next(); len(got) < 13 || got[:12] != "/api/v1/jar?" {
		t.Errorf("Link to %q", got)
	}
	c.prefix = ""
	for _, target := range []string{"/jar", "/api/v1", "/api/v1jar", "/api/v2/jar"} {
		c.check(t, exchange{"GET " + target, "", 404, `NO_SUCH_URL`})
	}
}

func testMethods(t *testing.T, newBackend NewBackend) {
	const (
		list = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
		one  = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
		read = "GET, HEAD, OPTIONS"
	)
	c := setup{model: cookies()}.start(t, newBackend)
	c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""})
	for _, endpoint := range []struct{ target, allow, others string }{
		{"/jar", list, "PUT TRACE BREW get"},
		{"/jar/1", one, "POST TRACE BREW"},
		{"/jar/1/cookies", read, "POST PUT PATCH DELETE TRACE BREW"},
		{"/openapi.json", read, "POST PUT PATCH DELETE"},
		{"/openapi-3.0.json", read, "POST PUT PATCH DELETE"},
		{"/$batch", "POST, OPTIONS", "GET PUT PATCH DELETE"},
	} {
		t.Run("OPTIONS lists the methods of "+endpoint.target, func(t *testing.T) {
			r := c.check(t, exchange{"OPTIONS " + endpoint.target, "", 204, ""})
			if got := r.header.Get("Allow"); got != endpoint.allow {
				t.Errorf("Allow %q, want %q", got, endpoint.allow)
			}
		})
		t.Run("other methods of "+endpoint.target+" are 405 with Allow", func(t *testing.T) {
			for method := range strings.FieldsSeq(endpoint.others) {
				r := c.check(t, exchange{method + " " + endpoint.target, `{}`, 405,
					`METHOD_NOT_ALLOWED {"method": "` + method + `", "allowed_methods": "` + endpoint.allow + `"}`})
				if got := r.header.Get("Allow"); got != endpoint.allow {
					t.Errorf("%s: Allow %q, want %q", method, got, endpoint.allow)
				}
			}
		})
		if endpoint.target == "/$batch" {
			continue
		}
		t.Run("HEAD of "+endpoint.target+" is GET without a body", func(t *testing.T) {
			get := c.check(t, exchange{"GET " + endpoint.target, "", 200, ""})
			head := c.check(t, exchange{"HEAD " + endpoint.target, "", 200, ""})
			if len(head.body) > 0 || !sameHeaders(get.header, head.header) {
				t.Errorf("GET %v\nHEAD %v %s", get.header, head.header, head.body)
			}
		})
	}
	testAllowOfReadOnly(t, newBackend)
	t.Run("HEAD of an absent record is 404", func(t *testing.T) {
		c.check(t, exchange{"HEAD /jar/2", "", 404, ""})
	})
}

// testAllowOfReadOnly checks that Allow lists the methods that a resource supports now (RFC 9110, section 10.2.1), on
// OPTIONS and on every 405.
func testAllowOfReadOnly(t *testing.T, newBackend NewBackend) {
	const read = "GET, HEAD, OPTIONS"
	t.Run("Allow of a read-only resource lists reads", func(t *testing.T) {
		var closed atomic.Bool
		d := rejectingWrites()
		d.ReadOnly = func(r *core.Resource) bool { return closed.Load() || r.Name() == "crumb" }
		c := setup{model: cookies(), decorators: []core.Decorator{d}}.start(t, newBackend)
		for _, row := range []struct{ request, allow string }{
			{"OPTIONS /crumb", read}, {"POST /crumb", read}, {"PUT /crumb", read}, {"BREW /crumb/1", read}, {"PUT /crumb/1", read}, {"OPTIONS /crumb/1", read},
			{"OPTIONS /jar", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"}, {"PUT /jar", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"}, {"OPTIONS /openapi.json", read},
		} {
			method, target, _ := splitRequest(row.request)
			r := c.send(t, method, target, reader(`{}`))
			if got := r.header.Get("Allow"); got != row.allow || r.status != 405 && r.status != 204 {
				t.Errorf("%s: %d with Allow %q, want %q", row.request, r.status, got, row.allow)
			}
			if method == "OPTIONS" && (r.header.Get("Accept-Patch") != "") != strings.Contains(row.allow, "PATCH") {
				t.Errorf("%s: Accept-Patch %q", row.request, r.header.Get("Accept-Patch"))
			}
		}
		closed.Store(true)
		for _, request := range []string{"OPTIONS /jar", "POST /jar", "OPTIONS /jar/1", "PUT /jar/1"} {
			method, target, _ := splitRequest(request)
			if got := c.send(t, method, target, reader(`{}`)).header.Get("Allow"); got != read {
				t.Errorf("%s while everything is read-only: Allow %q", request, got)
			}
		}
	})
	t.Run("OPTIONS and 405 agree without Decorator.ReadOnly", func(t *testing.T) {
		c := setup{model: cookies(), decorators: []core.Decorator{rejectingWrites()}}.start(t, newBackend)
		options := c.check(t, exchange{"OPTIONS /jar", "", 204, ""}).header.Get("Allow")
		if got := c.check(t, exchange{"POST /jar", `{}`, 405, `READ_ONLY`}).header.Get("Allow"); got != options {
			t.Errorf("POST: Allow %q, OPTIONS: %q", got, options)
		}
	})
}

// sameHeaders reports whether two answers have the same headers, except Date.
func sameHeaders(a, b http.Header) bool {
	a, b = a.Clone(), b.Clone()
	a.Del("Date")
	b.Del("Date")
	return matchesHeader(a, b) && matchesHeader(b, a)
}

func matchesHeader(a, b http.Header) bool {
	for name := range a {
		if a.Get(name) != b.Get(name) {
			return false
		}
	}
	return true
}
