package resttest

import "testing"

func testCreate(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"an object is answered with the record as it reads", []exchange{
			{"POST /cookie", `{"type": "muffin"}`, 201, `{"id": "*", "type": "muffin", "crumbs": []}`},
		}},
		{"a list is answered with a list, in its order", []exchange{
			{"POST /cookie", `[{"type": "b"}, {"type": "a"}]`, 201,
				`[{"id": "*", "type": "b", "crumbs": []}, {"id": "*", "type": "a", "crumbs": []}]`},
			{"POST /cookie", `[{"type": "c"}]`, 201, `[{"id": "*", "type": "c", "crumbs": []}]`},
		}},
		{"an empty list creates nothing", []exchange{{"POST /cookie", `[]`, 201, `[]`}, {"GET /cookie", "", 200, `[]`}}},
		{"a list is all or nothing", []exchange{
			{"POST /cookie", `[{"type": "a"}, {"price": "x"}]`, 400, `BAD_FIELD_VALUE`},
			{"POST /cookie", `[{"type": "a"}, {"jar": 9}]`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9, "index": 1}`},
			{"GET /cookie", "", 200, `[]`},
		}},
		{"the error of a list names the element", []exchange{
			{"POST /cookie", `[{"type": "a"}, {"price": "x"}]`, 400,
				`BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "price", "type": "int", "value": "x", "index": 1}`},
			{"POST /cookie", `[{"size": 1}]`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size", "index": 0}`},
			{"POST /cookie", `[{}, {"id": 1}]`, 400, `FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id", "index": 1}`},
			{"POST /cookie", `[{}, {}, {"jar": 9}]`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9, "index": 2}`},
			{"POST /jar", `[{}, {"cookies": [{"size": 1}]}]`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size", "index": 1}`},
			{"POST /jar", `[{}, {"cookies": [9]}]`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 9, "index": 1}`},
			{"POST /cookie", `[{}, 1]`, 400, `BAD_REQUEST {"msg": "*", "index": 1}`},
			{"POST /cookie", `{"size": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size"}`},
			{"GET /cookie", "", 200, `[]`},
		}},
		{"a client cannot choose the id", []exchange{
			{"POST /cookie", `{"id": 5}`, 400, `FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id"}`},
			{"GET /cookie", "", 200, `[]`},
		}},
		{"an unknown field is 400 by its name", []exchange{
			{"POST /cookie", `{"size": 5}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "size"}`},
		}},
	})
	t.Run("Location is the path of the one record", func(t *testing.T) {
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

func testChange(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"PATCH changes the named fields and answers with the whole record", []exchange{
			{"PUT /cookie/1", `{"type": "muffin", "price": 3}`, 201, ""},
			{"PATCH /cookie/1", `{"price": 4}`, 200, `{"id": 1, "type": "muffin", "price": 4, "crumbs": []}`},
			{"GET /cookie/1", "", 200, `{"id": 1, "type": "muffin", "price": 4, "crumbs": []}`},
			{"PATCH /cookie/1", `{}`, 200, `{"id": 1, "type": "muffin", "price": 4, "crumbs": []}`},
		}},
		{"null empties a field, and null fields are left out", []exchange{
			{"PUT /cookie/1", `{"type": "muffin", "price": 3}`, 201, ""},
			{"PATCH /cookie/1", `{"price": null}`, 200, `{"id": 1, "type": "muffin", "crumbs": []}`},
		}},
		{"empty text is shown", []exchange{{"PUT /cookie/1", `{"type": ""}`, 201, `{"id": 1, "type": "", "crumbs": []}`}}},
		{"a failed change changes nothing", []exchange{
			{"PUT /cookie/1", `{"type": "a"}`, 201, ""},
			{"PATCH /cookie/1", `{"type": "b", "price": "x"}`, 400, `BAD_FIELD_VALUE`},
			{"PATCH /cookie/1", `{"type": "b", "jar": 9}`, 404, `OBJECT_DOES_NOT_EXIST`},
			{"GET /cookie/1", "", 200, `{"id": 1, "type": "a", "crumbs": []}`},
		}},
	})
}

