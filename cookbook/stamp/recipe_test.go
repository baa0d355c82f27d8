package main_test

import (
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	for name, args := range map[string]func(t *testing.T) []string{
		"memory": func(*testing.T) []string { return nil },
		"file": func(t *testing.T) []string {
			return []string{"-store", "file:" + filepath.Join(t.TempDir(), "stamp.db")}
		},
		"postgres": func(t *testing.T) []string { return []string{"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)} },
	} {
		t.Run(name, func(t *testing.T) { recipetest.Walkthrough(t, "README.md", args(t)...) })
	}
}
