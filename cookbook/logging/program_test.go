package main_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	for name, args := range map[string]func(t *testing.T) []string{
		"memory": func(*testing.T) []string { return nil },
		"file": func(t *testing.T) []string {
			return []string{"-store", "file:" + filepath.Join(t.TempDir(), "shop.db")}
		},
		"postgres": func(t *testing.T) []string { return []string{"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)} },
	} {
		t.Run(name, func(t *testing.T) { recipetest.Walkthrough(t, "README.md", args(t)...) })
	}
}

func TestInvalidFlagsEndTheProgram(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{"-log-level", "loud"}, 2, `logging: invalid value "loud" for flag -log-level: slog: level string "loud": unknown name; see -help`},
		{[]string{"-slow", "x"}, 2, "-slow"},
		{[]string{"-loud"}, 2, "-loud"},
		{[]string{"loud"}, 1, "unexpected argument"},
		{[]string{"-log", "/no/such/folder/shop.log"}, 1, "-log: "},
		{[]string{"-store", "tape"}, 1, "-store: unknown kind of storage"},
		{[]string{"-one-in", "-1"}, 1, "option DebugSampling: -1 is negative"},
	} {
		if code, said := recipetest.Fail(t, c.args...); code != c.code || !strings.Contains(said, c.said) || strings.Count(said, "\n") != 1 {
			t.Errorf("%q: exit code %d: %s", c.args, code, said)
		}
	}
}
