package resttest

import (
	"context"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core"
)

// insertingAllowed returns a decorator that allows inserts only of records with the text "allowed".
func insertingAllowed() core.Decorator {
	return core.Decorator{Name: "inserting allowed", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Insert {
				op.Check = core.And(op.Check, op.Resource.Field("text").Compare(core.FilterEq, core.TextValue("allowed")))
			}
			return next(ctx, op)
		}, nil
	}}
}

// testAssignedIDs checks ids that clients assign.
func testAssignedIDs(t *testing.T, newBackend NewBackend) {
	setup{model: things()}.check(t, newBackend, []rule{
		{"POST takes an assigned id from the body", []exchange{
			{"POST /word", `{"id": "a", "meaning": "x"}`, 201, `{"id": "a", "meaning": "x"}`},
			{"POST /word", `[{"id": "b"}, {"id": "c"}]`, 201, `[{"id": "b"}, {"id": "c"}]`},
			{"POST /word", `{"meaning": "x"}`, 400, `BAD_REQUEST {"msg": "keys of word are not generated; set the field id"}`},
			{"GET /word?depth=0", "", 200, `["a", "b", "c"]`},
		}},
		{"a conflict in a list has the index of the element", []exchange{
			{"POST /word", `[{"id": "a"}, {"id": "b"}]`, 201, ""},
			{"POST /word", `[{"id": "c"}, {"id": "b"}, {"id": "d"}]`, 409, `CONFLICT {"object_name": "word", "field_name": "id", "index": 1}`},
			{"POST /word", `[{"id": "b"}]`, 409, `CONFLICT {"object_name": "word", "field_name": "id", "index": 0}`},
			{"POST /word", `{"id": "b"}`, 409, `CONFLICT {"object_name": "word", "field_name": "id"}`},
			{"POST /thing", `[{"code": "a"}, {"code": "b)=(c)"}]`, 201, ""},
			{"POST /thing", `[{"code": "c"}, {}, {"code": "b)=(c)"}]`, 409, `CONFLICT {"object_name": "thing", "field_name": "code", "index": 2}`},
			{"POST /thing", `[{"code": "c"}, {"code": "c"}, {}]`, 409, `CONFLICT {"object_name": "thing", "field_name": "code", "index": 1}`},
		}},
		{"a conflict of several fields names all that are not hidden", []exchange{
			{"POST /word", `[{"id": "a"}, {"id": "b"}]`, 201, ""},
			{"POST /seat", `[{"row": "a", "no": 1, "label": "x"}, {"row": "b", "no": 1}, {"row": "a"}, {"row": "a"}]`, 201, ""},
			{"POST /seat", `{"row": "a", "no": 1}`, 409, `CONFLICT {"object_name": "seat", "field_names": ["row", "no"]}`},
			{"POST /seat", `[{"row": "b"}, {"row": "b", "no": 1}, {"row": "b", "no": 2}]`, 409, `CONFLICT {"object_name": "seat", "field_names": ["row", "no"], "index": 1}`},
			{"PATCH /seat/2", `{"row": "a"}`, 409, `CONFLICT {"object_name": "seat", "field_names": ["row", "no"]}`},
			{"POST /seat", `{"label": "x"}`, 409, `CONFLICT {"object_name": "seat", "field_name": "label"}`},
			{"PATCH /seat/1", `{"freed": true}`, 200, ""},
			{"POST /seat", `{"label": "x"}`, 201, ""},
			{"PATCH /seat/1", `{"freed": null}`, 409, `CONFLICT {"object_name": "seat", "field_name": "label"}`},
		}},
	})
}

