package metrics

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// bounds say where durations count separately: wherever a bucket of the classic or of
// the native histogram ends. A duration so increments one counter, and both histograms
// are sums of counters.
type bounds struct {
	classic []float64 // upper bounds of the classic histogram, in seconds
	shown   bool      // the classic histogram is; otherwise its bounds only sort exemplars

	upTo  []time.Duration // longest of each counter, ascending
	first [cells]int32    // counter of the shortest duration in a cell

	classicOf []int // bucket of each counter; the last is +Inf
	nativeOf  []int
}

// nativeSchema says how fine native histograms are: bucket k ends at 2^(k/2^schema)
// seconds, 9 % above the one before (Prometheus, Native Histograms, "Schema").
const nativeSchema = 3

// Native buckets of 1 ns and of the longest duration.
const (
	firstNative = -239
	lastNative  = 265
)

// newBounds takes the bounds of the classic histogram; nil means [DefaultBuckets], an
// empty slice that it is not shown.
func newBounds(classic []float64) *bounds {
	b := &bounds{classic: classic, shown: classic == nil || len(classic) > 0}
	if len(classic) == 0 {
		b.classic = DefaultBuckets()
	}
	var classicUpTo, nativeUpTo []time.Duration
	for _, bound := range b.classic {
		classicUpTo = append(classicUpTo, longest(bound))
	}
	for k := firstNative; k <= lastNative; k++ {
		nativeUpTo = append(nativeUpTo, longest(math.Exp2(float64(k)/(1<<nativeSchema))))
	}
	b.upTo = slices.Concat([]time.Duration{0, math.MaxInt64}, classicUpTo, nativeUpTo)
	b.upTo = slices.DeleteFunc(b.upTo, func(d time.Duration) bool { return d < 0 })
	slices.Sort(b.upTo)
	b.upTo = slices.Compact(b.upTo)
	for _, upTo := range b.upTo {
		inClassic, _ := slices.BinarySearch(classicUpTo, upTo)
		inNative, _ := slices.BinarySearch(nativeUpTo, upTo)
		b.classicOf, b.nativeOf = append(b.classicOf, inClassic), append(b.nativeOf, firstNative+inNative)
	}
	for cell := range b.first {
		counter, _ := slices.BinarySearch(b.upTo, shortest(cell))
		b.first[cell] = int32(counter) //nolint:gosec // there are some hundred
	}
	return b
}

// same reports whether both make the same histograms.
func (b *bounds) same(o *bounds) bool {
	return b.shown == o.shown && slices.Equal(b.classic, o.classic)
}

// longest returns the longest duration of at most so many seconds.
func longest(seconds float64) time.Duration {
	if seconds >= time.Duration(math.MaxInt64).Seconds() {
		return math.MaxInt64
	}
	d := time.Duration(max(seconds*float64(time.Second), -1))
	for d >= 0 && d.Seconds() > seconds {
		d--
	}
	for (d + 1).Seconds() <= seconds {
		d++
	}
	return d
}

// index returns the counter of a duration.
func (b *bounds) index(d time.Duration) int {
	d = max(d, 0) // a clock may have been set back
	i := int(b.first[cellOf(d)])
	for b.upTo[i] < d { // rarely true: cells are as narrow as native buckets
		i++
	}
	return i
}

// Cells cut each power of two nanoseconds in equal parts. A duration's is found without
// a search.
const (
	cells    = 64 << cellBits
	cellBits = 3
)

func cellOf(d time.Duration) int {
	n := uint64(d)        //nolint:gosec // is not negative
	size := bits.Len64(n) // at most 63
	return size<<cellBits | int(n<<(64-size)<<1>>(64-cellBits))
}

// shortest returns the shortest duration of a cell, or of the next one that has any.
func shortest(cell int) time.Duration {
	size, part := cell>>cellBits, uint64(cell)&(1<<cellBits-1) //nolint:gosec // is not negative
	aligned := (1<<cellBits | part) << (63 - cellBits)         // to the left
	n := aligned >> (64 - size)
	if size > 0 && n<<(64-size) != aligned {
		n++
	}
	return time.Duration(n) //nolint:gosec // size is at most 63
}
