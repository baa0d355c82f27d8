package resttest

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/core/rest"
)

// The errors of a precondition that fails, for an absent and for a present record.
const (
	preconditionFailed        = `PRECONDITION_FAILED {}`
	preconditionFailedWithTag = `PRECONDITION_FAILED {"etag": "*"}`
)

// condition is a header of a request and the status of its answer. In value, TAG stands for the entity tag of the
// record, and TAG- for the tag without its quotes.
type condition struct {
	rule, header, value string
	status              int
}

func testPreconditions(t *testing.T, newBackend NewBackend) {
	t.Run("tags", func(t *testing.T) { testTags(t, setup{model: cookies()}.start(t, newBackend)) })
	t.Run("reads", func(t *testing.T) { testConditionalReads(t, setup{model: cookies()}.start(t, newBackend)) })
	t.Run("writes", func(t *testing.T) { testConditionalWrites(t, newBackend) })
	t.Run("RequireIfMatch", func(t *testing.T) { testRequiredPreconditions(t, newBackend) })
	t.Run("of concurrent writes with one tag, one succeeds", func(t *testing.T) {
		testRaceForTag(t, setup{model: cookies()}.start(t, newBackend))
	})
}

func testTags(t *testing.T, c *client) {
	c.check(t, exchange{"PUT /jar/1", `{"label": "a"}`, 201, ""})
	c.check(t, exchange{"PUT /cookie/1", `{"jar": 1}`, 201, ""})
	tag := func(request, body string) string {
		method, target, _ := splitRequest(request)
		return c.send(t, method, target, reader(body)).header.Get("Etag")
	}
	read := tag("GET /jar/1", "")
	t.Run("a tag is strong", func(t *testing.T) {
		if len(read) < 10 || read[0] != '"' || read[len(read)-1] != '"' {
			t.Errorf("tag %s", read)
		}
	})
	t.Run("reads and writes of a record have the same tag", func(t *testing.T) {
		for _, row := range [][2]string{
			{"GET /jar/1?depth=1", ""}, {"HEAD /jar/1", ""}, {"PATCH /jar/1", `{}`}, {"PUT /jar/1", `{"label": "a", "cookies": [1]}`},
		} {
			if got := tag(row[0], row[1]); got != read {
				t.Errorf("%s: tag %s, want %s", row[0], got, read)
			}
		}
		created := c.check(t, exchange{"POST /jar", `{"label": "b"}`, 201, ""})
		if got, want := created.header.Get("Etag"), tag("GET "+created.header.Get("Location"), ""); got != want || got == "" {
			t.Errorf("POST: tag %s, want %s", got, want)
		}
	})
	t.Run("another depth has another tag", func(t *testing.T) {
		if deep := tag("GET /jar/1?depth=2", ""); deep == read {
			t.Errorf("depths 1 and 2 have the tag %s", deep)
		}
	})
	t.Run("the tag of a greater depth changes with related records", func(t *testing.T) {
		deep := tag("GET /jar/1?depth=2", "")
		c.check(t, exchange{"PATCH /cookie/1", `{"price": 1}`, 200, ""})
		if tag("GET /jar/1?depth=2", "") == deep || tag("GET /jar/1", "") != read {
			t.Error("wrong tags after the related record changed")
		}
	})
	t.Run("a change changes the tag, and undoing it restores the tag", func(t *testing.T) {
		if other := tag("PATCH /jar/1", `{"label": "b"}`); other == read {
			t.Errorf("tag %s before and after", other)
		}
		if back := tag("PATCH /jar/1", `{"label": "a"}`); back != read {
			t.Errorf("tag %s, want %s", back, read)
		}
	})
	t.Run("lists and deletes have no tag", func(t *testing.T) {
		for _, row := range [][2]string{{"GET /jar", ""}, {"POST /jar", `[{}]`}, {"DELETE /cookie/1", ""}} {
			if got := tag(row[0], row[1]); got != "" {
				t.Errorf("%s: tag %s", row[0], got)
			}
		}
	})
}

