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
		{"a resource that does not exist is 404 by its name", []exchange{
			{"GET /nope", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "nope"}`},
			{"GET /nope/1", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "nope"}`},
			{"POST /nope", `{}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "nope"}`},
			{"BREW /nope", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"GET /" + strings.Repeat("x", 300), "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "` + strings.Repeat("x", 256) + `"}`},
			{"GET /a%FF%00", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "a\ufffd\ufffd"}`},
		}},
		{"paths with too few or too many parts are 404", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"GET /", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": ""}`},
			{"GET /jar/", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "jar/"}`},
			{"GET /jar/1/", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "jar/1/"}`},
			{"GET /jar/1/cookies", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "jar/1/cookies"}`},
			{"GET //jar/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"GET /jar/../jar/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"GET /openapi.json/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
		}},
		{"names are case-sensitive", []exchange{{"GET /Jar", "", 404, `OBJECT_DOES_NOT_EXIST`}}},
		{"an escaped name is the name", []exchange{{"GET /%6Aar", "", 200, `[]`}}},
		{"a name that is not UTF-8 is 404", []exchange{{"GET /%FF%00", "", 404, `OBJECT_DOES_NOT_EXIST`}}},
	})
	t.Run("a prefix is stripped from requests and put into every URL of answers", func(t *testing.T) {
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
		c.check(t, exchange{"GET " + target, "", 404, `OBJECT_DOES_NOT_EXIST`})
	}
}

func testMethods(t *testing.T, newBackend NewBackend) {
	const (
		list = "GET, HEAD, POST, OPTIONS"
		one  = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
		read = "GET, HEAD, OPTIONS"
	)
	c := setup{model: cookies()}.start(t, newBackend)
	c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""})
	for _, place := range []struct{ target, allow, refused string }{
		{"/jar", list, "PUT PATCH DELETE TRACE BREW get"},
		{"/jar/1", one, "POST TRACE BREW"},
		{"/openapi.json", read, "POST PUT PATCH DELETE"},
	} {
		t.Run("OPTIONS names the methods of "+place.target, func(t *testing.T) {
			r := c.check(t, exchange{"OPTIONS " + place.target, "", 204, ""})
			if got := r.header.Get("Allow"); got != place.allow {
				t.Errorf("Allow %q, want %q", got, place.allow)
			}
		})
		t.Run("other methods of "+place.target+" are 405 with Allow", func(t *testing.T) {
			for _, method := range fields(place.refused) {
				r := c.check(t, exchange{method + " " + place.target, `{}`, 405,
					`METHOD_NOT_ALLOWED {"method": "` + method + `", "allowed_methods": "` + place.allow + `"}`})
				if got := r.header.Get("Allow"); got != place.allow {
					t.Errorf("%s: Allow %q, want %q", method, got, place.allow)
				}
			}
		})
		t.Run("HEAD of "+place.target+" is GET without a body", func(t *testing.T) {
			get := c.check(t, exchange{"GET " + place.target, "", 200, ""})
			head := c.check(t, exchange{"HEAD " + place.target, "", 200, ""})
			if len(head.body) > 0 || !sameHeaders(get.header, head.header) {
				t.Errorf("GET %v\nHEAD %v %s", get.header, head.header, head.body)
			}
		})
	}
	testAllowOfReadOnly(t, newBackend)
	t.Run("HEAD of a record that is not there is 404", func(t *testing.T) {
		c.check(t, exchange{"HEAD /jar/2", "", 404, ""})
	})
}

// testAllowOfReadOnly: Allow names the methods that a resource supports now (RFC 9110,
// section 10.2.1), so OPTIONS and every 405 say the same.
func testAllowOfReadOnly(t *testing.T, newBackend NewBackend) {
	const read = "GET, HEAD, OPTIONS"
	t.Run("OPTIONS and 405 allow what a read-only resource allows", func(t *testing.T) {
		var closed atomic.Bool
		d := rejectingWrites()
		d.ReadOnly = func(r *core.Resource) bool { return closed.Load() || r.Name() == "crumb" }
		c := setup{model: cookies(), decorators: []core.Decorator{d}}.start(t, newBackend)
		for _, row := range []struct{ request, allow string }{
			{"OPTIONS /crumb", read}, {"POST /crumb", read}, {"PUT /crumb", read}, {"BREW /crumb/1", read}, {"PUT /crumb/1", read}, {"OPTIONS /crumb/1", read},
			{"OPTIONS /jar", "GET, HEAD, POST, OPTIONS"}, {"PUT /jar", "GET, HEAD, POST, OPTIONS"}, {"OPTIONS /openapi.json", read},
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
	t.Run("OPTIONS and 405 agree where a decorator does not say what it refuses", func(t *testing.T) {
		c := setup{model: cookies(), decorators: []core.Decorator{rejectingWrites()}}.start(t, newBackend)
		options := c.check(t, exchange{"OPTIONS /jar", "", 204, ""}).header.Get("Allow")
		if got := c.check(t, exchange{"POST /jar", `{}`, 405, `READ_ONLY`}).header.Get("Allow"); got != options {
			t.Errorf("POST: Allow %q, OPTIONS: %q", got, options)
		}
	})
}

// sameHeaders compares all but the time.
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

func testIDs(t *testing.T, newBackend NewBackend) {
	setup{model: things()}.check(t, newBackend, []rule{
		{"an id that the key's type does not have is 400 with its text", []exchange{
			{"GET /thing/abc", "", 400, badID("thing", "int", "abc")},
			{"GET /thing/007", "", 400, badID("thing", "int", "007")},
			{"GET /thing/1.0", "", 400, badID("thing", "int", "1.0")},
			{"GET /thing/+1", "", 400, badID("thing", "int", "+1")},
			{"GET /thing/1%20", "", 400, badID("thing", "int", "1 ")},
			{"GET /thing/9223372036854775808", "", 400, badID("thing", "int", "9223372036854775808")},
			{"PATCH /thing/abc", `{}`, 400, badID("thing", "int", "abc")},
			{"PUT /thing/abc", `{}`, 400, badID("thing", "int", "abc")},
			{"DELETE /thing/abc", "", 400, badID("thing", "int", "abc")},
			{"GET /token/1", "", 400, badID("token", "uuid", "1")},
			{"GET /word/a%00b", "", 400, `BAD_FIELD_VALUE`},
			{"GET /word/%FF", "", 400, `BAD_FIELD_VALUE`},
		}},
		{"a record that is not there is 404 by its typed id", []exchange{
			{"GET /thing/1", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`},
			{"PATCH /thing/1", `{}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`},
			{"DELETE /thing/1", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`},
			{"GET /thing/-5", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": -5}`},
		}},
		{"an id may hold a slash and anything else, escaped", []exchange{
			{"PUT /word/a%2Fb", `{"meaning": "slash"}`, 201, `{"id": "a/b", "meaning": "slash"}`},
			{"PUT /word/%3F%23%25%20%E2%82%AC", `{}`, 201, `{"id": "?#% €"}`},
			{"GET /word/a%2Fb", "", 200, `{"id": "a/b", "meaning": "slash"}`},
			{"GET /word/%3F%23%25%20%E2%82%AC", "", 200, `{"id": "?#% €"}`},
			{"GET /word/a/b", "", 404, `OBJECT_DOES_NOT_EXIST`},
		}},
		{"a dot and two dots are no keys", []exchange{
			{"PUT /word/%2E", `{}`, 400, badID("word", "text", ".")},
			{"PUT /word/%2E%2E", `{}`, 400, badID("word", "text", "..")},
			{"GET /word/%2E", "", 400, badID("word", "text", ".")},
			{"PATCH /word/..", `{}`, 400, badID("word", "text", "..")},
			{"DELETE /word/%2E%2E", "", 400, badID("word", "text", "..")},
			{"PUT /word/...", `{}`, 201, `{"id": "..."}`},
			{"GET /word", "", 200, `[{"id": "..."}]`},
		}},
		{"no key is a dot, two dots or empty, by a body either", []exchange{
			{"POST /word", `{"id": "."}`, 400, badID("word", "text", ".")},
			{"POST /word", `{"id": ".."}`, 400, badID("word", "text", "..")},
			{"POST /word", `{"id": ""}`, 400, badID("word", "text", "")},
			{"PUT /word/", `{}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "word/"}`},
			{"POST /word", `{"id": " "}`, 201, `{"id": " "}`},
			{"GET /word", "", 200, `[{"id": " "}]`},
		}},
		{"a bound or a prefix of keys need not be a key", []exchange{
			{"PUT /word/.a", `{}`, 201, ""},
			{"PUT /word/b", `{}`, 201, ""},
			{`GET /word?depth=0&filter={"id":{"prefix":"."}}`, "", 200, `[".a"]`},
			{`GET /word?depth=0&filter={"id":{"gt":".."}}`, "", 200, `[".a", "b"]`},
			{`GET /word?depth=0&filter={"id":{"gt":"","prefix":""}}`, "", 200, `[".a", "b"]`},
			{`GET /word?filter={"id":""}`, "", 400, badID("word", "text", "")},
		}},
	})
	t.Run("Location leads to the record, whatever its id", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		r := c.check(t, exchange{"PUT /word/a%2Fb%20%3F", `{}`, 201, ""})
		c.check(t, exchange{"GET " + r.header.Get("Location"), "", 200, `{"id": "a/b ?"}`})
	})
}

func badID(resource, typ, value string) string {
	return `BAD_FIELD_VALUE {"object_name": "` + resource + `", "field_name": "id", "type": "` + typ + `", "value": "` + value + `"}`
}
