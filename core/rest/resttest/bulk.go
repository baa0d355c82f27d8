package resttest

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func testBulk(t *testing.T, newBackend NewBackend) {
	fixture := []exchange{
		{"POST /jar?depth=0", `[{"label": "a"}, {"label": "b"}]`, 201, ""},
		{"POST /cookie?depth=0", `[{"type": "a", "price": 1, "jar": 1}, {"type": "b", "price": 2, "jar": 1}, {"type": "b", "price": 3}, {"type": "c", "crumbs": [{}]}]`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(fixture[:2:2], x...) }
	const all = `[{"id": 1, "type": "a", "price": 1, "jar": 1, "crumbs": []}, {"id": 2, "type": "b", "price": 2, "jar": 1, "crumbs": []},
		{"id": 3, "type": "b", "price": 3, "crumbs": []}, {"id": 4, "type": "c", "crumbs": [1]}]`
	setup{model: cookies(), engine: engine.Options{MaxWritten: 8}}.check(t, newBackend, []rule{
		{"PATCH changes the records that GET lists", after(
			exchange{`PATCH /cookie?max=2&filter={"type": "b"}`, `{"price": 7}`, 200, `{"count": 2}`},
			exchange{`GET /cookie?depth=0&price=7`, "", 200, `[2, 3]`},
			exchange{`PATCH /cookie?max=5&filter={}&type=b&jar=1`, `{"price": null, "type": "d"}`, 200, `{"count": 1}`},
			exchange{"GET /cookie/2", "", 200, `{"id": 2, "type": "d", "jar": 1, "crumbs": []}`},
			exchange{`PATCH /cookie?max=1&filter={"type": "x"}`, `{"price": 7}`, 200, `{"count": 0}`},
			exchange{`PATCH /cookie?max=4&filter={}`, `{}`, 200, `{"count": 4}`},
		)},
		{"PATCH of many records sets relations", after(
			exchange{`PATCH /cookie?max=3&filter={"jar.label": "a"}`, `{"jar": 2}`, 200, `{"count": 2}`},
			exchange{"GET /jar", "", 200, `[{"id": 1, "label": "a", "cookies": []}, {"id": 2, "label": "b", "cookies": [1, 2]}]`},
			exchange{`PATCH /cookie?max=3&filter={"type": "b"}`, `{"crumbs": [{}]}`, 200, `{"count": 2}`},
			exchange{"GET /cookie/3", "", 200, `{"id": 3, "type": "b", "price": 3, "crumbs": ["*"]}`},
			exchange{`PATCH /cookie?max=3&filter={"type": "b"}`, `{"jar": {"label": "c"}}`, 200, `{"count": 2}`},
			exchange{`PATCH /cookie?max=3&filter={"type": "b"}`, `{"jar": 9}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}`},
		)},
		{"DELETE deletes the records that GET lists", after(
			exchange{`DELETE /cookie?max=2&filter={"price": {"ge": 2}}`, "", 200, `{"count": 2}`},
			exchange{"GET /cookie?depth=0", "", 200, `[1, 4]`},
			exchange{`DELETE /jar?max=2&filter={"cookies": {"$any": {"type": "a"}}}`, "", 200, `{"count": 1}`},
			exchange{"GET /cookie/1", "", 200, `{"id": 1, "type": "a", "price": 1, "crumbs": []}`},
			exchange{`DELETE /cookie?max=9&filter={}`, "", 200, `{"count": 2}`},
			exchange{"GET /crumb", "", 200, `[]`},
			exchange{`DELETE /cookie?max=1&filter={}`, "", 200, `{"count": 0}`},
		)},
		{"more records than max are 400 and nothing changes", after(
			exchange{`PATCH /cookie?max=3&filter={}`, `{"price": 7}`, 400, `BAD_PARAM_VALUE {"param_name": "max", "accepted_values": "at least the number of records that match"}`},
			exchange{`DELETE /cookie?max=1&filter={"type": "b"}`, "", 400, `BAD_PARAM_VALUE {"param_name": "max", "accepted_values": "*"}`},
			exchange{"GET /cookie", "", 200, all},
		)},
		{"more records than a request can write are 413 and nothing changes", after(
			exchange{"POST /cookie?depth=0", `[{}, {}, {}, {}, {}]`, 201, ""},
			exchange{`PATCH /cookie?max=99&filter={}`, `{"price": 7}`, 413, `TOO_LARGE`},
			exchange{`DELETE /cookie?max=99&filter={}`, "", 413, `TOO_LARGE`},
			exchange{`DELETE /cookie?max=99&filter={"id": {"gt": 4}}`, "", 200, `{"count": 5}`},
			exchange{"GET /cookie", "", 200, all},
		)},
		{"dry only counts", after(
			exchange{`PATCH /cookie?max=1&dry=true&filter={}`, `{"price": 7}`, 200, `{"count": 4}`},
			exchange{`DELETE /cookie?max=1&dry=true&filter={}&type=b`, "", 200, `{"count": 2}`},
			exchange{`DELETE /cookie?max=1&dry=false&filter={}`, "", 400, `BAD_PARAM_VALUE`},
			exchange{"GET /cookie", "", 200, all},
		)},
		{"filter and max are needed", after(
			exchange{"PATCH /cookie?max=4", `{"price": 7}`, 400, `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object; it must be given, and {} means all records"}`},
			exchange{"PATCH /cookie?max=4&type=b", `{"price": 7}`, 400, `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "*"}`},
			exchange{"DELETE /cookie", "", 400, `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "*"}`},
			exchange{"DELETE /cookie?filter={}", "", 400, `BAD_PARAM_VALUE {"param_name": "max", "accepted_values": "positive integer; it must be given, and bounds the number of records"}`},
			exchange{"GET /cookie", "", 200, all},
		)},
		{"other arguments are 400", after(
			exchange{"DELETE /cookie?filter={}&max=0", "", 400, `BAD_PARAM_VALUE {"param_name": "max", "accepted_values": "positive integer"}`},
			exchange{"DELETE /cookie?filter={}&max=-1", "", 400, `BAD_PARAM_VALUE {"param_name": "max", "accepted_values": "*"}`},
			exchange{"DELETE /cookie?filter=&max=9", "", 400, `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "*"}`},
			exchange{"DELETE /cookie?filter=[]&max=9", "", 400, `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "*"}`},
			exchange{"DELETE /cookie?filter={}&max=9&dry=1", "", 400, `BAD_PARAM_VALUE {"param_name": "dry", "accepted_values": "true or false"}`},
			exchange{"DELETE /cookie?filter={}&max=9&limit=1", "", 400, `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "*"}`},
			exchange{"DELETE /cookie?filter={}&max=9&sort=id", "", 400, `BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "*"}`},
			exchange{"DELETE /cookie?filter={}&max=9&nope=1", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "nope"}`},
			exchange{`DELETE /cookie?filter={"nope": 1}&max=9`, "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "nope"}`},
			exchange{"DELETE /cookie?filter={}&max=9&max=9", "", 400, `BAD_PARAM_VALUE {"param_name": "max", "accepted_values": "one value"}`},
			exchange{`PATCH /cookie?filter={}&max=9`, `{"id": 1}`, 400, `FIELD_IS_READONLY`},
			exchange{`PATCH /cookie?filter={}&max=9`, `[]`, 400, `BAD_REQUEST`},
			exchange{`PATCH /cookie?filter={}&max=9`, `{"price": "x"}`, 400, `BAD_FIELD_VALUE`},
			exchange{"GET /cookie", "", 200, all},
		)},
	})
	setup{model: shelves()}.check(t, newBackend, []rule{
		{"a restricted delete of many records deletes none", []exchange{
			{"POST /shelf?depth=0", `[{}, {"books": [{}]}, {}]`, 201, ""},
			{"DELETE /shelf?filter={}&max=9", "", 409, `STILL_REFERENCED {"object_name": "shelf", "field_name": "books"}`},
			{"GET /shelf?depth=0", "", 200, `[1, 2, 3]`},
			{`DELETE /shelf?filter={"books": {"$none": {}}}&max=9`, "", 200, `{"count": 2}`},
		}},
	})
	setup{model: things()}.check(t, newBackend, []rule{
		{"a merge patch merges into every record", []exchange{
			{"POST /thing?depth=0", `[{"json": {"a": 1}}, {"json": {"b": 2}}]`, 201, ""},
			{"PATCH /thing?filter={}&max=2&once=x", `{"once": "y"}`, 200, `{"count": 0}`},
			{"PATCH /thing?filter={}&max=2", `{"once": "y"}`, 400, `FIELD_UPDATE_FORBIDDEN`},
			{"PATCH /thing?filter={}&max=2", `{"readonly": "y"}`, 400, `FIELD_IS_READONLY`},
			{"PATCH /thing?filter={}&max=2", `{"code": "same"}`, 409, `CONFLICT`},
		}},
	})
	t.Run("a record that the change of another one deletes is not found", func(t *testing.T) {
		tree := core.MustModel("tree", core.ResourceSpec{Name: "node", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "parent", ToOne: "node", Orphans: core.DeleteOrphans},
			{Name: "children", ToMany: "node", Inverse: "parent"},
		}})
		c := setup{model: tree}.start(t, newBackend)
		c.check(t, exchange{"PUT /node/1?depth=0", `{}`, 201, ""})
		c.check(t, exchange{"PUT /node/2?depth=0", `{"parent": 1}`, 201, ""})
		c.check(t, exchange{"PATCH /node?max=2&filter={}", `{"children": []}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "node", "object_id": 2}`})
		c.check(t, exchange{"GET /node?depth=0", "", 200, `[1, 2]`})
	})
	t.Run("a merge patch merges into every record", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		c.check(t, exchange{"POST /thing?depth=0", `[{"json": {"a": 1}}, {"json": {"b": 2}}]`, 201, ""})
		c.check(t, exchange{"PATCH /thing?filter={}&max=2", `{"json": {"c": 3}}`, 200, `{"count": 2}`}, "Content-Type", "application/merge-patch+json")
		for _, json := range []string{`{"a":1,"c":3}`, `{"b":2,"c":3}`} {
			c.check(t, exchange{"GET /thing?depth=0&json=" + json, "", 200, `["*"]`})
		}
	})
	t.Run("great changes", func(t *testing.T) { testBulkInParts(t, newBackend) })
	t.Run("policies guard changes of many records", func(t *testing.T) { testBulkUnderPolicies(t, newBackend) })
}

