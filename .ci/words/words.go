// Command words reports the words that the writing rules forbid, one line each, as file:line: word: the terms to use
// instead. It reads Go comments, the names that Go files declare, the strings of Go files that are no tests, Markdown
// outside of code, and the comments of scripts, Makefiles and YAML. It exits with 1 if it has found any.
//
//	go run ./.ci/words [directory]
package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// rules are the forbidden words, in all their forms as a pattern in lower case, and the terms to use instead. The table
// in .github/CONTRIBUTING.md shows them.
var rules = []struct{ words, pattern, instead string }{
	{"fulfil", `fulfil\w*`, "matches, satisfies"},
	{"further in, further out", `further (?:in|out)`, "inner, outer"},
	{"hand out", `hand(?:s|ed|ing)? out`, "generates, allocates, returns"},
	{"nobody, somebody, anybody", `(?:no|some|any)body`, "anonymous, or name the caller, the client, the program"},
	{"whoever, whomever", `whoever|whomever`, "the caller, the reader: name the person"},
	{"tell apart", `(?:tell|tells|told|telling) apart`, "distinguishes, (in)distinguishable"},
	{"by, of, for, from nothing", `(?:by|of|for|from) nothing`, "say it positively"},
	{"anew", `anew`, "again, rebuilds, initialises"},
	{"come into being", `comes? into being|came into being`, "is created"},
	{"die, born", `dies?|died|dying|born`, "ends, is deleted, is created"},
	{"doom", `doom\w*`, "deletes, rejects"},
	{"divorce", `divorc\w*`, "separates, detaches, reassigns"},
	{"judge", `judg(?:e|es|ed|ing)`, "evaluates, allows, denies"},
	{"veil", `veil\w*`, "hides"},
	{"guest", `guests?`, "actor, visitor"},
	{"theatre", `theatres?`, "fixture, scenario"},
}

// forbidden matches every rule, with one group each.
var forbidden = func() *regexp.Regexp {
	var groups []string
	for _, r := range rules {
		groups = append(groups, "("+r.pattern+")")
	}
	return regexp.MustCompile(`(?i)\b(?:` + strings.Join(groups, "|") + `)\b`)
}()

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	found, err := check(os.DirFS(root))
	for _, f := range found {
		fmt.Println(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
	}
	if err != nil || len(found) > 0 {
		os.Exit(1)
	}
}

// finding is one forbidden word.
type finding struct {
	file string
	line int
	word string
	rule int
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %q: %s", f.file, f.line, f.word, rules[f.rule].instead)
}

// check returns the findings in all files below a directory, but for .git, testdata and node_modules.
func check(root fs.FS) (found []finding, err error) {
	err = fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if entry.Name() == ".git" || entry.Name() == "testdata" || entry.Name() == "node_modules" || path == ".ci/words" {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		read := reader(path)
		if read == nil {
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		texts, err := read(path, string(text))
		if err != nil {
			return err
		}
		for _, t := range append(texts, piece{1, split(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))}) {
			found = append(found, search(path, t)...)
		}
		return nil
	})
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	return found, err
}

// piece is a text to be searched and the line that it begins in.
type piece struct {
	line int
	text string
}

func search(file string, p piece) (found []finding) {
	for _, at := range forbidden.FindAllStringSubmatchIndex(p.text, -1) {
		group := 2
		for at[group] < 0 {
			group += 2
		}
		found = append(found, finding{file, p.line + strings.Count(p.text[:at[0]], "\n"), p.text[at[0]:at[1]], group/2 - 1})
	}
	return found
}

// reader returns the function that finds the prose of a file, nil for a file of another kind.
func reader(path string) func(path, text string) ([]piece, error) {
	switch filepath.Ext(path) {
	case ".go":
		return ofGo
	case ".md":
		return ofMarkdown
	case ".yml", ".yaml", ".mod", "":
		return ofComments
	}
	return nil
}

// ofGo returns the comments, the declared names, and the strings unless the file is a test.
func ofGo(path, text string) (found []piece, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	line := func(n ast.Node) int { return files.Position(n.Pos()).Line }
	name := func(ids ...*ast.Ident) {
		for _, id := range ids {
			found = append(found, piece{line(id), split(id.Name)})
		}
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			found = append(found, piece{line(comment), comment.Text})
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			name(n.Name)
		case *ast.TypeSpec:
			name(n.Name)
		case *ast.ValueSpec:
			name(n.Names...)
		case *ast.Field:
			name(n.Names...)
		case *ast.BasicLit:
			if n.Kind == token.STRING && !strings.HasSuffix(path, "_test.go") {
				found = append(found, piece{line(n), n.Value})
			}
		}
		return true
	})
	return found, nil
}

// split separates the words of a name in camel case or snake case by blanks.
func split(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		if r == '_' || r == '-' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is what Markdown shows as code, and where links lead.
var code = regexp.MustCompile("(?s)```.*?```|`[^`]*`|\\]\\([^)]*\\)")

func ofMarkdown(_, text string) ([]piece, error) {
	prose := code.ReplaceAllStringFunc(text, func(code string) string { return strings.Repeat("\n", strings.Count(code, "\n")) })
	return []piece{{1, prose}}, nil
}

// ofComments returns the comments of a file in which they begin with # or //.
func ofComments(_, text string) (found []piece, err error) {
	if strings.ContainsRune(text, 0) { // a program that was built here
		return nil, nil
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if _, comment, is := strings.Cut(line, "#"); is {
			found = append(found, piece{n, comment})
		} else if _, comment, is := strings.Cut(line, "// "); is {
			found = append(found, piece{n, comment})
		}
	}
	return found, nil
}
