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

func TestAListWhoseContextEndsWhileItShrinksEnds(t *testing.T) {
	jars, cookies := map[any]map[string]any{}, map[any]map[string]any{}
	for jar := range 20 {
		jars[jar+1] = nil
		for i := range 5 {
			cookies[jar*5+i+1] = map[string]any{"jar": jar + 1}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	leave := core.Decorator{Name: "client that leaves", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
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
