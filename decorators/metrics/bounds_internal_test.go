package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever the bounds, the counter of a duration is the first that it fits in, and
// belongs to the buckets of the histograms that it fits in.
func TestCounterOfADurationIsFoundWithoutASearch(t *testing.T) {
	for _, classic := range [][]float64{
		nil, {}, {.03}, {math.Inf(1)}, {-1, 0, 1e-9, 1.5e-9, 2e-9, 1, 3e9, 1e10, 1e11, math.Inf(1)},
	} {
		b := newBounds(classic)
		durations := []time.Duration{-1, 0, math.MaxInt64}
		for cell := range b.first {
			durations = append(durations, shortest(cell))
		}
		durations = append(durations, b.upTo...)
		for _, d := range slices.Clone(durations) {
			durations = append(durations, d-1, d+min(1, math.MaxInt64-d), time.Duration(rand.Int64()>>rand.IntN(63)))
		}
		for _, d := range durations {
			want, _ := slices.BinarySearch(b.upTo, max(d, 0))
			got := b.index(d)
			if got != want {
				t.Errorf("bounds %v, %d ns: counter %d, want %d", classic, d, got, want)
			}
			seconds, k := max(d, 0).Seconds(), float64(b.nativeOf[got])/(1<<nativeSchema)
			if d > 0 && (seconds <= math.Exp2(k-1./(1<<nativeSchema)) || seconds > math.Exp2(k)) {
				t.Errorf("%d ns: native bucket %d", d, b.nativeOf[got])
			}
			if bucket, _ := slices.BinarySearch(b.classic, seconds); b.classicOf[got] != bucket {
				t.Errorf("bounds %v, %d ns: bucket %d, want %d", classic, d, b.classicOf[got], bucket)
			}
		}
	}
}
