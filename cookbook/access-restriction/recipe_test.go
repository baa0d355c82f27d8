package main

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	t.Run("memory", func(t *testing.T) { recipetest.Walkthrough(t, "README.md") })
	t.Run("file", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", "file:"+filepath.Join(t.TempDir(), "bakery.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	})
}

func TestInitialRecordsAreInsertedOnce(t *testing.T) {
	store := "file:" + filepath.Join(t.TempDir(), "bakery.db")
	status := func(method string) int {
		p := recipetest.Start(t, "-store", store)
		defer p.Stop(t)
		req, err := http.NewRequestWithContext(t.Context(), method, p.Base+"/bread/3", nil)
		if err != nil {
			t.Fatal(err)
		}
		if method == http.MethodDelete {
			req.Header.Set("Authorization", "Bearer olga")
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if code := status(http.MethodDelete); code != http.StatusOK {
		t.Errorf("DELETE: %d", code)
	}
	if code := status(http.MethodGet); code != http.StatusNotFound {
		t.Errorf("GET after a restart: %d", code)
	}
}

func TestUnknownTokenIsNotAnonymous(t *testing.T) {
	p := recipetest.Start(t)
	for _, header := range []string{"Bearer mallory", "Bearer ", "Basic alice", "alice"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Base+"/bread", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", header, res.Status)
		}
	}
}
