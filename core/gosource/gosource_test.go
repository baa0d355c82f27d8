package gosource_test

import (
	"context"
	"encoding/json"
	"go/format"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/gosource"
)

func TestSourceDeclaresTheSameModel(t *testing.T) {
	model := core.MustModel("every \"kind\"",
		core.ResourceSpec{Name: "a b", APIName: "ab", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true},
			{Name: "n", APIName: "N", Type: core.Int, Default: 3, Indexed: true, ReadOnly: true},
			{Name: "f", Type: core.Float, Default: 1.0, Unique: true},
			{Name: "large", Type: core.Float, Default: -1e20},
			{Name: "huge", Type: core.Float, Default: 1e300},
			{Name: "least", Type: core.Int, Default: int64(math.MinInt64)},
			{Name: "most", Type: core.Int, Default: int64(math.MaxInt64)},
			{Name: "t", Type: core.Text, Default: "x\ny", Hidden: true, Unordered: true},
			{Name: "headline", Type: core.Text, Searchable: true},
			{Name: "b", Type: core.Bool, Default: true},
			{Name: "at", Type: core.Time, Default: "2026-11-23T00:00:00Z"},
			{Name: "day", Type: core.Date, Default: "2026-11-23"},
			{Name: "local", Type: core.LocalTime, Default: "2026-11-23T12:00:00"},
			{Name: "price", Type: core.Decimal, Scale: new(2), Default: "1.5"},
			{Name: "factor", Type: core.Decimal, Min: "-0.5", Max: 1e3},
			{Name: "title", Type: core.Text, Required: true, MinLength: 1, MaxLength: 200, Pattern: "^[a-z`\"]+$"},
			{Name: "size", Type: core.Int, Min: 0, Max: int64(math.MaxInt64)},
			{Name: "since", Type: core.Time, Min: "2026-11-23T00:00:00Z"},
			{Name: "state", Type: core.Text, OneOf: []any{"open", "done"}, Transitions: map[string][]string{"": {"open"}, "open": {"done", "open"}, "done": nil}},
			{Name: "rank", Type: core.Int, OneOf: []any{3, 1}},
			{Name: "bytes", Type: core.Bytes, Default: []byte{0, 1}},
			{Name: "doc", Type: core.JSON, Default: map[string]any{"a": 1}},
			{Name: "list", Type: core.List, Default: []any{}},
			{Name: "parent", ToOne: "a b", OnDelete: core.Cascade, Orphans: core.DeleteOrphans},
			{Name: "twin", ToOne: "a b", OnDelete: core.Restrict, Partner: core.RefusePartner},
			{Name: "twin of", APIName: "twin_of", ToOne: "a b", Inverse: "twin"},
			{Name: "kids", ToMany: "a b", Inverse: "parent"},
			{Name: "friends", ToMany: "a b"},
			{Name: "marks", ToMany: "view", Through: "mark"},
			{Name: "number", Type: core.Int, NumberedBy: "parent"},
			{Name: "new", Type: core.Int, Was: "old \"one\""},
		}, Unique: [][]string{{"n", "t"}}, Indexes: []core.Index{
			{Fields: []string{"-n", "parent", "-id"}, Where: core.And(core.Eq("at", nil), core.In("least", 1, int64(math.MinInt64)), core.Eq("t", "\"x\""))},
			{Fields: []string{"n"}, Where: core.And(core.Ne("t", nil), core.Eq("b", true)), Unique: true},
		}},
		core.ResourceSpec{Name: "view", Description: "Made by a\nquery.", ReadOnly: true, Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true, Description: "the \"id\""},
		}},
		core.ResourceSpec{Name: "mark", Fields: []core.FieldSpec{
			{Name: "on", ToOne: "a b", Key: true},
			{Name: "view", ToOne: "view", Key: true},
		}},
		core.ResourceSpec{Name: "line", KeyName: "line_id", Fields: []core.FieldSpec{
			{Name: "order", ToOne: "a b", Key: true, OnDelete: core.Cascade},
			{Name: "number", Type: core.Int, Key: true},
			{Name: "id", Type: core.Int},
			{Name: "next", ToOne: "line", Via: []string{"order", "id"}},
		}},
		core.ResourceSpec{Name: "pair", Fields: []core.FieldSpec{
			{Name: "line", ToOne: "line", Key: true},
			{Name: "day", Type: core.Date, Key: true, Default: "2026-11-23"},
		}},
		core.ResourceSpec{Name: core.AnswersName},
	)
	source, err := gosource.Source(model, "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\tcore.ResourceSpec{Name: core.AnswersName},\n)", `NumberedBy: "parent"`, `ToMany: "view", Through: "mark"`, `Required: true, MinLength: 1, MaxLength: 200, Pattern: "^[a-z` + "`" + `\"]+$"`, `Min: 0, Max: int64(9223372036854775807)`,
		`Min: "-0.5", Max: "1000"`, `Min: "2026-11-23T00:00:00Z"`, `OneOf: []any{1, 3}`, `OneOf: []any{"done", "open"}`,
		`Transitions: map[string][]string{"": {"open"}, "done": {}, "open": {"done", "open"}}`,
	} {
		if !strings.Contains(string(source), want) {
			t.Errorf("the source lacks %s", want)
		}
	}
	if formatted, err := format.Source(source); err != nil || string(formatted) != string(source) {
		t.Errorf("%v; gofmt would have\n%s\ngot\n%s", err, formatted, source)
	}
	for _, want := range []string{`Name: "view", Description: "Made by a\nquery.", ReadOnly: true, Fields`, `Name: "id", Description: "the \"id\"", Type`} {
		if !strings.Contains(string(source), want) {
			t.Errorf("no %s in\n%s", want, source)
		}
	}
	// A program with the source prints the source of its own model. The wildcard ./... skips folders like this one.
	dir, err := os.MkdirTemp(".", "_program") //nolint:usetesting // inside of the module
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	program := `package main

import (
	"os"

	"github.com/larder-go/larder/core/gosource"
)

func main() {
	source, err := gosource.Source(Model, "main")
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(source)
}
`
	for name, content := range map[string]string{"model.go": string(source), "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := exec.CommandContext(t.Context(), "go", "run", "./"+dir).CombinedOutput()
	if err != nil || string(again) != string(source) {
		t.Errorf("%v: the program's model is\n%s", err, again)
	}
}

