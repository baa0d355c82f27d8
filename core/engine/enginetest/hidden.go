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

// loans has items that point at shelves twice, and at a room.
func loans() *core.Model {
	return core.MustModel("loans",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{key(), {Name: "name", Type: core.Text}}},
		core.ResourceSpec{Name: "room", Fields: []core.FieldSpec{key()}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
			key(), {Name: "name", Type: core.Text}, {Name: "from", ToOne: "shelf"}, {Name: "to", ToOne: "shelf"}, {Name: "room", ToOne: "room"},
		}},
	)
}

// shownIDCases are rules of the ids that views show of to-one relations: an engine may leave out the read of a target only
// if no target is hidden.
func shownIDCases() []Case {
	const fixture = `
		as system put shelf/1 {"name": "a"}
		as system put shelf/2 {"name": "b"}
		as system put room/1 {}
		as system put item/1 {"from": 1, "to": 2, "room": 1}
		as system put item/2 {"from": 2, "to": 2, "room": 1}
		as system put item/3 {"from": 1, "to": 1}
	`
	const partly = fixture + `
		get item/1                      => {"id": 1, "from": 1, "room": 1}
		get item/1 depth=2              => {"id": 1, "from": {"id": 1, "name": "a"}, "room": {"id": 1}}
		get item/3                      => {"id": 3, "from": 1, "to": 1}
		list item                       => [{"id": 1, "from": 1, "room": 1}, {"id": 2, "room": 1}, {"id": 3, "from": 1, "to": 1}]
		patch item/1 {"name": "x"}      => {"id": 1, "name": "x", "from": 1, "room": 1}
		patch item/2 {"name": "x", "room": null}  => {"id": 2, "name": "x"}
		patch item/2 {"to": 2}          => OBJECT_DOES_NOT_EXIST {"object_name": "shelf", "object_id": 2}
		put item/1 {"from": 1}          => replaced {"id": 1, "from": 1}
		post item {"to": 1}             => {"id": 4, "to": 1}
		as system list item             => [{"id": 1, "from": 1, "to": 2}, {"id": 2, "name": "x", "from": 2, "to": 2}, {"id": 3, "from": 1, "to": 1}, {"id": 4, "to": 1}]`
	const whole = fixture + `
		get item/1                      => {"id": 1, "from": 1, "to": 2, "room": 1}
		get item/1 depth=2              => {"id": 1, "from": {"id": 1, "name": "a"}, "to": {"id": 2, "name": "b"}, "room": {"id": 1}}
		list item                       => [{"id": 1, "from": 1, "to": 2, "room": 1}, {"id": 2, "from": 2, "to": 2, "room": 1}, {"id": 3, "from": 1, "to": 1}]
		patch item/1 {"name": "x"}      => {"id": 1, "name": "x", "from": 1, "to": 2, "room": 1}
		put item/1 {"from": 2}          => replaced {"id": 1, "from": 2}`
	const denied = fixture + `
		get item/1                      => {"id": 1, "room": 1}
		get item/1 depth=2              => {"id": 1, "room": {"id": 1}}
		list item                       => [{"id": 1, "room": 1}, {"id": 2, "room": 1}, {"id": 3}]
		patch item/1 {"name": "x"}      => {"id": 1, "name": "x", "room": 1}`
	observer := core.Decorator{Name: "observer", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return nil, nil }}
	permissive := hiding("permissive", core.KindPolicy, true, func(*core.Op) error { return nil })
	denying := func(code core.Code) core.Decorator {
		return hiding("denying", core.KindPolicy, true, func(op *core.Op) error {
			if op.Resource != nil && op.Resource.Name() == "shelf" && !op.Principal.IsSystem() {
				return code
			}
			return nil
		})
	}
	var cases []Case
	for _, c := range []struct {
		rule, text string
		decorators []core.Decorator
	}{
		{"nothing is hidden", whole, nil},
		{"an observer hides nothing", whole, []core.Decorator{observer}},
		{"a permissive policy hides nothing", whole, []core.Decorator{permissive}},
		{"a policy hides a target", partly, []core.Decorator{observer, permissive, hidingShelf(core.KindPolicy, true)}},
		{"an effect hides a target", partly, []core.Decorator{permissive, hidingShelf(core.KindEffect, true)}},
		{"an answer hides a target", partly, []core.Decorator{permissive, hidingShelf(core.KindAnswer, true)}},
		{"a policy that does not know Visibility hides a target", partly, []core.Decorator{permissive, hidingShelf(core.KindPolicy, false)}},
		{"an effect that does not know Visibility hides a target", partly, []core.Decorator{permissive, hidingShelf(core.KindEffect, false)}},
		{"an answer that does not know Visibility hides a target", partly, []core.Decorator{permissive, hidingShelf(core.KindAnswer, false), observer}},
		{"a policy denies the targets", denied, []core.Decorator{denying(core.Forbidden), permissive}},
		{"a policy denies the targets to anonymous callers", denied, []core.Decorator{permissive, denying(core.Unauthorized)}},
	} {
		cases = append(cases, scriptWith(c.rule, loans, engine.Options{}, c.text, c.decorators...))
	}
	return append(cases, scriptWith("a policy hides the field of a relation", loans, engine.Options{}, fixture+`
		get item/1     => {"id": 1, "to": 2, "room": 1}
		list item      => [{"id": 1, "to": 2, "room": 1}, {"id": 2, "to": 2, "room": 1}, {"id": 3, "to": 1}]`, hideField("item", "from")))
}

// hidingShelf hides shelf 2, except from the program itself. A decorator that does not know the kind Visibility ignores it.
func hidingShelf(kind core.DecoratorKind, knows bool) core.Decorator {
	return hiding("hiding", kind, knows, func(op *core.Op) error {
		if op.Resource != nil && op.Resource.Name() == "shelf" && !op.Principal.IsSystem() && (knows || op.Kind != core.Visibility) {
			op.Guard(core.Ne("id", 2))
		}
		return nil
	})
}

func hiding(name string, kind core.DecoratorKind, knows bool, hide func(op *core.Op) error) core.Decorator {
	return core.Decorator{Name: name, Kind: kind, KnowsRelated: knows, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if err := hide(op); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		}, nil
	}}
}
