package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestForbiddenWordsAreReportedWithTheirLine(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       []string
	}{
		"comment":              {"a.go", "package a\n\n// f is for\n// Nobody.\nfunc f() {}\n", []string{`a.go:4: "Nobody"`}},
		"comment behind code":  {"a.go", "package a\n\nvar x int // fulfilled by f\n", []string{`a.go:3: "fulfilled"`}},
		"block comment":        {"a.go", "package a\n\n/* one\n   doomed\n*/\n", []string{`a.go:4: "doomed"`}},
		"two in one line":      {"a.go", "package a\n\n// A guest dies.\n", []string{`a.go:3: "guest"`, `a.go:3: "dies"`}},
		"two words":            {"a.go", "package a\n\n// The layer further out hands out keys.\n", []string{`a.go:3: "further out"`, `a.go:3: "hands out"`}},
		"name of a function":   {"a_test.go", "package a\n\nfunc TestNobodyReads() {}\n", []string{`a_test.go:3: "Nobody"`}},
		"names of other kinds": {"a.go", "package a\n\ntype veil struct{ judge int }\n\nconst doom = 1\n", []string{`a.go:3: "veil"`, `a.go:3: "judge"`, `a.go:5: "doom"`}},
		"string":               {"a.go", "package a\n\nvar s = \"nobody may\"\n", []string{`a.go:3: "nobody"`}},
		"string of a test":     {"a_test.go", "package a\n\nvar s = \"nobody may\"\n", nil},
		"part of a word":       {"a.go", "package a\n\n// studies, diet and newborn\nvar guesting int\n", nil},
		"name of a file":       {"b/doom_test.go", "package a\n", []string{`b/doom_test.go:1: "doom"`}},
		"markdown":             {"a.md", "# One\n\nwhoever\n", []string{`a.md:3: "whoever"`}},
		"code in markdown":     {"a.md", "`nobody`\n\n```\nnobody\n```\n\n[x](nobody.md) anew\n", []string{`a.md:7: "anew"`}},
		"script":               {"run", "#!/bin/sh\nnobody=1 # of nothing\n", []string{`run:2: "of nothing"`}},
		"workflow":             {"ci.yml", "# anew\nanew: 1\n", []string{`ci.yml:1: "anew"`}},
		"testdata":             {"testdata/a.go", "package a // nobody\n", nil},
		"node_modules":         {"a/node_modules/b/README.md", "nobody\n", nil},
		"other kinds of files": {"a.json", `"nobody"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := check(fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				place, _, _ := strings.Cut(f.String(), ": "+rules[f.rule].instead)
				got = append(got, place)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestGoFileWithASyntaxErrorIsAnError(t *testing.T) {
	if _, err := check(fstest.MapFS{"a.go": {Data: []byte("package")}}); err == nil {
		t.Error("no error")
	}
}

func TestContributingListsTheRules(t *testing.T) {
	page, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := "| forbidden | instead |\n| --- | --- |\n"
	for _, r := range rules {
		rows += fmt.Sprintf("| `%s` | %s |\n", r.words, r.instead)
	}
	if !strings.Contains(string(page), rows+"\n") {
		t.Errorf("CONTRIBUTING.md lacks the table\n%s", rows)
	}
}
