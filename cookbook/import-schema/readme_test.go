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

// blocks returns the blocks of a language in the README.
func blocks(t *testing.T, language string) (found []string) {
	t.Helper()
	source, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := goldmark.DefaultParser().Parse(text.NewReader(source))
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if block, ok := n.(*ast.FencedCodeBlock); ok && entering && string(block.Language(source)) == language {
			found = append(found, string(block.Lines().Value(source)))
		}
		return ast.WalkContinue, nil
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d blocks of %s: %v", len(found), language, err)
	}
	return found
}

func TestTheReadmeShowsWhatHappens(t *testing.T) {
	url := server(t)
	exec1(t, url, blocks(t, "sql")[0])
	dir := t.TempDir()
	for step := range strings.SplitSeq(strings.TrimPrefix(blocks(t, "console")[0], "$ "), "\n$ ") {
		command, want, _ := strings.Cut(step, "\n")
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "go run ./cookbook/import-schema", program, 1))
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "DATABASE_URL="+url)
		got, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(want, "\n") {
			t.Errorf("$ %s: %v\ngot\n%s\nwant\n%s", command, err, got, want)
		}
	}
}

func TestTheReadmeNamesEveryFlag(t *testing.T) {
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
