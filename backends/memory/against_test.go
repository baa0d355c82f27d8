package memory

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// against times two ways to do the same thing, in turn and so under the same
// load, and reports how many times the floor's time ours takes. Each is called
// with numbers drawn at random. The times are medians of many rounds, which a
// neighbour on the machine does not change.
func against(b *testing.B, floor, ours func(random int)) {
	const round = 256
	numbers := make([]int, round)
	var floors, all []float64
	timed := func(do func(int)) float64 {
		begin := time.Now()
		for _, n := range numbers {
			do(n)
		}
		return float64(time.Since(begin)) / round
	}
	for b.Loop() {
		for i := range numbers {
			numbers[i] = rand.Int()
		}
		floors = append(floors, timed(floor))
		all = append(all, timed(ours))
	}
	b.ReportMetric(median(floors), "floor-ns/op")
	b.ReportMetric(median(all), "ours-ns/op")
	b.ReportMetric(median(all)/median(floors), "x-floor")
	b.ReportMetric(testing.AllocsPerRun(100, func() { ours(rand.Int()) }), "ours-allocs/op")
	b.ReportMetric(0, "ns/op") // both and the drawing of numbers: of no interest
}

func median(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}

// shop is what the benchmarks store: cookies in jars, and the number of each.
var shop = core.MustModel("shop",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "sold", Type: core.Bool},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

var cookie, jar = shop.Resource("cookie"), shop.Resource("jar")

const perJar = 100

// stock returns n cookies, from 1 on, perJar of them in each jar and all over
// the range of their keys.
func stock(b *testing.B, n int) []core.Record {
	jars := int64(n / perJar)
	out := make([]core.Record, n)
	for i := range out {
		id := int64(i + 1)
		out[i] = record(b, cookie, "id", id, "type", "muffin", "sold", false, "jar", id%jars+1)
	}
	return out
}

// stocked returns a store that holds them.
func stocked(b *testing.B, cookies []core.Record, decorators ...core.Decorator) *core.Store {
	store, err := core.New(b.Context(), shop, New(), decorators...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	for range len(cookies) / perJar {
		insert(b, store, jar)
	}
	if _, err := store.Insert(b.Context(), cookie, cookies...); err != nil {
		b.Fatal(err)
	}
	return store
}
