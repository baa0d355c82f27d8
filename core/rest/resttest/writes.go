package resttest

import (
	"testing"

	"github.com/larder-go/larder/core"
)

func testCreate(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"POST of an object answers with the record", []exchange{
			{"POST /cookie", `{"type": "muffin"}`, 201, `{"id": "*", "type": "muffin", "crumbs": []}`},
		}},
		{"POST of a list answers with a list in its order", []exchange{
			{"POST /cookie", `[{"type": "b"}, {"type": "a"}]`, 201,
				`[{"id": "*", "type": "b", "crumbs": []}, {"id": "*", "type": "a", "crumbs": []}]`},
			{"POST /cookie", `[{"type": "c"}]`, 201, `[{"id": "*", "type": "c", "crumbs": []}]`},
		}},
		{"POST of an empty list creates no record", []exchange{{"POST /cookie", `[]`, 201, `[]`}, {"GET /cookie", "", 200, `[]`}}},
		{"the error of a list has the index of the element", []exchange{
			{"POST /cookie", `[{"type": "a"}, {"price": "x"}]`, 400,
				`BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "price", "type": "int", "value": "x", "index": 1}`},
			{"POST /cookie", `[{}, {"id": 1}]`, 400, `FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id", "index": 1}`},
			{"POST /jar", `[{}, {"cookies": [{"size": 1}]}]`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size", "index": 1}`},
			{"POST /cookie", `[{"size": 1}]`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size", "index": 0}`},
			{"POST /cookie", `[{}, 1]`, 400, `BAD_REQUEST {"msg": "*", "index": 1}`},
			{"POST /cookie", `{"size": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size"}`},
			{"GET /cookie", "", 200, `[]`},
		}},
	})
	t.Run("Location is the path of the created record", func(t *testing.T) {
		c := setup{model: cookies()}.start(t, newBackend)
		r := c.check(t, exchange{"POST /jar", `{}`, 201, ""})
		if got := r.header.Get("Location"); got != "/jar/"+r.field("id") {
			t.Errorf("Location %q of %s", got, r.body)
		}
		if got := c.check(t, exchange{"POST /jar", `[{}]`, 201, ""}).header.Get("Location"); got != "" {
			t.Errorf("Location %q of a list", got)
		}
		r = c.check(t, exchange{"POST /jar?depth=0", `{}`, 201, ""})
		if got := r.header.Get("Location"); got != "/jar/"+string(r.body) {
			t.Errorf("Location %q of %s", got, r.body)
		}
	})
}

func testPatch(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"PATCH answers with the whole record", []exchange{
			{"PUT /cookie/1", `{"type": "muffin", "price": 3}`, 201, ""},
			{"PATCH /cookie/1", `{"price": 4}`, 200, `{"id": 1, "type": "muffin", "price": 4, "crumbs": []}`},
			{"GET /cookie/1", "", 200, `{"id": 1, "type": "muffin", "price": 4, "crumbs": []}`},
			{"PATCH /cookie/1", `{}`, 200, `{"id": 1, "type": "muffin", "price": 4, "crumbs": []}`},
		}},
	})
}

func testReplace(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"PUT creates or replaces a record", []exchange{
			{"PUT /cookie/7", `{"type": "a", "price": 1}`, 201, `{"id": 7, "type": "a", "price": 1, "crumbs": []}`},
			{"PUT /cookie/7", `{"type": "b"}`, 200, `{"id": 7, "type": "b", "crumbs": []}`},
			{"GET /cookie/7", "", 200, `{"id": 7, "type": "b", "crumbs": []}`},
		}},
	})
}

func testDelete(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"DELETE answers null and deletes the record", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"DELETE /jar/1", "", 200, `null`},
			{"GET /jar/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"DELETE /jar/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"GET /jar", "", 200, `[]`},
		}},
	})
	setup{model: shelves()}.check(t, newBackend, []rule{
		{"a restricted delete is 409 and names the relation", []exchange{
			{"POST /shelf", `{"books": [{}]}`, 201, ""},
			{"DELETE /shelf/1", "", 409, `STILL_REFERENCED {"object_name": "shelf", "field_name": "books"}`},
			{"DELETE /book/1", "", 200, `null`},
			{"DELETE /shelf/1", "", 200, `null`},
		}},
		{"a refused partner is 409", []exchange{
			{"POST /shelf", `{"lamp": {}}`, 201, ""},
			{"POST /lamp", `{"shelf": 1}`, 409, `CONFLICT {"object_name": "lamp", "field_name": "shelf"}`},
			{"PATCH /shelf/1", `{"lamp": {}}`, 409, `CONFLICT {"object_name": "lamp", "field_name": "shelf"}`},
			{"GET /lamp", "", 200, `[{"id": 1, "shelf": 1}]`},
		}},
	})
}

// shelves is a model of shelves that cannot be deleted while books stand on them, and that keep their lamp.
func shelves() *core.Model {
	return core.MustModel("shelves",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			keyField(), {Name: "books", ToMany: "book", Inverse: "shelf"}, {Name: "lamp", ToOne: "lamp", Inverse: "shelf"},
		}},
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{keyField(), {Name: "shelf", ToOne: "shelf", OnDelete: core.Restrict}}},
		core.ResourceSpec{Name: "lamp", Fields: []core.FieldSpec{keyField(), {Name: "shelf", ToOne: "shelf", Partner: core.RefusePartner}}},
	)
}
