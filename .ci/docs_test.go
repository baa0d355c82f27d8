package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// paths returns the first cells of the rows in the map of the tree.
func paths(t *testing.T) (found []string) {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "../.github/CONTRIBUTING.md"), "## Map of the tree\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, match := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatal("CONTRIBUTING.md has no map of the tree")
	}
	return found
}

func TestMapOfTheTreeNamesEveryPackage(t *testing.T) {
	shown := paths(t)
	for _, path := range shown {
		if info, err := os.Stat(filepath.Join("..", path)); err != nil || !info.IsDir() {
			t.Errorf("the map has %s, which is no folder: %v", path, err)
		}
	}
	list := exec.CommandContext(t.Context(), "go", "list", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		path := strings.TrimPrefix(name, module)
		recipe := filepath.Dir(path) == "cookbook"
		internal := strings.Contains(path, "/internal/") && slices.ContainsFunc(shown, func(row string) bool {
			return strings.HasPrefix(path, row+"/internal/")
		})
		if !recipe && !internal && !slices.Contains(shown, path) {
			t.Errorf("the map of the tree lacks %s", path)
		}
	}
}

func TestDocumentedMakeTargetsExist(t *testing.T) {
	makefile := readFile(t, "../Makefile")
	for _, page := range []string{"README.md", ".github/CONTRIBUTING.md"} {
		for _, match := range regexp.MustCompile(`\bmake ([a-z-]+)[^a-z.]`).FindAllStringSubmatch(codeOf(readFile(t, filepath.Join("..", page))), -1) {
			if !regexp.MustCompile(`(?m)^` + match[1] + `:`).MatchString(makefile) {
				t.Errorf("%s shows make %s, and the Makefile has no such target", page, match[1])
			}
		}
	}
}

// code matches the code of a Markdown file: fenced blocks and spans.
var code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")

// codeOf returns the code of a Markdown file.
func codeOf(text string) string { return strings.Join(code.FindAllString(text, -1), "\n") + "\n" }

func TestLinksOfTheProjectPagesLeadToFiles(t *testing.T) {
	pages := []string{"../README.md", "../CHANGELOG.md"}
	for _, pattern := range []string{"../.github/*.md", "../backends/*/*.md", "../cookbook/*.md", "../cookbook/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(found), err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		for _, match := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(code.ReplaceAllString(readFile(t, page), ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
