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

const notADepth = `BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "non-negative integer"}`

func testDepth(t *testing.T, newBackend NewBackend) {
	jar := []exchange{
		{"PUT /jar/1", `{"label": "a"}`, 201, ""},
		{"PUT /cookie/1", `{"jar": 1}`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(slices.Clip(jar), x...) }
	setup{model: cookies(), engine: engine.Options{MaxDepth: 3}}.check(t, newBackend, []rule{
		{"depth is 1 by default: related records are ids", after(
			exchange{"GET /jar/1", "", 200, `{"id": 1, "label": "a", "cookies": [1]}`},
			exchange{"GET /jar", "", 200, `[{"id": 1, "label": "a", "cookies": [1]}]`},
			exchange{"GET /jar/1?depth=1", "", 200, `{"id": 1, "label": "a", "cookies": [1]}`},
		)},
		{"depth 0 is the id", after(
			exchange{"GET /jar/1?depth=0", "", 200, `1`},
			exchange{"GET /jar?depth=0", "", 200, `[1]`},
		)},
		{"depth is for writes too", after(
			exchange{"POST /jar?depth=2", `{"cookies": [1]}`, 201, `{"id": "*", "cookies": [{"id": 1, "jar": "*", "crumbs": []}]}`},
			exchange{"POST /jar?depth=0", `[{}, {}]`, 201, `["*", "*"]`},
			exchange{"PATCH /cookie/1?depth=0", `{}`, 200, `1`},
			exchange{"PUT /cookie/1?depth=2", `{"jar": 1}`, 200, `{"id": 1, "crumbs": [], "jar": {"id": 1, "label": "a", "cookies": [1]}}`},
		)},
		{"a depth that is no non-negative integer is 400 and says so", []exchange{
			{"GET /jar?depth=-1", "", 400, notADepth},
			{"GET /jar?depth=two", "", 400, notADepth},
			{"GET /jar?depth=1.0", "", 400, notADepth},
			{"GET /jar?depth=+1", "", 400, notADepth},
			{"GET /jar?depth= 1", "", 400, notADepth},
			{"GET /jar?depth=", "", 400, notADepth},
			{"GET /jar/1?depth=-1", "", 400, notADepth},
			{"POST /jar?depth=-1", `{}`, 400, notADepth},
			{"PATCH /jar/1?depth=-1", `{}`, 400, notADepth},
			{"PUT /jar/1?depth=-1", `{}`, 400, notADepth},
			{"DELETE /jar/1?depth=-1", "", 400, notADepth},
		}},
		{"a depth above the limit is 400 and names the limit", []exchange{
			{"GET /jar?depth=3", "", 200, ""},
			{"GET /jar?depth=4", "", 400, `BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 3"}`},
			{"GET /jar?depth=60", "", 400, `BAD_PARAM_VALUE`},
			{"GET /jar?depth=99999999999999999999", "", 400, `BAD_PARAM_VALUE`},
		}},
		{"a depth that is given twice is 400", []exchange{{"GET /jar?depth=1&depth=2", "", 400, `BAD_PARAM_VALUE`}}},
		{"unknown arguments are ignored", []exchange{{"GET /jar?color=red&Depth=9", "", 200, `[]`}}},
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
		{"the sizes of pages are options", rest.Options{PageSize: 7, MaxPageSize: 9}, []int{7, 9}, 9},
		{"the default is no more than the greatest page", rest.Options{MaxPageSize: 9}, []int{9, 9}, 9},
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
	t.Run("the Link of a list side that does not fit leads to the others", func(t *testing.T) {
		c := s.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1?depth=0", `{"label": "a"}`, 201, ""})
		c.check(t, exchange{"POST /cookie?depth=0", `[{"jar": 1}, {"jar": 1}, {}, {"jar": 1}, {"jar": 1}, {"jar": 1}]`, 201, ""})
		for depth, want := range []string{"", `["*", "*"]`, `[{"id": "*", "jar": 1, "crumbs": []}, {"id": "*", "jar": 1, "crumbs": []}]`} {
			if depth == 0 {
				continue
			}
			r := c.check(t, exchange{"GET /jar/1?depth=" + strconv.Itoa(depth), "", 200, `{"id": 1, "label": "a", "cookies": ["*", "*", "*"], "cookies@next": "*"}`})
			var next string
			if err := json.Unmarshal([]byte(r.field("cookies@next")), &next); err != nil || !strings.HasPrefix(next, "/cookie?") {
				t.Fatalf("%q, %v", next, err)
			}
			rest := c.send(t, "GET", next, nil)
			if rest.status != 200 || !rest.is(t, want) {
				t.Errorf("%s: %d %s, want %s", next, rest.status, rest.body, want)
			}
		}
	})
	t.Run("a record with such a list side has a tag that can be written with", func(t *testing.T) {
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

// testLongLinks follows Links of lists whose values and conditions are long.
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
	}
}

func testFilter(t *testing.T, newBackend NewBackend) {
	stock := []exchange{
		{"PUT /jar/1", `{}`, 201, ""},
		{"PUT /jar/2", `{}`, 201, ""},
		{"PUT /cookie/1", `{"type": "muffin", "price": 3, "jar": 1}`, 201, ""},
		{"PUT /cookie/2", `{"type": "shortbread", "price": 5, "jar": 1}`, 201, ""},
		{"PUT /cookie/3", `{"type": "muffin", "jar": 2}`, 201, ""},
		{"PUT /cookie/4", `{}`, 201, ""},
	}
	finds := func(rows ...[2]string) []exchange {
		all := slices.Clip(stock)
		for _, row := range rows {
			all = append(all, exchange{"GET /cookie?depth=0&filter=" + row[0], "", 200, row[1]})
		}
		return all
	}
	notAFilter := `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object"}`
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"conditions are equalities, and all hold", finds(
			[2]string{`{}`, `[1, 2, 3, 4]`},
			[2]string{`{"type": "muffin"}`, `[1, 3]`},
			[2]string{`{"type": "muffin", "price": 3}`, `[1]`},
			[2]string{`{"type": "pie"}`, `[]`},
			[2]string{`{"id": 2}`, `[2]`},
		)},
		{"an object holds operators", finds(
			[2]string{`{"price": {"gt": 3}}`, `[2]`},
			[2]string{`{"price": {"ge": 3, "lt": 5}}`, `[1]`},
			[2]string{`{"price": {"le": 3}}`, `[1]`},
			[2]string{`{"price": {"eq": 5}}`, `[2]`},
			[2]string{`{"price": {"ne": 5}}`, `[1, 3, 4]`},
			[2]string{`{"id": {"in": [1, 4, 9]}}`, `[1, 4]`},
			[2]string{`{"type": {"prefix": "sho"}}`, `[2]`},
		)},
		{"what is no JSON object is 400 and says so", []exchange{
			{"GET /cookie?filter=", "", 400, notAFilter},
			{"GET /cookie?filter=muffin", "", 400, notAFilter},
			{"GET /cookie?filter=[]", "", 400, notAFilter},
			{"GET /cookie?filter=null", "", 400, notAFilter},
			{`GET /cookie?filter={"type": "a"} x`, "", 400, notAFilter},
			{`GET /cookie?filter={"type": "a", "type": "b"}`, "", 400, notAFilter},
			{"GET /cookie?filter=" + strings.Repeat("[", 1000), "", 400, notAFilter},
			{"GET /cookie?filter={}&filter={}", "", 400, `BAD_PARAM_VALUE`},
		}},
	})
	t.Run("a query that cannot be decoded is 400, not another question", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		for _, target := range []string{"/cookie?filter=%zz", "/cookie?a=1;filter=2", "/cookie?%gg=1", "/cookie/1?depth=%zz"} {
			r := c.send(t, "GET", target, nil)
			if r.status != 400 || !r.is(t, `BAD_REQUEST`) {
				t.Errorf("%s: %d %s", target, r.status, r.body)
			}
		}
	})
}

