package rest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
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

func TestDetailsOfEveryCodeAreDescribed(t *testing.T) {
	full := core.Error{
		Resource: "r", Field: "f", Fields: []string{"f"}, Key: core.IntValue(1), Type: core.Int, Value: 1, Param: "p", Accepted: "a", Message: "m",
		Violations: []core.Violation{{}}, Quota: &core.Quota{},
	}
	for code := range statuses {
		e, bare := full, core.Error{Code: code}
		e.Code = code
		required, all := map[string]bool{}, map[string]bool{}
		for name := range strings.FieldsSeq(detailNames[code]) {
			plain, optional := strings.CutSuffix(name, "?")
			all[plain] = true
			if !optional {
				required[plain] = true
			}
		}
		if _, known := detailNames[code]; !known {
			t.Errorf("%s is not described", code)
		}
		for _, d := range e.Details() {
			if !all[d.Name] {
				t.Errorf("%s: the detail %s is not described", code, d.Name)
			}
			delete(all, d.Name)
		}
		for _, d := range bare.Details() {
			delete(required, d.Name)
		}
		if len(all) > 0 || len(required) > 0 {
			t.Errorf("%s: the details %v do not exist, %v are not always there", code, all, required)
		}
	}
}
