package memtable

import (
	"math"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
)

// Few different values, so that conditions match, ties occur and pages end among equal values.
var (
	texts   = []any{nil, "", "a", "ab", "abc", "b", "\u00e9", "z\U0010ffff"}
	floats  = []any{nil, -1e300, -1.5, -1.0, 0.0, 1e-300, 2.5}
	times   = []any{nil, "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2024-02-29T12:00:00Z"}
	bools   = []any{nil, false, true}
	numbers = []any{nil, -3, 0, 1, 2}
	keys    = []any{math.MinInt64, -2049, -2048, -1, 0, 1, 2, 3, 31, 32, 33, 63, 64, 2047, 2048, 4096, 1 << 40, math.MaxInt64}
	bytesOf = []any{nil, []byte{}, []byte{0}, []byte{0xff}, []byte{0xff, 0xff}, []byte("a")}
)

// domain returns possible values of a field. Those of a key do not include null.
func domain(f *core.Field) []any {
	switch f.Name() {
	case "id":
		if f.Type() == core.Text {
			return texts[2:] // no URL leads to an empty key
		}
		return keys
	case "tag", "parent":
		return []any{nil, -1, 1, 2, 3, 31, 32, 2048}
	}
	switch f.Type() {
	case core.Text:
		return texts
	case core.Float:
		return floats
	case core.Time:
		return times
	case core.Bool:
		return bools
	case core.Bytes:
		return bytesOf
	}
	return numbers
}

// someRecords draws up to a few dozen complete records with different keys.
func someRecords(t *rapid.T, r *core.Resource) []core.Record {
	keys := rapid.SliceOfDistinct(rapid.SampledFrom(domain(r.Key())), func(k any) any { return k }).Draw(t, "keys")
	out := make([]core.Record, len(keys))
	for i, key := range keys {
		out[i] = anyRecord(t, r, key)
	}
	return out
}

func anyRecord(t *rapid.T, r *core.Resource, key any) core.Record {
	values := make([]core.Value, len(r.Columns()))
	for i, f := range r.Columns() {
		raw := key
		if !f.Key() {
			raw = rapid.SampledFrom(domain(f)).Draw(t, f.Name())
		}
		v, err := f.Convert(raw)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = v
	}
	return r.RecordOf(values)
}

// condition draws a filter up to the given depth.
func condition(t *rapid.T, r *core.Resource, depth int) core.Filter {
	kinds := []string{"all", "all", "compare", "compare", "compare", "in", "prefix", "none"}
	if depth > 0 {
		kinds = append(kinds, "and", "and", "and", "or", "not")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "and":
		return core.And(conditions(t, r, depth-1)...)
	case "or":
		return core.Or(conditions(t, r, depth-1)...)
	case "not":
		return core.Not(condition(t, r, depth-1))
	case "in":
		f := rapid.SampledFrom(r.Columns()).Draw(t, "field")
		return core.In(f.Name(), rapid.SliceOfN(rapid.SampledFrom(append([]any{nil}, domain(f)...)), 0, 4).Draw(t, "values")...)
	case "prefix":
		return prefix(t, r)
	case "all":
		return core.All()
	case "none":
		return core.None()
	}
	return comparison(t, r)
}

func conditions(t *rapid.T, r *core.Resource, depth int) []core.Filter {
	out := make([]core.Filter, rapid.IntRange(0, 3).Draw(t, "parts"))
	for i := range out {
		out[i] = condition(t, r, depth)
	}
	return out
}

func prefix(t *rapid.T, r *core.Resource) core.Filter {
	var fields []*core.Field
	for _, f := range r.Columns() {
		if f.Type() == core.Text {
			fields = append(fields, f)
		}
	}
	return core.Prefix(rapid.SampledFrom(fields).Draw(t, "field").Name(),
		rapid.SampledFrom([]string{"", "a", "ab", "z\U0010ffff", "b"}).Draw(t, "prefix"))
}

func comparison(t *rapid.T, r *core.Resource) core.Filter {
	f := rapid.SampledFrom(r.Columns()).Draw(t, "field")
	v := rapid.SampledFrom(append([]any{nil}, domain(f)...)).Draw(t, "value")
	of := []func(string, any) core.Filter{core.Eq, core.Ne}
	if v != nil {
		of = append(of, core.Lt, core.Le, core.Gt, core.Ge)
	}
	return of[rapid.IntRange(0, len(of)-1).Draw(t, "comparison")](f.Name(), v)
}

// order draws the names of fields to sort by.
func order(t *rapid.T, r *core.Resource) []string {
	var names []string
	for _, f := range r.Columns() {
		names = append(names, f.Name(), "-"+f.Name())
	}
	return rapid.SliceOfN(rapid.SampledFrom(names), 0, rapid.IntRange(1, 3).Draw(t, "most")).Draw(t, "order")
}

