package main

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadme(t *testing.T) {
	t.Setenv("A", pgtest.Own(t).URL()+"&pool_max_conns=4")
	t.Setenv("B", pgtest.Own(t).URL()+"&pool_max_conns=4")
	recipetest.Walkthrough(t, "README.md", "-fresh", "50ms")
}
