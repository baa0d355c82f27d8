package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// session returns the commands of all console blocks in the README, each with the
// output that follows it.
func session(t *testing.T) (steps [][2]string) {
	t.Helper()
	source, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := goldmark.DefaultParser().Parse(text.NewReader(source))
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if block, ok := n.(*ast.FencedCodeBlock); ok && entering && string(block.Language(source)) == "console" {
			lines := strings.TrimPrefix(string(block.Lines().Value(source)), "$ ")
			for step := range strings.SplitSeq(lines, "\n$ ") {
				command, want, _ := strings.Cut(step, "\n")
				steps = append(steps, [2]string{command, want})
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil || len(steps) < 6 {
		t.Fatalf("%d steps: %v", len(steps), err)
	}
	return steps
}

func TestTheReadmeShowsWhatHappens(t *testing.T) {
	dir := bake(t)
	for _, step := range session(t) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(step[0], "go run ./cookbook/file-tool", program, 1))
		cmd.Dir = dir
		got, _ := cmd.CombinedOutput()
		if strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(step[1], "\n") {
			t.Errorf("$ %s\ngot\n%s\nwant\n%s", step[0], got, step[1])
		}
	}
}

func TestTheReadmeNamesEveryCommand(t *testing.T) {
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