func testConditionalReads(t *testing.T, c *client) {
	c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""})
	for _, target := range []string{"/jar/1", "/jar/1?depth=2", "/openapi.json", "/openapi-3.0.json"} {
		tag := c.check(t, exchange{"GET " + target, "", 200, ""}).header.Get("Etag")
		for _, row := range []condition{
			{"the current tag", "If-None-Match", "TAG", 304},
			{"the current tag, weak", "If-None-Match", "W/TAG", 304},
			{"the current tag among others", "If-None-Match", `"a", , W/"b,c" ,TAG`, 304},
			{"any tag", "If-None-Match", "*", 304},
			{"other tags", "If-None-Match", `"a", "b"`, 200},
			{"the tag without its quotes", "If-None-Match", "TAG-", 400},
			{"a star in a list", "If-None-Match", `*, TAG`, 400},
			{"no tag at all", "If-None-Match", `,`, 400},
			{"an open quote", "If-None-Match", `"a`, 400},
			{"tags without a comma", "If-None-Match", `"a" "b"`, 400},
			{"a tag with a space", "If-None-Match", `"a b"`, 400},
			{"a weak tag in lower case", "If-None-Match", `w/"a"`, 400},
			{"the current tag", "If-Match", "TAG", 200},
			{"another tag", "If-Match", `"a"`, 412},
			{"dates are ignored", "If-Modified-Since", "Mon, 01 Jan 2035 00:00:00 GMT", 200},
		} {
			t.Run("GET "+target+": "+row.header+": "+row.rule, func(t *testing.T) {
				for _, method := range []string{"GET ", "HEAD "} {
					r := c.check(t, exchange{method + target, "", row.status, ""}, row.header, withTag(row.value, tag))
					if want := `PRECONDITION_FAILED {"etag": ` + strconv.Quote(tag) + `}`; r.status == 412 && method == "GET " && !r.is(t, want) {
						t.Errorf("%s, want %s", r.body, want)
					}
					if r.status < 400 && (r.header.Get("Etag") != tag || r.header.Get("Cache-Control") != "private, no-cache") {
						t.Errorf("%d with %v", r.status, r.header)
					}
				}
			})
		}
	}
	t.Run("an absent record is 404 with every precondition", func(t *testing.T) {
		c.check(t, exchange{"GET /jar/2", "", 404, `OBJECT_DOES_NOT_EXIST`}, "If-None-Match", "*")
		c.check(t, exchange{"GET /jar/2", "", 404, `OBJECT_DOES_NOT_EXIST`}, "If-Match", "*")
	})
	t.Run("lists ignore preconditions", func(t *testing.T) {
		c.check(t, exchange{"GET /jar", "", 200, ""}, "If-None-Match", "*")
		c.check(t, exchange{"GET /jar", "", 200, ""}, "If-Match", `"a"`)
	})
}

// withTag replaces TAG and TAG- in the value of a header.
func withTag(value, tag string) string {
	return replace(value, "TAG-", tag[1:len(tag)-1], "TAG", tag)
}

