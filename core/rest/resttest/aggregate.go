package resttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func testAggregates(t *testing.T, newBackend NewBackend) {
	fixture := []exchange{
		{"POST /jar?depth=0", `[{"label": "a"}, {"label": "b"}]`, 201, ""},
		{"POST /cookie?depth=0", `[{"type": "oat", "price": 3, "jar": 1}, {"type": "oat", "price": 4, "jar": 2}, {"type": "rye", "price": 5, "jar": 1}, {"jar": 1}]`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(fixture[:2:2], x...) }
	bad := func(param, accepted string) string {
		return fmt.Sprintf(`BAD_PARAM_VALUE {"param_name": %q, "accepted_values": %q}`, param, accepted)
	}
	on := rest.Options{Aggregates: true, Prefix: "/api"}
	setup{model: cookies(), rest: on}.check(t, newBackend, []rule{
		{"an aggregation has a group for each combination of values", after(
			exchange{"GET /cookie/$aggregate?group=type&count", "", 200, `[{"group": {"type": "oat"}, "count": 2}, {"group": {"type": "rye"}, "count": 1}, {"group": {"type": null}, "count": 1}]`},
			exchange{"GET /cookie/$aggregate?group=jar,type&sum=price&count=false", "", 200, `[{"group": {"jar": 1, "type": "oat"}, "sum": {"price": "3"}}, {"group": {"jar": 1, "type": "rye"}, "sum": {"price": "5"}},
				{"group": {"jar": 1, "type": null}, "sum": {"price": null}}, {"group": {"jar": 2, "type": "oat"}, "sum": {"price": "4"}}]`},
			exchange{"GET /cookie/$aggregate?group=jar.label&avg=price&max=price", "", 200, `[{"group": {"jar.label": "a"}, "max": {"price": 5}, "avg": {"price": "4"}}, {"group": {"jar.label": "b"}, "max": {"price": 4}, "avg": {"price": "4"}}]`},
			exchange{"HEAD /cookie/$aggregate?count", "", 200, ""},
		)},
		{"without a group all records are one", after(
			exchange{"GET /cookie/$aggregate?count=true&sum=price&min=price,type&max=price&avg=price", "", 200,
				`[{"count": 4, "sum": {"price": "12"}, "min": {"price": 3, "type": "oat"}, "max": {"price": 5}, "avg": {"price": "4"}}]`},
			exchange{"GET /cookie/$aggregate?count&type=none", "", 200, `[{"count": 0}]`},
		)},
		{"an aggregation takes the conditions of lists", after(
			exchange{`GET /cookie/$aggregate?count&filter={"price": {"between": [4, 9]}}`, "", 200, `[{"count": 2}]`},
			exchange{"GET /cookie/$aggregate?count&jar=1&type=oat&type=rye", "", 200, `[{"count": 2}]`},
			exchange{"GET /cookie/$aggregate?count&search=OA", "", 200, `[{"count": 2}]`},
			exchange{`GET /cookie/$aggregate?count&filter={"jar.label": "b"}&type=oat`, "", 200, `[{"count": 1}]`},
		)},
		{"an invalid aggregation is 400", []exchange{
			{"GET /cookie/$aggregate", "", 400, bad("count", "at least one of count, sum, min, max and avg")},
			{"GET /cookie/$aggregate?group=type", "", 400, bad("count", "at least one of count, sum, min, max and avg")},
			{"GET /cookie/$aggregate?count=2", "", 400, bad("count", "true, false or no value")},
			{"GET /cookie/$aggregate?count&count", "", 400, bad("count", "one value")},
			{"GET /cookie/$aggregate?sum=", "", 400, bad("sum", "names of fields with commas between them")},
			{"GET /cookie/$aggregate?sum=price,price", "", 400, bad("sum", "different fields")},
			{"GET /cookie/$aggregate?count&group=type,type", "", 400, bad("group", "different fields")},
			{"GET /cookie/$aggregate?sum=type", "", 400, `SEARCH_FORBIDDEN {"object_name": "cookie", "field_name": "type"}`},
			{"GET /cookie/$aggregate?max=jar", "", 400, `SEARCH_FORBIDDEN {"object_name": "cookie", "field_name": "jar"}`},
			{"GET /cookie/$aggregate?count&group=crumbs", "", 400, `SEARCH_FORBIDDEN {"object_name": "cookie", "field_name": "crumbs"}`},
			{"GET /cookie/$aggregate?count&group=-type", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "-type"}`},
			{"GET /cookie/$aggregate?count&group=jar.none", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "none"}`},
			{"GET /cookie/$aggregate?min=none", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "none"}`},
			{"GET /cookie/$aggregate?count&limit=3", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "limit"}`},
			{"GET /cookie/$aggregate?count&filter=1", "", 400, `BAD_PARAM_VALUE`},
			{"POST /cookie/$aggregate?count", "{}", 405, `METHOD_NOT_ALLOWED`},
			{"GET /none/$aggregate?count", "", 404, `NO_SUCH_URL`},
			{"GET /cookie/$aggregate/1", "", 404, `NO_SUCH_URL`},
			{"GET /cookie/$other", "", 404, `NO_SUCH_URL`},
		}},
	})
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"aggregations are off by default", []exchange{{"GET /cookie/$aggregate?count", "", 404, `NO_SUCH_URL`}}},
	})
	t.Run("a literal key that begins with a dollar sign is written with an escape", func(t *testing.T) {
		c := setup{model: things(), rest: rest.Options{Aggregates: true}}.start(t, newBackend)
		c.check(t, exchange{"PUT /word/%24aggregate", `{"meaning": "a"}`, 201, ""})
		c.check(t, exchange{"GET /word/%24aggregate", "", 200, `{"id": "$aggregate", "meaning": "a"}`})
		c.check(t, exchange{"GET /word/$aggregate?count", "", 200, `[{"count": 1}]`})
	})
	t.Run("an aggregation has the bound of answers", func(t *testing.T) {
		c := setup{model: cookies(), rest: rest.Options{Aggregates: true}, engine: engine.Options{MaxBytes: 4 << 10}}.start(t, newBackend)
		for _, first := range []string{"a", "b", "c"} {
			c.check(t, exchange{"POST /cookie?depth=0", `{"type": "` + first + strings.Repeat("x", 1500) + `"}`, 201, ""})
		}
		c.check(t, exchange{"GET /cookie/$aggregate?min=type&max=type", "", 200, ""})
		c.check(t, exchange{"GET /cookie/$aggregate?count&group=type", "", 413, `TOO_LARGE {"msg": "the groups would have more than 4096 bytes; group by shorter fields"}`})
	})
	t.Run("decimals are shown with their scale", func(t *testing.T) {
		c := setup{model: prices(), rest: rest.Options{Aggregates: true}}.start(t, newBackend)
		c.check(t, exchange{"POST /item?depth=0", `[{"price": "1.5", "factor": "0.10"}, {"price": "2", "factor": "0.2"}, {"price": "0.1"}]`, 201, ""})
		c.check(t, exchange{"GET /item/$aggregate?sum=price,factor&min=price&avg=price,factor", "", 200,
			`[{"sum": {"price": "3.60", "factor": "0.3"}, "min": {"price": "0.10"}, "avg": {"price": "1.2", "factor": "0.15"}}]`})
		c.check(t, exchange{"GET /item/$aggregate?count&group=price", "", 200, `[{"group": {"price": "0.10"}, "count": 1}, {"group": {"price": "1.50"}, "count": 1}, {"group": {"price": "2.00"}, "count": 1}]`})
	})
	t.Run("unreadable and hidden names are unknown to aggregations", func(t *testing.T) {
		c := setup{model: secrets(), rest: rest.Options{Aggregates: true}, decorators: []core.Decorator{unreadable("clerk", "salary", "jar", "flag")}}.start(t, newBackend)
		c.check(t, exchange{"PUT /clerk/1", `{"name": "a"}`, 201, ""})
		for _, query := range []string{"count&group=NAME", "sum=NAME", "min=NAME", "avg=NAME", "count&NAME=1", "count&group=NAME.id"} {
			answer := func(name string) string {
				r := c.send(t, "GET", "/clerk/$aggregate?"+strings.ReplaceAll(query, "NAME", name), nil)
				return strings.ReplaceAll(fmt.Sprint(r.status, string(r.body)), name, "NAME")
			}
			for _, name := range []string{"hidden", "salary", "flag", "jar"} {
				if got, want := answer(name), answer("nosuch"); got != want && !(name == "jar" && strings.Contains(query, ".")) {
					t.Errorf("%s of %s\n got %s\nwant %s", query, name, got, want)
				}
			}
		}
	})
}

// prices has decimals with and without a scale.
func prices() *core.Model {
	return core.MustModel("prices", core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
		keyField(), {Name: "price", Type: core.Decimal, Scale: new(2)}, {Name: "factor", Type: core.Decimal},
	}})
}
