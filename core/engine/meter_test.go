package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func TestMeterCancelsUncommittedWrite(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}, {Name: "lid", ToOne: "lid"},
		}},
		core.ResourceSpec{Name: "lid", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}}},
	)
	large, full := strings.Repeat("x", 70<<10), errors.New("full")
	for _, c := range []struct {
		rule  string
		of    string
		body  map[string]any
		want  error
		count int
	}{
		{"a small answer causes no call", "jar", map[string]any{"text": "x", "lid": map[string]any{}}, nil, 1},
		{"a transaction is undone", "jar", map[string]any{"text": large, "lid": map[string]any{}}, full, 0},
		{"a committed write is answered", "lid", map[string]any{"text": large}, nil, 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			store, err := core.New(t.Context(), m, memory.New())
			if err != nil {
				t.Fatal(err)
			}
			ctx := engine.WithMeter(t.Context(), func(int) error { return full })
			if _, err = engine.New(store, engine.Options{}).Create(ctx, c.of, engine.Write{Depth: 1}, c.body); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if n, err := store.Count(context.Background(), m.Resource(c.of), core.All()); n != c.count || err != nil {
				t.Errorf("%d records, %v", n, err)
			}
		})
	}
}
