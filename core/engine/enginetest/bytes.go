package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// shelves is a model with books and shelves that hold long texts.
func shelves() *core.Model {
	return core.MustModel("shelves",
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{
			key(),
			{Name: "title", Type: core.Text},
			{Name: "scan", Type: core.Bytes},
			{Name: "meta", Type: core.JSON},
			{Name: "shelf", ToOne: "shelf"},
			{Name: "spell", Type: core.Text, Computed: &core.Computed{Get: shout, Set: lower}},
		}},
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			key(),
			{Name: "note", Type: core.Text},
			{Name: "books", ToMany: "book", Inverse: "shelf"},
		}},
		core.ResourceSpec{Name: "leaf", Fields: []core.FieldSpec{
			key(),
			{Name: "text", Type: core.Text},
			{Name: "size", Type: core.Int},
		}},
	)
}

func lower(_ context.Context, _ core.Record, value any) (map[string]any, error) {
	return map[string]any{"title": strings.ToLower(fmt.Sprint(value))}, nil
}

func byteCases() []Case {
	const tooLarge = `TOO_LARGE {"msg": "the answer would have more than 300 bytes; use a smaller depth"}`
	few := engine.Options{MaxBytes: 300}
	x := strings.Repeat("x", 100)
	y := strings.Repeat(`\"`, 50)
	return []Case{
		scriptWith("a page ends at MaxBytes", shelves, few, `
			post leaf [{"text": "`+x+`"}, {"text": "`+x+`"}, {"text": "`+y+`"}, {"text": "`+x+`"}, {"size": 1}] depth=0
			pages leaf => [[{"id": 1, "text": "`+x+`"}, {"id": 2, "text": "`+x+`"}], [{"id": 3, "text": "`+y+`"}, {"id": 4, "text": "`+x+`"}, {"id": 5, "size": 1}]]
			pages leaf sort=["-id"] limit=4 => [[{"id": 5, "size": 1}, {"id": 4, "text": "`+x+`"}, {"id": 3, "text": "`+y+`"}], [{"id": 2, "text": "`+x+`"}, {"id": 1, "text": "`+x+`"}]]
			pages leaf depth=0 => [[1, 2, 3, 4, 5]]`),
		scriptWith("repeated records count their bytes each time", shelves, few, `
			post shelf {"note": "`+x+`", "books": [{}, {}, {}]} depth=0
			pages book depth=2 filter={"id": {"gt": 1}} => [[{"id": 2, "shelf": {"id": 1, "note": "`+x+`", "books": [1, 2, 3]}}], [{"id": 3, "shelf": {"id": 1, "note": "`+x+`", "books": [1, 2, 3]}}]]
			pages book => [[{"id": 1, "shelf": 1}, {"id": 2, "shelf": 1}, {"id": 3, "shelf": 1}]]`),
		scriptWith("a single record above MaxBytes is too large", shelves, few, `
			post shelf {"note": "`+x+x+`", "books": [{"title": "`+x+`"}]} depth=0
			get shelf/1                => {"id": 1, "note": "`+x+x+`", "books": [1]}
			get book/1 depth=2         => `+tooLarge+`
			list book depth=2          => `+tooLarge+`
			get book/1                 => {"id": 1, "title": "`+x+`", "spell": "`+strings.ToUpper(x)+`", "shelf": 1}`),
		scriptWith("computed fields count towards MaxBytes", shelves, few, `
			put book/1 {"title": "`+x+x+`"} depth=0
			get book/1                 => `+tooLarge+`
			get book/1 depth=0         => 1`),
		scriptWith("a write with an answer above MaxBytes is undone", shelves, few, `
			post book {"title": "`+x+`", "shelf": {"note": "`+x+x+`"}} depth=2  => `+tooLarge+`
			list book depth=0          => []
			list shelf depth=0         => []`),
		scriptWith("a direct write above MaxBytes answers with ids", shelves, few, `
			post leaf [{"text": "`+x+x+`"}, {"text": "`+x+x+`"}]    => [1, 2]
			post leaf [{"text": "`+x+`"}]                           => [{"id": 3, "text": "`+x+`"}]
			put leaf/1000 {"text": "`+x+x+x+`"} depth=0
			patch leaf/1000 {"size": 7}                             => 1000
			list leaf depth=0 filter={"size": 7}                    => [1000]
			patch leaf/1000 {"text": "short"}                       => {"id": 1000, "text": "short", "size": 7}`),
		{"answers of many sizes stay within MaxBytes", boundOfBytes},
		{"MaxValue limits single values", valueLimit},
	}
}

// boundOfBytes lists records of many sizes and characters at several bounds.
func boundOfBytes(t *testing.T, newBackend NewBackend) {
	store := openStore(t, newBackend, shelves())
	api := engine.New(store, engine.Options{})
	var bodies []map[string]any
	for i := range 40 {
		bodies = append(bodies, map[string]any{
			"title": strings.Repeat("a\u2028\"\n\x01é", i%7), "scan": make([]byte, i*3), "meta": map[string]any{"n": make([]int, i)},
		})
	}
	shelf := map[string]any{"note": strings.Repeat("\\", 20), "books": bodies}
	if _, err := api.Create(t.Context(), "shelf", engine.Write{}, shelf); err != nil {
		t.Fatal(err)
	}
	for _, bound := range []int{1200, 5000, 100_000} {
		bounded := engine.New(store, engine.Options{MaxBytes: bound})
		for depth := range 3 {
			seen := 0
			for q := (engine.Query{Depth: depth}); ; {
				list, err := bounded.List(t.Context(), "book", q)
				if err != nil {
					t.Fatalf("bound %d, depth %d: %v", bound, depth, err)
				}
				if n := len(texts(list.Views)); n > bound {
					t.Fatalf("bound %d, depth %d: %d bytes", bound, depth, n)
				}
				seen += len(list.Views)
				if q.After = list.Next; q.After == "" {
					break
				}
			}
			if seen != len(bodies) {
				t.Errorf("bound %d, depth %d: %d records, want %d", bound, depth, seen, len(bodies))
			}
		}
	}
}

func valueLimit(t *testing.T, newBackend NewBackend) {
	limited := open(t, newBackend, shelves(), engine.Options{MaxValue: 20})
	for _, row := range []struct {
		field string
		value any
		fits  bool
	}{
		{"title", strings.Repeat("x", 20), true},
		{"title", strings.Repeat("x", 21), false},
		{"scan", make([]byte, 20), true},
		{"scan", make([]byte, 21), false},
		{"meta", []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, true},
		{"meta", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, false},
		{"spell", strings.Repeat("X", 20), true},
		{"spell", strings.Repeat("X", 21), false},
	} {
		t.Run(fmt.Sprint(row.field, "/", row.fits), func(t *testing.T) {
			body := map[string]any{row.field: row.value}
			want := fmt.Sprintf(`error TOO_LARGE {"msg":"the value of book.%s has more than 20 bytes"}`, row.field)
			_, createErr := limited.Create(t.Context(), "book", engine.Write{}, body)
			_, nestedErr := limited.Create(t.Context(), "shelf", engine.Write{}, map[string]any{"books": []any{body}})
			for _, err := range []error{createErr, nestedErr} {
				if row.fits && err != nil || !row.fits && (!errors.Is(err, core.TooLarge) || errorText(err) != want) {
					t.Errorf("%v, want fits=%t", err, row.fits)
				}
			}
		})
	}
}
