package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const module = "github.com/larder-go/larder/"

// columns are the backends that run the suites, as the table heads them.
var columns = []string{"memory", "file", "file reopened", "postgres direct", "postgres bouncer", "postgres simple", "postgres foreign"}

// samplingColumns run only some cases of a suite that is sampled, unless all cases are asked for.
var samplingColumns = []string{"file reopened", "postgres bouncer", "postgres simple", "postgres foreign"}

// suites are the groups of cases that every backend must run. tests has, by column, the package and the prefix of the names of
// the tests; both are empty where a suite is not run.
var suites = []struct {
	name     string
	families bool // the table has a row for each first part of the cases' names
	sampled  bool
	tests    [7][2]string
}{
	{"kit", true, true, [7][2]string{
		{"backends/memory", "TestConformance/"},
		{"backends/file", "TestConformance/"},
		{"backends/file", "TestConformanceReopened/"},
		{"backends/postgres", "TestConformance/"},
		{"backends/postgres", "TestOtherModesPassConformance/bouncer/"},
		{"backends/postgres", "TestOtherModesPassConformance/simple_protocol/"},
		{}, // the cases of the kit about transactions need deferrable constraints
	}},
	{"engine", false, true, [7][2]string{
		{"core/engine", "TestRules/"},
		{"backends/file", "TestEngineRules/"},
		{"backends/file", "TestEngineRulesReopened/"},
		{"backends/postgres", "TestEngineRules/"},
		{"backends/postgres", "TestOtherModesPassEngineRules/bouncer/"},
		{"backends/postgres", "TestOtherModesPassEngineRules/simple_protocol/"},
		{"backends/postgres", "TestEngineRulesOnNonDeferrableSchemas/"},
	}},
	{"REST", false, true, [7][2]string{
		{"core/rest", "TestRules/"},
		{"backends/file", "TestRESTRules/"},
		{"backends/file", "TestRESTRulesReopened/"},
		{"backends/postgres", "TestRESTRules/"},
		{"backends/postgres", "TestOtherModesPassRESTRules/bouncer/"},
		{"backends/postgres", "TestOtherModesPassRESTRules/simple_protocol/"},
		{"backends/postgres", "TestRESTRulesOnNonDeferrableSchemas/"},
	}},
}

// lacking names the column without cases of a row: records in memory do not outlive the program.
var lacking = map[string]string{"kit durability": "memory"}

// row is one line of the table: by column, whether each case passed. A column is nil if its package did not run.
type row struct {
	name    string
	sampled bool
	cases   [7]map[string]bool
	// another has, by column, whether the column ran another row of the same suite.
	another [7]bool
}

// tabulate sorts the results of tests, by package and test, into rows.
func tabulate(ended map[string]map[string]string) []row {
	var rows []row
	for _, s := range suites {
		first := len(rows)
		for column, at := range s.tests {
			tests := ended[module+at[0]]
			if tests == nil {
				continue
			}
			for _, name := range leaves(tests, at[1]) {
				family := s.name
				if s.families {
					part, _, _ := strings.Cut(name, "/")
					family += " " + part
				}
				i := slices.IndexFunc(rows, func(r row) bool { return r.name == family })
				if i < 0 {
					i = len(rows)
					rows = append(rows, row{name: family, sampled: s.sampled})
				}
				if rows[i].cases[column] == nil {
					rows[i].cases[column] = map[string]bool{}
				}
				rows[i].cases[column][name] = tests[at[1]+name] == "pass"
			}
		}
		if len(rows) == first {
			rows = append(rows, row{name: s.name})
		}
		for column := range columns {
			ran := 0
			for i := range rows[first:] {
				ran += min(1, len(rows[first+i].cases[column]))
			}
			for i := range rows[first:] {
				r := &rows[first+i]
				r.another[column] = ran > min(1, len(r.cases[column]))
			}
		}
		for i := range rows[first:] { // a package that ran without a case of the row differs from the others
			for column, at := range s.tests {
				if r := &rows[first+i]; ended[module+at[0]] != nil && r.cases[column] == nil && lacking[r.name] != columns[column] {
					r.cases[column] = map[string]bool{}
				}
			}
		}
	}
	return slices.DeleteFunc(rows, row.unasked)
}

// unasked reports whether no package of the row ran.
func (r row) unasked() bool {
	return !slices.ContainsFunc(r.cases[:], func(cases map[string]bool) bool { return cases != nil })
}

// leaves returns the names of the tests with a prefix and without subtests. The prefix is removed.
func leaves(tests map[string]string, beginning string) []string {
	parents := map[string]bool{}
	var names []string
	for name := range tests {
		if rest, ok := strings.CutPrefix(name, beginning); ok {
			names = append(names, rest)
			for i, c := range rest {
				if c == '/' {
					parents[rest[:i]] = true
				}
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return parents[name] })
	slices.Sort(names)
	return names
}

// write prints how many cases of each row passed.
func write(rows []row) {
	fmt.Printf("\n%-20s", "cases that passed")
	for _, c := range columns {
		fmt.Printf("%18s", c)
	}
	for _, r := range rows {
		fmt.Printf("\n%-20s", r.name)
		for i, cases := range r.cases {
			text := fmt.Sprint(passed(cases))
			switch {
			case lacking[r.name] == columns[i]:
				text = "-"
			case cases == nil:
				text = ""
			}
			fmt.Printf("%18s", text)
		}
	}
	fmt.Print("\n\n")
}

func passed(cases map[string]bool) (n int) {
	for _, ok := range cases {
		if ok {
			n++
		}
	}
	return n
}

// differences returns an error that names each case that one column ran and another column did not run. Without all,
// samplingColumns may leave out cases of sampled suites, and whole families, but not the whole suite.
func differences(rows []row, all bool) error {
	var errs []error
	for _, r := range rows {
		union := map[string]bool{}
		for _, cases := range r.cases {
			maps.Copy(union, cases)
		}
		for i, cases := range r.cases {
			samples := !all && r.sampled && slices.Contains(samplingColumns, columns[i])
			if cases != nil && len(cases) == 0 && (!samples || !r.another[i]) {
				errs = append(errs, fmt.Errorf("%s ran nothing of %s", columns[i], r.name))
			}
			if len(cases) == 0 || samples {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(union)) {
				if _, ok := cases[name]; !ok {
					errs = append(errs, fmt.Errorf("%s did not run %s: %s", columns[i], r.name, name))
				}
			}
		}
	}
	return errors.Join(errs...)
}