func testReplace(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"PUT creates what is not there and replaces what is", []exchange{
			{"PUT /cookie/7", `{"type": "a", "price": 1}`, 201, `{"id": 7, "type": "a", "price": 1, "crumbs": []}`},
			{"PUT /cookie/7", `{"type": "b"}`, 200, `{"id": 7, "type": "b", "crumbs": []}`},
			{"GET /cookie/7", "", 200, `{"id": 7, "type": "b", "crumbs": []}`},
		}},
		{"the same PUT twice equals once", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"PUT /cookie/1", `{"type": "a", "jar": 1}`, 201, `{"id": 1, "type": "a", "jar": 1, "crumbs": []}`},
			{"PUT /cookie/1", `{"type": "a", "jar": 1}`, 200, `{"id": 1, "type": "a", "jar": 1, "crumbs": []}`},
			{"GET /cookie", "", 200, `[{"id": 1, "type": "a", "jar": 1, "crumbs": []}]`},
		}},
		{"PUT empties the relations that it does not name", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"PUT /cookie/1", `{"jar": 1}`, 201, ""},
			{"PUT /cookie/2", `{"jar": 1}`, 201, ""},
			{"PUT /cookie/1", `{}`, 200, `{"id": 1, "crumbs": []}`},
			{"GET /jar/1", "", 200, `{"id": 1, "cookies": [2]}`},
			{"PUT /jar/1", `{}`, 200, `{"id": 1, "cookies": []}`},
			{"GET /cookie/2", "", 200, `{"id": 2, "crumbs": []}`},
		}},
		{"PUT keeps the relations of others that it names", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"PUT /cookie/1", `{"jar": 1}`, 201, ""},
			{"PUT /jar/1", `{"label": "x", "cookies": [1]}`, 200, `{"id": 1, "label": "x", "cookies": [1]}`},
			{"GET /cookie/1", "", 200, `{"id": 1, "jar": 1, "crumbs": []}`},
		}},
		{"a cascade child that PUT drops dies", []exchange{
			{"PUT /cookie/1", `{}`, 201, ""},
			{"PUT /crumb/1", `{"cookie": 1}`, 201, ""},
			{"PUT /cookie/1", `{}`, 200, `{"id": 1, "crumbs": []}`},
			{"GET /crumb/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
		}},
	})
	setup{model: things()}.check(t, newBackend, []rule{
		{"PUT brings fields that it does not name back to their default", []exchange{
			{"PUT /word/a", `{"meaning": "x"}`, 201, ""},
			{"PUT /word/a", `{}`, 200, `{"id": "a"}`},
			{"PUT /thing/1", `{"default": 1, "int": 2}`, 201, ""},
			{"PUT /thing/1", `{"int": 3}`, 200, `{"id": 1, "int": 3, "default": 7, "readonly": "fixed", "upper": "", "length": 0, "likes": []}`},
		}},
		{"PUT keeps fields that clients cannot name", []exchange{
			{"PUT /thing/1", `{"upper": "LOUD"}`, 201, `{"id": 1, "text": "loud", "default": 7, "readonly": "LOUD", "upper": "LOUD", "length": 4, "likes": []}`},
			{"PUT /thing/1", `{}`, 200, `{"id": 1, "default": 7, "readonly": "LOUD", "upper": "", "length": 0, "likes": []}`},
		}},
	})
}

func testDelete(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"DELETE answers null, and the record is gone", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"DELETE /jar/1", "", 200, `null`},
			{"GET /jar/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"DELETE /jar/1", "", 404, `OBJECT_DOES_NOT_EXIST`},
			{"GET /jar", "", 200, `[]`},
		}},
		{"DELETE detaches related records", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"PUT /cookie/1", `{"jar": 1}`, 201, ""},
			{"PUT /cookie/2", `{"jar": 1}`, 201, ""},
			{"DELETE /cookie/1", "", 200, `null`},
			{"GET /jar/1", "", 200, `{"id": 1, "cookies": [2]}`},
			{"DELETE /jar/1", "", 200, `null`},
			{"GET /cookie/2", "", 200, `{"id": 2, "crumbs": []}`},
		}},
	})
}