func testSort(t *testing.T, newBackend NewBackend) {
	stock := []exchange{
		{"PUT /cookie/1", `{"type": "b", "price": 2}`, 201, ""},
		{"PUT /cookie/2", `{"type": "a", "price": 1}`, 201, ""},
		{"PUT /cookie/3", `{"type": "b", "price": 1}`, 201, ""},
		{"PUT /cookie/4", `{"type": "a"}`, 201, ""},
		{"PUT /cookie/5", `{"type": "é", "price": 9}`, 201, ""},
		{"PUT /cookie/6", `{"type": "Z", "price": 9}`, 201, ""},
	}
	lists := func(rows ...[2]string) []exchange {
		all := slices.Clip(stock)
		for _, row := range rows {
			all = append(all, exchange{"GET /cookie?depth=0" + row[0], "", 200, row[1]})
		}
		return all
	}
	notASort := `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "JSON list of field names"}`
	notALimit := `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}`
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"several keys sort one after another, ties by id", lists(
			[2]string{`&sort=["price", "type"]`, `[2, 3, 1, 6, 5, 4]`},
			[2]string{`&sort=["type", "-price"]`, `[6, 4, 2, 1, 3, 5]`},
		)},
		{"the limit is applied after the sort", lists(
			[2]string{`&sort=["-id"]&limit=2`, `[6, 5]`}, [2]string{`&limit=100`, `[1, 2, 3, 4, 5, 6]`}, [2]string{`&limit=0`, `[]`},
		)},
		{"what is no JSON list of names is 400 and says so", []exchange{
			{"GET /cookie?sort=type", "", 400, notASort},
			{"GET /cookie?sort=", "", 400, notASort},
			{`GET /cookie?sort="type"`, "", 400, notASort},
			{`GET /cookie?sort=[1]`, "", 400, notASort},
			{`GET /cookie?sort=["type", null]`, "", 400, notASort},
			{`GET /cookie?sort={"type": 1}`, "", 400, notASort},
		}},
		{"a limit that is no non-negative integer is 400 and says so", []exchange{
			{"GET /cookie?limit=-1", "", 400, notALimit},
			{"GET /cookie?limit=x", "", 400, notALimit},
			{"GET /cookie?limit=1.5", "", 400, notALimit},
			{"GET /cookie?limit=", "", 400, notALimit},
		}},
	})
}

