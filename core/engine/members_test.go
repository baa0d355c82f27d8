package engine_test

import (
	"context"
	"regexp"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

// unordered refuses every order by a relation, as a policy does that hides what some
// records point at.
func unordered() core.Decorator {
	return core.Decorator{Name: "unordered", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
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

func TestListSidesWhereAPolicyRefusesTheirOrder(t *testing.T) {
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
		{"all fit", engine.Options{}, []string{`{"id":1,"cookies":[2,4,5]}`, `{"id":2,"cookies":[1,3]}`, `{"id":3,"cookies":[]}`}},
		{"one of them does not", engine.Options{MaxMembers: 2}, []string{`{"id":1,"cookies":[2,4],"cookies@next":"…"}`, `{"id":2,"cookies":[1,3]}`, `{"id":3,"cookies":[]}`}},
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

func TestListSidesLeaveRoomForWhatTheirRecordsShow(t *testing.T) {
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

func TestAPutKeepsAListSideThatItsReaderDidNotSeeToTheEnd(t *testing.T) {
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
