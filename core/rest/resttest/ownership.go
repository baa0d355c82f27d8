package resttest

import (
	"fmt"
	"testing"
)

// testOwnership has user 2 request the folder and the note of user 1.
func testOwnership(t *testing.T, newBackend NewBackend) {
	fixture := func(t *testing.T, withForeign bool) *client {
		c := ownedNotes().start(t, newBackend)
		if withForeign {
			c.as(user(1)).check(t, exchange{"PUT /folder/1", `{"name": "mine"}`, 201, ""})
			c.as(user(1)).check(t, exchange{"PUT /note/1", `{"text": "secret", "folder": 1}`, 201, ""})
		}
		c.as(user(2)).check(t, exchange{"PUT /note/2", `{"text": "own"}`, 201, ""})
		c.as(user(2)).check(t, exchange{"PUT /folder/2", `{}`, 201, ""})
		return c
	}
	untouched := func(t *testing.T, c *client) {
		t.Helper()
		c.as(user(1)).check(t, exchange{"GET /note", "", 200, `[{"id": 1, "text": "secret", "folder": 1}]`})
		c.as(user(1)).check(t, exchange{"GET /folder", "", 200, `[{"id": 1, "name": "mine", "notes": [1]}]`})
	}
	for _, x := range []exchange{
		{"GET /note/1", "", 404, ""},
		{"HEAD /note/1", "", 404, ""},
		{"PATCH /note/1", `{"text": "x"}`, 404, ""},
		{"PATCH /note/1", `{}`, 404, ""},
		{"DELETE /note/1", "", 404, ""},
		{"PATCH /note/2", `{"folder": 1}`, 404, ""},
		{"POST /note", `{"folder": 1}`, 404, ""},
		{"PATCH /folder/2", `{"notes": [1, 2]}`, 404, ""},
		{"POST /folder", `{"notes": [1]}`, 404, ""},
		{"PUT /folder/2", `{"notes": [1]}`, 404, ""},
		{"GET /note", "", 200, ""},
		{"GET /note?limit=1", "", 200, ""},
		{"GET /note?limit=1&count=true", "", 200, ""},
		{"GET /note?offset=1&depth=0", "", 200, ""},
		{"GET /note?search=secret", "", 200, ""},
		{"GET /note/$aggregate?count&group=text,folder&max=text", "", 200, ""},
		{"GET /note/$aggregate?count&group=folder.name", "", 200, ""},
		{"GET /note/$aggregate?count&group=owner", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "owner"}`},
		{"GET /note/$aggregate?max=owner", "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "owner"}`},
		{`GET /folder?count=true&filter={"notes": {"$any": {"text": "secret"}}}`, "", 200, ""},
		{`GET /note?filter={"folder": 1}`, "", 200, ""},
		{`GET /note?sort=["-text"]&depth=0`, "", 200, ""},
		{"GET /folder/2?depth=2", "", 200, ""},
		{"GET /folder/1/notes", "", 404, ""},
		{"GET /folder/2/notes", "", 200, ""},
		{"GET /folder?depth=3", "", 200, ""},
		{"POST /folder", `{"notes": [{"text": "x"}, 1]}`, 404, ""},
		{"PATCH /note/2", `{"folder": {"notes": [1]}}`, 404, ""},
		{"POST /note", `{"owner": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "owner"}`},
		{`GET /note?filter={"owner": 1}`, "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "owner"}`},
		{`GET /note?sort=["owner"]`, "", 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "owner"}`},
	} {
		t.Run("a foreign record is indistinguishable from an absent one: "+x.request+" "+x.body, func(t *testing.T) {
			c, empty := fixture(t, true), fixture(t, false)
			foreign, absent := c.as(user(2)).check(t, x), empty.as(user(2)).check(t, x)
			if string(foreign.body) != string(absent.body) || !sameHeaders(foreign.header, absent.header) {
				t.Errorf("foreign %v %s\nabsent %v %s", foreign.header, foreign.body, absent.header, absent.body)
			}
			untouched(t, c)
		})
	}
	t.Run("preconditions do not reveal foreign records", func(t *testing.T) {
		c, empty := fixture(t, true), fixture(t, false)
		for _, value := range []string{"*", `"a"`} {
			for _, x := range []exchange{{"PATCH /note/1", `{}`, 412, ""}, {"DELETE /note/1", "", 412, ""}, {"PUT /note/1", `{}`, 412, ""}} {
				foreign, absent := c.as(user(2)).check(t, x, "If-Match", value), empty.as(user(2)).check(t, x, "If-Match", value)
				if string(foreign.body) != string(absent.body) {
					t.Errorf("%s: foreign %s, absent %s", x.request, foreign.body, absent.body)
				}
			}
		}
		untouched(t, c)
	})
	t.Run("PUT over a foreign id neither overwrites nor reveals", func(t *testing.T) {
		c := fixture(t, true)
		for _, target := range []string{"/note/1", "/folder/1"} {
			r := c.as(user(2)).send(t, "PUT", target, reader(`{}`))
			if r.status < 400 || r.status >= 500 {
				t.Errorf("%s: %d %s", target, r.status, r.body)
			}
			if shown := fmt.Sprint(r.header, string(r.body)); containsAny(shown, "secret", "mine") {
				t.Errorf("%s: the answer shows %s", target, shown)
			}
		}
		untouched(t, c)
	})
}
