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

// A page of 100 records with 20 fields, shown as JSON, takes at most 3 allocations for each record.
func TestListAllocatesLittleForEachRecord(t *testing.T) {
	spec := core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}
	values := map[string]any{}
	for i, typ := range []core.Type{core.Text, core.Int, core.Float, core.Bool, core.Time, core.UUID, core.Decimal, core.Date, core.JSON, core.List} {
		for _, suffix := range []string{"", "_b"} {
			name := typ.String() + suffix
			spec.Fields = append(spec.Fields, core.FieldSpec{Name: name, Type: typ})
			values[name] = []any{"text", 7, 1.5, true, "2026-11-30T12:00:00Z", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "12.50", "2026-11-30", map[string]any{"a": 1}, []any{1, "b"}}[i]
		}
	}
	rows := make(map[any]map[string]any)
	for i := range hundred {
		rows[i+1] = values
	}
	store, err := core.New(t.Context(), core.MustModel("rows", spec), memory.NewWith(seed.Data{"row": rows}))
	if err != nil {
		t.Fatal(err)
	}
	api, buf := engine.New(store, engine.Options{}), make([]byte, 0, 1<<20)
	got := testing.AllocsPerRun(20, func() {
		list, err := api.List(t.Context(), "row", engine.Query{Depth: 1, Limit: hundred})
		if err != nil || len(list.Views) != hundred {
			t.Fatalf("%d records, %v", len(list.Views), err)
		}
		for _, v := range list.Views {
			buf = v.AppendJSON(buf[:0])
		}
	})
	if got > 3*hundred {
		t.Errorf("%v allocations for %d records", got, hundred)
	}
	t.Logf("%v allocations for %d records", got, hundred)
}