// next returns where the answer's Link leads; "" if it has none.
func (r reply) next() string {
	target, ok := strings.CutSuffix(strings.TrimPrefix(r.header.Get("Link"), "<"), `>; rel="next"`)
	if !ok {
		return ""
	}
	return target
}

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
		t.Fatal("pages do not end")
		return nil
	}
	for _, row := range []struct{ rule, query, whole string }{
		{"pages hold every record once", "limit=3", ""},
		{"a page that is full to the end has no next", "limit=5", ""},
		{"pages keep the order", `limit=4&sort=["-type"]`, `sort=["-type"]`},
		{"pages keep the filter", `limit=2&filter={"type": "1"}`, `filter={"type": "1"}`},
	} {
		t.Run(row.rule, func(t *testing.T) {
			paged, whole := pages(t, escape("/cookie?depth=0&"+row.query)), pages(t, escape("/cookie?depth=0&"+row.whole))
			if a, b := strings.Trim(jsonOf(paged), "[]"), strings.Trim(jsonOf(whole), "[]"); a != b || a == "" {
				t.Errorf("pages %s, at once %s", a, b)
			}
		})
	}
	t.Run("a list that ends has no Link", func(t *testing.T) {
		for _, query := range []string{"", "?limit=10", "?limit=11", "?limit=0"} {
			if link := c.check(t, exchange{"GET /cookie" + query, "", 200, ""}).header.Get("Link"); link != "" {
				t.Errorf("%s: Link %s", query, link)
			}
		}
	})
	t.Run("Link keeps the arguments and is a path", func(t *testing.T) {
		next, err := url.Parse(c.check(t, exchange{`GET /cookie?limit=3&sort=["type"]&depth=2&trace=a>b"`, "", 200, ""}).next())
		if err != nil {
			t.Fatal(err)
		}
		q := next.Query()
		if next.Host != "" || next.Path != "/cookie" || q.Get("limit") != "3" || q.Get("sort") != `["type"]` ||
			q.Get("depth") != "2" || q.Get("trace") != `a>b"` || q.Get("after") == "" {
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
		}
		c.check(t, exchange{"GET /jar?after=" + after, "", 400, want})
	})
}

func jsonOf(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
