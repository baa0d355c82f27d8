package main_test

import (
	"fmt"
	"os"
	"os/exec"
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

func TestRecipePageCommandsPrintWhatThePageShows(t *testing.T) {
	recipetest.Walkthrough(t, "README.md")
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

func TestRecipePageShowsCodeAndFlagsOfTheProgram(t *testing.T) {
	recipetest.Shown(t, "README.md")
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.CommandContext(t.Context(), recipetest.Binary(), "-help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| flag | purpose |\n| --- | --- |\n")
	lines := strings.Split(strings.TrimSpace(string(help)), "\n")[1:] // a line for the name, and a line for the purpose
	for i := 0; i+1 < len(lines); i += 2 {
		fmt.Fprintf(&table, "| `%s` | %s |\n", strings.Fields(lines[i])[0], strings.TrimSpace(lines[i+1]))
	}
	if !strings.Contains(string(page), table.String()+"\n") {
		t.Errorf("README.md lacks the table\n%s", table.String())
	}
}
