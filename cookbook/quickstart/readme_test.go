package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// readme is the project's front page, parsed.
func readme(t *testing.T) (source []byte, doc ast.Node) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return source, goldmark.DefaultParser().Parse(text.NewReader(source))
}

// walk calls visit for every node of the document.
func walk(t *testing.T, doc ast.Node, visit func(ast.Node)) {
	t.Helper()
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			visit(n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// step is one command of a console block with the output that it promises.
type step struct{ command, want string }

// session returns the steps of all console blocks, in order.
func session(t *testing.T) (steps []step) {
	t.Helper()
	source, doc := readme(t)
	walk(t, doc, func(n ast.Node) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || string(block.Language(source)) != "console" {
			return
		}
		for line := range strings.Lines(string(block.Lines().Value(source))) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: command})
				continue
			}
			last := &steps[len(steps)-1]
			if strings.HasSuffix(last.command, "\\\n") && last.want == "" {
				last.command += line
			} else {
				last.want += line
			}
		}
	})
	return steps
}

func TestTheCurlSessionOfTheReadmeIsWhatHappens(t *testing.T) {
	base, _ := start(t)
	steps := session(t)
	if len(steps) < 5 {
		t.Fatalf("the README has %d steps", len(steps))
	}
	for _, s := range steps {
		command := strings.ReplaceAll(s.command, "http://127.0.0.1:8080", base)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
		if err != nil {
			t.Fatalf("$ %s%v (curl is needed: apt-get install curl)\n%s", s.command, err, out)
		}
		if got := strings.TrimRight(string(out), "\n"); got != strings.TrimRight(s.want, "\n") {
			t.Errorf("$ %sgot  %s\nwant %s", s.command, got, s.want)
		}
	}
}

func TestEveryLinkOfTheReadmeIntoTheProjectLeadsSomewhere(t *testing.T) {
	_, doc := readme(t)
	links := 0
	walk(t, doc, func(n ast.Node) {
		link, ok := n.(*ast.Link)
		if !ok || strings.Contains(string(link.Destination), "://") {
			return
		}
		links++
		path, _, _ := strings.Cut(string(link.Destination), "#")
		if _, err := os.Stat(filepath.Join("..", "..", path)); err != nil {
			t.Errorf("%s: %v", link.Destination, err)
		}
	})
	if links == 0 {
		t.Error("the README links nothing of the project")
	}
}

func TestTheReadmeShowsTheTwoCommands(t *testing.T) {
	source, _ := readme(t)
	for _, command := range []string{"go run ./cookbook/quickstart\n", "make test\n"} {
		if !strings.Contains(string(source), "\n"+command) {
			t.Errorf("no %s", command)
		}
	}
}

func TestTheCodeOfTheReadmeIsTheExampleThatRuns(t *testing.T) {
	source, doc := readme(t)
	var shown string
	walk(t, doc, func(n ast.Node) {
		if block, ok := n.(*ast.FencedCodeBlock); ok && string(block.Language(source)) == "go" {
			shown += string(block.Lines().Value(source))
		}
	})
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
