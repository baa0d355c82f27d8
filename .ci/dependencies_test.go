package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestTableOfDependenciesIsTrue compares the table in cookbook/README.md with the modules of the packages that each decorator
// links. No decorator links another one.
func TestTableOfDependenciesIsTrue(t *testing.T) {
	_, table, _ := strings.Cut(readFile(t, "../cookbook/README.md"), "| decorator | modules |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	folders, err := os.ReadDir("../decorators")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, folder := range folders {
		if name := folder.Name(); name != "internal" {
			want = append(want, "| "+name+" | "+modulesOf(t, name)+" |")
		}
	}
	if got := strings.TrimSpace(table); got != strings.Join(want, "\n") {
		t.Errorf("the table in cookbook/README.md is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// modulesOf returns the modules that a decorator links besides this one, as a cell of the table.
func modulesOf(t *testing.T, decorator string) string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", "./decorators/"+decorator)
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for line := range strings.Lines(string(out)) {
		path, linked, _ := strings.Cut(strings.TrimSpace(line), " ")
		other, isDecorator := strings.CutPrefix(path, module+"decorators/")
		switch {
		case isDecorator && other != decorator && !strings.HasPrefix(other, decorator+"/"):
			t.Errorf("decorators/%s links %s", decorator, path)
		case linked != "" && linked+"/" != module && !slices.Contains(modules, linked):
			modules = append(modules, linked)
		}
	}
	if modules == nil {
		return "none"
	}
	slices.Sort(modules)
	return "`" + strings.Join(modules, "`, `") + "`"
}
