package resttest

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
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
	})
}

func testUnknownArguments(t *testing.T, newBackend NewBackend) {
	const onlyDepth = `BAD_PARAM_VALUE {"param_name": "color", "accepted_values": "the arguments depth, fields"}`
	fixture := exchange{"PUT /jar/1", `{"label": "a"}`, 201, ""}
	unchanged := exchange{"GET /jar", "", 200, `[{"id": 1, "label": "a", "cookies": []}]`}
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"an unknown argument of a record is 400", []exchange{
			fixture,
			{"GET /jar/1?color=red", "", 400, onlyDepth},
			{"GET /jar/1?depth=1&color=red", "", 400, onlyDepth},
			{"GET /jar/1?Depth=1", "", 400, `BAD_PARAM_VALUE {"param_name": "Depth", "accepted_values": "the arguments depth, fields"}`},
			{"GET /jar/1?limit=1", "", 400, `BAD_PARAM_VALUE`},
			{"GET /jar/1?label=a", "", 400, `BAD_PARAM_VALUE`},
			{"GET /jar/1?=", "", 400, `BAD_PARAM_VALUE {"param_name": "", "accepted_values": "the arguments depth, fields"}`},
		}},
		{"an unknown argument of a write is 400 and nothing changes", []exchange{
			fixture,
			{"POST /jar?color=red", `{}`, 400, onlyDepth},
			{"POST /jar?label=b", `{}`, 400, `BAD_PARAM_VALUE {"param_name": "label", "accepted_values": "the arguments depth, fields"}`},
			{"PATCH /jar/1?color=red", `{"label": "b"}`, 400, onlyDepth},
			{"PUT /jar/1?color=red", `{}`, 400, onlyDepth},
			{"DELETE /jar/1?color=red", "", 400, onlyDepth},
			unchanged,
		}},
		{"an unknown argument of the document is 400", []exchange{
			{"GET /openapi.json?color=red", "", 400, `BAD_PARAM_VALUE {"param_name": "color", "accepted_values": "the arguments depth"}`},
		}},
		{"an unknown argument of a list is 400", []exchange{
			{"GET /jar?color=red", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "color"}`},
			{"GET /jar?limt=1", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "limt"}`},
		}},
	})
	t.Run("HEAD answers as GET and OPTIONS ignores arguments", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		for _, x := range []struct {
			request string
			status  int
		}{
			{"HEAD /jar?color=red", 400}, {"HEAD /jar?label=a", 200}, {"HEAD /openapi.json?color=red", 400},
			{"OPTIONS /jar?color=red", 204}, {"OPTIONS /jar/1?color=red", 204},
		} {
			method, target, _ := splitRequest(x.request)
			if r := c.send(t, method, target, nil); r.status != x.status {
				t.Errorf("%s: %d, want %d", x.request, r.status, x.status)
			}
		}
	})
	t.Run("names that are not text are 400", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		for _, target := range []string{"/jar?%ff=1", "/jar/1?%ff=1", "/jar?%00=1", "/jar/1?%00=1"} {
			if r := c.send(t, "GET", target, nil); r.status != 400 || !strings.Contains(string(r.body), "\uFFFD") {
				t.Errorf("%s: %d %s", target, r.status, r.body)
			}
		}
	})
}

