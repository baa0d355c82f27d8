package resttest

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// testRelated checks the list of the records of a to-many relation under the URL of their record.
func testRelated(t *testing.T, newBackend NewBackend) {
	const absent = `NO_SUCH_URL {"path": "`
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"the records of a relation are a list", []exchange{
			{"PUT /jar/1?depth=0", `{}`, 201, "1"},
			{"PUT /jar/2?depth=0", `{}`, 201, "2"},
			{"PUT /cookie/1?depth=0", `{"jar": 1, "type": "b", "price": 1}`, 201, "1"},
			{"PUT /cookie/2?depth=0", `{"jar": 2, "type": "b"}`, 201, "2"},
			{"PUT /cookie/3?depth=0", `{"jar": 1, "type": "a", "price": 1}`, 201, "3"},
			{"GET /jar/1/cookies", "", 200, `[{"id": 1, "type": "b", "price": 1, "jar": 1, "crumbs": []}, {"id": 3, "type": "a", "price": 1, "jar": 1, "crumbs": []}]`},
			{"GET /jar/1/cookies?depth=0", "", 200, `[1, 3]`},
			{"GET /%6Aar/%31/%63ookies?depth=0", "", 200, `[1, 3]`},
			{`GET /jar/1/cookies?depth=0&filter={"type": "a"}`, "", 200, `[3]`},
			{`GET /jar/1/cookies?depth=0&sort=["type"]`, "", 200, `[3, 1]`},
			{"GET /jar/1/cookies?depth=0&type=b&type=c", "", 200, `[1]`},
			{"GET /jar/1/cookies?depth=0&jar=2", "", 200, `[]`},
			{"GET /jar/1/cookies?limit=0", "", 200, `[]`},
			{"GET /jar/1/cookies?nope=1", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "nope"}`},
			{"GET /jar/1/cookies?limit=1001", "", 400, `BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "at most 1000"}`},
			{"GET /jar/3/cookies", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 3}`},
			{"GET /jar/3/cookies?limit=0", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 3}`},
			{"HEAD /jar/3/cookies", "", 404, ""},
			{"GET /jar/x/cookies", "", 400, `BAD_FIELD_VALUE`},
			{"GET /nope/1/cookies", "", 404, absent + `/nope/1/cookies"}`},
		}},
		{"the URL of any other member does not exist", []exchange{
			{"PUT /jar/1?depth=0", `{"label": "a"}`, 201, "1"},
			{"PUT /cookie/1?depth=0", `{"jar": 1}`, 201, "1"},
			{"GET /jar/1/nope", "", 404, absent + `/jar/1/nope"}`},
			{"GET /jar/9/nope", "", 404, absent + `/jar/9/nope"}`},
			{"GET /jar/1/label", "", 404, absent + `/jar/1/label"}`},
			{"GET /cookie/1/jar", "", 404, absent + `/cookie/1/jar"}`},
			{"GET /cookie/x/jar", "", 404, absent + `/cookie/x/jar"}`},
			{"OPTIONS /cookie/1/jar", "", 404, absent + `/cookie/1/jar"}`},
			{"PUT /cookie/1/jar", `1`, 404, absent + `/cookie/1/jar"}`},
			{"GET /jar/1/%FF", "", 404, absent + `/jar/1/%FF"}`},
		}},
	})
	t.Run("a Link continues under the same URL", func(t *testing.T) {
		c := setup{model: cookies(), rest: rest.Options{Prefix: "/api"}}.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1?depth=0", `{"cookies": [{}, {}, {}]}`, 201, ""})
		r := c.check(t, exchange{"GET /jar/1/cookies?depth=0&limit=2", "", 200, `["*", "*"]`})
		next, err := url.Parse(r.next())
		if err != nil || next.Path != "/api/jar/1/cookies" || next.Query().Get("limit") != "2" || next.Query().Get("depth") != "0" {
			t.Fatalf("next is %s, %v", next, err)
		}
		c.prefix = ""
		if rest := c.send(t, "GET", r.next(), nil); rest.status != 200 || !rest.is(t, `["*"]`) || rest.next() != "" {
			t.Errorf("%s: %d %s, Link to %q", next, rest.status, rest.body, rest.next())
		}
	})
	t.Run("a list of ids that the record stores is a list", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		for _, x := range []exchange{
			{"PUT /thing/1?depth=0", `{"text": "a"}`, 201, ""}, {"PUT /thing/2?depth=0", `{"text": "b", "likes": [1, 2]}`, 201, ""},
			{"GET /thing/2/likes?depth=0", "", 200, "[1, 2]"}, {"GET /thing/2/likes?depth=0&text=a", "", 200, "[1]"}, {"GET /thing/1/likes", "", 200, "[]"},
			{"GET /thing/1/hidden", "", 404, absent + `/thing/1/hidden"}`}, {"GET /thing/1/list", "", 404, absent + `/thing/1/list"}`},
		} {
			c.check(t, x)
		}
	})
	t.Run("a hidden record equals a missing one", func(t *testing.T) {
		c := ownedNotes().start(t, newBackend)
		one, two := c.as(user(1)), c.as(user(2))
		one.check(t, exchange{"PUT /folder/1?depth=0", `{"notes": [{"text": "a"}]}`, 201, ""})
		two.check(t, exchange{"PUT /folder/2?depth=0", `{}`, 201, ""})
		one.check(t, exchange{"GET /folder/1/notes", "", 200, `[{"id": "*", "text": "a", "folder": 1}]`})
		two.check(t, exchange{"GET /folder/2/notes", "", 200, `[]`})
		two.check(t, exchange{"GET /folder/1/notes", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "folder", "object_id": 1}`})
		two.check(t, exchange{"GET /folder/3/notes", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "folder", "object_id": 3}`})
	})
	t.Run("an unreadable relation equals an unknown one", func(t *testing.T) {
		c := setup{model: cookies(), decorators: []core.Decorator{unreadable("cookie", "jar")}}.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1?depth=0", `{}`, 201, ""})
		for _, query := range []string{"", "?limit=0", "?type=a", "?price=x", "?nope=1", `?filter={"price":{"nope":1}}`} {
			c.check(t, exchange{"GET /jar/1/cookies" + query, "", 404, absent + `/jar/1/cookies"}`})
		}
	})
}

