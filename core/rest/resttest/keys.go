package resttest

import (
	"context"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core"
)

// allowed lets records be inserted whose text is "allowed", and no others.
func insertingAllowed() core.Decorator {
	return core.Decorator{Name: "allowed", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Insert {
				op.Check = core.And(op.Check, op.Resource.Field("text").Compare(core.FilterEq, core.TextValue("allowed")))
			}
			return next(ctx, op)
		}, nil
	}}
}

// testAssignedIDs has clients name ids that nothing generates.
func testAssignedIDs(t *testing.T, newBackend NewBackend) {
	setup{model: things()}.check(t, newBackend, []rule{
		{"an id that nothing generates is named in the body of a POST", []exchange{
			{"POST /word", `{"id": "a", "meaning": "x"}`, 201, `{"id": "a", "meaning": "x"}`},
			{"POST /word", `[{"id": "b"}, {"id": "c"}]`, 201, `[{"id": "b"}, {"id": "c"}]`},
			{"POST /word", `{"meaning": "x"}`, 400, `BAD_REQUEST {"msg": "keys of word are not generated; set the field id"}`},
			{"GET /word?depth=0", "", 200, `["a", "b", "c"]`},
		}},
		{"a conflict in a list names the element", []exchange{
			{"POST /word", `[{"id": "a"}, {"id": "b"}]`, 201, ""},
			{"POST /word", `[{"id": "c"}, {"id": "b"}, {"id": "d"}]`, 409, `CONFLICT {"object_name": "word", "field_name": "id", "index": 1}`},
			{"POST /word", `[{"id": "b"}]`, 409, `CONFLICT {"object_name": "word", "field_name": "id", "index": 0}`},
			{"POST /word", `{"id": "b"}`, 409, `CONFLICT {"object_name": "word", "field_name": "id"}`},
			{"POST /thing", `[{"code": "a"}, {"code": "b)=(c)"}]`, 201, ""},
			{"POST /thing", `[{"code": "c"}, {}, {"code": "b)=(c)"}]`, 409, `CONFLICT {"object_name": "thing", "field_name": "code", "index": 2}`},
			{"POST /thing", `[{"code": "c"}, {"code": "c"}, {}]`, 409, `CONFLICT {"object_name": "thing", "field_name": "code", "index": 1}`},
		}},
	})
}

// testChosenIDs has a client choose the greatest ids that there are, in requests that
// are refused.
func testRejectedPutIDs(t *testing.T, newBackend NewBackend) {
	for _, body := range []string{`{"text": "x"}`, `{"text": "allowed", "folder": 5}`, `{"text": "allowed", "nope": 5}`} {
		t.Run("an id of a PUT that is refused moves nothing: "+body, func(t *testing.T) {
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
