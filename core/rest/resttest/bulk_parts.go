package resttest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// tasks is a model of records that rules and a policy treat one by one.
func tasks() setup {
	m := core.MustModel("tasks", core.ResourceSpec{
		Name: "task", Fields: []core.FieldSpec{
			keyField(), textField("name"),
			{Name: "state", Type: core.Text, Transitions: map[string][]string{"new": {"done"}, "lost": {}, "done": {}}},
			{Name: "parent", ToOne: "task"},
			{Name: "children", ToMany: "task", Inverse: "parent"},
			{Name: "suffix", Computed: &core.Computed{
				Get: func(context.Context, core.Record) (any, error) { return nil, nil },
				Set: func(_ context.Context, rec core.Record, v any) (map[string]any, error) {
					return map[string]any{"name": fmt.Sprint(rec.Get("name").Text(), v)}, nil
				},
			}},
		},
	})
	frozen := core.Decorator{Name: "frozen tasks", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		mayChange, err := m.Resource("task").Bind(core.Not(core.Eq("name", "frozen")))
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Update {
				op.Using = core.And(op.Using, mayChange)
			}
			return next(ctx, op)
		}, err
	}}
	return setup{model: m, decorators: []core.Decorator{frozen}}
}

// testBulkInParts changes so many records that no single operation changes all of them.
func testBulkInParts(t *testing.T, newBackend NewBackend) {
	fill := func(changed map[int]string) exchange {
		items := make([]string, 100)
		for i := range items {
			items[i] = `{"state": "new"}`
			if item, ok := changed[i+1]; ok {
				items[i] = item
			}
		}
		return exchange{"POST /task?depth=0", "[" + strings.Join(items, ",") + "]", 201, ""}
	}
	const lost = `{"state": "lost"}`
	done := exchange{"PATCH /task?filter={}&max=100", `{"state": "done"}`, 400,
		`VALIDATION_FAILED {"violations": [{"object_name": "task", "path": ["state"], "rule": "transition", "accepted": "no other value", "record_ids": [3, 50, 100]}]}`}
	unchanged := exchange{"GET /task?depth=0&state=done", "", 200, `[]`}
	tasks().check(t, newBackend, []rule{
		{"all records of a great change are changed", []exchange{
			fill(nil),
			{"PATCH /task?filter={}&max=100", `{"state": "done"}`, 200, `{"count": 100}`},
			{"GET /task?depth=0&limit=200&state=new", "", 200, `[]`},
		}},
		{"a great change names the invalid records of all parts", []exchange{
			fill(map[int]string{3: lost, 50: lost, 100: lost}), done, unchanged,
		}},
		{"the denial of a later part comes before the violations of an earlier one", []exchange{
			fill(map[int]string{3: lost, 100: `{"name": "frozen", "state": "new"}`}),
			{"PATCH /task?filter={}&max=100", `{"state": "done"}`, 401, `UNAUTHORIZED`}, unchanged,
		}},
		{"a denial of a later part undoes the earlier ones", []exchange{
			fill(map[int]string{100: `{"name": "frozen", "state": "new"}`}),
			{"PATCH /task?filter={}&max=100", `{"state": "done"}`, 401, `UNAUTHORIZED`}, unchanged,
		}},
		{"a setter sees each record of a change of many", []exchange{
			{"POST /task?depth=0", `[{"name": "a"}, {"name": "b"}]`, 201, ""},
			{"PATCH /task?filter={}&max=2", `{"suffix": "!"}`, 200, `{"count": 2}`},
			{"GET /task?fields=name", "", 200, `[{"name": "a!"}, {"name": "b!"}]`},
		}},
		{"a record that is its own member is shown as a whole", []exchange{
			{"POST /task?depth=0", `{"name": "a"}`, 201, ""},
			{"PATCH /task/1", `{"children": [1]}`, 200, `{"id": 1, "name": "a", "parent": 1, "children": [1]}`},
			{"PATCH /task/1", `{"name": "b", "children": []}`, 200, `{"id": 1, "name": "b", "children": []}`},
			{"PUT /task/1", `{"name": "c", "children": [1]}`, 200, `{"id": 1, "name": "c", "parent": 1, "children": [1]}`},
		}},
	})
}
