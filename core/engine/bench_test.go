package engine_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

// pantry has 100 jars of 100 cookies each.
func pantry(b *testing.B) *engine.Engine {
	data := seed.Data{"jar": {}, "cookie": {}}
	for jar := 1; jar <= hundred; jar++ {
		data["jar"][jar] = nil
		for c := range hundred {
			data["cookie"][jar*1000+c] = map[string]any{"type": "muffin", "jar": jar}
		}
	}
	store, err := core.New(b.Context(), enginetest.Cookies(), memory.NewWith(data))
	if err != nil {
		b.Fatal(err)
	}
	return engine.New(store, engine.Options{})
}

func BenchmarkRequests(b *testing.B) {
	api := pantry(b)
	ctx := b.Context()
	buf := make([]byte, 0, 1<<16)
	views := func(views []engine.View, err error) error {
		for _, v := range views {
			buf = v.AppendJSON(buf[:0])
		}
		return err
	}
	get := func(resource string, id, depth int) func() error {
		return func() error {
			v, err := api.Get(ctx, resource, id, depth)
			return views([]engine.View{v}, err)
		}
	}
	list := func(q engine.Query) func() error {
		return func() error {
			l, err := api.List(ctx, "cookie", q)
			return views(l.Views, err)
		}
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"get/cookie/depth=0", get("cookie", 1000, 0)},
		{"get/cookie/depth=1", get("cookie", 1000, 1)},
		{"get/jar/depth=1", get("jar", 1, 1)},
		{"get/jar/depth=2", get("jar", 1, 2)},
		{"list/100 of a jar", list(engine.Query{Filter: map[string]any{"jar": 7}, Depth: 1})},
		{"list/first 100", list(engine.Query{Limit: hundred, Depth: 1})},
		{"update/scalar", func() error {
			v, err := api.Update(ctx, "cookie", 1000, engine.Write{Depth: 1}, map[string]any{"type": "biscuit"})
			return views([]engine.View{v}, err)
		}},
		{"update/move", func() error {
			v, err := api.Update(ctx, "cookie", 1000, engine.Write{Depth: 1}, map[string]any{"jar": 2})
			return views([]engine.View{v}, err)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
