package engine_test

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

// family has two couples and a child of the first.
func family(t *testing.T) *engine.Engine {
	store, err := core.New(t.Context(), enginetest.Family(), memory.NewWith(seed.Data{
		"female": {1: {"name": "a"}, 2: {"name": "b"}},
		"male":   {1: {"wife": 1}, 2: {"wife": 2}},
		"child":  {1: {"father": 1, "mother": 1}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	return engine.New(store, engine.Options{})
}

// noServerError fails for an error that no request may cause.
func noServerError(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, core.ServerError) || errors.Is(err, core.Unavailable) {
		t.Error(err)
	}
}

// checkMutual fails if the two sides of a relation disagree.
func checkMutual(t *testing.T, api *engine.Engine) {
	t.Helper()
	list, err := api.List(t.Context(), "male", engine.Query{Depth: 2})
	noServerError(t, err)
	for _, v := range list.Views {
		male, _ := v.Any().(map[string]any)
		if wife, _ := male["wife"].(map[string]any); wife != nil && wife["husband"] != male["id"] {
			t.Errorf("the other side of a relation differs: %v", male)
		}
		children, _ := male["children"].([]any)
		for _, child := range children {
			if child, _ := child.(map[string]any); child["father"] != male["id"] {
				t.Errorf("the other side of a relation differs: %v", male)
			}
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"name": "x"}`, `{"wife": 2, "children": [1]}`, `{"wife": {"husband": 2, "children": [{}, 1, "1"]}}`,
		`{"husband": {"wife": 1, "children": [{"mother": {"husband": 1}}]}}`, `{"father": null, "mother": {"id": 1}}`,
		`{"children": [{"father": {"children": [{"father": {"wife": {"husband": {}}}}]}}]}`, `{"url": 1}`, `{"children": {}}`,
		`{"wife": 1e0, "name": 5}`, `{"wife": "01"}`, `{"children": [null]}`, `{"": {}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := core.ParseJSON([]byte(text), 0)
		body, ok := parsed.(map[string]any)
		if err != nil || !ok {
			return
		}
		api := family(t)
		for _, resource := range []string{"male", "female", "child"} {
			_, err := api.Create(t.Context(), resource, engine.Write{Depth: 2}, body)
			noServerError(t, err)
			_, err = api.Update(t.Context(), resource, 1, engine.Write{Depth: 2}, body)
			noServerError(t, err)
			for _, id := range []int{1, 9} {
				_, _, err = api.Replace(t.Context(), resource, id, engine.Write{Depth: 2}, body)
				noServerError(t, err)
			}
			checkMutual(t, api)
			noServerError(t, api.Delete(t.Context(), resource, 1, engine.Write{}))
			checkMutual(t, api)
		}
	})
}

func FuzzFilterAndSort(f *testing.F) {
	f.Add(`{}`, "id")
	f.Add(`{"name": "a", "wife": 1}`, "-name")
	f.Add(`{"husband": {"in": [1, null]}, "id": {"ge": "1"}}`, "-id")
	f.Add(`{"husband": {"ne": 1}}`, "husband")
	f.Add(`{"wife": {"lt": null}, "url": "x"}`, "--name")
	f.Add(`{"name": {"prefix": "a", "eq": {}}}`, "")
	f.Add(`{"children": [], "name": {"in": {}}}`, "url")
	f.Fuzz(func(t *testing.T, text, sort string) {
		parsed, err := core.ParseJSON([]byte(text), 0)
		filter, ok := parsed.(map[string]any)
		if err != nil || !ok {
			return
		}
		api := family(t)
		for _, resource := range []string{"male", "female", "child"} {
			q := engine.Query{Filter: filter, Sort: []string{sort}}
			whole, err := api.List(t.Context(), resource, q)
			noServerError(t, err)
			if err != nil {
				continue
			}
			q.Limit = 1
			for n := range whole.Views {
				page, err := api.List(t.Context(), resource, q)
				if err != nil || len(page.Views) != 1 || page.Views[0].Key() != whole.Views[n].Key() {
					t.Fatalf("page %d of %s: %d records, %v", n, resource, len(page.Views), err)
				}
				q.After = page.Next
			}
			if q.After != "" {
				t.Errorf("a cursor after the last page of %s", resource)
			}
		}
	})
}

func FuzzID(f *testing.F) {
	for _, id := range []string{"1", "01", "-0", "4503599627370497", "9007199254740993", "abc", "1.0", "\xff", "", "0x1"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		api := family(t)
		_, err := api.Get(t.Context(), "male", id, 2)
		noServerError(t, err)
		view, created, err := api.Replace(t.Context(), "male", id, engine.Write{Depth: 1}, nil)
		noServerError(t, err)
		if err == nil && view.Key().String() != id {
			t.Errorf("id %q became %s, created %v", id, view.Key(), created)
		}
		noServerError(t, api.Delete(t.Context(), "male", id, engine.Write{}))
	})
}
