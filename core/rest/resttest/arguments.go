package resttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/engine"
)

const notADepth = `BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "non-negative integer"}`

func testDepth(t *testing.T, newBackend NewBackend) {
	jar := []exchange{
		{"PUT /jar/1", `{"label": "a"}`, 201, ""},
		{"PUT /cookie/1", `{"jar": 1}`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(slices.Clip(jar), x...) }
	setup{model: cookies(), engine: engine.Options{MaxDepth: 3}}.check(t, newBackend, []rule{
		{"depth is 1 by default", after(
			exchange{"GET /jar/1", "", 200, `{"id": 1, "label": "a", "cookies": [1]}`},
			exchange{"GET /jar", "", 200, `[{"id": 1, "label": "a", "cookies": [1]}]`},
			exchange{"GET /jar/1?depth=1", "", 200, `{"id": 1, "label": "a", "cookies": [1]}`},
		)},
		{"depth 0 shows the id", after(
			exchange{"GET /jar/1?depth=0", "", 200, `1`},
			exchange{"GET /jar?depth=0", "", 200, `[1]`},
		)},
		{"writes take the depth of their answer", after(
			exchange{"POST /jar?depth=2", `{"cookies": [1]}`, 201, `{"id": "*", "cookies": [{"id": 1, "jar": "*", "crumbs": []}]}`},
			exchange{"POST /jar?depth=0", `[{}, {}]`, 201, `["*", "*"]`},
			exchange{"PATCH /cookie/1?depth=0", `{}`, 200, `1`},
			exchange{"PUT /cookie/1?depth=2", `{"jar": 1}`, 200, `{"id": 1, "crumbs": [], "jar": {"id": 1, "label": "a", "cookies": [1]}}`},
		)},
		{"a malformed depth is 400", []exchange{
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
		{"a depth above the limit is 400", []exchange{
			{"GET /jar?depth=3", "", 200, ""},
			{"GET /jar?depth=4", "", 400, `BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 3"}`},
			{"GET /jar?depth=60", "", 400, `BAD_PARAM_VALUE`},
			{"GET /jar?depth=99999999999999999999", "", 400, `BAD_PARAM_VALUE`},
		}},
		{"a repeated depth is 400", []exchange{{"GET /jar?depth=1&depth=2", "", 400, `BAD_PARAM_VALUE`}}},
		{"unknown arguments are ignored", []exchange{{"GET /jar?color=red&Depth=9", "", 200, `[]`}}},
	})
}

func testFilter(t *testing.T, newBackend NewBackend) {
	fixture := []exchange{
		{"PUT /jar/1", `{}`, 201, ""},
		{"PUT /jar/2", `{}`, 201, ""},
		{"PUT /cookie/1", `{"type": "muffin", "price": 3, "jar": 1}`, 201, ""},
		{"PUT /cookie/2", `{"type": "shortbread", "price": 5, "jar": 1}`, 201, ""},
		{"PUT /cookie/3", `{"type": "muffin", "jar": 2}`, 201, ""},
		{"PUT /cookie/4", `{}`, 201, ""},
	}
	finds := func(rows ...[2]string) []exchange {
		all := slices.Clip(fixture)
		for _, row := range rows {
			all = append(all, exchange{"GET /cookie?depth=0&filter=" + row[0], "", 200, row[1]})
		}
		return all
	}
	notAFilter := `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object"}`
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"all equalities of a filter must match", finds(
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
		{"a filter that is not a JSON object is 400", []exchange{
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
	t.Run("a malformed query string is 400", func(t *testing.T) {
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
	fixture := []exchange{
		{"PUT /cookie/1", `{"type": "b", "price": 2}`, 201, ""},
		{"PUT /cookie/2", `{"type": "a", "price": 1}`, 201, ""},
		{"PUT /cookie/3", `{"type": "b", "price": 1}`, 201, ""},
		{"PUT /cookie/4", `{"type": "a"}`, 201, ""},
		{"PUT /cookie/5", `{"type": "é", "price": 9}`, 201, ""},
		{"PUT /cookie/6", `{"type": "Z", "price": 9}`, 201, ""},
	}
	lists := func(rows ...[2]string) []exchange {
		all := slices.Clip(fixture)
		for _, row := range rows {
			all = append(all, exchange{"GET /cookie?depth=0" + row[0], "", 200, row[1]})
		}
		return all
	}
	notASort := `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "JSON list of field names"}`
	notALimit := `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}`
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"several keys sort one after another", lists(
			[2]string{`&sort=["price", "type"]`, `[2, 3, 1, 6, 5, 4]`},
			[2]string{`&sort=["type", "-price"]`, `[6, 4, 2, 1, 3, 5]`},
		)},
		{"the limit is applied after the sort", lists(
			[2]string{`&sort=["-id"]&limit=2`, `[6, 5]`}, [2]string{`&limit=100`, `[1, 2, 3, 4, 5, 6]`}, [2]string{`&limit=0`, `[]`},
		)},
		{"a sort that is not a JSON list of names is 400", []exchange{
			{"GET /cookie?sort=type", "", 400, notASort},
			{"GET /cookie?sort=", "", 400, notASort},
			{`GET /cookie?sort="type"`, "", 400, notASort},
			{`GET /cookie?sort=[1]`, "", 400, notASort},
			{`GET /cookie?sort=["type", null]`, "", 400, notASort},
			{`GET /cookie?sort={"type": 1}`, "", 400, notASort},
		}},
		{"a malformed limit is 400", []exchange{
			{"GET /cookie?limit=-1", "", 400, notALimit},
			{"GET /cookie?limit=x", "", 400, notALimit},
			{"GET /cookie?limit=1.5", "", 400, notALimit},
			{"GET /cookie?limit=", "", 400, notALimit},
		}},
	})
}
