package fault_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/decorators/fault"
)

// never is a rule about commits that never applies, so that every transaction gets an explicit commit.
var never = fault.Rule{Kinds: []core.Kind{core.Tx}, Skip: 1 << 40, Err: core.ErrConflict}

var conflicts = []fault.Rule{
	{Probability: 0.05, Err: core.ErrConflict},
	{Kinds: []core.Kind{core.Tx}, Probability: 0.05, Err: core.ErrConflict},
}

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

func inFile(tb testing.TB, _ *core.Model) core.Backend {
	return file.New(filepath.Join(tb.TempDir(), "fault.db"), file.Options{})
}

func inPostgres(tb testing.TB, m *core.Model) core.Backend {
	backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
	if err != nil {
		tb.Fatal(err)
	}
	return backend
}

func around(open storetest.Factory, rules ...fault.Rule) storetest.Factory {
	return func(tb testing.TB, m *core.Model) core.Backend { return fault.New(open(tb, m), 1, rules...) }
}

func TestBackendWithoutFaultsKeepsTheContract(t *testing.T) {
	storetest.Options{Checks: 10}.Run(t, around(inMemory, never))
}

// A backend that conflicts at random keeps the rules about single operations, too: the store repeats. The kit runs most
// transactions with one attempt, so these families are left out.
func TestBackendWithConflictsKeepsTheContract(t *testing.T) {
	for name, c := range map[string]struct {
		open     storetest.Factory
		families []string
	}{
		"memory":   {inMemory, []string{"read", "filter", "order", "projection", "write", "batch", "using", "check"}},
		"file":     {inFile, []string{"batch"}},
		"postgres": {inPostgres, []string{"batch"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, rule := range storetest.Cases() {
				if slices.Contains(c.families, rule.Family) {
					t.Run(rule.Name, func(t *testing.T) { rule.Check(t, around(c.open, conflicts...), storetest.Options{Checks: 5}) })
				}
			}
		})
	}
}
