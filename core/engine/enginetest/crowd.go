package enginetest

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

const (
	crowdSize = 100_000
	crowdPart = 10_000 // records in one insert
)

// Crowd checks that requests on a record with 100,000 referrers read at most as many records as an answer can
// show. It takes seconds, so [Run] does not include it.
func Crowd(t *testing.T, newBackend NewBackend) {
	var read reads
	watch := core.Decorator{Name: "reads", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return &read, nil }}
	store := openStore(t, newBackend, shelves(), watch)
	insertCrowdBooks(t, store)
	api := engine.New(store, engine.Options{})
	ctx := t.Context()
	const shown = 1000
	update := func(body map[string]any) error {
		_, err := api.Update(ctx, "shelf", 1, engine.Write{Depth: 1}, body)
		return err
	}
	for _, c := range []struct {
		request string
		do      func() error
		want    error
		records int
	}{
		{"a read", func() error { _, err := api.Get(ctx, "shelf", 1, 1); return err }, nil, 1 + shown + 1},
		{"a list of records with such list sides", func() error {
			_, err := api.List(ctx, "shelf", engine.Query{Depth: 1})
			return err
		}, nil, 2 + 10*shown + 1},
		{"a page of its records", func() error {
			q := engine.Query{Filter: map[string]any{"shelf": 1}, Sort: []string{"-id"}, Limit: 100}
			_, err := api.List(ctx, "book", q)
			return err
		}, nil, 100},
		{"a change of another field", func() error { return update(map[string]any{"note": "b"}) }, nil, 1 + shown + 1},
		{"setting the list side", func() error { return update(map[string]any{"books": []any{1}}) }, core.BadRequest, 2 + shown + 1},
		{"a replacement", func() error {
			_, _, err := api.Replace(ctx, "shelf", 1, engine.Write{Depth: 1}, map[string]any{"note": "c"})
			return err
		}, nil, 1 + 2*(shown+1)},
		{"a delete", func() error { return api.Delete(ctx, "shelf", 1, engine.Write{}) }, core.StillReferenced, 1 + 10_000},
	} {
		t.Run(c.request, func(t *testing.T) {
			read = reads{}
			if err := c.do(); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if read.records > c.records || read.titles > 0 {
				t.Errorf("%d records were read, %d of them whole, want at most %d and none", read.records, read.titles, c.records)
			}
		})
	}
	t.Run("pages lead to all of its records", func(t *testing.T) { readAllPages(t, api, shown) })
}

// reads counts records that were read, and records read with their title.
type reads struct{ records, titles int }

// Begin implements [core.Observer].
func (r *reads) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return nil, true
}

// End implements [core.Observer].
func (r *reads) End(_ context.Context, event *core.Event) {
	if event.Kind != core.Load && event.Kind != core.Select {
		return
	}
	r.records += len(event.Result.Records)
	for _, rec := range event.Result.Records {
		if rec.Resource().Field("title") != nil && rec.Get("title").IsSet() {
			r.titles++
		}
	}
}

func insertCrowdBooks(t *testing.T, store *core.Store) {
	t.Helper()
	shelf, book := store.Model().Resource("shelf"), store.Model().Resource("book")
	insert := func(r *core.Resource, all ...map[string]any) {
		records := make([]core.Record, len(all))
		for i, fields := range all {
			var err error
			if records[i], err = r.NewRecord(fields); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.Insert(t.Context(), r, records...); err != nil {
			t.Fatal(err)
		}
	}
	insert(shelf, map[string]any{"id": 1, "note": "a"}, map[string]any{"id": 2})
	for from := 0; from < crowdSize; from += crowdPart {
		part := make([]map[string]any, crowdPart)
		for i := range part {
			part[i] = map[string]any{"id": from + i + 1, "title": "t", "shelf": 1}
		}
		insert(book, part...)
	}
}

// readAllPages reads the list side and the pages that continue it.
func readAllPages(t *testing.T, api *engine.Engine, shown int) {
	view, err := api.Get(t.Context(), "shelf", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	object, _ := view.Any().(map[string]any)
	first, _ := object["books"].([]any)
	after, _ := object["books@next"].(string)
	n := len(first)
	if n != shown {
		t.Errorf("the list side shows %d records, want %d", n, shown)
	}
	for q := (engine.Query{After: core.Cursor(after)}); q.After != ""; {
		page, err := api.Related(t.Context(), "shelf", 1, "books", q)
		if err != nil {
			t.Fatal(err)
		}
		if n++; page.Views[0].Key() != core.IntValue(int64(n)) {
			t.Fatalf("the page after %d records begins with %s", n-1, page.Views[0].Key())
		}
		n += len(page.Views) - 1
		q.After = page.Next
	}
	if n != crowdSize {
		t.Errorf("%d records, want %d", n, crowdSize)
	}
}
