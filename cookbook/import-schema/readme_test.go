package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// block returns the text of the one block of a language in the README.
func block(t *testing.T, language string) string {
	t.Helper()
	for _, b := range recipetest.Blocks(t, "README.md") {
		if b.Language == language {
			return b.Text
		}
	}
	t.Fatalf("no block of %s", language)
	return ""
}

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadme(t *testing.T) {
	url := server(t)
	exec1(t, url, block(t, "sql"))
	dir := t.TempDir()
	for step := range strings.SplitSeq(strings.TrimPrefix(block(t, "console"), "$ "), "\n$ ") {
		command, want, _ := strings.Cut(step, "\n")
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "go run ./cookbook/import-schema", recipetest.Binary(), 1))
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "DATABASE_URL="+url)
		got, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(want, "\n") {
			t.Errorf("$ %s: %v\ngot\n%s\nwant\n%s", command, err, got, want)
		}
	}
}

func TestReadmeNamesEveryFlag(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	help := run(t, "-help")
	if help.code != 0 || strings.Count(help.report, "\n  -") != 4 {
		t.Errorf("%+v", help)
	}
	for line := range strings.Lines(help.report) {
		if name, ok := strings.CutPrefix(line, "  -"); ok && !strings.Contains(string(readme), "`-"+strings.Fields(name)[0]+"`") {
			t.Errorf("no -%s", name)
		}
	}
}
