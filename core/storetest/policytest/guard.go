package policytest

import (
	"context"
	"testing"
	"time"

	"github.com/larder-go/larder/core/storetest"
)

// GuardCase is one rule of [Guard]. [GuardCases] returns all of them.
type GuardCase struct {
	// Name is a short form of the rule. Guard uses it as the name of the subtest.
	Name string
	// Rule is the rule in one or two sentences. A failing case logs it.
	Rule string

	check func(t *guardRun)
}

// Guard checks that a stack of policies cannot be bypassed. It sends operations of every kind, on every resource, for
// every principal, inside and outside transactions. It compares the results, the ops that reach the backend and the
// records that are stored afterwards with the spec. Each rule of [GuardCases] is a subtest with a store of its own.
//
// A policy guards an op with [core.Op.Guard], or with Using and Check. A filter in Where is no guard: it belongs to the
// caller, only Select and Count apply it, and inner decorators treat it as part of the request.
//
// open returns a fresh, empty backend for each call, as for [storetest.Run]. The environment variable LARDER_THIN
// multiplies [PolicySpec.Thin].
func Guard(t *testing.T, open storetest.Factory, spec PolicySpec) {
	spec.Thin = max(1, spec.Thin) * envInt(t, "LARDER_THIN", 1)
	for _, c := range GuardCases() {
		t.Run(c.Name, func(t *testing.T) { c.Check(t, open, spec) })
	}
}

// GuardCases returns the rules of [Guard].
func GuardCases() []GuardCase {
	cases := make([]GuardCase, len(guardRules))
	for i, r := range guardRules {
		cases[i] = GuardCase{Name: r.name, Rule: r.text, check: r.check}
	}
	return cases
}

// ruleTimeout bounds one rule, which sends thousands of operations.
const ruleTimeout = 5 * time.Minute

// Check checks one rule on a store of its own. It ends the test at the first violation.
func (c GuardCase) Check(tb testing.TB, open storetest.Factory, spec PolicySpec) {
	tb.Helper()
	completed := false
	defer func() {
		if !completed || tb.Failed() {
			tb.Logf("broken rule: %s", c.Rule)
		}
	}()
	ctx, cancel := context.WithTimeout(tb.Context(), ruleTimeout)
	tb.Cleanup(cancel)
	c.check(newGuardRun(ctx, tb, open, spec.filled(tb)))
	completed = true
}
