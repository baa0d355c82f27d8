package enginetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func listingCases() []Case {
	return []Case{
		script("a list is ordered by id unless it is sorted", Cookies, `
			list cookie => []
			put cookie/10 {"type": "a"}
			put cookie/9 {"type": "b"}
			put cookie/-1 {"type": "c"}
			list cookie depth=0                  => [-1, 9, 10]
			list cookie depth=0 sort=["type"]    => [10, 9, -1]
			list cookie depth=0 sort=["-type"]   => [-1, 9, 10]
			list cookie depth=0 sort=["-id"]     => [10, 9, -1]`),
		script("nulls come last ascending and first descending, ties by id", Cookies, `
			put cookie/1 {"type": "b"}
			put cookie/2 {}
			put cookie/3 {"type": "a"}
			put cookie/4 {}
			put cookie/5 {"type": "a"}
			list cookie depth=0 sort=["type"]          => [3, 5, 1, 2, 4]
			list cookie depth=0 sort=["-type"]         => [2, 4, 1, 3, 5]
			list cookie depth=0 sort=["-type", "-id"]  => [4, 2, 1, 5, 3]`),
		script("a sort takes several keys", things, `
			put thing/1 {"int": 1, "text": "b"}
			put thing/2 {"int": 2, "text": "a"}
			put thing/3 {"int": 1, "text": "a"}
			put thing/4 {"int": 2, "text": "b"}
			list thing depth=0 sort=["int", "text"]    => [3, 1, 2, 4]
			list thing depth=0 sort=["-int", "text"]   => [2, 4, 3, 1]
			list thing depth=0 sort=["text", "-int"]   => [2, 3, 4, 1]`),
		script("sort order of text and bool", things, `
			put thing/1 {"text": "\uff5e", "bool": true}
			put thing/2 {"text": "\ud83d\ude00", "bool": false}
			put thing/3 {"text": "Z", "bool": true}
			put thing/4 {"text": "a"}
			put thing/5 {"text": "\u00e9"}
			list thing depth=0 sort=["text"]      => [3, 4, 5, 1, 2]
			list thing depth=0 sort=["bool"]      => [2, 1, 3, 4, 5]`),
		script("sort by a stored to-one relation", Cookies, `
			put jar/10 {}
			put jar/9 {}
			put cookie/1 {"jar": 10}
			put cookie/2 {}
			put cookie/3 {"jar": 9}
			list cookie depth=0 sort=["jar"]    => [3, 1, 2]`),
		script("a search needs each word in some searchable field", things, `
			put thing/1 {"text": "Rye bread", "mood": "sunny"}
			put thing/2 {"text": "bread 50%"}
			put thing/3 {"mood": "BREADED", "int": 1}
			put thing/4 {}
			list thing depth=0 search="bread"                     => [1, 2, 3]
			list thing depth=0 search=" BREAD\tsunny "           => [1]
			list thing depth=0 search="bread rye sunny mood"      => []
			list thing depth=0 search="50%"                       => [2]
			list thing depth=0 search="5_%"                       => []
			list thing depth=0 search=""                          => [1, 2, 3, 4]
			list thing depth=0 search="  "                        => [1, 2, 3, 4]
			list thing depth=0 search="bread" filter={"int": 1}   => [3]
			list thing depth=0 search="bread" sort=["-id"] limit=2  => [3, 2]
			pages thing depth=0 search="bread" limit=2            => [[1, 2], [3]]
			list tag search="bread"     => BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "no search, because tag has no searchable field"}
			list thing search="a b c d e f g h i j k l m n o p q" => BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "at most 16 words and 1000 bytes"}
			list thing search="a\u0000"    => BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "valid UTF-8 without NUL"}`),
		script("an aggregation has exact figures for each group", things, `
			put thing/1 {"mood": "sad", "int": 9223372036854775807, "price": "0.1", "float": 1.5}
			put thing/2 {"mood": "sad", "int": 9223372036854775807, "price": "0.20", "time": "2024-01-01T00:00:00Z"}
			put thing/3 {"mood": "glad", "int": -1, "decimal": "1e3"}
			put thing/4 {}
			aggregate thing                                       => [{"count": 4}]
			aggregate thing sum=["int", "price"] avg=["price"]    => [{"count": 4, "sum": {"int": "18446744073709551613", "price": "0.30"}, "avg": {"price": "0.15"}}]
			aggregate thing group=["mood"] max=["price"] min=["time", "float"]  => [{"group": {"mood": "glad"}, "count": 1, "min": {"time": null, "float": null}, "max": {"price": null}}, {"group": {"mood": "sad"}, "count": 2, "min": {"time": "2024-01-01T00:00:00Z", "float": 1.5}, "max": {"price": "0.20"}}, {"group": {"mood": null}, "count": 1, "min": {"time": null, "float": null}, "max": {"price": null}}]
			aggregate thing group=["mood"] filter={"int": {"lt": 0}}  => [{"group": {"mood": "glad"}, "count": 1}]
			aggregate thing search="SAD"                          => [{"count": 2}]
			aggregate thing group=["id"] filter={"id": 9}         => []
			aggregate thing sum=["float"]     => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "float"}
			aggregate thing min=["mood"]      => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "mood"}
			aggregate thing max=["bool"]      => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "bool"}
			aggregate thing group=["json"]    => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "json"}
			aggregate thing avg=["nope"]      => FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": "nope"}`),
		script("an aggregation groups by relations", Family, `
			post male [{"name": "a", "wife": {"name": "b"}}, {"name": "c"}] depth=0
			post child [{"father": 1, "mother": 1}, {"father": 1}, {"father": 2}, {}] depth=0
			aggregate child group=["father"]             => [{"group": {"father": 1}, "count": 2}, {"group": {"father": 2}, "count": 1}, {"group": {"father": null}, "count": 1}]
			aggregate child group=["father.name"]        => [{"group": {"father.name": "a"}, "count": 2}, {"group": {"father.name": "c"}, "count": 1}, {"group": {"father.name": null}, "count": 1}]
			aggregate child group=["father.wife.name"]   => [{"group": {"father.wife.name": "b"}, "count": 2}, {"group": {"father.wife.name": null}, "count": 2}]
			aggregate female group=["husband"]           => [{"group": {"husband": 1}, "count": 1}]
			aggregate male group=["children"]            => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "children"}
			aggregate male group=["url"]                 => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "url"}
			aggregate child group=["father.nope"]        => FIELD_DOES_NOT_EXIST {"object_name": "male", "field_name": "nope"}`),
		script("an Unordered field is compared by equality and prefix only", things, `
			put thing/1 {"mood": "sad"}
			put thing/2 {"mood": "ok"}
			list thing depth=0 filter={"mood": "ok"}                => [2]
			list thing depth=0 filter={"mood": {"ne": "ok"}}        => [1]
			list thing depth=0 filter={"mood": {"in": ["ok", "x"]}} => [2]
			list thing depth=0 filter={"mood": {"prefix": "s"}}     => [1]
			list thing depth=0 filter={"mood": {"icontains": "S"}}  => [1]
			list thing filter={"mood": {"between": ["a", "z"]}}     => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "mood"}
			list thing filter={"mood": {"lt": "ok"}} => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "mood"}
			list thing filter={"mood": {"ge": "ok"}} => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "mood"}
			list thing sort=["mood"]                 => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "mood"}
			list thing sort=["int", "-mood"]         => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "mood"}`),
		script("fields without an order cannot be sorted by", things, `
			list thing sort=["json"]   => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "json"}
			list thing sort=["-list"]  => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "list"}
			list tag sort=["things"]   => SEARCH_FORBIDDEN {"object_name": "tag", "field_name": "things"}
			list tag sort=["liked"]    => SEARCH_FORBIDDEN {"object_name": "tag", "field_name": "liked"}
			list thing sort=[""]       => FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": ""}
			list thing sort=["-"]      => FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": ""}
			list thing sort=["--int"]  => FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": "-int"}`),
		script("computed fields cannot be sorted by", Family, `
			list female sort=["url"]      => SEARCH_FORBIDDEN {"object_name": "female", "field_name": "url"}`),
		script("the limit counts after filter and sort", Cookies, `
			put cookie/1 {"type": "a"}
			put cookie/2 {"type": "b"}
			put cookie/3 {"type": "b"}
			list cookie depth=0 limit=2                                     => [1, 2]
			list cookie depth=0 limit=1 sort=["-type"]                      => [2]
			list cookie depth=0 limit=1 sort=["-id"] filter={"type": "b"}   => [3]
			list cookie depth=0 limit=9                                     => [1, 2, 3]
			list cookie depth=0 sort=["-id"] filter={"id": {"in": [1, 3]}}  => [3, 1]
			list cookie limit=-1          => BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}`),
		script("records without their to-one relation are listed", Family, `
			post male {"name": "m"}
			post female {"name": "f"}
			post child {"name": "c"}
			list male depth=3     => [{"id": 1, "name": "m", "children": [], "url": "/male/1"}]
			list female depth=2   => [{"id": 1, "name": "f", "children": [], "url": "/female/1"}]
			list child            => [{"id": 1, "name": "c", "url": "/child/1"}]`),
		code("a cursor continues a page after inserts and deletes", Cookies, pages),
		code("a cursor is bound to its query", Cookies, foreignCursors),
		code("a cursor of an inverse filter survives changes", Family, inverseFilterCursor),
		code("pages sorted by a relation include hidden targets", owned, hiddenTargetPages, ownerGuard()),
	}
}