func testConditionalWrites(t *testing.T, newBackend NewBackend) {
	requests := []struct{ request, body string }{
		{"PATCH /jar/1", `{"label": "new"}`}, {"PATCH /jar/1?depth=2", `{"label": "new"}`},
		{"PUT /jar/1", `{"label": "new"}`}, {"DELETE /jar/1", ""}, {"DELETE /jar/1?depth=2", ""},
	}
	for _, row := range []condition{
		{"the current tag passes", "If-Match", "TAG", 200},
		{"the current tag among others passes", "If-Match", `"a", TAG`, 200},
		{"any tag passes", "If-Match", "*", 200},
		{"other tags fail", "If-Match", `"a", "b"`, 412},
		{"a weak tag fails", "If-Match", "W/TAG", 412},
		{"a malformed tag is 400", "If-Match", "TAG-", 400},
		{"another tag passes", "If-None-Match", `"a"`, 200},
		{"the current tag, weak, fails", "If-None-Match", `"a", W/TAG`, 412},
		{"any tag fails", "If-None-Match", "*", 412},
	} {
		t.Run(row.header+": "+row.rule, func(t *testing.T) {
			for _, q := range requests {
				c := setup{model: cookies()}.start(t, newBackend)
				c.check(t, exchange{"PUT /jar/1", `{"label": "old"}`, 201, ""})
				c.check(t, exchange{"PUT /cookie/1", `{"jar": 1}`, 201, ""})
				_, target, _ := splitRequest(q.request)
				tag := c.check(t, exchange{"GET " + target, "", 200, ""}).header.Get("Etag")
				r := c.check(t, exchange{q.request, q.body, row.status, ""}, row.header, withTag(row.value, tag))
				if want := `PRECONDITION_FAILED {"etag": ` + strconv.Quote(tag) + `}`; r.status == 412 && !r.is(t, want) {
					t.Errorf("%s: %s, want %s", q.request, r.body, want)
				}
				if r.status != 200 {
					c.check(t, exchange{"GET /jar/1", "", 200, `{"id": 1, "label": "old", "cookies": [1]}`})
				}
			}
		})
	}
	t.Run("a tag of another depth fails", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1", `{"cookies": [{}]}`, 201, ""})
		tag := c.check(t, exchange{"GET /jar/1?depth=2", "", 200, ""}).header.Get("Etag")
		c.check(t, exchange{"PATCH /jar/1", `{}`, 412, preconditionFailedWithTag}, "If-Match", tag)
		c.check(t, exchange{"PATCH /jar/1?depth=2", `{}`, 200, ""}, "If-Match", tag)
	})
	t.Run("an absent record", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		for _, value := range []string{"*", `"a"`} {
			c.check(t, exchange{"PUT /jar/1", `{}`, 412, preconditionFailed}, "If-Match", value)
			c.check(t, exchange{"PATCH /jar/1", `{}`, 412, preconditionFailed}, "If-Match", value)
			c.check(t, exchange{"DELETE /jar/1", "", 412, preconditionFailed}, "If-Match", value)
		}
		c.check(t, exchange{"PATCH /jar/1", `{}`, 404, ""}, "If-None-Match", "*")
		c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""}, "If-None-Match", "*")
		c.check(t, exchange{"PUT /jar/1", `{"label": "x"}`, 412, preconditionFailedWithTag}, "If-None-Match", "*")
		c.check(t, exchange{"GET /jar", "", 200, `[{"id": 1, "cookies": []}]`})
	})
}

// testRequiredPreconditions checks [rest.Options.RequireIfMatch].
func testRequiredPreconditions(t *testing.T, newBackend NewBackend) {
	const required = `PRECONDITION_REQUIRED {"header": "If-Match"}`
	c := setup{model: cookies(), rest: rest.Options{RequireIfMatch: true}}.start(t, newBackend)
	c.check(t, exchange{"PUT /jar/1", `{}`, 428, required})
	c.check(t, exchange{"PUT /jar/1", `{}`, 428, required}, "If-None-Match", `"a"`)
	tag := c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""}, "If-None-Match", "*").header.Get("Etag")
	for _, request := range []string{"PUT /jar/1", "PATCH /jar/1", "PUT /jar/2", "PATCH /jar/2"} {
		c.check(t, exchange{request, `{"label": "b"}`, 428, required})
	}
	for _, request := range []string{"DELETE /jar/1", "DELETE /jar/2"} {
		c.check(t, exchange{request, "", 428, required}, "If-None-Match", "*")
	}
	c.check(t, exchange{"POST /cookie", `{"jar": 1}`, 201, ""})
	c.check(t, exchange{"PATCH /jar/1", `{"label": "b"}`, 412, preconditionFailedWithTag}, "If-Match", tag)
	tag = c.check(t, exchange{"GET /jar/1", "", 200, `{"id": 1, "cookies": ["*"]}`}).header.Get("Etag")
	c.check(t, exchange{"PATCH /jar/1", `{"label": "b"}`, 200, ""}, "If-Match", tag)
	c.check(t, exchange{"DELETE /jar/1", "", 200, "null"}, "If-Match", "*")
}

func testRaceForTag(t *testing.T, c *client) {
	tag := c.check(t, exchange{"PUT /jar/1", `{}`, 201, ""}).header.Get("Etag")
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			r := c.send(t, "PATCH", "/jar/1", reader(`{"label": "`+strconv.Itoa(i)+`"}`), "If-Match", tag)
			switch r.status {
			case 200:
				won.Add(1)
			case 412:
				lost.Add(1)
			default:
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != clients-1 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}
