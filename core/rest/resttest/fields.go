package resttest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// testFields checks the argument fields.
func testFields(t *testing.T, newBackend NewBackend) {
	const badFields = `BAD_PARAM_VALUE {"param_name": "fields", "accepted_values": "*"}`
	fixture := []exchange{
		{"POST /jar?depth=0", `[{"label": "a"}, {}]`, 201, ""},
		{"POST /cookie?depth=0", `[{"type": "a", "price": 1, "jar": 1}, {"type": "b", "jar": 1, "crumbs": [{}]}, {"type": "c"}]`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(fixture[:2:2], x...) }
	fails := func(fields, want string) []exchange {
		return []exchange{{"GET /cookie/1?fields=" + fields, "", 400, want}, {"GET /cookie?fields=" + fields, "", 400, want}}
	}
	unknown := func(resource, field string) string {
		return `FIELD_DOES_NOT_EXIST {"object_name": "` + resource + `", "field_name": "` + field + `"}`
	}
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"only the named fields are shown", after(
			exchange{"GET /cookie/1?fields=type", "", 200, `{"type": "a"}`},
			exchange{"GET /cookie/1?fields=price,id", "", 200, `{"id": 1, "price": 1}`},
			exchange{"GET /cookie/3?fields=price", "", 200, `{}`},
			exchange{"GET /cookie?fields=id,jar", "", 200, `[{"id": 1, "jar": 1}, {"id": 2, "jar": 1}, {"id": 3}]`},
			exchange{"GET /cookie?fields=crumbs&sort=-id", "", 200, `[{"crumbs": []}, {"crumbs": [1]}, {"crumbs": []}]`},
			exchange{"GET /jar/1/cookies?fields=type&limit=1", "", 200, `[{"type": "a"}]`},
			exchange{`GET /cookie?fields=id&filter={"jar.label": "a"}&sort=-type&price=1`, "", 200, `[{"id": 1}]`},
			exchange{"GET /cookie/1?fields=id,jar&depth=2", "", 200, `{"id": 1, "jar": {"id": 1, "label": "a", "cookies": [1, 2]}}`},
			exchange{"HEAD /cookie/1?fields=id", "", 200, ""},
		)},
		{"a path shows the related records with the field", after(
			exchange{"GET /cookie/1?fields=id,jar.label", "", 200, `{"id": 1, "jar": {"label": "a"}}`},
			exchange{"GET /cookie?fields=jar.label,jar.id,crumbs", "", 200, `[{"jar": {"id": 1, "label": "a"}, "crumbs": []}, {"jar": {"id": 1, "label": "a"}, "crumbs": [1]}, {"crumbs": []}]`},
			exchange{"GET /jar?fields=cookies.type,cookies.jar", "", 200, `[{"cookies": [{"type": "a", "jar": 1}, {"type": "b", "jar": 1}]}, {"cookies": []}]`},
			exchange{"GET /jar/1?fields=cookies.crumbs.id,label,cookies.type", "", 200, `{"label": "a", "cookies": [{"type": "a", "crumbs": []}, {"type": "b", "crumbs": [{"id": 1}]}]}`},
			exchange{"GET /crumb/1?fields=cookie.jar.cookies.type", "", 200, `{"cookie": {"jar": {"cookies": [{"type": "a"}, {"type": "b"}]}}}`},
			exchange{"GET /cookie/3?fields=jar.label", "", 200, `{}`},
		)},
		{"writes answer with the named fields", after(
			exchange{"POST /jar?fields=label", `{"label": "x"}`, 201, `{"label": "x"}`},
			exchange{"POST /jar?fields=id", `[{}, {}]`, 201, `[{"id": "*"}, {"id": "*"}]`},
			exchange{"PATCH /cookie/1?fields=id,jar.label", `{"type": "z"}`, 200, `{"id": 1, "jar": {"label": "a"}}`},
			exchange{"PUT /cookie/1?fields=type,price", `{"type": "y"}`, 200, `{"type": "y"}`},
			exchange{"GET /cookie/1", "", 200, `{"id": 1, "type": "y", "crumbs": []}`},
			exchange{"PUT /jar/1?fields=cookies", `{"cookies": [3]}`, 200, `{"cookies": [3]}`},
		)},
		{"an unknown name is 400", slices.Concat(fixture, fails("nope", unknown("cookie", "nope")), fails("id,jar.nope", unknown("jar", "nope")),
			fails("type.nope", unknown("cookie", "type.nope")), fails("id,", unknown("cookie", "")), []exchange{
				{"PATCH /cookie/1?fields=nope", `{"type": "z"}`, 400, unknown("cookie", "nope")},
				{"POST /cookie?fields=nope", `{}`, 400, unknown("cookie", "nope")},
				{"DELETE /cookie/1?fields=nope", "", 400, unknown("cookie", "nope")},
				{"GET /cookie?fields=type", "", 200, `[{"type": "a"}, {"type": "b"}, {"type": "c"}]`},
			})},
		{"fields that contradict are 400", slices.Concat(fixture, fails("id,id", badFields), fails("jar,jar.label", badFields), fails("", badFields), []exchange{
			{"GET /cookie?depth=0&fields=id", "", 400, badFields},
			{"GET /cookie?depth=2&fields=jar.label", "", 400, `BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "*"}`},
			{"GET /cookie?fields=jar.cookies.jar.cookies.jar.label", "", 400, badFields},
			{"GET /cookie?fields=" + strings.Repeat("id,", 200) + "id", "", 400, `BAD_PARAM_VALUE {"param_name": "fields", "accepted_values": "at most 200 names"}`},
			{"GET /cookie?fields=id&fields=type", "", 200, `[{"id": 1, "type": "a"}, {"id": 2, "type": "b"}, {"id": 3, "type": "c"}]`},
		})},
	})
	setup{model: things()}.check(t, newBackend, []rule{
		{"a hidden field is an unknown name, and a computed one is shown", []exchange{
			{"POST /thing?depth=0", `{"text": "a", "outer": 3}`, 201, ""},
			{"GET /thing/1?fields=hidden", "", 400, unknown("thing", "hidden")},
			{"GET /thing/1?fields=inner", "", 400, unknown("thing", "inner")},
			{"GET /thing/1?fields=outer,upper", "", 200, `{"outer": 3, "upper": "A"}`},
			{"GET /thing?fields=upper", "", 200, `[{"upper": "A"}]`},
		}},
	})
	setup{model: articles()}.check(t, newBackend, []rule{
		{"a field on demand is shown only when it is named", []exchange{
			{"PUT /article/1", `{"title": "a", "text": "long", "notes": [{"text": "n"}]}`, 201, `{"id": 1, "title": "a"}`},
			{"GET /article/1", "", 200, `{"id": 1, "title": "a"}`},
			{"GET /article?depth=2", "", 200, `[{"id": 1, "title": "a"}]`},
			{"GET /article/1?fields=text,size,notes.text", "", 200, `{"text": "long", "size": 4, "notes": [{"text": "n"}]}`},
			{"GET /article/1?fields=notes,title", "", 200, `{"title": "a", "notes": [1]}`},
			{`GET /article?depth=0&filter={"text": {"prefix": "lo"}}&sort=text`, "", 200, `[1]`},
			{"GET /note/1?depth=2", "", 200, `{"id": 1, "text": "n", "article": {"id": 1, "title": "a"}}`},
		}},
		{"PUT keeps a field on demand that it does not name", []exchange{
			{"PUT /article/1", `{"title": "a", "text": "long", "notes": [{}]}`, 201, ""},
			{"PUT /article/1", `{"title": "b"}`, 200, `{"id": 1, "title": "b"}`},
			{"GET /article/1?fields=text,notes", "", 200, `{"text": "long", "notes": [1]}`},
			{"PUT /article/1", `{"text": "short", "notes": []}`, 200, `{"id": 1}`},
			{"PATCH /article/1?fields=text,notes", `{}`, 200, `{"text": "short", "notes": []}`},
			{"PATCH /article/1", `{"size": 5}`, 400, `FIELD_IS_READONLY {"object_name": "article", "field_name": "size"}`},
			{"PATCH /article/1", `{"text": null}`, 200, `{"id": 1}`},
			{"GET /article/1?fields=text", "", 200, `{}`},
		}},
	})
	t.Run("the tag of named fields passes with the same fields", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		c.check(t, exchange{"PUT /cookie/1", `{"type": "a"}`, 201, ""})
		tag := c.check(t, exchange{"GET /cookie/1?fields=price", "", 200, `{}`}).header.Get("Etag")
		c.check(t, exchange{"PATCH /cookie/1", `{}`, 412, ""}, "If-Match", tag)
		c.check(t, exchange{"PATCH /cookie/1?fields=price", `{"type": "b"}`, 200, `{}`}, "If-Match", tag)
		c.check(t, exchange{"PATCH /cookie/1?fields=price", `{"price": 2}`, 200, `{"price": 2}`}, "If-Match", tag)
		c.check(t, exchange{"DELETE /cookie/1?fields=price", "", 412, ""}, "If-Match", tag)
	})
	t.Run("NAME@next continues with the same fields", func(t *testing.T) {
		c := setup{model: cookies(), engine: engine.Options{MaxMembers: 2}}.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1?depth=0", `{"cookies": [{"type": "a"}, {"type": "b"}, {"type": "c"}]}`, 201, ""})
		r := c.check(t, exchange{"GET /jar/1?fields=cookies.type", "", 200, `{"cookies": [{"type": "a"}, {"type": "b"}], "cookies@next": "*"}`})
		var next string
		if err := json.Unmarshal([]byte(r.field("cookies@next")), &next); err != nil {
			t.Fatal(err)
		}
		c.check(t, exchange{"GET " + next, "", 200, `[{"type": "c"}]`})
	})
	t.Run("an unreadable field equals an unknown one", func(t *testing.T) {
		c := setup{model: cookies(), decorators: []core.Decorator{unreadable("cookie", "price", "jar")}}.start(t, newBackend)
		c.check(t, exchange{"POST /jar?depth=0", `{}`, 201, ""})
		c.check(t, exchange{"POST /cookie?depth=0", `{"type": "a"}`, 201, ""})
		for _, x := range [][2]string{{"/cookie/1?fields=price", "price"}, {"/cookie?fields=type,jar", "jar"}, {"/cookie?fields=jar.label", "jar"}, {"/cookie/1?fields=nope", "nope"}} {
			c.check(t, exchange{"GET " + x[0], "", 400, unknown("cookie", x[1])})
		}
		c.check(t, exchange{"GET /jar?fields=cookies", "", 400, unknown("jar", "cookies")})
		c.check(t, exchange{"GET /cookie?fields=type", "", 200, `[{"type": "a"}]`})
	})
}

// articles is a model with fields on demand: a text, a list and a computed field.
func articles() *core.Model {
	size := func(_ context.Context, rec core.Record) (any, error) { return len(rec.Get("text").Text()), nil }
	return core.MustModel("articles",
		core.ResourceSpec{Name: "article", Fields: []core.FieldSpec{
			keyField(), textField("title"), {Name: "text", Type: core.Text, OnDemand: true},
			{Name: "size", Computed: &core.Computed{Get: size}, OnDemand: true},
			{Name: "notes", ToMany: "note", Inverse: "article", OnDemand: true},
		}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{keyField(), textField("text"), {Name: "article", ToOne: "article"}}},
	)
}