// testRejectedPutIDs checks that rejected requests for very large ids do not advance the generated ids.
func testRejectedPutIDs(t *testing.T, newBackend NewBackend) {
	for _, body := range []string{`{"text": "x"}`, `{"text": "allowed", "folder": 5}`, `{"text": "allowed", "nope": 5}`} {
		t.Run("a rejected PUT does not advance ids: "+body, func(t *testing.T) {
			c := setup{model: notes(), decorators: []core.Decorator{insertingAllowed()}}.start(t, newBackend)
			post := func() int64 {
				id, err := strconv.ParseInt(c.check(t, exchange{"POST /note", `{"text": "allowed"}`, 201, ""}).field("id"), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			before := post()
			for _, id := range []string{"2147483647", "1073741824", "4503599627370496", "9223372036854775807"} {
				if r := c.send(t, "PUT", "/note/"+id, reader(body)); r.status < 400 || r.status >= 500 {
					t.Errorf("PUT /note/%s: %d %s", id, r.status, r.body)
				}
			}
			if after := post(); after <= before || after > before+100 {
				t.Errorf("the ids of two POSTs are %d and %d", before, after)
			}
		})
	}
}

func testIDs(t *testing.T, newBackend NewBackend) {
	setup{model: things()}.check(t, newBackend, []rule{
		{"an id that does not fit the type of the key is 400", []exchange{
			{"GET /thing/abc", "", 400, badID("thing", "int", "abc")},
			{"GET /thing/007", "", 400, badID("thing", "int", "007")},
			{"GET /thing/1.0", "", 400, badID("thing", "int", "1.0")},
			{"GET /thing/+1", "", 400, badID("thing", "int", "+1")},
			{"GET /thing/1%20", "", 400, badID("thing", "int", "1 ")},
			{"GET /thing/9223372036854775808", "", 400, badID("thing", "int", "9223372036854775808")},
			{"PATCH /thing/abc", `{}`, 400, badID("thing", "int", "abc")},
			{"PUT /thing/abc", `{}`, 400, badID("thing", "int", "abc")},
			{"DELETE /thing/abc", "", 400, badID("thing", "int", "abc")},
			{"GET /token/1", "", 400, badID("token", "uuid", "1")},
			{"GET /word/a%00b", "", 400, `BAD_FIELD_VALUE`},
			{"GET /word/%FF", "", 400, `BAD_FIELD_VALUE`},
		}},
		{"an absent record is 404 with its id", []exchange{
			{"GET /thing/1", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`},
			{"PATCH /thing/1", `{}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`},
			{"DELETE /thing/1", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 1}`},
			{"GET /thing/-5", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": -5}`},
		}},
		{"an escaped id may have any character", []exchange{
			{"PUT /word/a%2Fb", `{"meaning": "slash"}`, 201, `{"id": "a/b", "meaning": "slash"}`},
			{"PUT /word/%3F%23%25%20%E2%82%AC", `{}`, 201, `{"id": "?#% €"}`},
			{"GET /word/a%2Fb", "", 200, `{"id": "a/b", "meaning": "slash"}`},
			{"GET /word/%3F%23%25%20%E2%82%AC", "", 200, `{"id": "?#% €"}`},
			{"GET /word/a/b", "", 404, `OBJECT_DOES_NOT_EXIST`},
		}},
		{"dot segments are not keys", []exchange{
			{"PUT /word/%2E", `{}`, 400, badID("word", "text", ".")},
			{"PUT /word/%2E%2E", `{}`, 400, badID("word", "text", "..")},
			{"GET /word/%2E", "", 400, badID("word", "text", ".")},
			{"PATCH /word/..", `{}`, 400, badID("word", "text", "..")},
			{"DELETE /word/%2E%2E", "", 400, badID("word", "text", "..")},
			{"PUT /word/...", `{}`, 201, `{"id": "..."}`},
			{"GET /word", "", 200, `[{"id": "..."}]`},
		}},
		{"dot segments are not keys in a body", []exchange{
			{"POST /word", `{"id": "."}`, 400, badID("word", "text", ".")},
			{"POST /word", `{"id": ".."}`, 400, badID("word", "text", "..")},
			{"POST /word", `{"id": ""}`, 400, badID("word", "text", "")},
			{"PUT /word/", `{}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "word/"}`},
			{"POST /word", `{"id": " "}`, 201, `{"id": " "}`},
			{"GET /word", "", 200, `[{"id": " "}]`},
		}},
		{"a filter bound need not be a key", []exchange{
			{"PUT /word/.a", `{}`, 201, ""},
			{"PUT /word/b", `{}`, 201, ""},
			{`GET /word?depth=0&filter={"id":{"prefix":"."}}`, "", 200, `[".a"]`},
			{`GET /word?depth=0&filter={"id":{"gt":".."}}`, "", 200, `[".a", "b"]`},
			{`GET /word?depth=0&filter={"id":{"gt":"","prefix":""}}`, "", 200, `[".a", "b"]`},
			{`GET /word?filter={"id":""}`, "", 400, badID("word", "text", "")},
		}},
	})
	t.Run("Location leads to a record with an escaped id", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		r := c.check(t, exchange{"PUT /word/a%2Fb%20%3F", `{}`, 201, ""})
		c.check(t, exchange{"GET " + r.header.Get("Location"), "", 200, `{"id": "a/b ?"}`})
	})
}

// badID returns the error of an id that does not fit the type of the key.
func badID(resource, typ, value string) string {
	return `BAD_FIELD_VALUE {"object_name": "` + resource + `", "field_name": "id", "type": "` + typ + `", "value": "` + value + `"}`
}
