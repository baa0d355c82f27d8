package resttest

import (
	"net/url"
	"testing"

	"github.com/larder-go/larder/core"
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
