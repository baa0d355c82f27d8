package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/core/storetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadme(t *testing.T) { recipetest.Walkthrough(t, "README.md") }

func fresh(testing.TB, *core.Model) core.Backend { return new(backend) }

// TestConformance runs the kit for backends.
func TestConformance(t *testing.T) {
	storetest.Options{Patience: 2 * time.Millisecond}.Run(t, fresh) // transactions run one at a time, so that the others always wait
}

// TestHTTPRules runs the families of REST that depend on the backend most. resttest.Run would run all of them.
func TestHTTPRules(t *testing.T) {
	for _, c := range resttest.Cases() {
		switch c.Name {
		case "pages", "list sides", "create", "replace", "merge patch", "delete", "batches", "types", "ids of several fields", "errors":
			t.Run(c.Name, func(t *testing.T) { c.Check(t, fresh) })
		}
	}
}

func TestBackendHasFewerThan150Lines(t *testing.T) {
	source, err := os.ReadFile("backend.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "\n"); n >= 150 {
		t.Errorf("it has %d lines", n)
	}
}
