package metrics

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// histogram returns the durations as Prometheus takes them. Its buckets always make up
// its count; the sum may lack, or be ahead by, operations that end meanwhile.
func (s *series) histogram() *dto.Histogram {
	counts, total := make([]uint64, len(s.took)), uint64(0)
	for i := range s.took {
		counts[i] = s.took[i].Load()
		total += counts[i]
	}
	h := &dto.Histogram{
		SampleCount: &total, SampleSum: new(math.Float64frombits(s.seconds.Load())), CreatedTimestamp: s.created,
	}
	if s.bounds.shown {
		s.classic(h, counts)
	}
	s.native(h, counts)
	return h
}

// classic adds the classic histogram. Its last bucket, that of +Inf, is the count, and
// spelled out only where it has an exemplar.
func (s *series) classic(h *dto.Histogram, counts []uint64) {
	sums := make([]uint64, len(s.bounds.classic)+1)
	for i, n := range counts {
		sums[s.bounds.classicOf[i]] += n
	}
	sum := uint64(0)
	for i, bound := range append(s.bounds.classic[:len(sums)-1:len(sums)-1], math.Inf(1)) {
		sum += sums[i]
		if e := s.exemplars[i].Load(); e != nil || !math.IsInf(bound, 1) {
			h.Bucket = append(h.Bucket, &dto.Bucket{CumulativeCount: new(sum), UpperBound: &bound, Exemplar: e})
		}
	}
}

// nativeBuckets is how many buckets a native histogram has at the most that are not
// empty. If there are more, it is told half as fine, which Prometheus reconciles with
// what it was told before.
const nativeBuckets = 100

// native adds the native histogram. The first counter is that of zero.
func (s *series) native(h *dto.Histogram, counts []uint64) {
	var buckets []nativeBucket
	for i, n := range counts[1:] {
		if n > 0 {
			buckets = merged(buckets, nativeBucket{s.bounds.nativeOf[i+1], int64(n)}) //nolint:gosec // nobody counts so far
		}
	}
	schema := int32(nativeSchema)
	for ; len(buckets) > nativeBuckets; schema-- {
		buckets = coarser(buckets)
	}
	h.Schema, h.ZeroThreshold, h.ZeroCount = &schema, new(float64(prometheus.DefNativeHistogramZeroThreshold)), &counts[0]
	h.PositiveSpan, h.PositiveDelta = spans(buckets)
	for i := range s.exemplars {
		if e := s.exemplars[i].Load(); e != nil {
			h.Exemplars = append(h.Exemplars, e)
		}
	}
}

// nativeBucket is one that is not empty.
type nativeBucket struct {
	key   int
	count int64
}

// merged adds a bucket, or what it counted to that of the same key.
func merged(to []nativeBucket, b nativeBucket) []nativeBucket {
	if last := len(to) - 1; last >= 0 && to[last].key == b.key {
		to[last].count += b.count
		return to
	}
	return append(to, b)
}

// coarser turns the buckets of a schema into those of the next lower one.
func coarser(buckets []nativeBucket) (to []nativeBucket) {
	for _, b := range buckets {
		to = merged(to, nativeBucket{(b.key + 1) >> 1, b.count})
	}
	return to
}

// maxGap is how many empty buckets are spelled out. Leaving out more takes less.
const maxGap = 2

// spans spells buckets as native histograms do: runs of neighbours, and of each bucket
// by how much its count differs from the one before.
func spans(buckets []nativeBucket) (runs []*dto.BucketSpan, deltas []int64) {
	next, before := 0, int64(0)
	add := func(count int64) {
		*runs[len(runs)-1].Length++
		deltas = append(deltas, count-before)
		next, before = next+1, count
	}
	for i, b := range buckets {
		if gap := b.key - next; i == 0 || gap > maxGap {
			runs = append(runs, &dto.BucketSpan{Offset: new(int32(gap)), Length: new(uint32)}) //nolint:gosec // keys are small
			next = b.key
		}
		for next < b.key {
			add(0)
		}
		add(b.count)
	}
	return runs, deltas
}
