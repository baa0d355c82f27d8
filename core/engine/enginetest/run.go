package enginetest

import (
	"context"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// NewBackend returns a new, empty backend for the model. It may use tb to register clean-up; the store closes the
// backend.
type NewBackend func(tb testing.TB, m *core.Model) core.Backend

// Case is one rule of the engine. [Run] runs all of them.
type Case struct {
	// Name is the family of the rule, a slash, and the rule.
	Name string

	run func(t *testing.T, newBackend NewBackend)
}

// Check runs the case on backends of its own.
func (c Case) Check(t *testing.T, newBackend func(tb testing.TB, m *core.Model) core.Backend) {
	c.run(t, newBackend)
}

// Run runs every case as a subtest, each on a new backend.
func Run(t *testing.T, newBackend func(tb testing.TB, m *core.Model) core.Backend) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Check(t, newBackend) })
	}
}

// Cases returns all cases, in the order of [Run].
func Cases() []Case {
	var all []Case
	for _, part := range []struct {
		name  string
		cases []Case
	}{
		{"fields", fieldCases()},
		{"values", valueCases()},
		{"reading", readingCases()},
		{"listing", listingCases()},
		{"filters", filterCases()},
		{"creating", creatingCases()},
		{"updating", updatingCases()},
		{"replacing", replacingCases()},
		{"assigned keys", assignedCases()},
		{"keys of several fields", keyCases()},
		{"keys of several fields", keyedLinkCases()},
		{"deleting", deletingCases()},
		{"relations", relationCases()},
		{"relation rules", relationRuleCases()},
		{"nesting", nestingCases()},
		{"writable", writableCases()},
		{"validation", validationCases()},
		{"computed", computedCases()},
		{"write-back", writeBackCases()},
		{"limits", limitCases()},
		{"written records", writtenCases()},
		{"bytes", byteCases()},
		{"members", memberCases()},
		{"related records", relatedCases()},
		{"through a join resource", throughCases()},
		{"match", matchCases()},
		{"transactions", transactionCases()},
		{"hooks", hookCases()},
		{"policies", policyCases()},
		{"shown ids", shownIDCases()},
		{"faults", faultCases()},
		{"concurrency", concurrencyCases()},
		{"random", randomCases()},
	} {
		for _, c := range part.cases {
			all = append(all, Case{part.name + "/" + c.Name, c.run})
		}
	}
	return all
}

// open returns an engine over a new store.
func open(tb testing.TB, newBackend NewBackend, m *core.Model, opts engine.Options, decorators ...core.Decorator) *engine.Engine {
	return engine.New(openStore(tb, newBackend, m, decorators...), opts)
}

func openStore(tb testing.TB, newBackend NewBackend, m *core.Model, decorators ...core.Decorator) *core.Store {
	backend, decorators := Composed(newBackend(tb, m), decorators)
	store, err := core.New(context.Background(), m, backend, decorators...)
	if err != nil {
		tb.Fatalf("core.New: %v", err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return store
}

// code returns a case that calls run with an engine over a new store.
func code(rule string, model func() *core.Model, run func(t *testing.T, api *engine.Engine), decorators ...core.Decorator) Case {
	return Case{rule, func(t *testing.T, newBackend NewBackend) {
		run(t, open(t, newBackend, model(), engine.Options{}, decorators...))
	}}
}
