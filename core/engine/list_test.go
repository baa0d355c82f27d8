package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

func TestListEndsWithItsContext(t *testing.T) {
	jars, cookies := map[any]map[string]any{}, map[any]map[string]any{}
	for jar := range 20 {
		jars[jar+1] = nil
		for i := range 5 {
			cookies[jar*5+i+1] = map[string]any{"jar": jar + 1}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	leave := core.Decorator{Name: "cancel", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			res, err := next(ctx, op)
			if op.Kind == core.Select && op.Resource.Name() == "cookie" {
				cancel()
			}
			return res, err
		}, nil
	}}
	store, err := core.New(t.Context(), enginetest.Cookies(), memory.NewWith(seed.Data{"jar": jars, "cookie": cookies}), leave)
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.New(store, engine.Options{MaxRecords: 30}).List(ctx, "jar", engine.Query{Depth: 2})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestCursorIsBoundToScope(t *testing.T) {
	store, err := core.New(t.Context(), enginetest.Cookies(), memory.NewWith(seed.Data{
		"cookie": {1: {"type": "a"}, 2: {"type": "a"}, 3: {"type": "b"}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	api := engine.New(store, engine.Options{})
	page := func(scope, kind string, after core.Cursor) (engine.List, error) {
		return api.List(t.Context(), "cookie", engine.Query{Filter: map[string]any{"type": kind}, Limit: 1, Scope: scope, After: after})
	}
	first, err := page("mine", "a", "")
	if err != nil || first.Next == "" {
		t.Fatalf("got %v, %v", first, err)
	}
	if next, err := page("mine", "b", first.Next); err != nil || len(next.Views) != 1 || next.Views[0].Key() != core.IntValue(3) {
		t.Errorf("the next page is %v, %v", next, err)
	}
	for _, scope := range []string{"theirs", ""} {
		if _, err := page(scope, "b", first.Next); !errors.Is(err, core.BadParam) {
			t.Errorf("scope %q: got %v", scope, err)
		}
	}
}