// filled returns the snapshot of a store with the records. They are either the initial content, or were put one by one
// after other versions.
func filled(t *rapid.T, r *core.Resource, records []core.Record) *Snapshot {
	if rapid.Bool().Draw(t, "at once") {
		content := make([][]core.Record, len(garden.Resources()))
		content[r.Index()] = slices.SortedFunc(slices.Values(records), func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
		return New(garden, Content{Records: content}, nil).Snapshot()
	}
	b := fresh()
	if err := b.Bind(t.Context(), garden); err != nil {
		t.Fatal(err)
	}
	tables := b.committed.Load().tables
	for _, rec := range records {
		before := anyRecord(t, r, rec.Key())
		tables[r.Index()].put(core.Record{}, before)
		if rapid.Bool().Draw(t, "again") {
			tables[r.Index()].remove(before)
			before = core.Record{}
		}
		tables[r.Index()].put(before, rec)
	}
	return b.committed.Load()
}

func TestEveryPlanAgreesWithFullScan(t *testing.T) {
	for _, r := range []*core.Resource{plant, bed} {
		t.Run(r.Name(), rapid.MakeCheck(func(t *rapid.T) {
			all := someRecords(t, r)
			s := filled(t, r, all)
			op := core.Op{Kind: core.Select, Resource: r, Limit: rapid.IntRange(0, 5).Draw(t, "limit")}
			op.Where, op.Using = anyCondition(t, r), anyCondition(t, r)
			op.Order = bindOrder(r, order(t, r))
			for page := 0; ; page++ {
				want := reference.Read(slices.Values(all), &op)
				got, err := s.Read(t.Context(), &op)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, &op, got, want)
				if !want.More {
					break
				}
				op.After = positionOf(&op, want.Records[len(want.Records)-1])
			}
			op.After = nil
			n, err := s.Count(t.Context(), &op)
			if want := reference.Count(slices.Values(all), &op); err != nil || n != want {
				t.Fatalf("counted %d, %v, want %d", n, err, want)
			}
		}))
	}
}

func TestPageContinuesAfterDeletedRecord(t *testing.T) {
	for _, r := range []*core.Resource{plant, bed} {
		t.Run(r.Name(), rapid.MakeCheck(func(t *rapid.T) {
			all := someRecords(t, r)
			s := filled(t, r, all)
			op := core.Op{Kind: core.Select, Resource: r, Limit: rapid.IntRange(0, 3).Draw(t, "limit")}
			op.Where = anyCondition(t, r)
			op.Order = bindOrder(r, order(t, r))
			deleted := anyRecord(t, r, rapid.SampledFrom(domain(r.Key())).Draw(t, "key"))
			op.After = positionOf(&op, deleted)
			got, err := s.Read(t.Context(), &op)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, &op, got, reference.Read(slices.Values(all), &op))
		}))
	}
}

func anyCondition(t *rapid.T, r *core.Resource) core.Filter {
	f, err := r.Bind(condition(t, r, 2))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func bindOrder(r *core.Resource, names []string) (out []core.Order) {
	for _, name := range names {
		o := core.Order{Field: r.Field(name)}
		if o.Field == nil {
			o = core.Order{Field: r.Field(name[1:]), Desc: true}
		}
		if out = append(out, o); o.Field.Key() {
			return out
		}
	}
	return append(out, core.Order{Field: r.Key()})
}

func positionOf(op *core.Op, rec core.Record) []core.Value {
	position := make([]core.Value, len(op.Order))
	for i, o := range op.Order {
		position[i] = rec.At(o.Field.Column())
	}
	return position
}

func compare(t *rapid.T, op *core.Op, got, want core.Result) {
	if got.More != want.More || !slices.EqualFunc(got.Records, want.Records, core.Record.Equal) {
		t.Fatalf("where %s using %s order %v after %v limit %d\ngot  %v %t\nwant %v %t",
			op.Where, op.Using, op.Order, op.After, op.Limit, got.Records, got.More, want.Records, want.More)
	}
}

// A page that no index sorts keeps about as many records as it shows.
func TestSortedPageKeepsFewRecords(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 20_000; id++ {
		plants[id] = map[string]any{"note": strconv.Itoa(id * 7919 % 20_000)}
	}
	b := with(seed.Data{"plant": plants})
	open(t, b)
	for _, order := range []string{"note", "-note", "height"} {
		op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, core.Ne("note", "5")), Using: core.All(), Limit: 10}
		op.Order = bindOrder(plant, []string{order, "-id"})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res, err := b.Snapshot().Read(t.Context(), &op)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; err != nil || len(res.Records) != 10 || !res.More || n > 100_000 {
			t.Errorf("sorted by %s: %d of 20000 records, more: %t, %d bytes are allocated, %v", order, len(res.Records), res.More, n, err)
		}
	}
}
