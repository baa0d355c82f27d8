package resttest

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/rest"
)

func testBodies(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"a body that is not JSON is 400", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"POST /jar", `{`, 400, `BAD_REQUEST {"msg": "*"}`},
			{"POST /jar", `{'label': 1}`, 400, `BAD_REQUEST`},
			{"POST /jar", `{"label": NaN}`, 400, `BAD_REQUEST`},
			{"POST /jar", `{"label": "a", "label": "b"}`, 400, `BAD_REQUEST`},
			{"POST /jar", `{"label": "\u0000"}`, 400, `BAD_REQUEST`},
			{"POST /jar", `{"label": "\ud800"}`, 400, `BAD_REQUEST`},
			{"POST /jar", "{\"label\": \"\xff\"}", 400, `BAD_REQUEST`},
			{"PATCH /jar/1", `{`, 400, `BAD_REQUEST`},
			{"PUT /jar/1", `{`, 400, `BAD_REQUEST`},
			{"GET /jar", "", 200, `[{"id": 1, "cookies": []}]`},
		}},
		{"data after the body is 400", []exchange{
			{"POST /jar", `{} {}`, 400, `BAD_REQUEST`},
			{"POST /jar", `{}x`, 400, `BAD_REQUEST`},
			{"POST /jar", " {} \n", 201, ""},
		}},
		{"a body that is neither object nor list is 400", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"POST /jar", `1`, 400, `BAD_REQUEST {"msg": "the body must be a JSON object or a list of JSON objects"}`},
			{"POST /jar", `null`, 400, `BAD_REQUEST`},
			{"POST /jar", `"label"`, 400, `BAD_REQUEST`},
			{"POST /jar", `[{}, 1]`, 400, `BAD_REQUEST`},
			{"POST /jar", `[[{}]]`, 400, `BAD_REQUEST`},
			{"PATCH /jar/1", `[]`, 400, `BAD_REQUEST {"msg": "the body must be a JSON object"}`},
			{"PATCH /jar/1", `null`, 400, `BAD_REQUEST`},
			{"PUT /jar/1", `[{}]`, 400, `BAD_REQUEST {"msg": "the body must be a JSON object"}`},
			{"GET /jar", "", 200, `[{"id": 1, "cookies": []}]`},
		}},
		{"a body nested deeper than the limit is 400", []exchange{
			{"POST /jar", `{"label": ` + strings.Repeat("[", 100_000), 400, `BAD_REQUEST`},
		}},
	})
	t.Run("an empty body is 400", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		for _, request := range []string{"POST /jar", "PUT /jar/1", "PATCH /jar/1"} {
			c.check(t, exchange{request, "", 400, `BAD_REQUEST {"msg": "the body is empty; send JSON"}`})
			c.check(t, exchange{request, " ", 400, `BAD_REQUEST`})
		}
		if r := c.send(t, "POST", "/jar", io.MultiReader(strings.NewReader(""))); r.status != 400 || !r.is(t, `BAD_REQUEST`) {
			t.Errorf("empty, chunked: %d %s", r.status, r.body)
		}
	})
	t.Run("300,000 nested records are refused within the memory bound", func(t *testing.T) {
		const records, bound = 300_000, 100 << 20
		c := setup{model: cookies()}.start(t, newBackend)
		list := "[{}" + strings.Repeat(",{}", records-1) + "]"
		for _, body := range []string{list, `{"cookies": ` + list + `}`} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c.check(t, exchange{"POST /jar", body, 413, `TOO_LARGE {"msg": "*"}`})
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > uint64(bound+len(body)) {
				t.Errorf("a body of %d bytes allocated %d bytes, want at most %d more", len(body), n, bound)
			}
		}
		c.check(t, exchange{"GET /jar", "", 200, `[]`})
		c.check(t, exchange{"GET /cookie", "", 200, `[]`})
	})
	limited := setup{model: cookies(), rest: rest.Options{MaxBody: 100, MaxNesting: 3}}
	t.Run("a body above the limit is 413", func(t *testing.T) {
		c := limited.start(t, newBackend)
		for _, size := range []int{100, 101, 1 << 20} {
			body := `{"label": "` + strings.Repeat("x", size-13) + `"}`
			status, want := 201, ""
			if size > 100 {
				status, want = 413, `TOO_LARGE {"msg": "the body has more than 100 bytes; send less at once"}`
			}
			c.check(t, exchange{"POST /jar", body, status, want})
			r := c.send(t, "POST", "/jar", io.MultiReader(strings.NewReader(body)))
			if r.status != status || !r.is(t, want) {
				t.Errorf("%d bytes, chunked: %d %s", size, r.status, r.body)
			}
		}
	})
	limited.check(t, newBackend, []rule{
		{"the nesting limit is an option", []exchange{
			{"POST /jar", `[{"cookies": [1]}]`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1, "index": 0}`},
			{"POST /jar", `[{"cookies": [{}]}]`, 400, `BAD_REQUEST {"msg": "*"}`},
		}},
	})
}

func testMediaTypes(t *testing.T, newBackend NewBackend) {
	c := setup{model: cookies()}.start(t, newBackend)
	c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""})
	const (
		rejected = `UNSUPPORTED_MEDIA_TYPE {"param_name": "*", "accepted_values": "*"}`
		merge    = "application/merge-patch+json"
	)
	for _, row := range []struct {
		rule, request string
		status        int
		headers       []string
	}{
		{"application/json is accepted", "POST /jar", 201, []string{"Content-Type", "application/json"}},
		{"charset utf-8 is accepted", "POST /jar", 201, []string{"Content-Type", `Application/JSON; charset="UTF-8"`}},
		{"other attributes of the type are ignored", "POST /jar", 201, []string{"Content-Type", "application/json; v=1"}},
		{"other charsets are 415", "POST /jar", 415, []string{"Content-Type", "application/json; charset=latin1"}},
		{"other types are 415", "POST /jar", 415, []string{"Content-Type", "text/plain"}},
		{"a form is 415", "POST /jar", 415, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"no type is 415", "POST /jar", 415, []string{"Content-Type", ""}},
		{"a malformed type is 415", "POST /jar", 415, []string{"Content-Type", "application/json; charset"}},
		{"PATCH accepts a merge patch", "PATCH /jar/1", 200, []string{"Content-Type", merge}},
		{"PATCH accepts JSON", "PATCH /jar/1", 200, []string{"Content-Type", "application/json"}},
		{"a JSON patch is 415", "PATCH /jar/1", 415, []string{"Content-Type", "application/json-patch+json"}},
		{"a merge patch is 415 for POST", "POST /jar", 415, []string{"Content-Type", merge}},
		{"a merge patch is 415 for PUT", "PUT /jar/1", 415, []string{"Content-Type", merge}},
		{"an encoded body is 415", "POST /jar", 415, []string{"Content-Encoding", "gzip"}},
		{"an encoding besides identity is 415", "POST /jar", 415, []string{"Content-Encoding", "identity, br"}},
		{"the identity encoding is accepted", "POST /jar", 201, []string{"Content-Encoding", "Identity"}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			want := ""
			if row.status == 415 {
				want = rejected
			}
			c.check(t, exchange{row.request, `{}`, row.status, want}, row.headers...)
		})
	}
	t.Run("a 415 names the accepted formats", func(t *testing.T) {
		for _, row := range [][4]string{
			{"PATCH /jar/1", "Content-Type", "Accept-Patch", "application/json, " + merge},
			{"POST /jar", "Content-Type", "Accept-Post", "application/json"},
			{"PUT /jar/1", "Content-Type", "", "application/json"},
			{"POST /jar", "Content-Encoding", "Accept-Encoding", "identity"},
		} {
			want := `UNSUPPORTED_MEDIA_TYPE {"param_name": "` + row[1] + `", "accepted_values": "` + row[3] + `"}`
			if got := c.check(t, exchange{row[0], `{}`, 415, want}, row[1], "x").header.Get(row[2]); row[2] != "" && got != row[3] {
				t.Errorf("%s: %s %q, want %q", row[0], row[2], got, row[3])
			}
		}
	})
	t.Run("OPTIONS of a record names the formats of PATCH", func(t *testing.T) {
		if got := c.check(t, exchange{"OPTIONS /jar/1", "", 204, ""}).header.Get("Accept-Patch"); !strings.Contains(got, merge) {
			t.Errorf("Accept-Patch %q", got)
		}
	})
}
