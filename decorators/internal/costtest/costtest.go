// Package costtest measures what a decorator adds to an operation, beside the same work written by hand. Only benchmarks of
// decorators use it.
package costtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// Getter returns a function that reads one record, with the context, from a store of the backend and the decorators. The
// record has null in all fields but its key.
func Getter(ctx context.Context, b *testing.B, backend core.Backend, decorators ...core.Decorator) func() {
	b.Helper()
	model := core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "type", Type: core.Text}, {Name: "price", Type: core.Float},
	}})
	cookie, key := model.Resource("cookie"), core.IntValue(1)
	store, err := core.New(b.Context(), model, backend, decorators...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	if _, err := store.Insert(core.System(b.Context()), cookie, cookie.RecordOf(make([]core.Value, len(cookie.Columns())))); err != nil {
		b.Fatal(err)
	}
	return func() {
		if _, err := store.Get(ctx, cookie, key); err != nil {
			b.Fatal(err)
		}
	}
}

// Against times four functions in turn, so that they run under the same load, and reports the time that the second of each
// pair adds to the first: medians of many rounds.
func Against(b *testing.B, floorBare, floor, oursBare, ours func()) {
	b.Helper()
	const round = 256
	do := []func(){floorBare, floor, oursBare, ours}
	times := make([][]float64, len(do))
	for b.Loop() {
		for i, f := range do {
			begin := time.Now()
			for range round {
				f()
			}
			times[i] = append(times[i], float64(time.Since(begin))/round)
		}
	}
	median := func(i int) float64 { slices.Sort(times[i]); return times[i][len(times[i])/2] }
	floorAdds, oursAdds := median(1)-median(0), median(3)-median(2)
	b.ReportMetric(floorAdds, "floor-adds-ns/op")
	b.ReportMetric(oursAdds, "adds-ns/op")
	b.ReportMetric(oursAdds/floorAdds, "x-floor")
	b.ReportMetric(testing.AllocsPerRun(1000, ours)-testing.AllocsPerRun(1000, oursBare), "adds-allocs/op")
	b.ReportMetric(0, "ns/op") // hides the time of a round
}
