package typed_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/typed"
)

// benchRow has four of the five columns, so reads carry a projection.
type benchRow struct {
	ID    int64
	Type  string
	Price *float64
	Fresh bool
}

func benchCollection(b *testing.B) *typed.Collection[benchRow] {
	b.Helper()
	store, err := core.New(b.Context(), core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		id(), {Name: "type", Type: core.Text}, {Name: "price", Type: core.Float}, {Name: "baked", Type: core.Time},
		{Name: "fresh", Type: core.Bool},
	}}), memory.New())
	if err != nil {
		b.Fatal(err)
	}
	all, err := typed.New[benchRow](store, "cookie")
	if err != nil {
		b.Fatal(err)
	}
	return all
}

func BenchmarkGet(b *testing.B) {
	all := benchCollection(b)
	row := benchRow{Type: "oat", Price: new(1.5), Fresh: true}
	if err := all.Insert(b.Context(), &row); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := all.Get(b.Context(), row.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsert(b *testing.B) {
	all := benchCollection(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := all.Insert(b.Context(), &benchRow{Type: "oat", Price: new(1.5), Fresh: true}); err != nil {
			b.Fatal(err)
		}
	}
}
