package recipetest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Block is a fenced code block of a document.
type Block struct{ Language, Text string }

// Blocks returns the code blocks of a Markdown file, in order.
func Blocks(t *testing.T, file string) (found []Block) {
	t.Helper()
	walk(t, file, func(source []byte, n ast.Node) {
		if block, ok := n.(*ast.FencedCodeBlock); ok {
			found = append(found, Block{string(block.Language(source)), string(block.Lines().Value(source))})
		}
	})
	return found
}

// Links returns the destinations of all links of a Markdown file.
func Links(t *testing.T, file string) (found []string) {
	t.Helper()
	walk(t, file, func(_ []byte, n ast.Node) {
		if link, ok := n.(*ast.Link); ok {
			found = append(found, string(link.Destination))
		}
	})
	return found
}

// Shown checks that a block of go of a README that is no program of its own stands in a file of the current folder, at
// any depth of indentation, so that the README shows compiled code. The test fails if the README shows no such block.
func Shown(t *testing.T, readme string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, unindented(string(text)))
	}
	shown := 0
	for _, b := range Blocks(t, readme) {
		if b.Language != "go" || strings.HasPrefix(b.Text, "package main\n") {
			continue
		}
		shown++
		if !slices.ContainsFunc(sources, func(source string) bool { return strings.Contains(source, "\n"+unindented(b.Text)) }) {
			t.Errorf("%s shows code that no file here has:\n%s", readme, b.Text)
		}
	}
	if shown == 0 {
		t.Errorf("%s shows no code of its program", readme)
	}
}

// unindented returns a text without the white space that lines begin with.
func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, "\t "))
	}
	return b.String()
}

func walk(t *testing.T, file string, visit func(source []byte, n ast.Node)) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := goldmark.DefaultParser().Parse(text.NewReader(source))
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			visit(source, n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// step is one command of a README with its output.
type step struct{ command, want string }

// steps returns the commands of a console block.
func steps(block string) (found []step) {
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			found = append(found, step{command: command})
			continue
		}
		last := &found[len(found)-1]
		if strings.HasSuffix(last.command, "\\\n") {
			last.command += line
		} else {
			last.want += line
		}
	}
	return found
}
