package main_test

import (
	"os"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadmeWithTheSampleDatabase(t *testing.T) {
	sample := read(t, "testdata/shop.sql")
	for _, b := range recipetest.Blocks(t, "README.md") {
		if b.Language == "sql" && !strings.Contains(sample, b.Text) {
			t.Errorf("the sample database has no\n%s", b.Text)
		}
	}
	url := server(t)
	exec1(t, url, sample)
	t.Setenv("DATABASE_URL", url)
	recipetest.Walkthrough(t, "README.md")
}

func TestReadmeNamesEveryFlag(t *testing.T) {
	readme, help := read(t, "README.md"), run(t, "-help")
	if help.code != 0 || strings.Count(help.report, "\n  -") != 8 {
		t.Errorf("%+v", help)
	}
	for line := range strings.Lines(help.report) {
		if name, ok := strings.CutPrefix(line, "  -"); ok && !strings.Contains(readme, "`-"+strings.Fields(name)[0]+"`") {
			t.Errorf("no -%s", name)
		}
	}
}
