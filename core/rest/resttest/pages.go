package resttest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func testPages(t *testing.T, newBackend NewBackend) {
	c := setup{model: cookies()}.start(t, newBackend)
	for i := range 10 {
		c.check(t, exchange{"PUT /cookie/" + strconv.Itoa(i+1), `{"type": "` + strconv.Itoa(i%3) + `"}`, 201, ""})
	}
	pages := func(t *testing.T, target string) (ids []int) {
		for range 20 {
			r := c.send(t, "GET", target, nil)
			var page []int
			if err := json.Unmarshal(r.body, &page); err != nil {
				t.Fatalf("%s: %v in %s", target, err, r.body)
			}
			ids = append(ids, page...)
			if target = r.next(); target == "" {
				return ids
			}
		}
		t.Fatal("the Links do not end")
		return nil
	}
	for _, row := range []struct{ rule, query, whole string }{
		{"pages hold every record once", "limit=3", ""},
		{"a full last page has no Link", "limit=5", ""},
		{"pages keep the order", `limit=4&sort=["-type"]`, `sort=["-type"]`},
		{"pages keep the filter", `limit=2&filter={"type": "1"}`, `filter={"type": "1"}`},
	} {
		t.Run(row.rule, func(t *testing.T) {
			paged, whole := pages(t, escape("/cookie?depth=0&"+row.query)), pages(t, escape("/cookie?depth=0&"+row.whole))
			if a, b := strings.Trim(jsonOf(paged), "[]"), strings.Trim(jsonOf(whole), "[]"); a != b || a == "" {
				t.Errorf("pages %s, whole list %s", a, b)
			}
		})
	}
	t.Run("Links of the other direction lead back to the first page", func(t *testing.T) {
		for _, query := range []string{"limit=3", "limit=1", `limit=4&sort=-type`, `limit=2&filter={"type": {"ne": "1"}}`, "limit=3&offset=2"} {
			testPagesBack(t, c, escape("/cookie?depth=0&"+query))
		}
	})
	t.Run("offset leaves out records", func(t *testing.T) {
		for query, want := range map[string]string{
			"offset=0": "[1,2,3,4,5,6,7,8,9,10]", "offset=7": "[8,9,10]", "offset=2&limit=2": "[3,4]", "offset=10": "[]", "offset=10000": "[]",
			"offset=1&limit=2&sort=-id": "[9,8]", `offset=1&filter={"type": "1"}`: "[5,8]", "offset=1&type=1": "[5,8]", "offset=3&limit=0": "[]",
		} {
			if r := c.check(t, exchange{"GET /cookie?depth=0&" + query, "", 200, want}); (r.link("next") != "") != strings.Contains(query, "limit=2") {
				t.Errorf("%s: Link %s", query, r.header.Get("Link"))
			}
		}
		c.check(t, exchange{"GET /cookie?offset=10001", "", 400, `BAD_PARAM_VALUE {"param_name": "offset", "accepted_values": "at most 10000"}`})
		c.check(t, exchange{"GET /cookie?offset=-1", "", 400, `BAD_PARAM_VALUE {"param_name": "offset", "accepted_values": "non-negative integer"}`})
		next, _ := url.Parse(c.check(t, exchange{"GET /cookie?offset=2&limit=2", "", 200, ""}).next())
		for _, name := range []string{"after", "before"} {
			c.check(t, exchange{"GET /cookie?offset=1&limit=2&" + name + "=" + next.Query().Get("after"), "", 400,
				`BAD_PARAM_VALUE {"param_name": "offset", "accepted_values": "no offset beside ` + name + `"}`})
		}
	})
	t.Run("count gives the number of all records", func(t *testing.T) {
		for query, want := range map[string]string{
			"count=true": "10", "count=true&limit=2": "10", "count=true&limit=0": "10", "count=true&offset=10": "10", "count=true&offset=3&limit=1": "10",
			`count=true&filter={"type": "1"}`: "3", "count=true&type=1&type=2&limit=1": "6", "count=true&type=x": "0", "count=false": "", "limit=1": "",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				if got := c.check(t, exchange{method + " /cookie?" + query, "", 200, ""}).header.Get("X-Total-Count"); got != want {
					t.Errorf("%s %s: X-Total-Count %q, want %q", method, query, got, want)
				}
			}
		}
		next, _ := url.Parse(c.check(t, exchange{"GET /cookie?limit=4&count=true", "", 200, ""}).next())
		if r := c.check(t, exchange{"GET " + next.String(), "", 200, ""}); next.Query().Get("count") != "true" || r.header.Get("X-Total-Count") != "10" {
			t.Errorf("%s: X-Total-Count %q", next, r.header.Get("X-Total-Count"))
		}
		for _, value := range []string{"", "1", "TRUE", "yes", "true&count=true"} {
			c.check(t, exchange{"GET /cookie?count=" + value, "", 400, `BAD_PARAM_VALUE {"param_name": "count", "accepted_values": "*"}`})
		}
	})
	t.Run("sort takes names with commas", func(t *testing.T) {
		for query, want := range map[string]string{
			"sort=-id": "[10,9,8,7,6,5,4,3,2,1]", "sort=type,-id": "[10,7,4,1,8,5,2,9,6,3]", "sort=-type": "[3,6,9,2,5,8,1,4,7,10]",
			`sort=["type","-id"]`: "[10,7,4,1,8,5,2,9,6,3]", "sort=jar.label,-id": "[10,9,8,7,6,5,4,3,2,1]",
		} {
			c.check(t, exchange{"GET /cookie?depth=0&" + query, "", 200, want})
		}
		for query, want := range map[string]string{
			"sort=": `BAD_PARAM_VALUE`, "sort=type,": `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": ""}`, "sort=nope": `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "nope"}`,
			"sort=type, id": `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": " id"}`, "sort=[": `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "*"}`,
		} {
			c.check(t, exchange{"GET /cookie?depth=0&" + query, "", 400, want})
		}
	})
	t.Run("a list that is one page has no Link", func(t *testing.T) {
		for _, query := range []string{"", "?limit=10", "?limit=11", "?limit=0"} {
			if link := c.check(t, exchange{"GET /cookie" + query, "", 200, ""}).header.Get("Link"); link != "" {
				t.Errorf("%s: Link %s", query, link)
			}
		}
	})
	t.Run("a Link is a path with the arguments of the request", func(t *testing.T) {
		next, err := url.Parse(c.check(t, exchange{`GET /cookie?limit=3&sort=["type"]&depth=2&type=0&type=1&filter={"type": {"ne": "a>b"}}`, "", 200, ""}).next())
		if err != nil {
			t.Fatal(err)
		}
		q := next.Query()
		if next.Host != "" || next.Path != "/cookie" || q.Get("limit") != "3" || q.Get("sort") != `["type"]` ||
			q.Get("depth") != "2" || !slices.Equal(q["type"], []string{"0", "1"}) ||
			q.Get("filter") != `{"type": {"ne": "a>b"}}` || q.Get("after") == "" {
			t.Errorf("next is %s", next)
		}
	})
	t.Run("a page that the engine ends early has a Link", func(t *testing.T) {
		c := setup{model: cookies(), engine: engine.Options{MaxRecords: 3}}.start(t, newBackend)
		c.check(t, exchange{"POST /jar?depth=0", `[{}, {}, {}]`, 201, ""})
		c.check(t, exchange{"PUT /jar/1000?depth=0", `{}`, 201, ""})
		for _, query := range []string{"", "&limit=4"} {
			r := c.check(t, exchange{"GET /jar?depth=0" + query, "", 200, `["*", "*", "*"]`})
			if rest := c.send(t, "GET", r.next(), nil); rest.status != 200 || !rest.is(t, `[1000]`) || rest.next() != "" {
				t.Errorf("%s: Link to %q, %d %s", query, r.next(), rest.status, rest.body)
			}
		}
	})
	t.Run("a cursor of another query is 400", func(t *testing.T) {
		next, _ := url.Parse(c.check(t, exchange{"GET /cookie?limit=3", "", 200, ""}).next())
		after := next.Query().Get("after")
		want := `BAD_PARAM_VALUE {"param_name": "after", "accepted_values": "*"}`
		for _, query := range []string{
			`sort=["type"]&after=` + after, `filter={"type": "1"}&after=` + after, "after=", "after=x", "after=" + after + "A",
			"after=" + after + "&after=" + after,
		} {
			c.check(t, exchange{"GET /cookie?" + query, "", 400, want})
			c.check(t, exchange{"GET /cookie?" + replace(query, "after=", "before="), "", 400, replace(want, "after", "before")})
		}
		c.check(t, exchange{"GET /cookie?limit=3&before=" + after + "&after=" + after, "", 400, `BAD_PARAM_VALUE {"param_name": "before", "accepted_values": "no before beside after"}`})
		c.check(t, exchange{"GET /cookie?limit=3&before=" + after, "", 400, replace(want, "after", "before")})
		c.check(t, exchange{"GET /jar?after=" + after, "", 400, want})
	})
}

