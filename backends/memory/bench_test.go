package memory

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/btree"

	"github.com/larder-go/larder/core"
)

var sizes = []int{10_000, 100_000}

var errUndo = errors.New("undo")

// eachSize runs the benchmark on stores of different sizes.
func eachSize(b *testing.B, bench func(b *testing.B, cookies []core.Record)) {
	for _, size := range sizes {
		b.Run(strconv.Itoa(size), func(b *testing.B) { bench(b, stock(b, size)) })
	}
}

// BenchmarkGet gets one record, compared with a Go map with a lock.
func BenchmarkGet(b *testing.B) {
	eachSize(b, func(b *testing.B, cookies []core.Record) {
		var mu sync.RWMutex
		byKey := make(map[int64]core.Record, len(cookies))
		for _, rec := range cookies {
			byKey[rec.Key().Int()] = rec
		}
		store, ctx := stocked(b, cookies), b.Context()
		var sink core.Record
		compare(b, func(random int) {
			mu.RLock()
			sink = byKey[int64(random%len(cookies)+1)]
			mu.RUnlock()
		}, func(random int) {
			var err error
			if sink, err = store.Get(ctx, cookie, core.IntValue(int64(random%len(cookies)+1))); err != nil {
				b.Fatal(err)
			}
		})
		_ = sink
	})
}

// BenchmarkListByIndex lists the cookies of one jar, compared with maps maintained by hand.
func BenchmarkListByIndex(b *testing.B) {
	eachSize(b, func(b *testing.B, cookies []core.Record) {
		var mu sync.RWMutex
		byKey := make(map[int64]core.Record, len(cookies))
		byJar := make(map[int64][]int64)
		for _, rec := range cookies {
			id, in := rec.Key().Int(), rec.Get("jar").Int()
			byKey[id], byJar[in] = rec, append(byJar[in], id)
		}
		jars := len(byJar)
		store, ctx := stocked(b, cookies), b.Context()
		var sink []core.Record
		compare(b, func(random int) {
			var list []core.Record
			mu.RLock()
			for _, id := range byJar[int64(random%jars+1)] {
				list = append(list, byKey[id])
			}
			mu.RUnlock()
			sink = list
		}, func(random int) {
			page, err := store.Select(ctx, cookie, core.Query{Where: core.Eq("jar", int64(random%jars+1))})
			if err != nil || len(page.Records) != perJar {
				b.Fatal(len(page.Records), err)
			}
			sink = page.Records
		})
		_ = sink
	})
}

// BenchmarkNewestByIndex lists a page of the newest cookies if all are in one jar, compared with a page of the oldest.
func BenchmarkNewestByIndex(b *testing.B) {
	eachSize(b, func(b *testing.B, cookies []core.Record) {
		column := cookie.Field("jar").Column()
		for i := range cookies {
			cookies[i] = cookies[i].With(column, core.IntValue(1))
		}
		store, ctx := stocked(b, cookies), b.Context()
		page := func(order string) func(int) {
			q := core.Query{Where: core.Eq("jar", 1), Order: []string{order}, Limit: 100}
			return func(int) {
				if page, err := store.Select(ctx, cookie, q); err != nil || len(page.Records) != q.Limit {
					b.Fatal(len(page.Records), err)
				}
			}
		}
		compare(b, page("id"), page("-id"))
	})
}

// BenchmarkUpdate changes one record in a transaction, compared with the bare tree.
func BenchmarkUpdate(b *testing.B) {
	eachSize(b, func(b *testing.B, cookies []core.Record) {
		var mu sync.Mutex
		var committed atomic.Pointer[btree.Map[int64, core.Record]]
		tree := btree.NewMap[int64, core.Record](0)
		for _, rec := range cookies {
			tree.Set(rec.Key().Int(), rec)
		}
		committed.Store(tree)
		store, ctx := stocked(b, cookies), b.Context()
		sold := cookie.Field("sold").Column()
		compare(b, func(random int) {
			id := int64(random%len(cookies) + 1)
			mu.Lock()
			tree := committed.Load().Copy()
			rec, _ := tree.Get(id)
			tree.Set(id, rec.With(sold, core.BoolValue(random&1 == 0)))
			committed.Store(tree)
			mu.Unlock()
		}, func(random int) {
			values := make([]core.Value, len(cookie.Columns()))
			values[0], values[sold] = core.IntValue(int64(random%len(cookies)+1)), core.BoolValue(random&1 == 0)
			err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Update(ctx, cookie, cookie.RecordOf(values))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkRollback begins and rolls back a read-write transaction, on one size compared with a tenth of it.
func BenchmarkRollback(b *testing.B) {
	rollback := func(size int) func(int) {
		store, ctx := stocked(b, stock(b, size)), b.Context()
		return func(int) {
			err := store.Tx(ctx, func(context.Context, *core.Transaction) error { return errUndo })
			if !errors.Is(err, errUndo) {
				b.Fatal(err)
			}
		}
	}
	compare(b, rollback(sizes[0]), rollback(sizes[1]))
}

// BenchmarkDecorators compares five decorators that pass every operation on with none.
func BenchmarkDecorators(b *testing.B) {
	var decorators []core.Decorator
	for i := range 5 {
		decorators = append(decorators, core.Decorator{
			Name: "decorator " + strconv.Itoa(i), Kind: core.KindPolicy, KnowsRelated: true,
			Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
				return func(ctx context.Context, op *core.Op) (core.Result, error) { return next(ctx, op) }, nil
			},
		})
	}
	cookies := stock(b, sizes[0])
	get := func(store *core.Store) func(int) {
		ctx := b.Context()
		return func(random int) {
			if _, err := store.Get(ctx, cookie, core.IntValue(int64(random%len(cookies)+1))); err != nil {
				b.Fatal(err)
			}
		}
	}
	bare, decorated := get(stocked(b, cookies)), get(stocked(b, cookies, decorators...))
	compare(b, bare, decorated)
}

// compare compares two ways to do the same thing, in turn and so under the same load, and reports the ratio of our time
// to the time of the floor. Each is called with random numbers. The times are medians of many rounds, so that other load
// on the machine has little influence.
func compare(b *testing.B, floor, ours func(random int)) {
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
	b.ReportMetric(0, "ns/op") // would include both sides and the random numbers
}

func median(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}

// shop is the model of the benchmarks: cookies in jars.
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

// stock returns n cookies with keys from 1. Each jar has perJar of them, spread over the range of keys.
func stock(b *testing.B, n int) []core.Record {
	jars := int64(n / perJar)
	out := make([]core.Record, n)
	for i := range out {
		id := int64(i + 1)
		out[i] = record(b, cookie, "id", id, "type", "muffin", "sold", false, "jar", id%jars+1)
	}
	return out
}

// stocked returns a store with the cookies.
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
