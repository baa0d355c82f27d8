package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// readme is the project's front page.
var readme = filepath.Join("..", "..", "README.md")

func TestTheCurlSessionOfTheReadmeIsWhatHappens(t *testing.T) {
	recipetest.Walkthrough(t, readme)
}

func TestEveryLinkOfTheReadmeIntoTheProjectLeadsSomewhere(t *testing.T) {
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

func TestTheReadmeShowsTheTwoCommands(t *testing.T) {
	shown := recipetest.Blocks(t, readme)
	for _, command := range []string{"go run ./cookbook/quickstart\n", "make test\n"} {
		if !slices.Contains(shown, recipetest.Block{Language: "sh", Text: command}) {
			t.Errorf("no %s", command)
		}
	}
}

func TestTheCodeOfTheReadmeIsTheExampleThatRuns(t *testing.T) {
	var code strings.Builder
	for _, b := range recipetest.Blocks(t, readme) {
		if b.Language == "go" {
			code.WriteString(b.Text)
		}
	}
	shown := code.String()
	file, err := os.ReadFile(filepath.Join("..", "..", "core", "example_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(file), "func Example() {\n")
	body, _, _ = strings.Cut(body, "\t// Output:")
	if indented := strings.ReplaceAll("\t"+strings.TrimSuffix(shown, "\n"), "\n", "\n\t"); strings.ReplaceAll(indented, "\n\t\n", "\n\n") != strings.TrimSuffix(body, "\n") {
		t.Errorf("the README shows\n%s\nand the example is\n%s", shown, body)
	}
}
