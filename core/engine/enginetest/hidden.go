package enginetest

import (
	"context"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// manyHidden uses more hidden members than the engine reads in one chunk.
func manyHidden(t *testing.T, newBackend NewBackend) {
	store := openStore(t, newBackend, owned(), ownerGuard())
	api := engine.New(store, engine.Options{MaxRecords: 5})
	system, own := core.System(t.Context()), core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(2)})
	cookie := store.Model().Resource("cookie")
	const all = 2_500
	var records []core.Record
	var ids []any
	for id := 1; id <= all; id++ {
		owner := 1
		if id == all/2 || id == all {
			owner = 2
		}
		rec, err := cookie.NewRecord(map[string]any{"id": id, "owner": owner})
		if err != nil {
			t.Fatal(err)
		}
		records, ids = append(records, rec), append(ids, id)
	}
	if _, err := store.Insert(system, cookie, records...); err != nil {
		t.Fatal(err)
	}
	rec, err := store.Model().Resource("plate").NewRecord(map[string]any{"id": 1, "owner": 2, "cookies": ids})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Insert(system, rec.Resource(), rec); err != nil {
		t.Fatal(err)
	}
	view, err := api.Get(own, "plate", 1, 1)
	if got := string(view.AppendJSON(nil)); err != nil || got != `{"id":1,"cookies":[1250,2500]}` {
		t.Errorf("got %s, %v", got, err)
	}
}

// sets is a computed field without a value; setting it sets another field.
func sets(field string) *core.Computed {
	return &core.Computed{
		Get: func(context.Context, core.Record) (any, error) { return nil, nil },
		Set: func(_ context.Context, _ core.Record, v any) (map[string]any, error) {
			return map[string]any{field: v}, nil
		},
	}
}

// discreet has hidden fields that cause conflicts and rejections.
func discreet() *core.Model {
	return core.MustModel("discreet",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
			key(),
			{Name: "badge", ToOne: "badge", Inverse: "wearer"},
			{Name: "letters", ToMany: "letter", Inverse: "to"},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			key(), {Name: "author", ToOne: "user", Hidden: true}, {Name: "sign", Computed: sets("author")},
		}},
		core.ResourceSpec{Name: "account", Fields: []core.FieldSpec{
			key(), {Name: "token_hash", Type: core.Text, Hidden: true, Unique: true}, {Name: "token", Computed: sets("token_hash")},
		}},
		core.ResourceSpec{Name: "badge", Fields: []core.FieldSpec{key(), {Name: "wearer", ToOne: "user", Hidden: true}}},
		core.ResourceSpec{Name: "letter", Fields: []core.FieldSpec{key(), {Name: "to", ToOne: "user", Hidden: true}}},
	)
}

// hideRecords hides all records of the resource, except from the program itself.
func hideRecords(resource string) core.Decorator {
	return core.Decorator{Name: "hiding", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource == m.Resource(resource) && !op.Principal.IsSystem() && op.Kind != core.Insert && op.Kind != core.NextID {
				op.Guard(core.None())
			}
			return next(ctx, op)
		}, nil
	}}
}