// listPages lists all pages, calls between after each but the last, and returns the keys.
func listPages(ctx context.Context, t *testing.T, api *engine.Engine, resource string, q engine.Query, between func()) []core.Value {
	t.Helper()
	var keys []core.Value
	for {
		list, err := api.List(ctx, resource, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Views {
			keys = append(keys, v.Key())
		}
		if list.Next == "" {
			return keys
		}
		q.After = list.Next
		between()
	}
}

func pages(t *testing.T, api *engine.Engine) {
	for _, line := range []string{
		`put cookie/1 {"type": "a"}`, `put cookie/2 {"type": "b"}`, `put cookie/3 {}`,
		`put cookie/4 {"type": "b"}`, `put cookie/5 {"type": "b"}`, `put cookie/6 {"type": "c"}`,
	} {
		runLine(t, api, line)
	}
	quiet := func() {}
	for _, q := range []engine.Query{{}, {Depth: 1}, {Sort: []string{"type"}}, {Sort: []string{"-type", "-id"}}, {Filter: map[string]any{"type": "b"}}} {
		whole := listPages(t.Context(), t, api, "cookie", q, quiet)
		for q.Limit = 1; q.Limit < 7; q.Limit++ {
			if got := listPages(t.Context(), t, api, "cookie", q, quiet); core.ListOf(got...) != core.ListOf(whole...) {
				t.Errorf("%v: pages are %v, the whole is %v", q, got, whole)
			}
		}
	}
	step := 0
	got := listPages(t.Context(), t, api, "cookie", engine.Query{Sort: []string{"type"}, Limit: 2}, func() {
		if step++; step == 1 { // after cookies 1 and 2
			runLine(t, api, `delete cookie/2`)
			runLine(t, api, `put cookie/7 {"type": "a"}`)
			runLine(t, api, `put cookie/8 {"type": "bb"}`)
		}
	})
	if want := "[1,2,4,5,8,6,3]"; core.ListOf(got...).Text() != want {
		t.Errorf("pages between changes are %v, want %s", got, want)
	}
}

func foreignCursors(t *testing.T, api *engine.Engine) {
	runLine(t, api, `post cookie [{"type": "a"}, {"type": "a"}, {"type": "b"}]`)
	list, err := api.List(t.Context(), "cookie", engine.Query{Limit: 1, Filter: map[string]any{"type": "a"}})
	if err != nil || list.Next == "" {
		t.Fatalf("no cursor: %v", err)
	}
	for _, q := range []engine.Query{
		{After: list.Next},
		{After: list.Next, Filter: map[string]any{"type": "b"}},
		{After: list.Next, Filter: map[string]any{"type": "a"}, Sort: []string{"-id"}},
		{After: "x", Filter: map[string]any{"type": "a"}},
	} {
		var e *core.Error
		if _, err := api.List(t.Context(), "cookie", q); !errors.As(err, &e) || e.Code != core.BadParam || e.Param != "after" {
			t.Errorf("%v: %v, want %s for after", q, err, core.BadParam)
		}
	}
}

func inverseFilterCursor(t *testing.T, api *engine.Engine) {
	runLine(t, api, `post female [{}, {}, {}, {}]`)
	runLine(t, api, `post male [{"wife": 1}, {}]`)
	for _, c := range []struct {
		filter any
		want   string
	}{
		{nil, "[2,4]"}, // wife 3 gets a husband after the first page
		{map[string]any{"ne": 1}, "[2,3,4]"},
	} {
		runLine(t, api, `patch male/2 {"wife": null}`)
		q := engine.Query{Filter: map[string]any{"husband": c.filter}, Limit: 1}
		got := listPages(t.Context(), t, api, "female", q, func() { runLine(t, api, `patch male/2 {"wife": 3}`) })
		if core.ListOf(got...).Text() != c.want {
			t.Errorf("filter %v: pages are %v, want %s", c.filter, got, c.want)
		}
		q.After = firstPage(t, api, q)
		q.Filter = map[string]any{"husband": 1}
		if _, err := api.List(t.Context(), "female", q); !errors.Is(err, core.BadParam) {
			t.Errorf("cursor of filter %v in another: %v, want %s", c.filter, err, core.BadParam)
		}
	}
}

func hiddenTargetPages(t *testing.T, api *engine.Engine) {
	for line := range strings.Lines(ownedFixture + `
		as 2 put jar/3 {}
		as 2 put cookie/3 {"jar": 3}
		as 2 put cookie/4 {"jar": 2}
		as 2 put cookie/5 {"jar": 3}
		as 2 put cookie/6 {}`) { // cookie 2 is in a foreign jar
		if line = strings.TrimSpace(line); line != "" {
			runLine(t, api, line)
		}
	}
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(2)})
	for want, q := range map[string]engine.Query{
		"[4,3,5,2,6]": {Sort: []string{"jar"}},
		"[6,2,5,3,4]": {Sort: []string{"-jar", "-id"}},
		"[2,6]":       {Sort: []string{"jar"}, Filter: map[string]any{"jar": nil}},
		"[5,3]":       {Sort: []string{"jar", "-id"}, Filter: map[string]any{"jar": 3}},
	} {
		for q.Limit = 1; q.Limit < 7; q.Limit++ {
			if got := core.ListOf(listPages(ctx, t, api, "cookie", q, func() {})...).Text(); got != want {
				t.Errorf("%v: pages are %s, want %s", q, got, want)
			}
		}
	}
	first, err := api.List(ctx, "cookie", engine.Query{Sort: []string{"jar"}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	other := engine.Query{Sort: []string{"jar"}, Filter: map[string]any{"jar": 3}, After: first.Next}
	if _, err := api.List(ctx, "cookie", other); !errors.Is(err, core.BadParam) {
		t.Errorf("a cursor of another query: %v", err)
	}
}

func firstPage(t *testing.T, api *engine.Engine, q engine.Query) core.Cursor {
	t.Helper()
	list, err := api.List(t.Context(), "female", q)
	if err != nil || list.Next == "" {
		t.Fatalf("no cursor: %v", err)
	}
	return list.Next
}
