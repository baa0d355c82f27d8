package file

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// floorLog is a minimal durable log: append, fdatasync, and committers that share both if they arrive during the last
// sync. A patient log also lets the committers that the sync woke join, as a journal does.
type floorLog struct {
	file      handle
	patient   bool
	writeLock chan struct{}
	end       int64

	lastGroupShared bool // the last group had several committers

	mu   sync.Mutex
	next *floorGroup
}

type floorGroup struct {
	buf  []byte
	size int
	done chan struct{}
}

func newFloorLog(tb testing.TB, patient bool) *floorLog {
	tb.Helper()
	file, err := osFilesystem{}.Open(filepath.Join(tb.TempDir(), "floor"), os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = file.Close() })
	return &floorLog{file: file, patient: patient, writeLock: make(chan struct{}, 1), next: &floorGroup{done: make(chan struct{})}}
}

func (l *floorLog) commit(line []byte) error {
	l.mu.Lock()
	g := l.next
	g.buf = append(g.buf, line...)
	g.size++
	l.mu.Unlock()
	select {
	case <-g.done:
		return nil
	case l.writeLock <- struct{}{}:
	}
	defer func() { <-l.writeLock }()
	if l.patient && l.lastGroupShared {
		runtime.Gosched()
	}
	l.mu.Lock()
	g = l.next
	if len(g.buf) == 0 {
		l.mu.Unlock()
		return nil
	}
	l.next = &floorGroup{done: make(chan struct{})}
	l.mu.Unlock()
	if _, err := l.file.WriteAt(g.buf, l.end); err != nil {
		return err
	}
	l.end += int64(len(g.buf))
	err := l.file.Sync()
	l.lastGroupShared = g.size > 1
	close(g.done)
	return err
}

// BenchmarkCommit inserts a record, alone and by eight goroutines at once, compared with append and fdatasync of the
// same bytes in groups of either kind, in turn and so under the same load.
func BenchmarkCommit(b *testing.B) {
	line := []byte(`{"n":12345,"synced":1234567,"put":{"cookie":[{"id":12345,"type":"muffin"}]},"crc":"ee06c0aa"}` + "\n")
	for _, committers := range []int{1, 8} {
		b.Run(strconv.Itoa(committers), func(b *testing.B) {
			store, err := core.New(b.Context(), cookies, New(filepath.Join(b.TempDir(), "ours"), quiet()))
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close() //nolint:errcheck // a benchmark
			floor, patient, ctx := newFloorLog(b, false), newFloorLog(b, true), context.Background()
			rec, _ := cookie.NewRecord(map[string]any{"type": "muffin"})
			const each = 20
			timed := func(commit func() error) time.Duration {
				begin := time.Now()
				var wg sync.WaitGroup
				for range committers {
					wg.Go(func() {
						for range each {
							if err := commit(); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				return time.Since(begin)
			}
			var floorTime, patientTime, oursTime time.Duration
			commits := 0
			for b.Loop() {
				floorTime += timed(func() error { return floor.commit(line) })
				patientTime += timed(func() error { return patient.commit(line) })
				oursTime += timed(func() error {
					_, err := store.Insert(ctx, cookie, rec)
					return err
				})
				commits += each * committers
			}
			b.ReportMetric(float64(floorTime)/float64(commits), "floor-ns/op")
			b.ReportMetric(float64(oursTime)/float64(commits), "ours-ns/op")
			b.ReportMetric(float64(oursTime)/float64(floorTime), "x-floor")
			b.ReportMetric(float64(oursTime)/float64(patientTime), "x-patient-floor")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkOpen opens a file with 100,000 records, compared with reading its lines and decoding them with
// encoding/json, in turn and so under the same load: the median of the ratios. The file is as a program wrote it,
// compacted, or with each record changed once in random order.
func BenchmarkOpen(b *testing.B) {
	for name, change := range map[string]func(b *testing.B, backend *Backend, store *core.Store){
		"written":   func(*testing.B, *Backend, *core.Store) {},
		"compacted": compactForOpen,
		"changed":   changeForOpen,
	} {
		b.Run(name, func(b *testing.B) {
			path := hundredThousand(b, change)
			var ratios []float64
			var floorTime, oursTime time.Duration
			for b.Loop() {
				begin := time.Now()
				floorRead(b, path)
				floor := time.Since(begin)
				begin = time.Now()
				store, err := core.New(context.Background(), cookies, New(path, quiet()))
				if err != nil {
					b.Fatal(err)
				}
				ours := time.Since(begin)
				if err := store.Close(); err != nil {
					b.Fatal(err)
				}
				floorTime, oursTime = floorTime+floor, oursTime+ours
				ratios = append(ratios, float64(ours)/float64(floor))
			}
			b.ReportMetric(float64(floorTime)/float64(b.N)/1e6, "floor-ms/op")
			b.ReportMetric(float64(oursTime)/float64(b.N)/1e6, "ours-ms/op")
			b.ReportMetric(median(ratios), "x-floor")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// hundredThousand returns the path of a file with 100,000 records, inserted in hundreds and then changed.
func hundredThousand(b *testing.B, change func(*testing.B, *Backend, *core.Store)) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "cookies.db")
	backend := New(path, quiet())
	store, err := core.New(b.Context(), cookies, backend)
	if err != nil {
		b.Fatal(err)
	}
	for range 1000 {
		records := make([]core.Record, 100)
		for i := range records {
			records[i], _ = cookie.NewRecord(map[string]any{"type": "muffin"})
		}
		if _, err := store.Insert(b.Context(), cookie, records...); err != nil {
			b.Fatal(err)
		}
	}
	change(b, backend, store)
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func compactForOpen(b *testing.B, backend *Backend, _ *core.Store) {
	b.Helper()
	if err := backend.Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func changeForOpen(b *testing.B, _ *Backend, store *core.Store) {
	b.Helper()
	for some := range slices.Chunk(newRandom(1).Perm(100_000), 100) {
		patches := make([]core.Record, len(some))
		for i, n := range some {
			patches[i], _ = cookie.NewRecord(map[string]any{"id": n + 1, "type": "shortbread"})
		}
		if _, err := store.Update(b.Context(), cookie, patches...); err != nil {
			b.Fatal(err)
		}
	}
}

// floorRead reads and decodes the bare log, as a program with a log of its own would.
func floorRead(b *testing.B, path string) {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was read only
	n := 0
	for dec := json.NewDecoder(file); dec.More(); {
		var line struct {
			Put struct {
				Cookie []struct {
					ID   int64  `json:"id"`
					Type string `json:"type"`
					Jar  string `json:"jar"`
				} `json:"cookie"`
			} `json:"put"`
		}
		if err := dec.Decode(&line); err != nil {
			b.Fatal(err)
		}
		n += len(line.Put.Cookie)
	}
	if n != 100_000 && n != 200_000 {
		b.Fatal(n)
	}
}
