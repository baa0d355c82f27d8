// Package gosource writes a model as Go source, for models that were read from elsewhere, such as a database.
package gosource

import (
	"errors"
	"fmt"
	"go/token"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// Source returns a Go file of package pkg that declares the model as
//
//	var Model = core.MustModel(...)
//
// The file is formatted as by gofmt.
//
// Errors: an error without source for a pkg that is no valid package name. A model with functions has an error that
// names each computed field, [core.FieldSpec.Writable], [core.FieldSpec.Schema], [core.ResourceSpec.Validate] and default
// function; Source then returns the source without them beside the error.
func Source(m *core.Model, pkg string) ([]byte, error) {
	if !token.IsIdentifier(pkg) || pkg == "_" {
		return nil, fmt.Errorf("%q is no valid name of a Go package", pkg)
	}
	w := writer{}
	for _, r := range m.Resources() {
		w.resource(r)
	}
	if m.RemembersAnswers() {
		w.line(1, "core.ResourceSpec{Name: core.AnswersName},")
	}
	imports := "import \"github.com/larder-go/larder/core\"\n"
	if w.json {
		imports = "import (\n\t\"encoding/json\"\n\n\t\"github.com/larder-go/larder/core\"\n)\n"
	}
	name := strconv.Quote(m.Name())
	source := "package " + pkg + "\n\n" + imports + "\n// Model is the model " + name + ".\n" +
		"var Model = core.MustModel(" + name + ",\n" + w.text.String() + ")\n"
	return []byte(source), errors.Join(w.errs...)
}

type writer struct {
	text strings.Builder
	json bool // the source imports encoding/json
	errs []error
}

func (w *writer) line(indent int, s string) {
	w.text.WriteString(strings.Repeat("\t", indent) + s + "\n")
}

func (w *writer) resource(r *core.Resource) {
	parts := append([]string{"Name: " + strconv.Quote(r.Name())}, optional("APIName", r.APIName(), r.Name())...)
	parts = append(parts, optional("Description", r.Description(), "")...)
	if r.ReadOnly() {
		parts = append(parts, "ReadOnly: true")
	}
	fields := r.Fields()
	if key := r.Key(); key.Type() == core.Tuple { // the model adds it
		parts = append(parts, optional("KeyName", key.Name(), "id")...)
		fields = slices.DeleteFunc(slices.Clone(fields), func(f *core.Field) bool { return f == key })
	}
	if r.Validated() {
		w.errs = append(w.errs, fmt.Errorf("%s: Validate is a function, which has no source; write it by hand", r))
	}
	w.line(1, "core.ResourceSpec{"+strings.Join(parts, ", ")+", Fields: []core.FieldSpec{")
	for _, f := range fields {
		w.line(2, "{"+w.field(f)+"},")
	}
	var uniques, indexes []string
	for _, x := range r.Indexes() {
		if x.Unique && x.Where.Kind() == core.FilterAll {
			uniques = append(uniques, names(x.Fields))
		} else {
			indexes = append(indexes, w.index(x))
		}
	}
	end := "}"
	if uniques != nil {
		end += ", Unique: [][]string{" + strings.Join(uniques, ", ") + "}"
	}
	if indexes != nil {
		w.line(1, end+", Indexes: []core.Index{")
		for _, x := range indexes {
			w.line(2, x+",")
		}
		end = "}"
	}
	w.line(1, end+"},")
}

// names returns names as the elements of a slice in braces.
func names(all []string) string {
	quoted := make([]string, len(all))
	for i, name := range all {
		quoted[i] = strconv.Quote(name)
	}
	return "{" + strings.Join(quoted, ", ") + "}"
}

func (w *writer) index(x *core.Index) string {
	parts := []string{"Fields: []string" + names(x.Fields)}
	if x.Where.Kind() != core.FilterAll {
		parts = append(parts, "Where: "+w.filter(x.Where))
	}
	if x.Unique {
		parts = append(parts, "Unique: true")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// filter returns the source of the condition of an index.
func (w *writer) filter(f core.Filter) string {
	var args []string
	switch f.Kind() {
	case core.FilterAnd:
		for _, part := range f.Filters() {
			args = append(args, w.filter(part))
		}
		return "core.And(" + strings.Join(args, ", ") + ")"
	default:
		args = append(args, strconv.Quote(f.Field().Name()))
		for _, v := range f.Values() {
			args = append(args, w.value(v))
		}
		return "core." + map[core.FilterKind]string{core.FilterEq: "Eq", core.FilterIn: "In", core.FilterNe: "Ne"}[f.Kind()] + "(" + strings.Join(args, ", ") + ")"
	}
}

func (w *writer) field(f *core.Field) string {
	s := f.Spec()
	if s.Computed != nil || s.Writable != nil || s.Schema != nil {
		w.errs = append(w.errs, fmt.Errorf("%s: a function has no source; write it by hand", f))
	}
	parts := []string{"Name: " + strconv.Quote(f.Name())}
	parts = append(parts, optional("Was", s.Was, "")...)
	parts = append(parts, optional("APIName", f.APIName(), f.Name())...)
	parts = append(parts, optional("Description", f.Description(), "")...)
	if s.Type.Valid() {
		parts = append(parts, "Type: core."+typeNames[s.Type])
	}
	if s.Scale != nil {
		parts = append(parts, "Scale: new("+strconv.Itoa(*s.Scale)+")")
	}
	parts = append(parts, optional("ToOne", s.ToOne, "")...)
	parts = append(parts, optional("ToMany", s.ToMany, "")...)
	if s.Via != nil {
		parts = append(parts, fmt.Sprintf("Via: %#v", s.Via))
	}
	parts = append(parts, optional("Inverse", s.Inverse, "")...)
	parts = append(parts, optional("Through", s.Through, "")...)
	parts = append(parts, relationRules(s)...)
	parts = append(parts, optional("NumberedBy", s.NumberedBy, "")...)
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"Key", s.Key}, {"Assigned", s.Assigned}, {"ReadOnly", s.ReadOnly}, {"Hidden", s.Hidden},
		{"Unique", s.Unique}, {"Indexed", s.Indexed}, {"Unordered", s.Unordered}, {"Required", s.Required},
		{"Searchable", s.Searchable}, {"OnDemand", s.OnDemand},
	} {
		if flag.set {
			parts = append(parts, flag.name+": true")
		}
	}
	parts = append(parts, w.rules(f)...)
	return strings.Join(append(parts, w.defaultValue(f)...), ", ")
}

// rules returns the rules for the values of a field.
func (w *writer) rules(f *core.Field) (parts []string) {
	s := f.Spec()
	least, greatest := f.Bounds()
	if least.IsSet() {
		parts = append(parts, "Min: "+w.value(least))
	}
	if greatest.IsSet() {
		parts = append(parts, "Max: "+w.value(greatest))
	}
	if s.MinLength > 0 {
		parts = append(parts, "MinLength: "+strconv.Itoa(s.MinLength))
	}
	if s.MaxLength > 0 {
		parts = append(parts, "MaxLength: "+strconv.Itoa(s.MaxLength))
	}
	parts = append(parts, optional("Pattern", s.Pattern, "")...)
	if f.OneOf() != nil {
		values := make([]string, len(f.OneOf()))
		for i, v := range f.OneOf() {
			values[i] = w.value(v)
		}
		parts = append(parts, "OneOf: []any{"+strings.Join(values, ", ")+"}")
	}
	if s.Transitions != nil {
		var states []string
		for _, from := range slices.Sorted(maps.Keys(s.Transitions)) {
			states = append(states, strconv.Quote(from)+": "+names(s.Transitions[from]))
		}
		parts = append(parts, "Transitions: map[string][]string{"+strings.Join(states, ", ")+"}")
	}
	return parts
}

// relationRules returns the rules of a relation that differ from the defaults.
func relationRules(s core.FieldSpec) (parts []string) {
	switch s.OnDelete {
	case core.Cascade:
		parts = append(parts, "OnDelete: core.Cascade")
	case core.Restrict:
		parts = append(parts, "OnDelete: core.Restrict")
	case core.Keep:
		parts = append(parts, "OnDelete: core.Keep")
	}
	if s.Orphans == core.DeleteOrphans {
		parts = append(parts, "Orphans: core.DeleteOrphans")
	}
	if s.Partner == core.RefusePartner {
		parts = append(parts, "Partner: core.RefusePartner")
	}
	return parts
}

func (w *writer) defaultValue(f *core.Field) []string {
	if f.HasDefaultFunc() {
		w.errs = append(w.errs, fmt.Errorf("%s: a function has no source; write it by hand", f))
	}
	v := f.ConstantDefault()
	if !v.IsSet() {
		return nil
	}
	return []string{"Default: " + w.value(v)}
}

// value returns the source of a constant, or nil for null.
func (w *writer) value(v core.Value) string {
	if v.IsNull() {
		return "nil"
	}
	switch v.Type() {
	case core.Int:
		return intSource(v.Int())
	case core.Float:
		return floatSource(v)
	case core.Bool:
		return v.String()
	case core.JSON, core.List:
		w.json = true
		return "json.RawMessage(" + strconv.Quote(v.Text()) + ")"
	default:
		return strconv.Quote(v.String())
	}
}

// intSource returns a constant that also compiles where int has 32 bits.
func intSource(n int64) string {
	text := strconv.FormatInt(n, 10)
	if n < math.MinInt32 || n > math.MaxInt32 {
		return "int64(" + text + ")"
	}
	return text
}

// floatSource returns a floating-point constant; a constant without point or exponent would be an int, which overflows.
func floatSource(v core.Value) string {
	text := v.String()
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

var typeNames = [...]string{
	core.Int: "Int", core.Float: "Float", core.Text: "Text", core.Bool: "Bool", core.Time: "Time", core.UUID: "UUID", core.Bytes: "Bytes", core.JSON: "JSON", core.List: "List",
	core.Date: "Date", core.LocalTime: "LocalTime", core.Decimal: "Decimal",
}

// optional returns the element of a composite literal, or nil if the value is the default.
func optional(name, value, fallback string) []string {
	if value == fallback {
		return nil
	}
	return []string{name + ": " + strconv.Quote(value)}
}
