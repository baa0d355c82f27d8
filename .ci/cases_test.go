package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// results returns the results of packages in which these tests passed.
func results(tests map[string][]string) map[string]map[string]string {
	ended := map[string]map[string]string{}
	for pkg, names := range tests {
		ended[module+pkg] = map[string]string{"": "pass"}
		for _, name := range names {
			ended[module+pkg][name] = "pass"
		}
	}
	return ended
}

func TestOnlyCasesWithoutSubtestsCount(t *testing.T) {
	rows := tabulate(results(map[string][]string{"core/engine": {"TestRules", "TestRules/a", "TestRules/a/b", "TestRules/c", "TestOther/d"}}))
	if len(rows) != 1 || rows[0].name != "engine" || passed(rows[0].cases[0]) != 2 {
		t.Errorf("got %v", rows)
	}
}

func TestFamiliesOfTheKitHaveARowEach(t *testing.T) {
	rows := tabulate(results(map[string][]string{"backends/memory": {"TestConformance/read/a", "TestConformance/write/b", "TestConformance/write/c"}}))
	if len(rows) != 2 || rows[0].name != "kit read" || rows[1].name != "kit write" || passed(rows[1].cases[0]) != 2 {
		t.Errorf("got %v", rows)
	}
}

func TestPackagesThatWereNotAskedForAreNoDifference(t *testing.T) {
	if err := differences(tabulate(results(map[string][]string{"core/rest": {"TestRules/a"}})), false); err != nil {
		t.Error(err)
	}
	if rows := tabulate(results(map[string][]string{"core": {"TestA"}})); len(rows) > 0 {
		t.Errorf("got %v", rows)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	const (
		reopened = "TestEngineRulesReopened/"
		direct   = "TestEngineRules/"
		memory   = "TestConformance/"
	)
	for _, c := range []struct {
		name  string
		tests map[string][]string
		want  string
	}{
		{"a case", map[string][]string{"core/engine": {"TestRules/a", "TestRules/b"}, "backends/file": {direct + "a", reopened + "a"}},
			"file did not run engine: b"},
		{"a suite", map[string][]string{"core/engine": {"TestRules/a"}, "backends/file": {direct + "a"}}, "file reopened ran nothing of engine"},
		{"a suite that nobody runs", map[string][]string{"core/engine": {"TestRuled/a"}}, "memory ran nothing of engine"},
		{"a family", map[string][]string{"backends/memory": {memory + "read/a"}, "backends/file": {memory + "read/a", memory + "write/b"}},
			"memory ran nothing of kit write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := differences(tabulate(results(c.tests)), false)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: want %q in it", err, c.want)
			}
		})
	}
}

func TestSampledColumnsMayLackCasesUnlessAllAreAskedFor(t *testing.T) {
	ended := results(map[string][]string{
		"core/engine":       {"TestRules/a", "TestRules/b"},
		"backends/postgres": {"TestEngineRules/a", "TestEngineRules/b", "TestOtherModesPassEngineRules/bouncer/a", "TestOtherModesPassEngineRules/simple_protocol/b", "TestEngineRulesOnNonDeferrableSchemas/a"},
	})
	rows := slices.DeleteFunc(tabulate(ended), func(r row) bool { return r.name != "engine" })
	if err := differences(rows, false); err != nil {
		t.Errorf("of samples: %v", err)
	}
	err := differences(rows, true)
	if err == nil || !strings.Contains(err.Error(), "postgres bouncer did not run engine: b") || !strings.Contains(err.Error(), "postgres foreign did not run engine: b") {
		t.Errorf("of all: %v", err)
	}
	for name, lacks := range map[string]map[string][]string{
		"postgres direct did not run engine: b":  {"core/engine": {"TestRules/a", "TestRules/b"}, "backends/postgres": {"TestEngineRules/a", "TestOtherModesPassEngineRules/bouncer/a"}},
		"postgres bouncer ran nothing of engine": {"core/engine": {"TestRules/a"}, "backends/postgres": {"TestEngineRules/a"}},
		"memory did not run engine: b":           {"core/engine": {"TestRules/a"}, "backends/postgres": {"TestEngineRules/a", "TestOtherModesPassEngineRules/bouncer/b"}},
	} {
		if err := differences(tabulate(results(lacks)), false); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: want %q in it", err, name)
		}
	}
}

func TestSampledColumnsMayLackFamiliesButNotTheSuite(t *testing.T) {
	ended := results(map[string][]string{
		"backends/memory": {"TestConformance/read/a", "TestConformance/write/b"},
		"backends/file":   {"TestConformance/read/a", "TestConformance/write/b", "TestConformanceReopened/read/a"},
	})
	kit := func() []row {
		return slices.DeleteFunc(tabulate(ended), func(r row) bool { return !strings.HasPrefix(r.name, "kit") })
	}
	if err := differences(kit(), false); err != nil {
		t.Errorf("of samples: %v", err)
	}
	if err := differences(kit(), true); err == nil || !strings.Contains(err.Error(), "file reopened ran nothing of kit write") {
		t.Errorf("of all: %v", err)
	}
	delete(ended[module+"backends/file"], "TestConformanceReopened/read/a")
	if err := differences(kit(), false); err == nil || !strings.Contains(err.Error(), "file reopened ran nothing of kit read") {
		t.Errorf("of a suite that did not run: %v", err)
	}
}

func TestOnlyWhatIsInMemoryMayLackDurability(t *testing.T) {
	ended := results(map[string][]string{
		"backends/memory": {"TestConformance/read/a"},
		"backends/file":   {"TestConformance/read/a", "TestConformance/durability/b", "TestConformanceReopened/read/a"},
	})
	err := differences(tabulate(ended), true)
	if err == nil || strings.Contains(err.Error(), "memory") || !strings.Contains(err.Error(), "file reopened ran nothing of kit durability") {
		t.Errorf("got %v", err)
	}
}

func TestACaseThatFailedHasRunAndDoesNotCount(t *testing.T) {
	ended := results(map[string][]string{"core/engine": {"TestRules/a"}})
	ended[module+"core/engine"]["TestRules/a"] = "fail"
	rows := tabulate(ended)
	if err := differences(rows, false); err != nil || passed(rows[0].cases[0]) != 0 {
		t.Errorf("got %v, %v", rows, err)
	}
}

func TestSavedResultsJoinThoseOfALaterRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results")
	if err := save(file, results(map[string][]string{"core/engine": {"TestRules/a"}, "backends/file": {"TestEngineRulesReopened/a"}})); err != nil {
		t.Fatal(err)
	}
	ended := results(map[string][]string{"backends/file": {"TestEngineRules/a"}})
	if err := add(file, ended); err != nil {
		t.Fatal(err)
	}
	rows := slices.DeleteFunc(tabulate(ended), func(r row) bool { return r.name != "engine" })
	for column := range 3 { // memory, file, file reopened
		if passed(rows[0].cases[column]) != 1 {
			t.Errorf("%s: got %v", columns[column], rows[0].cases[column])
		}
	}
	if err := differences(rows, true); err != nil {
		t.Error(err)
	}
}