func testPageSizes(t *testing.T, newBackend NewBackend) {
	const atMost = `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "at most `
	for _, row := range []struct {
		rule string
		opts rest.Options
		want []int // numbers of records by limit: without one, and of rest
		max  int
	}{
		{"a page has 100 records by default and at most 1000", rest.Options{}, []int{100, 1000}, 1000},
		{"page sizes are options", rest.Options{PageSize: 7, MaxPageSize: 9}, []int{7, 9}, 9},
		{"the default is at most MaxPageSize", rest.Options{MaxPageSize: 9}, []int{9, 9}, 9},
	} {
		t.Run(row.rule, func(t *testing.T) {
			c := setup{model: cookies(), rest: row.opts}.start(t, newBackend)
			c.check(t, exchange{"POST /jar?depth=0", "[" + strings.Repeat("{},", row.max) + "{}]", 201, ""})
			for i, query := range []string{"", "&limit=" + strconv.Itoa(row.max)} {
				r := c.check(t, exchange{"GET /jar?depth=0" + query, "", 200, ""})
				var ids []int
				if err := json.Unmarshal(r.body, &ids); err != nil || len(ids) != row.want[i] || r.next() == "" {
					t.Errorf("limit %q: %d records, want %d, Link %q, %v", query, len(ids), row.want[i], r.next(), err)
				}
			}
			most := strconv.Itoa(row.max)
			c.check(t, exchange{"GET /jar?limit=" + strconv.Itoa(row.max+1), "", 400, atMost + most + `"}`})
			c.check(t, exchange{"GET /jar?limit=99999999999999999999", "", 400, atMost + most + `"}`})
			r := c.check(t, exchange{"GET /jar?limit=0", "", 200, "[]"})
			if r.next() != "" {
				t.Errorf("an empty page has a Link to %s", r.next())
			}
		})
	}
}

