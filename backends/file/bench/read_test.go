package bench

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// readable is the number of records to read.
const readable = 10_000

// BenchmarkRead compares reads of the file with reads of backends/memory, in turn: the median of the ratios of their
// times.
func BenchmarkRead(b *testing.B) {
	ctx := context.Background()
	cookie := cookies.Resource("cookie")
	backends := []core.Backend{
		memory.New(),
		file.New(filepath.Join(b.TempDir(), "cookies.db"), file.Options{Logger: slog.New(slog.DiscardHandler)}),
	}
	opened := make([]*core.Store, len(backends))
	for i, backend := range backends {
		store, err := core.New(ctx, cookies, backend)
		if err != nil {
			b.Fatal(err)
		}
		closeLater(b, store)
		records := make([]core.Record, readable)
		for i := range records {
			records[i], _ = cookie.NewRecord(map[string]any{"type": content})
		}
		if _, err := store.Insert(ctx, cookie, records...); err != nil {
			b.Fatal(err)
		}
		opened[i] = store
	}
	reads := []struct {
		name  string
		times int
		do    func(s *core.Store, i int) (int, error)
	}{
		{"get", 2000, func(s *core.Store, i int) (int, error) {
			found, err := s.Load(ctx, cookie, []core.Value{core.IntValue(int64(1 + i*7919%readable))})
			return len(found), err
		}},
		{"page of 100", 50, func(s *core.Store, i int) (int, error) {
			page, err := s.Select(ctx, cookie, core.Query{Where: core.Gt("id", i*100), Limit: 100})
			return len(page.Records) / 100, err
		}},
		{"count", 2, func(s *core.Store, _ int) (int, error) {
			n, err := s.Count(ctx, cookie, core.Prefix("type", "m"))
			return n / readable, err
		}},
	}
	for _, r := range reads {
		b.Run(r.name, func(b *testing.B) {
			var ratios, ours []float64
			timed := func(s *core.Store) time.Duration {
				begin := time.Now()
				for i := range r.times {
					if n, err := r.do(s, i); n != 1 || err != nil {
						b.Fatal(n, err)
					}
				}
				return time.Since(begin)
			}
			for b.Loop() {
				inMemory := timed(opened[0])
				inFile := timed(opened[1])
				ratios = append(ratios, float64(inFile)/float64(inMemory))
				ours = append(ours, float64(inFile)/float64(r.times))
			}
			b.ReportMetric(median(ratios), "x-memory")
			b.ReportMetric(median(ours), "file-ns/read")
			b.ReportMetric(0, "ns/op")
		})
	}
}
