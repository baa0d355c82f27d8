package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// reads counts the books that a store reads, and the texts among them.
type reads struct{ books, texts int }

func (r *reads) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return nil, true
}

func (r *reads) End(_ context.Context, event *core.Event) {
	if event.Kind != core.Load && event.Kind != core.Select {
		return
	}
	if event.Resource.Name() == "book" {
		r.books += len(event.Result.Records)
	}
	for _, rec := range event.Result.Records {
		if rec.Resource().Field("text") != nil && rec.Get("text").IsSet() {
			r.texts++
		}
	}
}

func TestReadsStopAtMaxBytes(t *testing.T) {
	const members, size, bound = 3000, 1000, 50_000
	m := core.MustModel("library",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "books", ToMany: "book", Inverse: "shelf"},
		}},
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "text", Type: core.Text},
			{Name: "shelf", ToOne: "shelf"},
			{Name: "cited", ToMany: "book"},
		}},
	)
	var read reads
	watch := core.Decorator{Name: "reads", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return &read, nil }}
	store, err := core.New(t.Context(), m, memory.New(), watch)
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := m.Resource("shelf").NewRecord(map[string]any{"id": 1})
	if err != nil {
		t.Fatal(err)
	}
	books, cited := make([]core.Record, members), make([]int, members)
	for i := range books {
		cited[i] = i + 1
		fields := map[string]any{"id": i + 1, "text": strings.Repeat("x", size), "shelf": 1}
		if i == members-1 {
			fields["cited"] = cited
		}
		if books[i], err = m.Resource("book").NewRecord(fields); err != nil {
			t.Fatal(err)
		}
	}
	err = store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		_, err1 := tx.Insert(ctx, m.Resource("shelf"), shelf)
		_, err2 := tx.Insert(ctx, m.Resource("book"), books...)
		return errors.Join(err1, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	api := engine.New(store, engine.Options{MaxBytes: bound})
	for _, c := range []struct {
		rule string
		do   func() error
		want error
	}{
		{"a list", func() error {
			_, err := api.List(t.Context(), "book", engine.Query{Depth: 1, Limit: members})
			return err
		}, nil},
		{"members", func() error { _, err := api.Get(t.Context(), "shelf", 1, 2); return err }, nil},
		{"stored list of ids", func() error { _, err := api.Get(t.Context(), "book", members, 2); return err }, core.TooLarge},
	} {
		t.Run(c.rule, func(t *testing.T) {
			read.texts = 0
			if err := c.do(); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if read.texts > 200 {
				t.Errorf("%d records were read for an answer of at most %d", read.texts, bound/size)
			}
		})
	}
}

func TestMeterCancelsUncommittedWrite(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}, {Name: "lid", ToOne: "lid"},
		}},
		core.ResourceSpec{Name: "lid", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}}},
	)
	large, full := strings.Repeat("x", 70<<10), errors.New("full")
	for _, c := range []struct {
		rule  string
		of    string
		body  map[string]any
		want  error
		count int
	}{
		{"a small answer causes no call", "jar", map[string]any{"text": "x", "lid": map[string]any{}}, nil, 1},
		{"a transaction is undone", "jar", map[string]any{"text": large, "lid": map[string]any{}}, full, 0},
		{"a committed write is answered", "lid", map[string]any{"text": large}, nil, 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			store, err := core.New(t.Context(), m, memory.New())
			if err != nil {
				t.Fatal(err)
			}
			ctx := engine.WithMeter(t.Context(), func(int) error { return full })
			if _, err = engine.New(store, engine.Options{}).Create(ctx, c.of, engine.Write{Depth: 1}, c.body); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if n, err := store.Count(context.Background(), m.Resource(c.of), core.All()); n != c.count || err != nil {
				t.Errorf("%d records, %v", n, err)
			}
		})
	}
}
