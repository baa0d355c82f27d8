package memtable

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
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
	uuids   = []any{"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "ffffffff-0000-4000-8000-000000000003"}
	bytesOf = []any{nil, []byte{}, []byte{0}, []byte{0xff}, []byte{0xff, 0xff}, []byte("a")}
)

// domain returns possible values of a field. Those of a key do not include null.
func domain(f *core.Field) []any {
	switch f.Name() {
	case "id":
		if f.Type() == core.Text {
			return texts[2:] // no URL leads to an empty key
		}
		if f.Type() == core.UUID {
			return uuids
		}
		return keys
	case "tag", "parent":
		return []any{nil, -1, 1, 2, 3, 31, 32, 2048}
	case "watches":
		return []any{nil, []any{}, []any{1}, []any{-1, 2, 3, 5}, []any{31, 32, 2048}}
	case "raw":
		return []any{nil, map[string]any{"a": 1}}
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
		kinds = append(kinds, "and", "and", "and", "or", "not", "related", "related", "related")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "and":
		return core.And(conditions(t, r, depth-1)...)
	case "or":
		return core.Or(conditions(t, r, depth-1)...)
	case "not":
		return core.Not(condition(t, r, depth-1))
	case "related":
		f := rapid.SampledFrom(relations(r)).Draw(t, "relation")
		return core.Related(f.Name(), condition(t, f.Target(), depth-1))
	case "in":
		f := rapid.SampledFrom(sortable(r)).Draw(t, "field")
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

func relations(r *core.Resource) (fields []*core.Field) {
	for _, f := range r.Fields() {
		if f.Target() != nil {
			fields = append(fields, f)
		}
	}
	return fields
}

// sortable returns the fields that a filter and an order may name.
func sortable(r *core.Resource) (fields []*core.Field) {
	for _, f := range r.Columns() {
		if f.Ordered() && !f.Many() {
			fields = append(fields, f)
		}
	}
	return fields
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
	if fields == nil {
		return core.None()
	}
	return core.Prefix(rapid.SampledFrom(fields).Draw(t, "field").Name(),
		rapid.SampledFrom([]string{"", "a", "ab", "z\U0010ffff", "b"}).Draw(t, "prefix"))
}

func comparison(t *rapid.T, r *core.Resource) core.Filter {
	f := rapid.SampledFrom(sortable(r)).Draw(t, "field")
	v := rapid.SampledFrom(append([]any{nil}, domain(f)...)).Draw(t, "value")
	of := []func(string, any) core.Filter{core.Eq, core.Ne}
	if v != nil {
		of = append(of, core.Lt, core.Le, core.Gt, core.Ge)
	}
	return of[rapid.IntRange(0, len(of)-1).Draw(t, "comparison")](f.Name(), v)
}

// order draws the names of fields to sort by, with "-" in front for descending order. Half of them are fields of related
// records.
func order(t *rapid.T, r *core.Resource) []string {
	return drawOrder(t, slices.Concat(paths(r, 2), paths(r, 0)))
}

// plainOrder draws fields of the record itself.
func plainOrder(t *rapid.T, r *core.Resource) []string { return drawOrder(t, paths(r, 0)) }

func drawOrder(t *rapid.T, names []string) []string {
	for _, name := range names {
		names = append(names, "-"+name)
	}
	return rapid.SliceOfN(rapid.SampledFrom(names), 0, rapid.IntRange(1, 3).Draw(t, "most")).Draw(t, "order")
}

// paths returns the fields that at most so many to-one relations lead to.
func paths(r *core.Resource, relations int) (names []string) {
	for _, f := range sortable(r) {
		names = append(names, f.Name())
	}
	for _, f := range r.Fields() {
		if to, ok := f.Relation(); ok && !to.Many() && relations > 0 {
			for _, name := range paths(f.Target(), relations-1) {
				names = append(names, f.Name()+"."+name)
			}
		}
	}
	return names
}

// world has the records of each resource, by the index of the resource.
type world [][]core.Record

// someWorld draws records of every resource.
func someWorld(t *rapid.T) world {
	w := make(world, len(garden.Resources()))
	for i, r := range garden.Resources() {
		w[i] = someRecords(t, r)
	}
	separate(w[sensor.Index()], sensor.Field("bed"))
	return w
}

// separate sets a field to null in the records in which it repeats a value.
func separate(records []core.Record, f *core.Field) {
	seen := make(map[core.Value]bool)
	for i, rec := range records {
		v := rec.Value(f)
		if seen[v] {
			records[i] = rec.Set(f, core.Null)
		}
		seen[v] = v.IsSet()
	}
}

func (w world) of(r *core.Resource) iter.Seq[core.Record] { return slices.Values(w[r.Index()]) }

// filled returns the snapshot of a store with the records. They are either the initial content, or were put one by one
// after other versions.
func filled(t *rapid.T, w world) *Snapshot {
	if rapid.Bool().Draw(t, "at once") {
		return New(garden, w.content(), nil).Snapshot()
	}
	b := fresh()
	if err := b.Bind(t.Context(), garden); err != nil {
		t.Fatal(err)
	}
	tables := b.committed.Load().tables
	for i, records := range w {
		for _, rec := range records {
			before := anyRecord(t, rec.Resource(), rec.Key())
			tables[i].put(core.Record{}, before)
			if rapid.Bool().Draw(t, "again") {
				tables[i].remove(before)
				before = core.Record{}
			}
			tables[i].put(before, rec)
		}
	}
	return b.committed.Load()
}

func (w world) content() Content {
	content := make([][]core.Record, len(w))
	for i, records := range w {
		content[i] = slices.SortedFunc(slices.Values(records), func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	}
	return Content{Records: content}
}

// binder resolves queries as a store does, with conditions under which related records exist for the caller.
type binder struct {
	store  *core.Store
	guards []core.Filter // by the index of the resource
	op     core.Op       // of the last Select
}

func newBinder(t *testing.T) *binder {
	b := &binder{guards: make([]core.Filter, len(garden.Resources()))}
	var err error
	b.store, err = core.New(t.Context(), garden, fresh(), core.Decorator{
		Name: "binder", Kind: core.KindPolicy, UsesRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind != core.Visibility {
					b.op = *op
					return core.Result{}, nil
				}
				op.Guard(b.guards[op.Resource.Index()])
				return next(ctx, op)
			}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.store.Close() })
	return b
}

// query draws a Select.
func (b *binder) query(t *rapid.T, r *core.Resource) core.Op {
	for i, r := range garden.Resources() {
		b.guards[i] = anyCondition(t, r)
	}
	q := core.Query{Where: condition(t, r, 3), Order: order(t, r), Limit: rapid.IntRange(0, 5).Draw(t, "limit")}
	if _, err := b.store.Select(t.Context(), r, q); err != nil {
		t.Fatal(err)
	}
	b.op.Using = anyCondition(t, r)
	b.op.Conditions = boundConditions(t, r)
	return b.op
}

func boundConditions(t *rapid.T, r *core.Resource) []core.Filter {
	out := make([]core.Filter, rapid.IntRange(0, 2).Draw(t, "conditions"))
	for i := range out {
		out[i] = anyCondition(t, r)
	}
	return out
}

func TestEveryPlanAgreesWithFullScan(t *testing.T) {
	b := newBinder(t)
	for _, r := range garden.Resources() {
		t.Run(r.Name(), rapid.MakeCheck(func(t *rapid.T) {
			w := someWorld(t)
			s, op := filled(t, w), b.query(t, r)
			agrees(t, w, s, op)
			narrowedAgrees(t, w, s, op, rapid.IntRange(0, 8).Draw(t, "visits left"))
		}))
	}
}

// narrowedAgrees compares the first page of a Select, whose scan at most so many visits of related records determine, with
// that of the reference.
func narrowedAgrees(t *rapid.T, w world, s *Snapshot, op core.Op, left int) {
	op.Conditions = nil
	related := relatedFor(t.Context(), s.tables, &op)
	if related == nil {
		return
	}
	narrowed, err := related.narrowWith(&op, &left)
	if err != nil {
		t.Fatal(err)
	}
	m := matcher{visits: visits{ctx: t.Context()}, plan: plan(narrowed), op: narrowed, related: related.reader()}
	got, err := m.read(s.tables[op.Resource.Index()])
	want, wantErr := reference.Read(w.of, &op)
	if err != nil || wantErr != nil {
		t.Fatal(err, wantErr)
	}
	project(got.Records, &op)
	compare(t, &op, got, want)
}

// agrees compares all pages of a Select, and the number of its records, with those of the reference.
func agrees(t *rapid.T, w world, tx core.BackendTx, op core.Op) {
	for {
		want, err := reference.Read(w.of, &op)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tx.Read(t.Context(), &op)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, &op, got, want)
		if !want.More {
			break
		}
		if op.After, err = op.Position(want.Records[len(want.Records)-1], reference.Records(w.of).Related); err != nil {
			t.Fatal(err)
		}
	}
	op.After = nil
	n, err := tx.Count(t.Context(), &op)
	want, wantErr := reference.Count(w.of, &op)
	if err != nil || wantErr != nil || n != want {
		t.Fatalf("counted %d, %v, want %d, %v", n, err, want, wantErr)
	}
	load := op
	load.Kind, load.Keys, load.Limit = core.Load, nil, 0
	for _, rec := range w[op.Resource.Index()] {
		load.Keys = append(load.Keys, rec.Key())
	}
	load.Keys = core.SortKeys(load.Keys)
	got, err := tx.Read(t.Context(), &load)
	expected, wantErr := reference.Read(w.of, &load)
	if err != nil || wantErr != nil {
		t.Fatal(err, wantErr)
	}
	expected.Positions = nil // a Load has no order
	compare(t, &load, got, expected)
}

// A transaction sees its own writes in conditions on related records.
func TestTransactionAgreesWithReference(t *testing.T) {
	b := newBinder(t)
	for _, r := range garden.Resources() {
		t.Run(r.Name(), rapid.MakeCheck(func(t *rapid.T) {
			w := someWorld(t)
			tx, err := New(garden, w.content(), nil).Begin(t.Context(), core.BackendTxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			for range rapid.IntRange(1, 3).Draw(t, "writes") {
				w.write(t, tx, rapid.SampledFrom(garden.Resources()).Draw(t, "resource"))
			}
			agrees(t, w, tx, b.query(t, r))
		}))
	}
}

// write performs the same write in the transaction and in the world.
func (w world) write(t *rapid.T, tx core.BackendTx, r *core.Resource) {
	op := core.Op{Resource: r, Using: anyCondition(t, r)}
	records := make(map[core.Value]core.Record)
	for _, rec := range w[r.Index()] {
		records[rec.Key()] = rec
	}
	rec := anyRecord(t, r, rapid.SampledFrom(domain(r.Key())).Draw(t, "key"))
	if r == sensor {
		rec = rec.Set(sensor.Field("bed"), core.Null) // a path needs one sensor at most
	}
	op.Keys, op.Records = []core.Value{rec.Key()}, []core.Record{rec}
	var got, want error
	switch rapid.SampledFrom([]core.Kind{core.Insert, core.Update, core.Delete}).Draw(t, "write") {
	case core.Insert:
		if _, exists := records[rec.Key()]; exists {
			return
		}
		op.Kind = core.Insert
		_, got = tx.Insert(t.Context(), &op)
		_, want = reference.Insert(records, &op, new(reference.Sequence))
	case core.Update:
		op.Kind = core.Update
		_, got = tx.Update(t.Context(), &op)
		_, want = reference.Update(records, w.of, &op)
	default:
		op.Kind = core.Delete
		got, want = tx.Delete(t.Context(), &op), reference.Delete(records, w.of, &op)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s %s using %s: got %v, want %v", op.Kind, rec, op.Using, got, want)
	}
	w[r.Index()] = slices.Collect(maps.Values(records))
}

func TestPageContinuesAfterDeletedRecord(t *testing.T) {
	for _, r := range []*core.Resource{plant, bed} {
		t.Run(r.Name(), rapid.MakeCheck(func(t *rapid.T) {
			w := someWorld(t)
			s := filled(t, w)
			op := core.Op{Kind: core.Select, Resource: r, Limit: rapid.IntRange(0, 3).Draw(t, "limit")}
			op.Where = anyCondition(t, r)
			op.Order = bindOrder(r, plainOrder(t, r))
			deleted := anyRecord(t, r, rapid.SampledFrom(domain(r.Key())).Draw(t, "key"))
			op.After = positionOf(&op, deleted)
			got, err := s.Read(t.Context(), &op)
			want, wantErr := reference.Read(w.of, &op)
			if err != nil || wantErr != nil {
				t.Fatal(err, wantErr)
			}
			compare(t, &op, got, want)
		}))
	}
}

// anyCondition draws a bound condition. Only a bound one can follow a list of keys backwards.
func anyCondition(t *rapid.T, r *core.Resource) core.Filter {
	f, err := r.Bind(condition(t, r, 2))
	if err != nil {
		t.Fatal(err)
	}
	if r == plant && rapid.IntRange(0, 3).Draw(t, "watched") == 0 {
		watching := core.Relation{Stored: sensor.Field("watches"), Reverse: true}.Match(anyCondition(t, sensor))
		return rapid.SampledFrom([]core.Filter{core.And(f, watching), core.Or(f, watching), core.Not(watching)}).Draw(t, "with")
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
	if got.More != want.More || !slices.EqualFunc(got.Records, want.Records, core.Record.Equal) ||
		!slices.EqualFunc(got.Positions, want.Positions, slices.Equal) || !slices.EqualFunc(got.Conditions, want.Conditions, slices.Equal) {
		t.Fatalf("%s where %s using %s order %v after %v limit %d\ngot  %v %v %v %t\nwant %v %v %v %t", op.Kind, op.Where, op.Using, op.Order, op.After, op.Limit,
			got.Records, got.Positions, got.Conditions, got.More, want.Records, want.Positions, want.Conditions, want.More)
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

// endingContext is a context that ends after its first few checks.
type endingContext struct {
	context.Context

	left *int
}

func (c endingContext) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestLongScanNoticesEndOfContext(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 3*perCheck; id++ {
		plants[id] = map[string]any{"bed": "b", "note": "x"}
	}
	b := with(seed.Data{"plant": plants, "bed": {"b": {}}})
	open(t, b)
	ofPlants := core.Related("plants", core.Eq("note", "y"))
	for name, call := range map[string]func(context.Context, core.BackendTx) error{
		"select": func(ctx context.Context, tx core.BackendTx) error {
			_, err := tx.Read(ctx, &core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, core.Eq("note", "y")), Order: bindOrder(plant, []string{"note"})})
			return err
		},
		"count": func(ctx context.Context, tx core.BackendTx) error {
			_, err := tx.Count(ctx, &core.Op{Kind: core.Count, Resource: plant, Where: where(t, plant, core.Eq("note", "y"))})
			return err
		},
		"load by a related condition": func(ctx context.Context, tx core.BackendTx) error {
			_, err := tx.Read(ctx, &core.Op{Kind: core.Load, Resource: bed, Keys: []core.Value{core.TextValue("b")}, Using: where(t, bed, ofPlants)})
			return err
		},
		"select by a related condition": func(ctx context.Context, tx core.BackendTx) error {
			_, err := tx.Read(ctx, &core.Op{Kind: core.Select, Resource: bed, Where: where(t, bed, ofPlants), Order: bindOrder(bed, nil)})
			return err
		},
		"delete by a related condition": func(ctx context.Context, tx core.BackendTx) error {
			return tx.Delete(ctx, &core.Op{Kind: core.Delete, Resource: bed, Keys: []core.Value{core.TextValue("b")}, Using: where(t, bed, ofPlants)})
		},
	} {
		tx, err := b.Begin(t.Context(), core.BackendTxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		checks := 2
		if err := call(endingContext{t.Context(), &checks}, tx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		_ = tx.Rollback(t.Context())
	}
}
