package bench

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// committers is the number of concurrent committers in the second benchmark.
const committers = 8

// each is the number of commits per committer before the turn of the next store.
const each = 10

// BenchmarkCommit measures all stores, round by round.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, committers} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			commits := make([]commit, len(stores))
			for i, s := range stores {
				commits[i] = s.open(b)
				round(b, n, commits[i]) // warm-up
			}
			ratios := make([][]float64, len(stores))
			var ours []float64
			for b.Loop() {
				var base time.Duration
				for i, c := range commits {
					took := round(b, n, c)
					if i == 0 {
						base = took
						ours = append(ours, float64(took.Nanoseconds())/float64(n*each))
					}
					ratios[i] = append(ratios[i], float64(took)/float64(base))
				}
			}
			for i, s := range stores[1:] {
				b.ReportMetric(median(ratios[i+1]), "x-"+s.name)
			}
			b.ReportMetric(median(ours), "larder-ns/commit")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// round runs n committers and returns the total time.
func round(b *testing.B, n int, c commit) time.Duration {
	b.Helper()
	begin := time.Now()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for range each {
				if err := c(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(begin)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
