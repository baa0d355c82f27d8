package recipetest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Walkthrough runs the commands of a README and compares their output, see the page of the package. The program gets the
// extra arguments after those of the README at every start.
func Walkthrough(t *testing.T, readme string, extra ...string) {
	t.Helper()
	dir := t.TempDir()
	cookbook, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(cookbook, filepath.Join(dir, "cookbook")); err != nil {
		t.Fatal(err)
	}
	w := &walker{t: t, dir: dir, extra: extra, shell: newShell(t, dir)}
	defer w.stop()
	for _, b := range Blocks(t, readme) {
		switch b.Language {
		case "sh":
			w.begin(b.Text)
		case "go":
			if strings.HasPrefix(b.Text, "package main\n") {
				w.stop()
				w.program = startSource(t, b.Text)
			}
		case "console":
			for _, s := range steps(b.Text) {
				w.take(s)
			}
		}
	}
	if w.taken == 0 {
		t.Errorf("%s shows no command", readme)
	}
}

type walker struct {
	t       *testing.T
	dir     string
	extra   []string
	shell   *shell
	program *Process
	taken   int
}

func (w *walker) begin(block string) {
	w.t.Helper()
	command, found := strings.CutPrefix(strings.ReplaceAll(block, "\\\n", " "), "go run ./cookbook/")
	if !found {
		return
	}
	w.stop()
	_, args, _ := strings.Cut(strings.TrimSpace(command), " ")
	// The shell resolves quotes and variables.
	out, _ := w.shell.run(w.t, "printf '%s\\n' "+args)
	given := strings.FieldsFunc(out, func(r rune) bool { return r == '\n' })
	w.program = start(w.t, w.dir, slices.Concat(given, w.extra))
}

func (w *walker) stop() {
	if w.program != nil {
		w.program.Stop(w.t)
	}
}

func (w *walker) take(s step) {
	w.t.Helper()
	w.taken++
	base := "127.0.0.1:8080"
	if w.program != nil {
		base = strings.TrimPrefix(w.program.Base, "http://")
	}
	command := strings.ReplaceAll(s.command, "127.0.0.1:8080", base)
	if args, found := strings.CutPrefix(command, "go run ./cookbook/"+filepath.Base(binary)); found {
		command = "'" + binary + "'" + args
	}
	got, _ := w.shell.run(w.t, command)
	got = strings.ReplaceAll(got, base, "127.0.0.1:8080")
	if !matches(s.want, got) {
		w.t.Errorf("$ %sgot\n%s\nwant\n%s", s.command, got, s.want)
	}
}

// matches reports whether the output is the wanted one, in which three dots match any text.
func matches(want, got string) bool {
	pattern := regexp.QuoteMeta(strings.TrimRight(want, "\n"))
	pattern = regexp.MustCompile(`(?m)^\\\.\\\.\\\.$`).ReplaceAllString(pattern, `(?s:.*)`)
	pattern = strings.ReplaceAll(pattern, `\.\.\.`, `.*`)
	return regexp.MustCompile(`^` + pattern + `$`).MatchString(strings.TrimRight(got, "\n"))
}