func testListSides(t *testing.T, newBackend NewBackend) {
	s := setup{model: cookies(), engine: engine.Options{MaxMembers: 3}}
	t.Run("NAME@next leads to the other members", func(t *testing.T) {
		c := s.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1?depth=0", `{"label": "a"}`, 201, ""})
		c.check(t, exchange{"POST /cookie?depth=0", `[{"jar": 1}, {"jar": 1}, {}, {"jar": 1}, {"jar": 1}, {"jar": 1}]`, 201, ""})
		for depth, want := range []string{"", `["*", "*"]`, `[{"id": "*", "jar": 1, "crumbs": []}, {"id": "*", "jar": 1, "crumbs": []}]`} {
			if depth == 0 {
				continue
			}
			r := c.check(t, exchange{"GET /jar/1?depth=" + strconv.Itoa(depth), "", 200, `{"id": 1, "label": "a", "cookies": ["*", "*", "*"], "cookies@next": "*"}`})
			var next string
			if err := json.Unmarshal([]byte(r.field("cookies@next")), &next); err != nil || !strings.HasPrefix(next, "/jar/1/cookies?") {
				t.Fatalf("%q, %v", next, err)
			}
			rest := c.send(t, "GET", next, nil)
			if rest.status != 200 || !rest.is(t, want) {
				t.Errorf("%s: %d %s, want %s", next, rest.status, rest.body, want)
			}
		}
	})
	t.Run("the tag of a record with NAME@next passes", func(t *testing.T) {
		c := s.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1?depth=0", `{"cookies": [{}, {}, {}, {}]}`, 201, ""})
		tag := c.check(t, exchange{"GET /jar/1", "", 200, ""}).header.Get("Etag")
		c.check(t, exchange{"PATCH /jar/1", `{"label": "b", "cookies@next": "x"}`, 200, `{"id": 1, "label": "b", "cookies": ["*", "*", "*"], "cookies@next": "*"}`},
			"If-Match", tag)
		c.check(t, exchange{"PATCH /jar/1", `{}`, 412, ""}, "If-Match", tag)
		c.check(t, exchange{"PATCH /jar/1", `{"cookies": []}`, 400, `BAD_REQUEST {"msg":
			"jar.cookies holds more records than an answer shows, so it cannot be set as a list; set cookie.jar instead"}`})
		c.check(t, exchange{"PUT /jar/1", `{"label": "c"}`, 200, `{"id": 1, "label": "c", "cookies": ["*", "*", "*"], "cookies@next": "*"}`})
	})
}

