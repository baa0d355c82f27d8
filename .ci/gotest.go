// Command gotest runs go test with its own arguments and prints one line per package and the output of failed tests, as go test
// does. It differs from go test in three ways:
//
//   - It fails when a test was skipped, and names the test: a skipped test proves nothing.
//   - It prints log lines that begin with "note: " at once, also of tests that pass: how much a test tried, and which part the
//     machine did not permit.
//   - At the end it prints how many cases of each suite passed on each backend, and fails when two backends did not run the same
//     cases. Some modes of a backend may run a sample of a suite, unless LARDER_SOAK is set.
//
// One table can have the tests of two runs: with "-save FILE" before all other arguments, gotest saves the results and prints no
// table; with "-add FILE", it adds saved results to its own.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var saved string // the file of -save or -add
	saves := len(args) > 1 && args[0] == "-save"
	adds := len(args) > 1 && args[0] == "-add"
	if saves || adds {
		saved, args = args[1], args[2:]
	}
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r := report{packages: map[string]*pkg{}, ended: map[string]map[string]string{}}
	lines := bufio.NewReader(stdout)
	for line, err := lines.ReadBytes('\n'); err == nil; line, err = lines.ReadBytes('\n') {
		r.read(line)
	}
	failed := cmd.Wait()
	switch {
	case saves:
		err = save(saved, r.ended)
	case adds:
		err = add(saved, r.ended)
	}
	var rows []row
	if adds || !saves && !slices.Contains(args, "-run") { // a selection of tests need not hold every case of a suite
		rows = tabulate(r.ended)
	}
	if len(rows) > 0 {
		write(rows)
	}
	if failed != nil {
		return fmt.Errorf("go test: %w", failed)
	}
	if err != nil {
		return err
	}
	if len(r.skipped) > 0 {
		return fmt.Errorf("skipped, which counts as failed:\n%s", strings.Join(r.skipped, "\n"))
	}
	if err := differences(rows, os.Getenv("LARDER_SOAK") != ""); err != nil {
		return fmt.Errorf("backends did not run the same cases:\n%w", err)
	}
	return nil
}

// save writes the results of tests into a file.
func save(file string, ended map[string]map[string]string) error {
	text, err := json.Marshal(ended)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// add adds the results of a file to those of a later run.
func add(file string, ended map[string]map[string]string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var earlier map[string]map[string]string
	if err := json.Unmarshal(text, &earlier); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for pkg, tests := range earlier {
		maps.Copy(tests, ended[pkg])
		ended[pkg] = tests
	}
	return nil
}

// report holds back the output of a package until the package has ended.
type report struct {
	packages map[string]*pkg
	skipped  []string
	ended    map[string]map[string]string // the result of each test, of packages that ended
}

type pkg struct {
	output []event
	ended  map[string]string // "pass", "skip" or "fail" by test; no entry if the test did not end
}

func (r *report) read(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "build-output" {
		os.Stdout.WriteString(cmp.Or(e.Output, string(line)))
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{ended: map[string]string{}}
		r.packages[e.Package] = p
	}
	switch e.Action {
	case "output":
		if at := note.FindStringIndex(e.Output); at != nil {
			fmt.Printf("note: %s: %s", e.Package, e.Output[at[1]:])
		}
		if !strings.HasPrefix(e.Output, "=== ") { // which test is running
			p.output = append(p.output, e)
		}
	case "pass", "skip", "fail":
		p.ended[e.Test] = e.Action
		if e.Test == "" {
			delete(r.packages, e.Package)
			r.ended[e.Package] = p.ended
			p.print()
		} else if e.Action == "skip" {
			r.skipped = append(r.skipped, e.Package+" "+e.Test)
		}
	}
}

// note matches the beginning of a line that a test logs as a note.
var note = regexp.MustCompile(`^ +\w+_test\.go:\d+: note: `)

// print shows the last line, which is the result of the package, the output of skipped tests, and of a failed package all output
// but that of tests that passed.
func (p *pkg) print() {
	for i, e := range p.output {
		verdict := i == len(p.output)-1
		skipped := e.Test != "" && p.ended[e.Test] == "skip"
		if verdict || skipped || p.ended[""] == "fail" && p.ended[e.Test] != "pass" {
			fmt.Print(e.Output)
		}
	}
}
