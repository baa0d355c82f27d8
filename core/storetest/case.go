package storetest

import (
	"slices"
	"testing"

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
	// Tuples means that the case needs keys of several fields, see [StoresTuples]. [Run] leaves it out otherwise.
	Tuples bool

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
	tuples  bool
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
	{name: "ids", rows: slices.Concat(generatedKeyRules, chosenKeyRules)},
	{name: "types", rows: slices.Concat(typeRules, roundTripRules(), acceptedRules)},
	{name: "integrity", rows: slices.Concat(integrityRules, indexRules)},
	{name: "key parts", rows: keyPartRules, tuples: true},
	{name: "errors", rows: errorRules},
	{name: "ownership", rows: ownershipRules},
	{name: "transaction", rows: transactionRules},
	{name: "isolation", rows: slices.Concat(anomalyRules(), isolationRules)},
	{name: "concurrency", rows: concurrencyRules},
	{name: "locks", rows: lockRules},
	{name: "numbers", rows: numberRules},
	{name: "cancellation", rows: cancelRules},
	{name: "closing", rows: closingRules},
	{name: "random", rows: randomRules},
	{name: "durability", rows: slices.Concat(durabilityRules, durableNumberRules), durable: true},
}

// Cases returns all cases, family by family.
func Cases() []Case {
	var cases []Case
	for _, f := range families {
		for _, r := range f.rows {
			cases = append(cases, Case{Family: f.name, Name: r.name, Rule: r.text, Durable: f.durable, Tuples: f.tuples, check: r.check})
		}
	}
	return cases
}

// Check runs the case on a backend of its own. It ends the test at the first violation. A durable case needs
// [Options.Reopen], and a case with tuples needs a backend that stores them.
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
	t := kit.New(tb, open, kit.Options(opts))
	if c.Tuples && !t.HasTuples() {
		tb.Fatalf("the case %q needs a backend that stores keys of several fields", c.Name)
	}
	c.check(t)
	completed = true
}
