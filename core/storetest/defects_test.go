package storetest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// defect is a backend that breaks a promise.
type defect struct {
	name    string   // description of the defect
	breaks  []string // cases that must fail, as family/name
	install func(h *hooks)
	wrap    func(next core.Handler) core.Handler // a decorator around the store's own work
	open    func() core.Backend                  // instead of install
	free    bool                                 // its transactions do not wait for each other and interleave as scheduled
}

func (d defect) backend(testing.TB, *core.Model) core.Backend {
	if d.open != nil {
		return d.open()
	}
	b := new(hooked)
	if d.install != nil {
		d.install(&b.hooks)
	}
	return b
}

func allDefects() []defect {
	return slices.Concat(
		guardDefects, relatedDefects, writeDefects, orderDefects, filterDefects, projectionDefects, aggregateDefects, idDefects, keyPartDefects, typeDefects,
		integrityDefects, ownershipDefects, transactionDefects, isolationDefects, lockDefects, numberDefects, answerDefects, validationDefects, cancelDefects, closingDefects, durabilityDefects,
	)
}

func TestKitCatchesEveryDefect(t *testing.T) {
	cases := make(map[string]storetest.Case)
	for _, c := range storetest.Cases() {
		cases[c.Family+"/"+c.Name] = c
	}
	for _, d := range allDefects() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			if len(d.breaks) == 0 {
				t.Error("the defect must name at least one case")
			}
			for _, name := range d.breaks {
				c, ok := cases[name]
				if !ok {
					t.Fatalf("there is no case %q", name)
				}
				d.isCaughtBy(t, c)
			}
		})
	}
}

// isCaughtBy reports an error unless the case fails and logs its rule.
func (d defect) isCaughtBy(t *testing.T, c storetest.Case) {
	opts := storetest.Options{Patience: time.Millisecond, Timeout: 4 * time.Second, Reopen: reopen, Checks: 400} // the first failure ends a case
	if d.free {
		opts.Patience = 100 * time.Millisecond
	}
	if d.wrap != nil {
		opts.Decorators = func(testing.TB) []core.Decorator {
			return []core.Decorator{{
				Name: "defect", Kind: core.KindPolicy, KnowsRelated: true,
				Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return d.wrap(next), nil },
			}}
		}
	}
	r := kittest.Record(t, func(tb testing.TB) { c.Check(tb, d.backend, opts) })
	log := r.Text()
	switch {
	case !r.Failed():
		t.Errorf("case %q passes", c.Name)
	case !strings.Contains(log, c.Rule):
		t.Errorf("case %q does not log its rule:\n%s", c.Name, log)
	default:
		t.Logf("case %q:\n%s", c.Name, log)
	}
}

func TestEveryCaseCatchesSomething(t *testing.T) {
	catches := make(map[string]bool)
	for _, d := range allDefects() {
		for _, name := range d.breaks {
			catches[name] = true
		}
	}
	for _, c := range storetest.Cases() {
		if !catches[c.Family+"/"+c.Name] {
			t.Errorf("no defect breaks %s/%s", c.Family, c.Name)
		}
	}
}
