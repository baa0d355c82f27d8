package policytest_test

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// leak is a stack of policies that can be bypassed.
type leak struct {
	name    string
	caught  []string // rules of Guard that must fail
	differs string   // part of NonInterference that must fail, store or engine; "" for none
	spec    func() policytest.PolicySpec
}

// policy returns a decorator that denies anonymous callers, lets the system pass, and calls do for other ops.
func policy(do kittest.Handle) core.Decorator {
	return everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		switch p := op.Principal; {
		case p == nil || !p.IsSystem() && !p.ID.IsSet():
			return core.Result{}, core.Unauthorized
		case p.IsSystem() || op.Kind == core.Tx:
			return next(ctx, op)
		}
		return do(ctx, op, next)
	})
}

// everywhere returns a decorator that calls do for every op.
func everywhere(do kittest.Handle) core.Decorator {
	return kittest.Decorator("leaky", core.KindPolicy, do)
}

// leaky returns the spec of a policy that keeps no state.
func leaky(do kittest.Handle) func() policytest.PolicySpec {
	return func() policytest.PolicySpec { return stack(policy(do)) }
}

// unless returns a policy that guards all ops except some.
func unless(except func(op *core.Op) bool) func() policytest.PolicySpec {
	return leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if !except(op) {
			own(op)
		}
		return next(ctx, op)
	})
}

func mine(op *core.Op) core.Filter {
	return op.Resource.Field("owner").Compare(core.FilterEq, op.Principal.ID)
}

var leaks = slices.Concat(forgetfulLeaks, tellingLeaks, identityLeaks, sharingLeaks, relatedLeaks, repeatLeaks, batchLeaks, deletedLeaks)

func TestGuardCatchesEveryLeak(t *testing.T) {
	cases := make(map[string]policytest.GuardCase)
	for _, c := range policytest.GuardCases() {
		cases[c.Name] = c
	}
	for _, l := range leaks {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			if len(l.caught) == 0 && l.differs == "" {
				t.Error("the leak must name a rule of Guard or a part of NonInterference")
			}
			for _, name := range l.caught {
				c, ok := cases[name]
				if !ok {
					t.Fatalf("there is no rule %q", name)
				}
				r := kittest.Record(t, func(tb testing.TB) { c.Check(tb, kittest.OpenNaive, l.spec()) })
				if log := r.Text(); !r.Failed() || !strings.Contains(log, c.Rule) {
					t.Errorf("the rule %q does not catch it, failed: %v\n%s", name, r.Failed(), log)
				} else {
					t.Logf("%q: %s", name, log)
				}
			}
		})
	}
}

func TestNonInterferenceCatchesLeaks(t *testing.T) {
	parts := map[string]func(testing.TB, storetest.Factory, policytest.PolicySpec){
		"store": policytest.NonInterferenceOfStore, "engine": policytest.NonInterferenceOfEngine,
	}
	for _, l := range leaks {
		if l.differs == "" {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			spec := l.spec()
			spec.Operations = 80_000 // the first difference ends the program
			r := kittest.Record(t, func(tb testing.TB) { parts[l.differs](tb, kittest.OpenNaive, spec) })
			if !r.Failed() {
				t.Errorf("NonInterference finds no difference at the %s", l.differs)
			} else if log := r.Text(); !strings.Contains(log, "the worlds differ") {
				t.Errorf("another failure:\n%s", log)
			}
		})
	}
}

func TestEveryGuardCaseCatchesSomething(t *testing.T) {
	catches := make(map[string]bool)
	for _, l := range leaks {
		for _, name := range l.caught {
			catches[name] = true
		}
	}
	for _, c := range policytest.GuardCases() {
		if !catches[c.Name] {
			t.Errorf("no leak breaks %q", c.Name)
		}
		if !strings.HasSuffix(c.Rule, ".") || len(c.Rule) < len(c.Name) {
			t.Errorf("%q: the rule %q must be a sentence that ends with a period", c.Name, c.Rule)
		}
	}
}

// TestMain sets rapid up for stacks that are meant to fail: failures are neither shrunk nor kept in files.
func TestMain(m *testing.M) {
	flag.Parse()
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
