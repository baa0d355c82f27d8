package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// session returns the commands of all console blocks in the README, each with its output.
func session(t *testing.T) (steps [][2]string) {
	t.Helper()
	for _, b := range recipetest.Blocks(t, "README.md") {
		if b.Language != "console" {
			continue
		}
		for step := range strings.SplitSeq(strings.TrimPrefix(b.Text, "$ "), "\n$ ") {
			command, want, _ := strings.Cut(step, "\n")
			steps = append(steps, [2]string{command, want})
		}
	}
	if len(steps) < 6 {
		t.Fatalf("%d steps", len(steps))
	}
	return steps
}

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadme(t *testing.T) {
	dir := bake(t)
	for _, step := range session(t) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(step[0], "go run ./cookbook/file-tool", recipetest.Binary(), 1))
		cmd.Dir = dir
		got, _ := cmd.CombinedOutput()
		if strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(step[1], "\n") {
			t.Errorf("$ %s\ngot\n%s\nwant\n%s", step[0], got, step[1])
		}
	}
}

func TestReadmeNamesEveryCommand(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	help := run(t, ".", "-help")
	if help.code != 0 || strings.Count(help.out, "\n  ") < 4 {
		t.Errorf("%+v", help)
	}
	for _, name := range []string{"verify", "recover", "dump", "compact"} {
		if !strings.Contains(help.out, "\n  "+name+" PATH") || !strings.Contains(string(readme), "`"+name) {
			t.Errorf("%s is not explained", name)
		}
	}
}
