package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/promtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

var dashboard = filepath.Join("..", "..", "decorators", "metrics", "dashboard.json")

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	for name, args := range map[string]func(t *testing.T) []string{
		"memory": func(*testing.T) []string { return nil },
		"file": func(t *testing.T) []string {
			return []string{"-store", "file:" + filepath.Join(t.TempDir(), "shop.db")}
		},
		"postgres": func(t *testing.T) []string { return []string{"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)} },
	} {
		t.Run(name, func(t *testing.T) { recipetest.Walkthrough(t, "README.md", args(t)...) })
	}
}

func TestReadmeDescribesEachPanel(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range promtest.Panels(t, dashboard, "5m") {
		if row := fmt.Sprintf("| %s | %s |\n", p.Title, p.Description); !strings.Contains(string(readme), row) {
			t.Errorf("no row %s", row)
		}
	}
}

func TestDashboardQueriesHaveData(t *testing.T) {
	program := recipetest.Start(t, "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	promtest.Answers(t, "prometheus.yml", dashboard, program.Base)
}

func TestNativeHistograms(t *testing.T) {
	promtest.Histograms(t, "prometheus.yml", recipetest.Start(t).Base)
}
