package main

import (
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
		recipetest.Walkthrough(t, "README.md", "-store", "file:"+filepath.Join(t.TempDir(), "staff.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	})
}