// tracker has issues and labels that links join.
func tracker() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("tracker",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			keyField(), textField("title"), owner, {Name: "labels", APIName: "tags", ToMany: "label", Through: "link"},
		}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{
			keyField(), textField("name"), owner, {Name: "issues", ToMany: "issue", Through: "link"},
		}},
		core.ResourceSpec{Name: "link", Fields: []core.FieldSpec{
			keyField(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}, textField("note"), owner,
		}, Unique: [][]string{{"issue", "label"}}},
	)
}

// testThrough checks lists through a join resource.
func testThrough(t *testing.T, newBackend NewBackend) {
	setup{model: tracker()}.check(t, newBackend, []rule{
		{"both sides show and set the list", []exchange{
			{"POST /issue", `{"title": "a", "tags": [{"name": "x"}, {"name": "y"}]}`, 201, `{"id": 1, "title": "a", "tags": [1, 2]}`},
			{"PATCH /link/2", `{"note": "kept"}`, 200, ""},
			{"GET /issue/1?depth=2", "", 200, `{"id": 1, "title": "a", "tags": [{"id": 1, "name": "x", "issues": [1]}, {"id": 2, "name": "y", "issues": [1]}]}`},
			{"PUT /issue/1", `{"title": "b", "tags": [2]}`, 200, `{"id": 1, "title": "b", "tags": [2]}`},
			{"PATCH /label/1", `{"issues": [1, {"title": "c"}]}`, 200, `{"id": 1, "name": "x", "issues": [1, 2]}`},
			{"GET /link?depth=1", "", 200, `[{"id": 2, "issue": 1, "label": 2, "note": "kept"}, {"id": 3, "issue": 1, "label": 1}, {"id": 4, "issue": 2, "label": 1}]`},
			{"DELETE /label/1", "", 200, "null"},
			{"GET /link?depth=0", "", 200, "[2]"},
			{"PUT /issue/1", `{}`, 200, `{"id": 1, "tags": []}`},
			{"GET /link", "", 200, "[]"},
		}},
		{"mistakes in the list", []exchange{
			{"POST /issue?depth=0", `{"tags": [{}]}`, 201, "1"},
			{"PATCH /issue/1", `{"tags": [1, 7]}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "label", "object_id": 7}`},
			{"PATCH /issue/1", `{"tags": ["x"]}`, 400, `BAD_FIELD_VALUE`},
			{"PATCH /issue/1", `{"tags": {"id": 1}}`, 400, `BAD_FIELD_VALUE`},
			{"PATCH /issue/1", `{"labels": []}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "labels"}`},
			{"GET /issue?tags=1", "", 400, `SEARCH_FORBIDDEN {"object_name": "issue", "field_name": "tags"}`},
			{"GET /issue?sort=tags", "", 400, `SEARCH_FORBIDDEN {"object_name": "issue", "field_name": "tags"}`},
			{`GET /issue?filter={"tags.name": "x"}`, "", 400, `BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "for the to-many tags: {\"tags\": {\"$any\": {\"name\": ...}}}"}`},
			{"GET /issue/1", "", 200, `{"id": 1, "tags": [1]}`},
		}},
		{"filters and the list under its record", []exchange{
			{"POST /label?depth=0", `[{"name": "x"}, {"name": "y"}, {"name": "x"}]`, 201, "[1, 2, 3]"},
			{"POST /issue?depth=0", `[{"tags": [3, 2, 1]}, {"tags": [2]}, {}]`, 201, "[1, 2, 3]"},
			{`GET /issue?depth=0&filter={"tags": {"$any": {"name": "x"}}}`, "", 200, "[1]"},
			{`GET /issue?depth=0&filter={"tags": {"$none": {"name": "x"}}}`, "", 200, "[2, 3]"},
			{`GET /issue?depth=0&filter={"tags": {"$all": {"name": "y"}}}`, "", 200, "[2, 3]"},
			{"GET /issue/1/tags?depth=0&sort=-name", "", 200, "[2, 1, 3]"},
			{"GET /issue/1/tags?depth=0&name=x", "", 200, "[1, 3]"},
			{"GET /label/2/issues?depth=0", "", 200, "[1, 2]"},
			{"GET /issue/1/labels", "", 404, `NO_SUCH_URL {"path": "/issue/1/labels"}`},
			{"GET /issue/9/tags", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "issue", "object_id": 9}`},
		}},
	})
	t.Run("NAME@next and Link lead to the other members", func(t *testing.T) {
		c := setup{model: tracker(), engine: engine.Options{MaxMembers: 2}}.start(t, newBackend)
		c.check(t, exchange{"POST /issue?depth=0", `{"tags": [{}, {}, {}, {}, {}]}`, 201, ""})
		r := c.check(t, exchange{"GET /issue/1", "", 200, `{"id": 1, "tags": [1, 2], "tags@next": "*"}`})
		var target string
		if err := json.Unmarshal([]byte(r.field("tags@next")), &target); err != nil {
			t.Fatal(err)
		}
		if rest := c.send(t, "GET", target+"&count=true", nil); rest.status != 200 || !rest.is(t, "[3, 4, 5]") || rest.header.Get("X-Total-Count") != "5" {
			t.Errorf("%s: %d %s, count %s", target, rest.status, rest.body, rest.header.Get("X-Total-Count"))
		}
		if rest := c.send(t, "GET", target+"&limit=1", nil); !rest.is(t, "[3]") || !c.send(t, "GET", rest.next(), nil).is(t, "[4]") {
			t.Errorf("%s: %s, then %s", target, rest.body, rest.next())
		}
		c.check(t, exchange{"PUT /issue/1", `{"tags": [1]}`, 400, `BAD_REQUEST {"msg":
			"issue.tags holds more records than an answer shows, so it cannot be set as a list; create and delete records of link instead"}`})
	})
	t.Run("the representation of a record can be sent back", func(t *testing.T) {
		c := setup{model: tracker()}.start(t, newBackend)
		c.check(t, exchange{"POST /issue?depth=0", `{"title": "a", "tags": [{}, {}]}`, 201, ""})
		r := c.check(t, exchange{"GET /issue/1", "", 200, ""})
		again := c.check(t, exchange{"PUT /issue/1", string(r.body), 200, string(r.body)}, "If-Match", r.header.Get("Etag"))
		if again.header.Get("Etag") != r.header.Get("Etag") {
			t.Errorf("the tag %s became %s", r.header.Get("Etag"), again.header.Get("Etag"))
		}
		c.check(t, exchange{"DELETE /link/1", "", 200, "null"})
		c.check(t, exchange{"PATCH /issue/1", `{}`, 412, ""}, "If-Match", r.header.Get("Etag"))
		c.check(t, exchange{"GET /link", "", 200, `[{"id": 2, "issue": 1, "label": 2}]`})
	})
	t.Run("links and members of others are absent and stay", func(t *testing.T) {
		c := setup{model: tracker(), decorators: []core.Decorator{owning()}, rest: rest.Options{Authenticate: byNumber}}.start(t, newBackend)
		one, two := c.as(user(1)), c.as(user(2))
		one.check(t, exchange{"PUT /issue/1?depth=0", `{"tags": [{"name": "mine"}]}`, 201, ""})
		two.check(t, exchange{"PUT /issue/2?depth=0", `{"tags": [{"name": "theirs"}]}`, 201, ""})
		two.check(t, exchange{"PATCH /issue/2", `{"tags": [1]}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "label", "object_id": 1}`})
		two.check(t, exchange{"GET /issue/1/tags", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "issue", "object_id": 1}`})
		two.check(t, exchange{`GET /issue?depth=0&filter={"tags": {"$any": {"name": "mine"}}}`, "", 200, "[]"})
		two.check(t, exchange{"GET /label/2", "", 200, `{"id": 2, "name": "theirs", "issues": [2]}`})
		two.check(t, exchange{"PUT /issue/2", `{}`, 200, `{"id": 2, "tags": []}`})
		one.check(t, exchange{"GET /link", "", 200, `[{"id": "*", "issue": 1, "label": 1}]`})
	})
}