// testBulkUnderPolicies has user 2 change the notes of user 1, and notes that a policy lets it read and not write.
func testBulkUnderPolicies(t *testing.T, newBackend NewBackend) {
	c := ownedNotes().start(t, newBackend)
	one, two := c.as(user(1)), c.as(user(2))
	one.check(t, exchange{"POST /note?depth=0", `[{"text": "a"}, {"text": "a"}]`, 201, ""})
	two.check(t, exchange{"POST /note?depth=0", `[{"text": "a"}]`, 201, ""})
	two.check(t, exchange{"PATCH /note?filter={}&max=9&dry=true", `{"text": "x"}`, 200, `{"count": 1}`})
	two.check(t, exchange{"PATCH /note?filter={}&max=1", `{"text": "x"}`, 200, `{"count": 1}`})
	two.check(t, exchange{`DELETE /note?filter={"text": "a"}&max=1`, "", 200, `{"count": 0}`})
	two.check(t, exchange{`DELETE /note?filter={"owner": 1}&max=1`, "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "owner"}`})
	c.check(t, exchange{`DELETE /note?filter={}&max=9`, "", 401, `UNAUTHORIZED {}`})
	one.check(t, exchange{"GET /note", "", 200, `[{"id": "*", "text": "a"}, {"id": "*", "text": "a"}]`})

	locked := setup{model: cookies(), decorators: []core.Decorator{lockedCookies()}, rest: rest.Options{Authenticate: byNumber}}.start(t, newBackend).as(user(1))
	locked.check(t, exchange{"POST /cookie?depth=0", `[{"type": "free"}, {"type": "locked"}]`, 201, ""})
	for _, x := range []exchange{{"PATCH /cookie?filter={}&max=9", `{"price": 1}`, 403, `FORBIDDEN`}, {"DELETE /cookie?filter={}&max=9", "", 403, `FORBIDDEN`}} {
		locked.check(t, x)
	}
	locked.check(t, exchange{"GET /cookie", "", 200, `[{"id": 1, "type": "free", "crumbs": []}, {"id": 2, "type": "locked", "crumbs": []}]`})
	locked.check(t, exchange{`PATCH /cookie?filter={"type": "free"}&max=9`, `{"price": 1}`, 200, `{"count": 1}`})
}

func testMinimal(t *testing.T, newBackend NewBackend) {
	c := setup{model: cookies()}.start(t, newBackend)
	minimal := func(x exchange, headers ...string) reply {
		t.Helper()
		r := c.check(t, x, append(headers, "Prefer", "respond-async, return=minimal; x=1")...)
		if len(r.body) > 0 || r.header.Get("Preference-Applied") != "return=minimal" || r.header.Get("Etag") != "" {
			t.Errorf("%s: %v %s", x.request, r.header, r.body)
		}
		return r
	}
	if got := minimal(exchange{"POST /jar", `{"label": "a"}`, 201, ""}).header.Get("Location"); got != "/jar/1" {
		t.Errorf("Location %q", got)
	}
	minimal(exchange{"POST /jar", `[{}, {}]`, 201, ""})
	minimal(exchange{"PATCH /jar/1", `{"label": "b"}`, 204, ""})
	minimal(exchange{"PUT /jar/1", `{"label": "c"}`, 204, ""})
	if got := minimal(exchange{"PUT /jar/9", `{}`, 201, ""}).header.Get("Location"); got != "/jar/9" {
		t.Errorf("Location %q", got)
	}
	tag := c.check(t, exchange{"GET /jar/1", "", 200, `{"id": 1, "label": "c", "cookies": []}`}).header.Get("Etag")
	minimal(exchange{"PATCH /jar/1", `{"label": "d"}`, 204, ""}, "If-Match", tag)
	c.check(t, exchange{"PATCH /jar/1", `{"label": "e"}`, 412, preconditionFailedWithTag}, "If-Match", tag, "Prefer", "return=minimal")
	c.check(t, exchange{"DELETE /jar/9", "", 200, "null"}, "Prefer", "return=minimal")
	for _, prefer := range []string{"return=representation", "return=representation, return=minimal", "minimal", ""} {
		if r := c.check(t, exchange{"PATCH /jar/1", `{}`, 200, `{"id": 1, "label": "d", "cookies": []}`}, "Prefer", prefer); r.header.Get("Preference-Applied") != "" {
			t.Errorf("%q: %v", prefer, strings.Join(r.header.Values("Preference-Applied"), " "))
		}
	}
}
