package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// readme is the front page of the project.
var readme = filepath.Join("..", "..", "README.md")

func TestReadmeCommandsPrintWhatTheReadmeShows(t *testing.T) {
	recipetest.Walkthrough(t, readme)
}

func TestReadmeLinksLeadToFiles(t *testing.T) {
	links := 0
	for _, link := range recipetest.Links(t, readme) {
		if strings.Contains(link, "://") {
			continue
		}
		links++
		path, _, _ := strings.Cut(link, "#")
		if _, err := os.Stat(filepath.Join("..", "..", path)); err != nil {
			t.Errorf("%s: %v", link, err)
		}
	}
	if links == 0 {
		t.Error("the README links nothing of the project")
	}
}

func TestReadmeShowsTheTwoCommands(t *testing.T) {
	shown := recipetest.Blocks(t, readme)
	for _, command := range []string{"go run ./cookbook/quickstart\n", "make test\n"} {
		if !slices.Contains(shown, recipetest.Block{Language: "sh", Text: command}) {
			t.Errorf("no %s", command)
		}
	}
}

func TestReadmeShowsCodeThatTheExamplesRun(t *testing.T) {
	recipetest.Shown(t, readme)
}
