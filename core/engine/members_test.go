package engine_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

// unordered rejects every order by a relation, like a policy that hides the targets of some records.
func unordered() core.Decorator {
	return core.Decorator{Name: "unordered", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			for _, o := range op.Order {
				if o.Field.Target() != nil {
					return core.Result{}, &core.Error{Code: core.SearchForbidden, Resource: op.Resource.APIName(), Field: o.Field.APIName()}
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

var cursors = regexp.MustCompile(`"cookies@next":"[^"]+"`)

func TestListSidesWithoutOrder(t *testing.T) {
	store, err := core.New(t.Context(), enginetest.Cookies(), memory.NewWith(seed.Data{
		"jar":    {1: nil, 2: nil, 3: nil},
		"cookie": {1: {"jar": 2}, 2: {"jar": 1}, 3: {"jar": 2}, 4: {"jar": 1}, 5: {"jar": 1}},
	}), unordered())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule string
		opts engine.Options
		want []string
	}{
		{"all members fit", engine.Options{}, []string{`{"id":1,"cookies":[2,4,5]}`, `{"id":2,"cookies":[1,3]}`, `{"id":3,"cookies":[]}`}},
		{"one list side is too long", engine.Options{MaxMembers: 2}, []string{`{"id":1,"cookies":[2,4],"cookies@next":"…"}`, `{"id":2,"cookies":[1,3]}`, `{"id":3,"cookies":[]}`}},
		{"the answer is full", engine.Options{MaxRecords: 5}, []string{`{"id":1,"cookies":[2,4,5]}`}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			list, err := engine.New(store, c.opts).List(t.Context(), "jar", engine.Query{Depth: 1})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range list.Views {
				got = append(got, cursors.ReplaceAllString(string(v.AppendJSON(nil)), `"cookies@next":"…"`))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestListSidesLeaveRoomForRelations(t *testing.T) {
	for _, n := range []int{200, 400, 499, 500, 501, 1000, 1001} {
		cookies := map[any]map[string]any{}
		for id := range n {
			cookies[id+1] = map[string]any{"jar": 1}
		}
		store, err := core.New(t.Context(), enginetest.Cookies(), memory.NewWith(seed.Data{"jar": {1: nil}, "cookie": cookies}))
		if err != nil {
			t.Fatal(err)
		}
		for depth := range 6 {
			if _, err := engine.New(store, engine.Options{}).Get(t.Context(), "jar", 1, depth); err != nil {
				t.Errorf("%d cookies at depth %d: %v", n, depth, err)
			}
		}
	}
}

func TestReplaceKeepsTruncatedListSide(t *testing.T) {
	store, err := core.New(t.Context(), enginetest.Cookies(), memory.NewWith(seed.Data{
		"jar": {1: nil}, "cookie": {1: {"jar": 1}, 2: {"jar": 1}, 3: {"jar": 1}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	api := engine.New(store, engine.Options{})
	for _, c := range []struct {
		body map[string]any
		want string
	}{
		{map[string]any{"cookies@next": "/cookie"}, `{"id":1,"cookies":[1,2,3]}`},
		{map[string]any{}, `{"id":1,"cookies":[]}`},
	} {
		view, _, err := api.Replace(t.Context(), "jar", 1, engine.Write{Depth: 1}, c.body)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(view.AppendJSON(nil)); got != c.want {
			t.Errorf("%v: %s, want %s", c.body, got, c.want)
		}
	}
}

func TestListSideReadsStayNearTheBound(t *testing.T) {
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
	for name, policies := range map[string][]core.Decorator{"together": nil, "one by one": {unordered()}} {
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
				{"a list within MaxBytes", engine.Options{MaxMembers: 10, MaxBytes: 30_000}, list(2), 1, 1000},
				{"a list within MaxRecords", engine.Options{MaxMembers: 10, MaxRecords: 300}, list(1), 20, 2000},
				{"a list that fits", engine.Options{MaxMembers: 10}, list(1), shelves, 2000},
				{"a record within MaxBytes", engine.Options{MaxMembers: 100, MaxBytes: 150_000}, room(3), 1, 400},
				{"a record within MaxRecords", engine.Options{MaxMembers: 100, MaxRecords: 300}, room(2), 1, 1000},
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