func testEqualities(t *testing.T, newBackend NewBackend) {
	fixture := []exchange{
		{"PUT /jar/1", `{}`, 201, ""},
		{"PUT /jar/2", `{}`, 201, ""},
		{"PUT /cookie/1", `{"type": "muffin", "price": 3, "jar": 1}`, 201, ""},
		{"PUT /cookie/2", `{"type": "shortbread", "price": 5, "jar": 1}`, 201, ""},
		{"PUT /cookie/3", `{"type": "muffin", "jar": 2}`, 201, ""},
		{"PUT /cookie/4", `{"type": ""}`, 201, ""},
	}
	finds := func(rows ...[2]string) []exchange {
		all := slices.Clip(fixture)
		for _, row := range rows {
			all = append(all, exchange{"GET /cookie?depth=0&" + row[0], "", 200, row[1]})
		}
		return all
	}
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"an argument with the name of a field is an equality", finds(
			[2]string{`type=muffin`, `[1, 3]`},
			[2]string{`type=`, `[4]`},
			[2]string{`price=5`, `[2]`},
			[2]string{`jar=1`, `[1, 2]`},
			[2]string{`id=3`, `[3]`},
			[2]string{`type=muffin&price=3`, `[1]`},
			[2]string{`type=null`, `[]`},
		)},
		{"several values of a field mean one of them", finds(
			[2]string{`price=5&price=3`, `[1, 2]`},
			[2]string{`jar=1&jar=2&type=muffin`, `[1, 3]`},
			[2]string{`id=1&id=1`, `[1]`},
		)},
		{"equalities hold in addition to the filter", finds(
			[2]string{`type=muffin&filter={"price": {"gt": 1}}`, `[1]`},
			[2]string{`price=3&filter={"price": {"gt": 3}}`, `[]`},
			[2]string{`price=3&filter={"price": 5}`, `[]`},
			[2]string{`jar=1&sort=["-price"]&limit=1`, `[2]`},
		)},
		{"a value of another type is 400", []exchange{
			{"GET /cookie?price=cheap", "", 400, `BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "price", "type": "int", "value": "cheap"}`},
			{"GET /cookie?price=", "", 400, `BAD_FIELD_VALUE`},
			{"GET /cookie?price=1.5", "", 400, `BAD_FIELD_VALUE`},
			{"GET /cookie?price=null", "", 400, `BAD_FIELD_VALUE`},
			{"GET /cookie?jar=a", "", 400, `BAD_FIELD_VALUE`},
			{"GET /cookie?price=1&price=b", "", 400, `BAD_FIELD_VALUE`},
		}},
		{"a list side is no equality", []exchange{
			{"GET /cookie?crumbs=1", "", 400, `SEARCH_FORBIDDEN {"object_name": "cookie", "field_name": "crumbs"}`},
		}},
	})
	setup{model: things()}.check(t, newBackend, []rule{
		{"values of every type are written as in JSON", []exchange{
			{"PUT /thing/1", `{"int": 1, "float": 1.5, "bool": true, "time": "2026-01-02T03:04:05Z", "uuid": "9f0c2b4e-6f1d-4c55-8a2f-0f6f3a1c7d10",
				"bytes": "aGk=", "json": {"a": [1]}, "list": [1, "b"], "outer": 4}`, 201, ""},
			{"PUT /thing/2", `{"bool": false, "json": "a"}`, 201, ""},
			{"GET /thing?depth=0&int=1", "", 200, `[1]`},
			{"GET /thing?depth=0&float=1.5", "", 200, `[1]`},
			{"GET /thing?depth=0&bool=true", "", 200, `[1]`},
			{"GET /thing?depth=0&bool=false", "", 200, `[2]`},
			{"GET /thing?depth=0&time=2026-01-02T03:04:05Z", "", 200, `[1]`},
			{"GET /thing?depth=0&uuid=9f0c2b4e-6f1d-4c55-8a2f-0f6f3a1c7d10", "", 200, `[1]`},
			{"GET /thing?depth=0&bytes=aGk=", "", 200, `[1]`},
			{`GET /thing?depth=0&json={"a": [1]}`, "", 200, `[1]`},
			{`GET /thing?depth=0&json="a"`, "", 200, `[2]`},
			{`GET /thing?depth=0&list=[1, "b"]`, "", 200, `[1]`},
			{"GET /thing?depth=0&outer=4", "", 200, `[1]`},
			{"GET /thing?bool=yes", "", 400, `BAD_FIELD_VALUE`},
			{"GET /thing?json=a", "", 400, `BAD_FIELD_VALUE`},
			{"GET /thing?list={}", "", 400, `BAD_FIELD_VALUE`},
		}},
		{"a hidden field is an unknown argument", []exchange{
			{"GET /thing?hidden=ghost", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": "hidden"}`},
			{"GET /thing?inner=4", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": "inner"}`},
			{"GET /thing?length=4", "", 400, `SEARCH_FORBIDDEN`},
		}},
	})
	t.Run("names of arguments win over fields", func(t *testing.T) {
		c := setup{model: reserved()}.start(t, newBackend)
		c.check(t, exchange{"PUT /row/1", `{"limit": 7, "sort": "a"}`, 201, ""})
		c.check(t, exchange{"PUT /row/2", `{"limit": 8, "sort": "b"}`, 201, ""})
		c.check(t, exchange{"GET /row?depth=0&limit=1", "", 200, `[1]`})
		c.check(t, exchange{"GET /row?sort=b", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "row", "field_name": "b"}`})
		c.check(t, exchange{`GET /row?depth=0&filter={"limit": 8, "sort": "b"}`, "", 200, `[2]`})
	})
	t.Run("pages keep the equalities", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		for _, x := range fixture {
			c.check(t, x)
		}
		r := c.check(t, exchange{"GET /cookie?depth=0&limit=1&type=muffin&type=pie", "", 200, `[1]`})
		if next := c.send(t, "GET", r.next(), nil); next.status != 200 || !next.is(t, `[3]`) || next.next() != "" {
			t.Errorf("%s: %d %s, then %q", r.next(), next.status, next.body, next.next())
		}
		after, _ := url.Parse(r.next())
		c.check(t, exchange{"GET /cookie?depth=0&type=muffin&after=" + after.Query().Get("after"), "", 400, `BAD_PARAM_VALUE`})
	})
}

// reserved is a model with fields that have the names of arguments.
func reserved() *core.Model {
	return core.MustModel("reserved", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		keyField(), {Name: "limit", Type: core.Int}, textField("sort"),
	}})
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
	notJSON := func(reason string) string {
		return `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object; this is invalid JSON at byte ` + reason + `"}`
	}
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
		{"a search is an argument of lists", append(slices.Clip(fixture),
			exchange{"GET /cookie?depth=0&search=MUFF", "", 200, `[1, 3]`},
			exchange{"GET /cookie?depth=0&search=muff in", "", 200, `[1, 3]`},
			exchange{"GET /cookie?depth=0&search=muff\tbread", "", 200, `[]`},
			exchange{"GET /cookie?depth=0&search=", "", 200, `[1, 2, 3, 4]`},
			exchange{`GET /cookie?depth=0&search=bread&filter={"price": 5}`, "", 200, `[2]`},
			exchange{"GET /cookie?search=a&search=b", "", 400, `BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "one value"}`},
			exchange{"GET /cookie?search=" + strings.Repeat("a", 1001), "", 400, `BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "at most 16 words and 1000 bytes"}`},
			exchange{"GET /jar?search=a", "", 400, `BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "no search, because jar has no searchable field"}`},
		)},
		{"a filter that is not a JSON object is 400", []exchange{
			{"GET /cookie?filter=", "", 400, notJSON("0: no JSON value: the input is empty")},
			{"GET /cookie?filter=muffin", "", 400, notJSON("0: unexpected character 'm', expected a value")},
			{"GET /cookie?filter=[]", "", 400, notAFilter},
			{"GET /cookie?filter=null", "", 400, notAFilter},
			{`GET /cookie?filter={"type": "a"} x`, "", 400, notJSON("14: data after the end of the JSON value")},
			{`GET /cookie?filter={"type": "a", "type": "b"}`, "", 400, notJSON("14: duplicate name in an object")},
			{"GET /cookie?filter=" + strings.Repeat("[", 1000), "", 400, notJSON("64: nesting deeper than 64")},
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
	notASort := `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "names of fields with commas between them, or a JSON list of them"}`
	noJSON := func(reason string) string {
		return `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "names of fields with commas between them, or a JSON list of them; this is invalid JSON at byte ` + reason + `"}`
	}
	notALimit := `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}`
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"several keys sort one after another", lists(
			[2]string{`&sort=["price", "type"]`, `[2, 3, 1, 6, 5, 4]`},
			[2]string{`&sort=["type", "-price"]`, `[6, 4, 2, 1, 3, 5]`},
			[2]string{`&sort=type&sort=-price`, `[6, 4, 2, 1, 3, 5]`},
		)},
		{"the limit is applied after the sort", lists(
			[2]string{`&sort=["-id"]&limit=2`, `[6, 5]`}, [2]string{`&limit=100`, `[1, 2, 3, 4, 5, 6]`}, [2]string{`&limit=0`, `[]`},
		)},
		{"a sort that is no list of names is 400", []exchange{
			{"GET /cookie?sort=", "", 400, `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "names of fields with commas between them"}`},
			{"GET /cookie?sort=type&sort=", "", 400, `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "names of fields with commas between them"}`},
			{`GET /cookie?sort=["type"]&sort=id`, "", 400, `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "one value"}`},
			{`GET /cookie?sort="type"`, "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "\"type\""}`},
			{`GET /cookie?sort=[1]`, "", 400, notASort},
			{`GET /cookie?sort=["type", null]`, "", 400, notASort},
			{`GET /cookie?sort={"type": 1}`, "", 400, `FIELD_DOES_NOT_EXIST`},
			{`GET /cookie?sort=["type"`, "", 400, noJSON("7: unexpected end of input, expected ',' or ']'")},
		}},
		{"a malformed limit is 400", []exchange{
			{"GET /cookie?limit=-1", "", 400, notALimit},
			{"GET /cookie?limit=x", "", 400, notALimit},
			{"GET /cookie?limit=1.5", "", 400, notALimit},
			{"GET /cookie?limit=", "", 400, notALimit},
		}},
	})
}
