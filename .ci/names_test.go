package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testFunctions returns the names of the test functions below a folder of the module, by folder.
func testFunctions(t *testing.T, folder string) map[string][]string {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	found := make(map[string][]string)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range declaration.FindAllStringSubmatch(string(text), -1) {
			found[filepath.Dir(path)] = append(found[filepath.Dir(path)], match[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSuitesNameTestFunctions(t *testing.T) {
	for _, s := range suites {
		for i, at := range s.tests {
			if at[0] == "" {
				continue
			}
			folder := filepath.Join("..", at[0])
			name, _, _ := strings.Cut(at[1], "/")
			if !contains(testFunctions(t, folder)[folder], "^"+name+"$") {
				t.Errorf("%s, %s: %s has no %s", s.name, columns[i], at[0], name)
			}
		}
	}
}

func TestListsOfRunsNameTestFunctions(t *testing.T) {
	script, err := os.ReadFile("test")
	if err != nil {
		t.Fatal(err)
	}
	lists := regexp.MustCompile(`(?m)^(once|twice)='(.+)'$`).FindAllSubmatch(script, -1)
	if len(lists) != 2 {
		t.Fatal("the script test has no line once='...' or no line twice='...'")
	}
	var all []string
	for _, names := range testFunctions(t, "..") {
		all = append(all, names...)
	}
	for _, list := range lists {
		for part := range strings.SplitSeq(string(list[2]), "|") {
			if !contains(all, "^Test"+part) {
				t.Errorf("%s has %s, and no test begins with Test%s", list[1], part, part)
			}
		}
	}
}

func contains(names []string, pattern string) bool {
	expression := regexp.MustCompile(pattern)
	for _, name := range names {
		if expression.MatchString(name) {
			return true
		}
	}
	return false
}
