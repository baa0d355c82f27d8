package resttest

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
)

const mergeType = "application/merge-patch+json"

// mergeExamples are the examples of RFC 7396, appendix A: stored value, patch, result.
var mergeExamples = [][3]string{
	{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
	{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
	{`{"a":"b"}`, `{"a":null}`, `{}`},
	{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
	{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
	{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
	{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
	{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
	{`["a","b"]`, `["c","d"]`, `["c","d"]`},
	{`{"a":"b"}`, `["c"]`, `["c"]`},
	{`{"a":"foo"}`, `null`, `null`},
	{`{"a":"foo"}`, `"bar"`, `"bar"`},
	{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
	{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
	{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	{`null`, `{"a":{"b":null},"c":1}`, `{"a":{},"c":1}`}, // not in the RFC: no stored value
}

// hidingField returns a decorator that removes the field from every record that is read.
func hidingField(field string) core.Decorator {
	return core.Decorator{Name: "hiding a field", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			res, err := next(ctx, op)
			if op.Resource == nil || err != nil {
				return res, err
			}
			f := op.Resource.Field(field)
			records := make([]core.Record, len(res.Records))
			for i, rec := range res.Records {
				if records[i] = rec; f != nil {
					records[i] = rec.With(f.Column(), core.Value{})
				}
			}
			res.Records = records
			return res, nil
		}, nil
	}}
}

func testMerge(t *testing.T, newBackend NewBackend) {
	patched := func(c *client, body string, status int, want string) func(t *testing.T, headers ...string) reply {
		return func(t *testing.T, headers ...string) reply {
			t.Helper()
			return c.check(t, exchange{"PATCH /thing/1", body, status, want}, append([]string{"Content-Type", mergeType}, headers...)...)
		}
	}
	t.Run("a merge patch merges into a JSON field", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		for _, x := range mergeExamples {
			status := 200
			if x[0] == mergeExamples[0][0] && x[1] == mergeExamples[0][1] {
				status = 201
			}
			c.check(t, exchange{"PUT /thing/1", `{"json": ` + x[0] + `}`, status, ""})
			got := patched(c, `{"json": `+x[1]+`}`, 200, "")(t)
			if stored := c.check(t, exchange{"GET /thing/1", "", 200, ""}); string(stored.body) != string(got.body) {
				t.Errorf("%s: answered %s, stored %s", x[1], got.body, stored.body)
			}
			if result := got.field("json"); result != "" && !matches(parse(t, x[2]), parse(t, result)) || (result == "") != (x[2] == "null") {
				t.Errorf("%s with %s: %s, want %s", x[0], x[1], result, x[2])
			}
		}
	})
	t.Run("application/json replaces a JSON field", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		c.check(t, exchange{"PUT /thing/1", `{"json": {"a": 1}}`, 201, ""})
		got := c.check(t, exchange{"PATCH /thing/1", `{"json": {"b": null}}`, 200, ""})
		if got.field("json") != `{"b":null}` {
			t.Errorf("json %s", got.field("json"))
		}
	})
	t.Run("a merge patch leaves other fields", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		c.check(t, exchange{"PUT /thing/1", `{"json": {"a": 1}, "list": [1, 2], "text": "t", "int": 3}`, 201, ""})
		got := patched(c, `{"text": null, "list": [{"a": null}], "int": 4}`, 200, "")(t)
		if got.field("json") != `{"a":1}` || got.field("list") != `[{"a":null}]` || got.field("text") != "" || got.field("int") != "4" {
			t.Errorf("%s", got.body)
		}
	})
	t.Run("a merge patch merges into JSON of nested new records", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		c.check(t, exchange{"PUT /thing/1", `{}`, 201, ""})
		got := c.check(t, exchange{"PATCH /thing/1?depth=2", `{"likes": [{"json": {"a": null, "b": 1}}]}`, 200, ""}, "Content-Type", mergeType)
		if liked := parse(t, got.field("likes")).([]any)[0].(map[string]any)["json"]; !matches(parse(t, `{"b": 1}`), liked) {
			t.Errorf("%s", got.body)
		}
	})
	t.Run("a merge patch respects preconditions", func(t *testing.T) {
		c := setup{model: things()}.start(t, newBackend)
		tag := c.check(t, exchange{"PUT /thing/1", `{"json": {"a": 1}}`, 201, ""}).header.Get("Etag")
		patched(c, `{"json": {"b": 2}}`, 412, "")(t, "If-Match", `"x"`)
		patched(c, `{"json": {"b": 2}}`, 200, "")(t, "If-Match", tag)
		patched(c, `{"json": {"c": 3}}`, 412, "")(t, "If-Match", tag)
		c.check(t, exchange{"PATCH /thing/2", `{"json": {"b": 2}}`, 404, ""}, "Content-Type", mergeType)
	})
	t.Run("a merge patch of an unreadable field is rejected", func(t *testing.T) {
		c := setup{model: things(), decorators: []core.Decorator{hidingField("json")}}.start(t, newBackend)
		const rejected = `FIELD_UPDATE_FORBIDDEN {"object_name": "thing", "field_name": "json"}`
		for _, stored := range []string{`null`, `{"a": 1}`, `1`} {
			c.check(t, exchange{"PUT /thing/1", `{"json": ` + stored + `}`, map[bool]int{true: 201, false: 200}[stored == `null`], ""})
			patched(c, `{"json": {"b": 2}}`, 400, rejected)(t)
			patched(c, `{"json": 2}`, 200, "")(t)
		}
	})
	t.Run("no concurrent merge patch is lost", func(t *testing.T) { testRaceOfMerges(t, setup{model: things()}.start(t, newBackend)) })
}

func testRaceOfMerges(t *testing.T, c *client) {
	c.check(t, exchange{"PUT /thing/1", `{"json": {}}`, 201, ""})
	var wg sync.WaitGroup
	var done [clients]bool
	for i := range clients {
		wg.Go(func() {
			for !done[i] {
				r := c.send(t, "PATCH", "/thing/1", reader(`{"json": {"`+strconv.Itoa(i)+`": 1}}`), "Content-Type", mergeType)
				if done[i] = r.status == 200; !done[i] && r.status != 503 {
					t.Errorf("%d %s", r.status, r.body)
					return
				}
			}
		})
	}
	wg.Wait()
	got := c.check(t, exchange{"GET /thing/1", "", 200, ""}).field("json")
	if merged, _ := parse(t, got).(map[string]any); len(merged) != clients {
		t.Errorf("after %d patches: %s", clients, got)
	}
}
