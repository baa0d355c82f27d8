package recipetest

import (
	"os"
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

// step is one command with the output that it promises.
type step struct{ command, want string }

// steps of a console block.
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
