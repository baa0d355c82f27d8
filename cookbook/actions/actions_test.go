package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	t.Run("memory", func(t *testing.T) { recipetest.Walkthrough(t, "README.md") })
	t.Run("file", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", "file:"+filepath.Join(t.TempDir(), "actions.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	})
}

func TestOnlyCommittedMovesAreAnnounced(t *testing.T) {
	pg, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, backend := range map[string]core.Backend{"memory": memory.New(), "postgres": pg} {
		t.Run(name, func(t *testing.T) {
			var announced []string
			store, api, err := open(t.Context(), backend, func(text string) { announced = append(announced, text) })
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close() //nolint:errcheck // nothing is left to save
			send := func(method, target, body string, status int) string {
				t.Helper()
				r := httptest.NewRequest(method, target, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if api.ServeHTTP(w, r); w.Code != status {
					t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
				}
				return w.Body.String()
			}
			send(http.MethodPost, "/project", `[{"name": "a"}, {"name": "b"}]`, 201)
			send(http.MethodPost, "/issue", `[{"title": "x", "project": 1}, {"title": "y", "project": 1}]`, 201)
			move := `{"method": "POST", "path": "/issue/1/transfer", "body": {"project": 2, "reason": "better"}}`
			send(http.MethodPost, "/$batch", `[`+move+`, {"method": "POST", "path": "/issue/2/transfer", "body": {"project": 3, "reason": "worse"}}]`, 404)
			if got := send(http.MethodGet, "/event", "", 200); got != `[]` || announced != nil {
				t.Errorf("after a failed batch: events %s, announced %q", got, announced)
			}
			send(http.MethodPost, "/$batch", `[`+move+`, {"method": "PATCH", "path": "/issue/2", "body": {"open": false}}]`, 200)
			if want := []string{"issue 1: moved from project 1 to project 2", "issue 2: closed"}; !slices.Equal(announced, want) {
				t.Errorf("announced %q", announced)
			}
		})
	}
}
