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

func TestTheCodeOfTheReadmeIsWhatTheExamplesRun(t *testing.T) {
	var shown []string
	for _, b := range recipetest.Blocks(t, readme) {
		if b.Language == "go" {
			shown = append(shown, b.Text)
		}
	}
	want := []string{
		part(t, "example_test.go", "\t// README\n", "\t// README\n"),
		part(t, filepath.Join("..", "..", "core", "example_test.go"), "func Example() {\n", "\t// Output:"),
	}
	if !slices.Equal(shown, want) {
		t.Errorf("the README shows\n%s\nand the examples are\n%s", shown, want)
	}
}

// part returns what stands between two marks of a file, a tab less far to the right.
func part(t *testing.T, file, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), from)
	body, _, found := strings.Cut(after, to)
	if !found {
		t.Fatalf("%s has no part from %q to %q", file, from, to)
	}
	body = strings.ReplaceAll("\n"+strings.TrimRight(body, "\n"), "\n\t", "\n")
	return strings.TrimPrefix(body, "\n") + "\n"
}
