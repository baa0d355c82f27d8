package core

import (
	"errors"
	"fmt"
	"go/token"
	"math"
	"strconv"
	"strings"
)

// GoSource returns a Go file of the given package that declares the model, as
// gofmt would have it: var Model = core.MustModel(...). It is meant for models
// that were read from somewhere, such as a database. Functions have no source: the
// error names every computed field, [FieldSpec.Writable] and default function.
// It is an error too if pkg cannot be the name of a package.
func (m *Model) GoSource(pkg string) ([]byte, error) {
	if !token.IsIdentifier(pkg) || pkg == "_" {
		return nil, fmt.Errorf("%q cannot be the name of a package", pkg)
	}
	w := sourceWriter{}
	for _, r := range m.resources {
		w.resource(r)
	}
	imports := "import \"github.com/larder-go/larder/core\"\n"
	if w.json {
		imports = "import (\n\t\"encoding/json\"\n\n\t\"github.com/larder-go/larder/core\"\n)\n"
	}
	name := strconv.Quote(m.name)
	source := "package " + pkg + "\n\n" + imports + "\n// Model is the model " + name + ".\n" +
		"var Model = core.MustModel(" + name + ",\n" + w.text.String() + ")\n"
	return []byte(source), errors.Join(w.errs...)
}

type sourceWriter struct {
	text strings.Builder
	json bool // encoding/json is needed
	errs []error
}

func (w *sourceWriter) line(indent int, s string) {
	w.text.WriteString(strings.Repeat("\t", indent) + s + "\n")
}

func (w *sourceWriter) resource(r *Resource) {
	parts := append([]string{"Name: " + strconv.Quote(r.name)}, optional("APIName", r.apiName, r.name)...)
	w.line(1, "core.ResourceSpec{"+strings.Join(parts, ", ")+", Fields: []core.FieldSpec{")
	for _, f := range r.fields {
		w.line(2, "{"+w.field(f)+"},")
	}
	w.line(1, "}},")
}

func (w *sourceWriter) field(f *Field) string {
	s := f.spec
	if s.Computed != nil || s.Writable != nil {
		w.errs = append(w.errs, fmt.Errorf("%s: a function has no source", f))
	}
	parts := []string{"Name: " + strconv.Quote(f.name)}
	parts = append(parts, optional("Was", s.Was, "")...)
	parts = append(parts, optional("APIName", f.apiName, f.name)...)
	if s.Type.Valid() {
		parts = append(parts, "Type: core."+goTypeNames[s.Type])
	}
	parts = append(parts, optional("ToOne", s.ToOne, "")...)
	parts = append(parts, optional("ToMany", s.ToMany, "")...)
	parts = append(parts, optional("Inverse", s.Inverse, "")...)
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"Key", s.Key}, {"Assigned", s.Assigned}, {"Cascade", s.Cascade}, {"ReadOnly", s.ReadOnly}, {"Hidden", s.Hidden},
		{"Unique", s.Unique}, {"Indexed", s.Indexed},
	} {
		if flag.set {
			parts = append(parts, flag.name+": true")
		}
	}
	return strings.Join(append(parts, w.fallback(f)...), ", ")
}

func (w *sourceWriter) fallback(f *Field) []string {
	if _, ok := f.spec.Default.(func() any); ok {
		w.errs = append(w.errs, fmt.Errorf("%s: a function has no source", f))
	}
	switch v := f.fallback; v.typ {
	case 0, typeNull:
		return nil
	case Int:
		return []string{"Default: " + intSource(v.Int())}
	case Float:
		return []string{"Default: " + floatSource(v)}
	case Bool:
		return []string{"Default: " + v.String()}
	case JSON, List:
		w.json = true
		return []string{"Default: json.RawMessage(" + strconv.Quote(v.str) + ")"}
	default:
		return []string{"Default: " + strconv.Quote(v.String())}
	}
}

// intSource spells a number so that it is a constant on machines where int is
// small, too.
func intSource(n int64) string {
	text := strconv.FormatInt(n, 10)
	if n < math.MinInt32 || n > math.MaxInt32 {
		return "int64(" + text + ")"
	}
	return text
}

// floatSource spells a number so that it is no constant of type int, which many
// floats are too large for.
func floatSource(v Value) string {
	text := v.String()
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

var goTypeNames = [...]string{
	Int: "Int", Float: "Float", Text: "Text", Bool: "Bool", Time: "Time", UUID: "UUID", Bytes: "Bytes", JSON: "JSON", List: "List",
}

// optional returns the part of a composite literal that is not as usual.
func optional(name, value, usual string) []string {
	if value == usual {
		return nil
	}
	return []string{name + ": " + strconv.Quote(value)}
}
