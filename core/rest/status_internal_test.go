package rest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core"
)

// The test reads the codes from the source of core, so that it notices a new code.
func TestEveryCodeHasAStatus(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Code" {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		codes++
		text, err := strconv.Unquote(literal.Value)
		if status, known := statuses[core.Code(text)]; err != nil || !known || status < 400 {
			t.Errorf("%s has the status %d", text, status)
		}
		return true
	})
	if codes < 10 || codes != len(statuses) {
		t.Errorf("%d codes, %d statuses", codes, len(statuses))
	}
}
