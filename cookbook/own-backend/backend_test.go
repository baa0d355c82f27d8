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

func TestTheReadmeShowsWhatHappens(t *testing.T) { recipetest.Walkthrough(t, "README.md") }

func fresh(testing.TB, *core.Model) core.Backend { return new(backend) }

// TestConformance is what makes it a backend.
func TestConformance(t *testing.T) {
	storetest.Options{Patience: 2 * time.Millisecond}.Run(t, fresh) // one transaction at a time: the others always wait
}

func TestTheRulesOfTheRestFace(t *testing.T) { resttest.Run(t, fresh) }

func TestTheBackendIsAsShortAsTheReadmeSays(t *testing.T) {
	source, err := os.ReadFile("backend.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "\n"); n >= 150 {
		t.Errorf("it has %d lines", n)
	}
}
