package policytest

import (
	"context"
	"testing"
	"time"

	"github.com/larder-go/larder/core/storetest"
)

// GuardCase is one rule that a stack of policies keeps. [GuardCases] has them.
type GuardCase struct {
	// Name reads as the rule, in short.
	Name string
	// Rule says it in a sentence.
	Rule string

	check func(t *guardRun)
}

// Guard checks that a stack of policies cannot be got round: it sends operations
// of every kind, on every resource, for every principal, inside and outside of
// transactions, and looks at what comes back, at what reaches the backend, and at
// what is stored afterwards. Each rule of [GuardCases] is a subtest.
//
// A policy has to guard an op with [core.Op.Guard], or with Using and Check. A
// condition in Where does not count: it is the caller's, only Select and Count
// look at it, and the layers within take it for what the caller asked.
func Guard(t *testing.T, open storetest.Factory, g PolicySpec) {
	g.Thin = max(1, g.Thin) * envInt(t, "LARDER_THIN", 1)
	for _, c := range GuardCases() {
		t.Run(c.Name, func(t *testing.T) { c.Check(t, open, g) })
	}
}

// GuardCases returns all rules of [Guard].
func GuardCases() []GuardCase {
	cases := make([]GuardCase, len(guardRules))
	for i, r := range guardRules {
		cases[i] = GuardCase{Name: r.name, Rule: r.text, check: r.check}
	}
	return cases
}

// ruleTime is how long a rule may take, which is thousands of operations, before it
// is taken to hang.
const ruleTimeout = 5 * time.Minute

// Check checks one rule on a store of its own, as [Guard] does for all of them.
func (c GuardCase) Check(tb testing.TB, open storetest.Factory, g PolicySpec) {
	tb.Helper()
	kept := false
	defer func() {
		if !kept || tb.Failed() {
			tb.Logf("this breaks the rule: %s", c.Rule)
		}
	}()
	ctx, cancel := context.WithTimeout(tb.Context(), ruleTimeout)
	tb.Cleanup(cancel)
	c.check(newGuardRun(ctx, tb, open, g.filled(tb)))
	kept = true
}
