package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/fault"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	for name, args := range map[string]func(t *testing.T) []string{
		"memory": func(*testing.T) []string { return nil },
		"file": func(t *testing.T) []string {
			return []string{"-store", "file:" + filepath.Join(t.TempDir(), "sales.db")}
		},
		"postgres": func(t *testing.T) []string { return []string{"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)} },
	} {
		t.Run(name, func(t *testing.T) { recipetest.Walkthrough(t, "README.md", args(t)...) })
	}
}

// shop returns a store with a jar of ten cookies, in memory, which fails as the rules say.
func shop(t *testing.T, rules ...fault.Rule) (*core.Store, *fault.Backend, core.Value) {
	t.Helper()
	faults := fault.New(memory.New(), 1, rules...)
	faults.Enable(false)
	store, err := core.New(t.Context(), model, faults)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	jar, err := jars.NewRecord(map[string]any{"left": 10})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.Insert(t.Context(), jars, jar)
	if err != nil {
		t.Fatal(err)
	}
	faults.Enable(true)
	return store, faults, stored[0].Key()
}

// expectSold checks that n cookies have left the jar, each with a sale, and that each rule has caused a fault.
func expectSold(t *testing.T, store *core.Store, faults *fault.Backend, jar core.Value, n int) {
	t.Helper()
	for i, count := range faults.Counts() {
		if count.Faults == 0 {
			t.Errorf("rule %d has caused no fault", i+1)
		}
	}
	faults.Enable(false)
	full, err := store.Get(t.Context(), jars, jar)
	if err != nil {
		t.Fatal(err)
	}
	sold, err := store.Count(t.Context(), sales, core.All())
	if err != nil || sold != n || full.Get("left").Int() != int64(10-n) {
		t.Errorf("%d sales, %d cookies left, want %d and %d (%v)", sold, full.Get("left").Int(), n, 10-n, err)
	}
}

func TestConflictsSellNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses of the store between attempts take no time in it
		store, faults, jar := shop(t,
			fault.Rule{Kinds: []core.Kind{core.Update}, Probability: 0.2, Err: core.ErrConflict},
			fault.Rule{Kinds: []core.Kind{core.Tx}, Probability: 0.4, Err: core.ErrConflict})
		var buyers sync.WaitGroup
		for i := range 8 {
			buyers.Go(func() {
				if err := sell(t.Context(), store, jar, fmt.Sprint("order ", i)); err != nil {
					t.Error(err)
				}
			})
		}
		buyers.Wait()
		expectSold(t, store, faults, jar, 8)
	})
}

func TestUnknownOutcomeSellsOnce(t *testing.T) {
	for name, committed := range map[string]bool{"lost before the commit": false, "lost after the commit": true} {
		t.Run(name, func(t *testing.T) {
			store, faults, jar := shop(t,
				fault.Rule{Kinds: []core.Kind{core.Tx}, Times: 1, Err: core.ErrCommitUnknown, Committed: committed})
			if err := sell(t.Context(), store, jar, "order 1"); err != nil {
				t.Error(err)
			}
			expectSold(t, store, faults, jar, 1)
		})
	}
}

func TestSlowStorageSellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, faults, jar := shop(t, fault.Rule{Resources: []string{"sale"}, Delay: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := sell(ctx, store, jar, "order 1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		expectSold(t, store, faults, jar, 0)
	})
}

func TestClientsMayRepeatWhenTheStorageIsUnavailable(t *testing.T) {
	store, faults, jar := shop(t, fault.Rule{Times: 1, Err: core.Unavailable})
	handler, err := newHandler(store)
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusNoContent} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/sell?reference=order+1&jar="+jar.String(), nil))
		if w.Code != status || (w.Header().Get("Retry-After") != "") != (status == http.StatusServiceUnavailable) {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
	expectSold(t, store, faults, jar, 1)
}