// testLongLinks checks that Links stay short where the sorted values are long.
func testLongLinks(t *testing.T, newBackend NewBackend) {
	c := setup{model: cookies()}.start(t, newBackend)
	long := strings.Repeat("long ", 16<<10)
	for range 3 {
		c.check(t, exchange{"POST /cookie?depth=0", `{"type": "` + long + `"}`, 201, ""})
	}
	for _, query := range []string{`sort=["type"]`, `sort=["-type"]`} {
		pages, target := 0, escape("/cookie?depth=0&limit=1&"+query)
		for ; target != "" && pages < 10; pages++ {
			r := c.send(t, "GET", target, nil)
			if len(r.next()) > 2200 || r.status != 200 {
				t.Fatalf("%s: %d, a Link of %d bytes", target, r.status, len(r.next()))
			}
			target = r.next()
		}
		if pages != 3 {
			t.Errorf("%s: %d pages, want 3", query, pages)
		}
		testPagesBack(t, c, escape("/cookie?depth=0&limit=1&"+query))
	}
}

// testPagesBack follows the Links from page to page, and then back. Each page must show the same as before.
func testPagesBack(t *testing.T, c *client, first string) {
	t.Helper()
	var pages []string
	var last reply
	for target := first; target != ""; target = last.next() {
		if last = c.send(t, "GET", target, nil); last.status != 200 || len(pages) > 20 {
			t.Fatalf("%s: %d %s after %d pages", target, last.status, last.body, len(pages))
		}
		pages = append(pages, string(last.body))
	}
	begin := strings.Contains(first, "offset=") // records before the first page may follow
	for i := len(pages) - 2; i >= 0; i-- {
		target := last.link("prev")
		if last = c.send(t, "GET", target, nil); last.status != 200 || string(last.body) != pages[i] {
			t.Errorf("%s back to page %d with %q: %d %s, want %s", first, i, target, last.status, last.body, pages[i])
		}
		if next := c.send(t, "GET", last.next(), nil); string(next.body) != pages[i+1] {
			t.Errorf("%s: the page after page %d is %s, want %s", first, i, next.body, pages[i+1])
		}
		if start := c.send(t, "GET", last.link("first"), nil); i > 0 && !begin && string(start.body) != pages[0] {
			t.Errorf("%s: first is %s, want %s", first, start.body, pages[0])
		}
	}
	if prev := last.link("prev"); (prev != "") != begin {
		t.Errorf("%s: the first page has a Link to %q before it", first, prev)
	}
}

// link returns the target of the Link with the relation; empty if there is none.
func (r reply) link(relation string) string {
	for item := range strings.SplitSeq(r.header.Get("Link"), ", <") {
		if target, ok := strings.CutSuffix(strings.TrimPrefix(item, "<"), `>; rel="`+relation+`"`); ok {
			return target
		}
	}
	return ""
}

func (r reply) next() string { return r.link("next") }

func jsonOf(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
