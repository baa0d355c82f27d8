package storetest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// leak is a stack of decorators that can be got round.
type leak struct {
	name       string
	caught     []string // by these rules of Guard
	interferes string   // and by this part of NonInterference, store or engine; "" if there is nothing to see
	guarded    func() storetest.PolicySpec
}

// handle is what a decorator does with the op of a principal.
type handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)

// policy is a decorator that refuses nobody, lets the program pass, and has handle
// do the rest.
func policy(do handle) core.Decorator {
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

// everywhere is a decorator that has handle do everything.
func everywhere(do handle) core.Decorator {
	return layered("leaky", core.KindPolicy, do)
}

func layered(name string, layer core.DecoratorKind, do handle) core.Decorator {
	return core.Decorator{Name: name, Kind: layer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return do(ctx, op, next) }, nil
	}}
}

// leaky returns the settings of a policy that keeps no state.
func leaky(do handle) func() storetest.PolicySpec {
	return func() storetest.PolicySpec { return stack(policy(do)) }
}

// unless returns a policy that guards ops but those.
func unless(forgets func(op *core.Op) bool) func() storetest.PolicySpec {
	return leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if !forgets(op) {
			own(op)
		}
		return next(ctx, op)
	})
}

func mine(op *core.Op) core.Filter {
	return op.Resource.Field("owner").Compare(core.FilterEq, op.Principal.ID)
}

var leaks = slices.Concat(forgetfulLeaks, tellingLeaks, identityLeaks, sharingLeaks)

func TestGuardCatchesEveryLeak(t *testing.T) {
	cases := make(map[string]storetest.GuardCase)
	for _, c := range storetest.GuardCases() {
		cases[c.Name] = c
	}
	for _, l := range leaks {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			if len(l.caught) == 0 && l.interferes == "" {
				t.Error("nothing is expected to find out")
			}
			for _, name := range l.caught {
				c, ok := cases[name]
				if !ok {
					t.Fatalf("there is no rule %q", name)
				}
				r := record(t, func(tb testing.TB) { c.Check(tb, naively, l.guarded()) })
				if log := r.log.String(); !r.failed || !strings.Contains(log, c.Rule) {
					t.Errorf("the rule %q does not find out, failed %v:\n%s", name, r.failed, log)
				} else {
					t.Logf("%q: %s", name, log)
				}
			}
		})
	}
}

func TestNonInterferenceFindsWhatLeaksTell(t *testing.T) {
	parts := map[string]func(testing.TB, storetest.Factory, storetest.PolicySpec){
		"store": storetest.NonInterferenceOfStore, "engine": storetest.NonInterferenceOfEngine,
	}
	for _, l := range leaks {
		if l.interferes == "" {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			g := l.guarded()
			g.Operations = 20_000
			r := record(t, func(tb testing.TB) { parts[l.interferes](tb, naively, g) })
			if !r.failed {
				t.Errorf("the worlds of the %s are one", l.interferes)
			} else if log := r.log.String(); !strings.Contains(log, "the worlds differ") {
				t.Errorf("something else is wrong:\n%s", log)
			}
		})
	}
}

func TestEveryRuleOfGuardCatchesSomething(t *testing.T) {
	catches := make(map[string]bool)
	for _, l := range leaks {
		for _, name := range l.caught {
			catches[name] = true
		}
	}
	for _, c := range storetest.GuardCases() {
		if !catches[c.Name] {
			t.Errorf("no leak is there to show that %q can fail", c.Name)
		}
		if !strings.HasSuffix(c.Rule, ".") || len(c.Rule) < len(c.Name) {
			t.Errorf("%q: %q is no rule in a sentence", c.Name, c.Rule)
		}
	}
}
