// Package cookbook tests rules that hold for all recipes.
package cookbook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recipes are copied one by one, so that each holds the files for flags, storages and serving itself.
func TestFilesSharedByRecipesAreIdentical(t *testing.T) {
	for _, name := range []string{"program.go", "serve.go", "storage.go"} {
		t.Run(name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join("*", name))
			if err != nil || len(files) < 2 {
				t.Fatalf("%d recipes have the file: %v", len(files), err)
			}
			first := read(t, files[0])
			for _, file := range files[1:] {
				if read(t, file) != first {
					t.Errorf("%s differs from %s", file, files[0])
				}
			}
		})
	}
}

// recipetest.Main builds a copy of a recipe in a module of its own, and recipetest.Shown compares the README with the program.
func TestEveryRecipeIsBuiltAsACopyAndShown(t *testing.T) {
	programs, err := filepath.Glob("*/main.go")
	if err != nil || len(programs) < 10 {
		t.Fatalf("%d recipes: %v", len(programs), err)
	}
	index := read(t, "README.md")
	for _, program := range programs {
		recipe := filepath.Dir(program)
		tests, err := filepath.Glob(filepath.Join(recipe, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, file := range tests {
			text.WriteString(read(t, file))
		}
		for _, call := range []string{"recipetest.Main(m)", `recipetest.Shown(t, "README.md")`} {
			if !strings.Contains(text.String(), call) {
				t.Errorf("the tests of %s do not call %s", recipe, call)
			}
		}
		if !strings.Contains(index, "]("+recipe) {
			t.Errorf("README.md does not link %s", recipe)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