func TestSourceNamesFunctions(t *testing.T) {
	model := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "now", Type: core.Int, Default: func() any { return 1 }},
		{Name: "fixed", Type: core.Int, Writable: core.Never},
		{Name: "calc", Computed: &core.Computed{Get: func(context.Context, core.Record) (any, error) { return 1, nil }}},
		{Name: "mine", Type: core.Int, Default: func(context.Context) any { return 1 }},
		{Name: "meta", Type: core.JSON, Schema: anything{}},
	}, Validate: func(context.Context, core.Record, core.Record) ([]core.Violation, error) { return nil, nil }})
	_, err := gosource.Source(model, "main")
	for _, want := range []string{"r.now", "r.fixed", "r.calc", "r.mine", "r.meta", "r: Validate"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in %v", want, err)
		}
	}
}

// anything is a schema that accepts everything.
type anything struct{}

func (anything) Violations(any) []core.ContentViolation { return nil }

func (anything) Document() json.RawMessage { return json.RawMessage("true") }

func TestSourceRejectsInvalidPackageNames(t *testing.T) {
	model := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	for _, pkg := range []string{"", "_", "my-model", "func", "a/b", "1st", "main\n\nfunc init() {}"} {
		if source, err := gosource.Source(model, pkg); err == nil || !strings.Contains(err.Error(), "is no valid name of a Go package") || source != nil {
			t.Errorf("%q: %v", pkg, err)
		}
	}
}
