package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// Case is one rule of the backend contract. [Cases] returns all of them.
type Case struct {
	// Family is the group of rules, in one or two words. [Run] uses it as the name of a subtest.
	Family string
	// Name is a short form of the rule. [Run] uses it as the name of the subtest in the family.
	Name string
	// Rule is the rule in one or two sentences. A failing case logs it.
	Rule string
	// Durable means that the case needs [Options.Reopen]. [Run] leaves it out otherwise.
	Durable bool

	check func(t *kit.Fixture)
}

// rule is one line of a family's table.
type rule struct {
	name, text string
	check      func(t *kit.Fixture)
}

var families = []struct {
	name    string
	durable bool
	rows    []rule
}{
	{name: "read", rows: readRules},
	{name: "filter", rows: slices.Concat(filterRules, filterTypeRules())},
	{name: "order", rows: slices.Concat(orderRules, orderTypeRules())},
	{name: "cursor", rows: cursorRules},
	{name: "projection", rows: projectionRules},
	{name: "write", rows: writeRules},
	{name: "batch", rows: batchRules},
	{name: "using", rows: usingRules},
	{name: "check", rows: checkRules},
	{name: "related", rows: slices.Concat(relatedRules, relatedOrderRules)},
	{name: "aggregate", rows: aggregateRules},
	{name: "ids", rows: slices.Concat(generatedKeyRules, chosenKeyRules)},
	{name: "types", rows: slices.Concat(typeRules, roundTripRules(), acceptedRules)},
	{name: "integrity", rows: slices.Concat(integrityRules, indexRules)},
	{name: "key parts", rows: keyPartRules},
	{name: "errors", rows: errorRules},
	{name: "ownership", rows: ownershipRules},
	{name: "transaction", rows: transactionRules},
	{name: "isolation", rows: slices.Concat(anomalyRules(), isolationRules)},
	{name: "concurrency", rows: concurrencyRules},
	{name: "locks", rows: lockRules},
	{name: "numbers", rows: numberRules},
	{name: "validation", rows: validationRules},
	{name: "cancellation", rows: cancelRules},
	{name: "closing", rows: closingRules},
	{name: "random", rows: randomRules},
	{name: "durability", rows: slices.Concat(durabilityRules, durableNumberRules, durableValidationRules), durable: true},
}

// Cases returns all cases, family by family.
func Cases() []Case {
	var cases []Case
	for _, f := range families {
		for _, r := range f.rows {
			cases = append(cases, Case{Family: f.name, Name: r.name, Rule: r.text, Durable: f.durable, check: r.check})
		}
	}
	return cases
}

// Check runs the case on a backend of its own. It ends the test at the first violation. A durable case needs
// [Options.Reopen].
func (c Case) Check(tb testing.TB, open Factory, opts Options) {
	completed := false
	defer func() {
		if !completed || tb.Failed() {
			tb.Logf("broken rule of %s: %s", c.Family, c.Rule)
		}
	}()
	if c.Durable && opts.Reopen == nil {
		tb.Fatalf("the case %q is durable and needs Options.Reopen", c.Name)
	}
	c.check(kit.New(tb, open, kit.Options(opts)))
	completed = true
}

// Factory returns a fresh, empty backend that can hold the model. The kit binds the backend to the model and closes it.
// The factory registers further clean-up with tb.Cleanup. A case may call the factory several times.
type Factory = func(tb testing.TB, m *core.Model) core.Backend

// Options are optional settings of the kit. The zero value suits a fast backend that is not durable.
type Options struct {
	// Checks is the number of random checks in each random case, for instance of random programs and of random schedules.
	// 0 means the value of the flag -rapid.checks, by default 100.
	Checks int
	// Patience is the time after which the kit assumes that an action waits for another transaction, and lets that one
	// continue. If it is too short, the isolation cases find fewer defects, but do not fail without one. 0 means 5 ms.
	Patience time.Duration
	// Timeout bounds each case and each random check, so that a hanging backend fails. 0 means one minute.
	Timeout time.Duration
	// Reopen returns a backend with the content of a closed one, as after a restart of the program. The kit binds it. If
	// Reopen is set, the durability cases run, and random programs reopen the backend. nil means that the backend is not
	// durable.
	Reopen func(tb testing.TB, closed core.Backend) core.Backend
	// Decorators returns decorators, outermost first, that the kit puts around the backend in each case. They must not
	// change operations or results. nil means none.
	Decorators func(tb testing.TB) []core.Decorator
}

// Run checks each case of [Cases] in a subtest family/name.
func Run(t *testing.T, open Factory) { Options{}.Run(t, open) }

// Run checks each case of [Cases] with the options. It leaves out durable cases if Reopen is nil.
func (o Options) Run(t *testing.T, open Factory) {
	cases := Cases()
	for len(cases) > 0 {
		n := 1
		for n < len(cases) && cases[n].Family == cases[0].Family {
			n++
		}
		family := cases[:n]
		cases = cases[n:]
		if family[0].Durable && o.Reopen == nil {
			continue
		}
		t.Run(family[0].Family, func(t *testing.T) {
			for _, c := range family {
				t.Run(c.Name, func(t *testing.T) { c.Check(t, open, o) })
			}
		})
	}
}
