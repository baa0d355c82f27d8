package limit_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/observertest"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/limit"
	"github.com/larder-go/larder/decorators/ownership"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

// generous limits never deny in a test.
func generous() core.Decorator {
	return limit.New(
		limit.Rule{Name: "requests", Requests: 1e9},
		limit.Rule{Name: "writes", Kinds: []core.Kind{core.Insert, core.Update, core.Delete, core.NextID}, Requests: 1e9},
		limit.Rule{Name: "at once", Concurrent: 1000, Total: 1000},
		limit.Rule{Name: "time", Time: time.Hour},
	)
}

func TestOperationsWithinTheLimitsAreUnchanged(t *testing.T) {
	observertest.TransparentEffects(t, inMemory, observertest.Transparency{
		Options: storetest.Options{Checks: 10},
		Stack: func(testing.TB) observertest.ObservedStack {
			return observertest.ObservedStack{Decorators: []core.Decorator{generous()}, Check: func(testing.TB, []observertest.Event) {}}
		},
	})
}

func TestGuardsHoldInsideLimits(t *testing.T) {
	policytest.Guard(t, inMemory, policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{generous(), ownership.New("owner", ownership.Options{})}}
		},
		CanRead: func(p *core.Principal, row core.Record) bool {
			return p != nil && p.ID.IsSet() && row.Get("owner") == p.ID
		},
		Thin: 20,
	})
}

// A caller whose quota ends in the middle learns no more about hidden rows.
func TestExceededLimitsRevealNoHiddenRows(t *testing.T) {
	policytest.NonInterferenceOfStore(t, inMemory, policytest.PolicySpec{
		Operations: 100,
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{
				limit.New(limit.Rule{Name: "reads", Kinds: []core.Kind{core.Load, core.Select, core.Count}, Requests: 10, Window: 10_000 * time.Hour}),
				ownership.New("owner", ownership.Options{}),
			}}
		},
	})
}

func TestLimitsAroundEachBackend(t *testing.T) {
	for name, open := range map[string]storetest.Factory{"memory": inMemory, "file": inFile, "postgres": inPostgres} {
		t.Run(name, func(t *testing.T) {
			options := storetest.Options{Decorators: func(testing.TB) []core.Decorator { return []core.Decorator{generous()} }}
			for _, rule := range storetest.Cases() {
				if rule.Family == "batch" || name == "memory" && (rule.Family == "transaction" || rule.Family == "write") {
					t.Run(rule.Name, func(t *testing.T) { rule.Check(t, open, options) })
				}
			}
		})
	}
}

func inFile(tb testing.TB, _ *core.Model) core.Backend {
	return file.New(filepath.Join(tb.TempDir(), "limit.db"), file.Options{})
}

func inPostgres(tb testing.TB, _ *core.Model) core.Backend {
	backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
	if err != nil {
		tb.Fatal(err)
	}
	return backend
}
