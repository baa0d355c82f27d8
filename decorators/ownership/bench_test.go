package ownership_test

import (
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/ownership"
)

// getter returns a function that reads one record as user 1.
func getter(tb testing.TB, decorators ...core.Decorator) func() {
	tb.Helper()
	store, err := core.New(tb.Context(), model, memory.New(), decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	p := &core.Principal{ID: core.IntValue(1), Roles: []string{"reader"}, Claims: map[string]any{"org": 1.0}}
	ctx := core.WithPrincipal(tb.Context(), p)
	for id := range 1000 {
		rec, err := cookie.NewRecord(map[string]any{"id": id, "user_id": 1})
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := store.Insert(core.System(ctx), cookie, rec); err != nil {
			tb.Fatal(err)
		}
	}
	n := int64(0)
	return func() {
		n = (n + 7) % 1000
		if _, err := store.Get(ctx, cookie, core.IntValue(n)); err != nil {
			tb.Fatal(err)
		}
	}
}

var byClaim = ownership.Options{Claim: "org", Shared: []string{"jar"}}

func TestGetAllocatesItsConditionOnly(t *testing.T) {
	bare := testing.AllocsPerRun(1000, getter(t))
	for name, d := range map[string]core.Decorator{"id": ownership.New("user_id", options), "claim": ownership.New("user_id", byClaim)} {
		if got := testing.AllocsPerRun(1000, getter(t, d)); got > bare+2 { // a condition and its value
			t.Errorf("%s: %v allocations, and %v without it", name, got, bare)
		}
	}
}

// BenchmarkGet times a get of an own record without and with the decorator. Both take turns, so that they run under the same
// load. The times are medians of many rounds.
func BenchmarkGet(b *testing.B) {
	for name, d := range map[string]core.Decorator{"id": ownership.New("user_id", options), "claim": ownership.New("user_id", byClaim)} {
		b.Run(name, func(b *testing.B) {
			bare, owned := getter(b), getter(b, d)
			var floors, ours []float64
			for b.Loop() {
				floors, ours = append(floors, timed(bare)), append(ours, timed(owned))
			}
			b.ReportMetric(median(floors), "bare-ns/op")
			b.ReportMetric(median(ours), "owned-ns/op")
			b.ReportMetric(median(ours)-median(floors), "added-ns/op")
			b.ReportMetric(testing.AllocsPerRun(100, owned)-testing.AllocsPerRun(100, bare), "added-allocs/op")
			b.ReportMetric(0, "ns/op") // hides the time of a round
		})
	}
}

func timed(do func()) float64 {
	const round = 256
	begin := time.Now()
	for range round {
		do()
	}
	return float64(time.Since(begin)) / round
}

func median(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}
