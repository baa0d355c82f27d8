package stacks_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// three returns principals that own rows of the kit.
func three() (all []*core.Principal) {
	for id := range int64(3) {
		all = append(all, &core.Principal{ID: core.IntValue(id + 1), Roles: []string{"baker"}})
	}
	return all
}

// Half of the operations go to the store, and half to an engine on the store. LARDER_OPERATIONS is the number of each half.
func TestThreePrincipalsDoNotInterfere(t *testing.T) {
	g := promises(natural)
	g.Principals = three()
	each := "25000"
	if text := os.Getenv("LARDER_OPERATIONS"); text != "" {
		each = text
	} else {
		g.Operations = 25_000
	}
	policytest.NonInterference(t, inMemory, g)
	if !t.Failed() {
		t.Logf("note: three principals, %s operations at the store and as many at an engine, no difference", each)
	}
}

// An operation of one principal at the store writes the same log lines and counters whatever records the others have. An
// engine reads related records too, and the log shows that a related record is hidden. The log belongs to the operator.
func TestLogsAndMetricsDoNotRevealOthers(t *testing.T) {
	g := promises(natural)
	g.Principals, g.Operations = three(), 250 // each is compared with all its lines and counters
	g.Stack = func(testing.TB) policytest.Stack { return watched() }
	policytest.NonInterferenceOfStore(t, inMemory, g)
}

func TestOperationsAddNoMetricLabels(t *testing.T) {
	registry := prometheus.NewRegistry()
	g := promises(natural)
	g.Stack = func(testing.TB) policytest.Stack {
		return policytest.Stack{Decorators: five(natural, zap.NewNop(), registry)}
	}
	g.Stack(t)
	store, err := core.New(t.Context(), policytest.OwnedModel(), memory.New(), g.Stack(t).Decorators...)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it is empty
	before := series(t, registry)
	g.Principals, g.Operations = three(), 500
	policytest.NonInterferenceOfEngine(t, inMemory, g)
	if after := series(t, registry); before != after || before == "" {
		t.Errorf("before\n%s\nafterwards\n%s", before, after)
	}
}

// series returns all series of a registry with their labels.
func series(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, family := range families {
		for _, m := range family.GetMetric() {
			fmt.Fprintln(&b, family.GetName(), m.GetLabel())
		}
	}
	return b.String()
}
