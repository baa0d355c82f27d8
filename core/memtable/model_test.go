package memtable

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// garden has every type of key and index, for every instantiation of tables and indexes.
var garden = core.MustModel("garden",
	core.ResourceSpec{Name: "plant", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text, Indexed: true},
		{Name: "height", Type: core.Float, Indexed: true},
		{Name: "sown", Type: core.Time, Indexed: true},
		{Name: "edible", Type: core.Bool, Indexed: true},
		{Name: "note", Type: core.Text},
		{Name: "tag", Type: core.Int, Unique: true},
		{Name: "bed", ToOne: "bed"},
		{Name: "parent", ToOne: "plant"},
	}, Indexes: []core.Index{
		{Fields: []string{"sown", "-height", "note"}},
		{Fields: []string{"edible", "-note"}, Where: core.And(core.Eq("parent", nil), core.Ne("height", nil))},
		{Fields: []string{"-note", "-id"}, Where: core.In("name", "a", "ab")},
	}},
	core.ResourceSpec{Name: "bed", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Text, Key: true},
		{Name: "label", Type: core.Bytes, Indexed: true},
		{Name: "rank", Type: core.Int, Indexed: true},
		{Name: "plants", ToMany: "plant", Inverse: "bed"},
		{Name: "sensor", ToOne: "sensor", Inverse: "bed"},
	}, Indexes: []core.Index{
		{Fields: []string{"label", "-rank"}},
		{Fields: []string{"-label", "rank"}},
	}},
	core.ResourceSpec{Name: "sensor", Fields: []core.FieldSpec{
		{Name: "id", Type: core.UUID, Key: true},
		{Name: "bed", ToOne: "bed"},
		{Name: "watches", ToMany: "plant"},
		{Name: "raw", Type: core.JSON},
		{Name: "blob", Type: core.Bytes},
	}},
)

var plant, bed, sensor = garden.Resource("plant"), garden.Resource("bed"), garden.Resource("sensor")

// backend is a minimal core.Backend over a Store.
type backend struct {
	*Store

	data seed.Data
	log  Log
}

func fresh() *backend { return with(nil) }

func with(data seed.Data) *backend { return &backend{data: data} }

func (b *backend) Bind(ctx context.Context, m *core.Model) error {
	records, err := seed.Records(m, b.data)
	if err == nil {
		b.Store = New(m, Content{Records: records}, b.log)
	}
	return errors.Join(err, ctx.Err())
}

func (b *backend) Close() error {
	b.Store.Close()
	return nil
}

func (b *backend) Dump() seed.Data { return b.Snapshot().Data() }

// open returns a store on the backend.
func open(tb testing.TB, b *backend) *core.Store {
	tb.Helper()
	store, err := core.New(tb.Context(), garden, b)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// record returns a record with the fields given as name and value in turn.
func record(tb testing.TB, r *core.Resource, fields ...any) core.Record {
	tb.Helper()
	m := make(map[string]any)
	for i := 0; i < len(fields); i += 2 {
		m[fields[i].(string)] = fields[i+1]
	}
	rec, err := r.NewRecord(m)
	if err != nil {
		tb.Fatal(err)
	}
	return rec
}

// insert adds a record and returns its key.
func insert(tb testing.TB, s core.Querier, r *core.Resource, fields ...any) core.Value {
	tb.Helper()
	stored, err := s.Insert(tb.Context(), r, record(tb, r, fields...))
	if err != nil {
		tb.Fatal(err)
	}
	return stored[0].Key()
}
