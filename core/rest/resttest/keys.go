package resttest

import (
	"context"
	"slices"
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
			{"GET /word/a/b", "", 404, `NO_SUCH_URL`},
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
			{"PUT /word/", `{}`, 404, `NO_SUCH_URL {"path": "/word/"}`},
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

// readings is a model with keys of several fields: of texts, of each other type, and of a record with such a key.
func readings() *core.Model {
	part := func(name string, t core.Type) core.FieldSpec { return core.FieldSpec{Name: name, Type: t, Key: true} }
	return core.MustModel("readings",
		core.ResourceSpec{Name: "sensor", Fields: []core.FieldSpec{part("site", core.Text), part("name", core.Text), textField("text")}},
		core.ResourceSpec{Name: "reading", Fields: []core.FieldSpec{
			{Name: "sensor", ToOne: "sensor", Key: true}, part("at", core.Time), {Name: "value", Type: core.Float},
		}},
		core.ResourceSpec{Name: "slot", Fields: []core.FieldSpec{
			part("day", core.Date), part("local", core.LocalTime), part("open", core.Bool), part("uuid", core.UUID), part("int", core.Int),
		}},
	)
}

// testTupleIDs checks ids of keys with several fields.
func testTupleIDs(t *testing.T, newBackend NewBackend) {
	const at, uuid = "2026-11-30T12:00:00.5Z", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	const slot = "2026-11-30,2026-11-30T12:00:00,true," + uuid + ",-5"
	badTuple := func(value string) string {
		return `BAD_FIELD_VALUE {"object_name": "sensor", "field_name": "id", "type": "tuple", "value": "` + value + `", "accepted_values": "the values of site (text) and name (text), with commas between them"}`
	}
	setup{model: readings()}.check(t, newBackend, []rule{
		{"a URL names the parts of a key", []exchange{
			{"POST /sensor", `{"site": "a,b", "name": "3"}`, 201, `{"id": "a%2Cb,3", "site": "a,b", "name": "3"}`},
			{"GET /sensor/a%252Cb%2C3", "", 200, `{"id": "a%2Cb,3", "site": "a,b", "name": "3"}`},
			{"GET /sensor/a%252Cb,3", "", 200, `{"id": "a%2Cb,3", "site": "a,b", "name": "3"}`},
			{"PATCH /sensor/a%252Cb,3", `{"text": "x"}`, 200, `{"id": "a%2Cb,3", "site": "a,b", "name": "3", "text": "x"}`},
			{"PUT /sensor/50%2525,", `{}`, 201, `{"id": "50%25,", "site": "50%", "name": ""}`},
			{"GET /sensor/,", "", 404, `OBJECT_DOES_NOT_EXIST {"object_name": "sensor", "object_id": ","}`},
			{"GET /sensor?depth=0", "", 200, `["50%25,", "a%2Cb,3"]`},
			{"DELETE /sensor/50%2525%2C", "", 200, `null`},
		}},
		{"an id that is not canonical is 400", []exchange{
			{"POST /sensor", `{"site": "a,b", "name": "3"}`, 201, ""},
			{"GET /sensor/a%2Cb,3", "", 400, badTuple("a,b,3")},
			{"GET /sensor/a%252cb,3", "", 400, badTuple("a%2cb,3")},
			{"GET /sensor/%2561%252Cb,3", "", 400, badTuple("%61%2Cb,3")},
			{"GET /sensor/a", "", 400, badTuple("a")},
			{"PUT /sensor/a%2525%252,b", `{}`, 400, badTuple("a%25%2,b")},
		}},
		{"a key may contain the key of another record", []exchange{
			{"POST /sensor", `{"site": "a,b", "name": "3"}`, 201, ""},
			{"POST /reading", `{"sensor": "a%2Cb,3", "at": "` + at + `", "value": 1}`, 201, `{"id": "a%2Cb,3,` + at + `", "sensor": "a%2Cb,3", "at": "` + at + `", "value": 1}`},
			{"PUT /reading/a%252Cb,3,2027-01-01T00:00:00Z", `{"value": 2}`, 201, ""},
			{"PUT /reading/x,3,2027-01-01T00:00:00Z", `{"value": 2}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "sensor", "object_id": "x,3"}`},
			{"GET /reading/a%252Cb,3,2027-01-01T01:00:00+01:00", "", 400, "BAD_FIELD_VALUE"},
			{`GET /reading?depth=0&filter={"sensor":"a%2Cb,3"}`, "", 200, `["a%2Cb,3,` + at + `", "a%2Cb,3,2027-01-01T00:00:00Z"]`},
			{"GET /reading?depth=0&sensor=a%2Cb,3&value=2", "", 200, `["a%2Cb,3,2027-01-01T00:00:00Z"]`},
			{"GET /reading?depth=0&id=a%2Cb,3," + at, "", 200, `["a%2Cb,3,` + at + `"]`},
		}},
		{"parts of a key have any of the types", []exchange{
			{"PUT /slot/" + slot, `{}`, 201, `{"id": "` + slot + `", "day": "2026-11-30", "local": "2026-11-30T12:00:00", "open": true, "uuid": "` + uuid + `", "int": -5}`},
			{"GET /slot/" + slot, "", 200, `{"id": "` + slot + `", "day": "2026-11-30", "local": "2026-11-30T12:00:00", "open": true, "uuid": "` + uuid + `", "int": -5}`},
		}},
	})
	t.Run("Location and Link of keys with several fields", func(t *testing.T) {
		c := setup{model: readings()}.start(t, newBackend)
		r := c.check(t, exchange{"POST /sensor", `{"site": "a,b/", "name": "$"}`, 201, ""})
		if location := r.header.Get("Location"); location != "/sensor/a%252Cb%2F%2C$" {
			t.Errorf("Location %s", location)
		}
		c.check(t, exchange{"GET " + r.header.Get("Location"), "", 200, `{"id": "a%2Cb/,$", "site": "a,b/", "name": "$"}`})
		c.check(t, exchange{"POST /sensor", `[{"site": "b", "name": "1"}, {"site": "b", "name": "2"}, {"site": "a", "name": "z"}]`, 201, ""})
		var pages []string
		for next := "/sensor?depth=0&limit=1"; next != ""; {
			page := c.check(t, exchange{"GET " + next, "", 200, ""})
			pages, next = append(pages, string(page.body)), page.next()
		}
		if want := []string{`["a,z"]`, `["a%2Cb/,$"]`, `["b,1"]`, `["b,2"]`}; !slices.Equal(pages, want) {
			t.Errorf("pages %s", pages)
		}
	})
}

// badID returns the error of an id that does not fit the type of the key.
func badID(resource, typ, value string) string {
	return `BAD_FIELD_VALUE {"object_name": "` + resource + `", "field_name": "id", "type": "` + typ + `", "value": "` + value + `"}`
}
