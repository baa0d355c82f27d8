package storetest

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// Case is one rule that a backend keeps. [Cases] has them.
type Case struct {
	// Family of promises that the rule belongs to, in one or two words.
	Family string
	// Name reads as the rule, in short.
	Name string
	// Rule says it in a sentence.
	Rule string
	// Durable marks cases for backends whose records outlive them, which run
	// only with [Options.Reopen].
	Durable bool

	check func(t *kit.Fixture)
}

// row is a line of a family's table.
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
	{name: "ids", rows: slices.Concat(generatedKeyRules, chosenKeyRules)},
	{name: "types", rows: slices.Concat(typeRules, roundTripRules(), acceptedRules)},
	{name: "integrity", rows: integrityRules},
	{name: "errors", rows: errorRules},
	{name: "ownership", rows: ownershipRules},
	{name: "transaction", rows: transactionRules},
	{name: "isolation", rows: slices.Concat(anomalyRules(), isolationRules)},
	{name: "concurrency", rows: concurrencyRules},
	{name: "cancellation", rows: cancelRules},
	{name: "closing", rows: closingRules},
	{name: "random", rows: randomRules},
	{name: "durability", rows: durabilityRules, durable: true},
}

// Cases returns all cases of the kit for backends, family by family.
func Cases() []Case {
	var cases []Case
	for _, f := range families {
		for _, r := range f.rows {
			cases = append(cases, Case{Family: f.name, Name: r.name, Rule: r.text, Durable: f.durable, check: r.check})
		}
	}
	return cases
}

// Check runs the case on a backend of its own, as [Run] does for all of them. A
// durable case needs [Options.Reopen].
func (c Case) Check(tb testing.TB, open Factory, opts Options) {
	kept := false
	defer func() {
		if !kept || tb.Failed() {
			tb.Logf("this breaks the rule of %s: %s", c.Family, c.Rule)
		}
	}()
	if c.Durable && opts.Reopen == nil {
		tb.Fatalf("the case %q needs Options.Reopen", c.Name)
	}
	c.check(kit.New(tb, open, kit.Options(opts)))
	kept = true
}
