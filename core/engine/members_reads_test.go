package engine_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/seed"
)

func TestReadsOfListSidesStayNearTheBound(t *testing.T) {
	const shelves, each = 40, 400
	m := core.MustModel("library",
		core.ResourceSpec{Name: "room", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "shelves", ToMany: "shelf", Inverse: "room"},
		}},
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "room", ToOne: "room"},
			{Name: "books", ToMany: "book", Inverse: "shelf"},
		}},
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "text", Type: core.Text},
			{Name: "shelf", ToOne: "shelf"},
		}},
	)
	data := seed.Data{"room": {1: nil}, "shelf": {}, "book": {}}
	for shelf := 1; shelf <= shelves; shelf++ {
		data["shelf"][shelf] = map[string]any{"room": 1}
		for n := range each {
			data["book"][shelf*each+n] = map[string]any{"text": strings.Repeat("x", 1000), "shelf": shelf}
		}
	}
	for name, policies := range map[string][]core.Decorator{"together": nil, "each alone": {unordered()}} {
		t.Run(name, func(t *testing.T) {
			var read reads
			watch := core.Decorator{Name: "reads", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return &read, nil }}
			store, err := core.New(t.Context(), m, memory.NewWith(data), append([]core.Decorator{watch}, policies...)...)
			if err != nil {
				t.Fatal(err)
			}
			list := func(depth int) func(*engine.Engine) (int, error) {
				return func(api *engine.Engine) (int, error) {
					list, err := api.List(t.Context(), "shelf", engine.Query{Depth: depth})
					return len(list.Views), err
				}
			}
			room := func(depth int) func(*engine.Engine) (int, error) {
				return func(api *engine.Engine) (int, error) {
					_, err := api.Get(t.Context(), "room", 1, depth)
					return 1, err
				}
			}
			for _, c := range []struct {
				rule  string
				opts  engine.Options
				do    func(*engine.Engine) (int, error)
				shown int // records of the list
				most  int // books that are read
			}{
				{"a list within its bytes", engine.Options{MaxMembers: 10, MaxBytes: 30_000}, list(2), 1, 1000},
				{"a list within its records", engine.Options{MaxMembers: 10, MaxRecords: 300}, list(1), 20, 2000},
				{"a list that fits", engine.Options{MaxMembers: 10}, list(1), shelves, 2000},
				{"a record within its bytes", engine.Options{MaxMembers: 100, MaxBytes: 150_000}, room(3), 1, 400},
				{"a record within its records", engine.Options{MaxMembers: 100, MaxRecords: 300}, room(2), 1, 1000},
			} {
				t.Run(c.rule, func(t *testing.T) {
					read = reads{}
					shown, err := c.do(engine.New(store, c.opts))
					if err != nil || shown < c.shown {
						t.Errorf("%d records are shown, want at least %d; %v", shown, c.shown, err)
					}
					if read.books > c.most {
						t.Errorf("%d books were read, want at most %d", read.books, c.most)
					}
				})
			}
		})
	}
}
