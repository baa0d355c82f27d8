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
	{name: "answers", rows: answerRules},
	{name: "validation", rows: validationRules},
	{name: "cancellation", rows: cancelRules},
	{name: "closing", rows: closingRules},
	{name: "random", rows: randomRules},
	{name: "durability", rows: slices.Concat(durabilityRules, durableNumberRules, durableAnswerRules, durableValidationRules), durable: true},
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

var checkRules = []rule{
	{
		"insert checks the after image",
		"An Insert of a record that does not match Check is FORBIDDEN, and nothing is inserted.",
		insertChecks,
	},
	{
		"update checks the after image",
		"An Update is FORBIDDEN if a record does not match Check afterwards, and nothing is changed.",
		updateChecks,
	},
	{
		"check applies to all columns",
		"Check applies to the whole record after the write, with the columns that the Update does not name.",
		checkSeesWholeRow,
	},
	{
		"check applies to nulls and generated keys",
		"Check applies to the stored record, with null in absent columns and with its generated key.",
		checkSeesStoredRow,
	},
	{
		"one rejected record fails the batch",
		"If one record of several does not match Check, none of them is written.",
		checkIsAllOrNone,
	},
	{
		"not found comes before forbidden",
		"An Update that misses one record and violates Check in another one is OBJECT_DOES_NOT_EXIST.",
		notFoundBeforeForbidden,
	},
	{
		"reads and deletes ignore check",
		"Check applies to Insert and Update. Load, Select, Count and Delete ignore it.",
		readsIgnoreCheck,
	},
	{
		"check ignores the before image",
		"An Update may change a record that does not match Check before, if it matches afterwards.",
		checkDoesNotHide,
	},
}

func insertChecks(t *kit.Fixture) {
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Fails("insert", err, t.Resource("cookie").Forbidden())
	t.SameKeys("after", t.All("cookie"))
	t.Same("insert of a matching record", mine.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}), t.Full("cookie", kit.Fields{"id": 1, "kind": "a"}))
}

func updateChecks(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1})
	_, err := t.Guarded(core.Eq("kind", "a")).TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"})
	t.Fails("update that gives a row away", err, t.Resource("cookie").Forbidden())
	_, err = t.Guarded(core.Eq("kind", "a")).TryUpdate("cookie", kit.Fields{"id": 1, "kind": nil})
	t.Fails("update to null", err, t.Resource("cookie").Forbidden())
	_, err = t.GuardedBy(core.All(), core.None()).TryUpdate("cookie", kit.Fields{"id": 1, "weight": 2})
	t.Fails("update under None", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
}

func checkSeesWholeRow(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a", "weight": 1}, kit.Fields{"id": 2, "kind": "b", "weight": 1})
	check := t.GuardedBy(core.All(), core.And(core.Eq("kind", "a"), core.Lt("weight", 5)))
	_, err := check.TryUpdate("cookie", kit.Fields{"id": 2, "weight": 2})
	t.Fails("update of another column", err, t.Resource("cookie").Forbidden())
	_, err = check.TryUpdate("cookie", kit.Fields{"id": 1, "weight": 5})
	t.Fails("update of a checked column", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
	check.Update("cookie", kit.Fields{"id": 1, "weight": 4})
	check.Update("cookie", kit.Fields{"id": 2, "kind": "a"})
}

func checkSeesStoredRow(t *kit.Fixture) {
	_, err := t.GuardedBy(core.All(), core.Ne("kind", nil)).TryInsert("cookie", kit.Fields{"weight": 1})
	t.Fails("insert of null", err, t.Resource("cookie").Forbidden())
	_, err = t.GuardedBy(core.All(), core.Eq("id", nil)).TryInsert("cookie", kit.Fields{"weight": 1})
	t.Fails("insert without key", err, t.Resource("cookie").Forbidden())
	t.GuardedBy(core.All(), core.And(core.Ne("id", nil), core.Eq("kind", nil))).Insert("cookie", kit.Fields{"weight": 1})
	kit.Equal(t.Client, "count", t.Count("cookie", core.All()), 1)
}

func checkIsAllOrNone(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "a"}, kit.Fields{"id": 3, "kind": "a"})
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryInsert("cookie", kit.Fields{"id": 4, "kind": "a"}, kit.Fields{"id": 5, "kind": "b"}, kit.Fields{"id": 6, "kind": "a"})
	t.Fails("insert", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 1, "weight": 1}, kit.Fields{"id": 2, "weight": 1}, kit.Fields{"id": 3, "kind": "b"})
	t.Fails("update", err, t.Resource("cookie").Forbidden())
	t.Same("after", t.All("cookie"), before...)
}

func notFoundBeforeForbidden(t *kit.Fixture) {
	before := t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"}, kit.Fields{"id": 2, "kind": "b"})
	mine := t.Guarded(core.Eq("kind", "a"))
	_, err := mine.TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"}, kit.Fields{"id": 2, "weight": 1})
	t.Fails("update of a hidden record", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 1, "kind": "b"}, kit.Fields{"id": 3, "weight": 1})
	t.Fails("update of a missing record", err, t.Resource("cookie").NotFound(core.IntValue(3)))
	_, err = mine.TryUpdate("cookie", kit.Fields{"id": 2, "kind": "c"})
	t.Fails("update of a hidden record that would break Check", err, t.Resource("cookie").NotFound(core.IntValue(2)))
	t.Same("after", t.All("cookie"), before...)
}

func readsIgnoreCheck(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "a"})
	none := t.GuardedBy(core.All(), core.None())
	t.SameKeys("load", none.Load("cookie", 1), 1)
	t.SameKeys("select", none.All("cookie"), 1)
	kit.Equal(t.Client, "count", none.Count("cookie", core.All()), 1)
	none.Delete("cookie", 1)
}

func checkDoesNotHide(t *kit.Fixture) {
	t.Insert("cookie", kit.Fields{"id": 1, "kind": "b"})
	got := t.GuardedBy(core.All(), core.Eq("kind", "a")).Update("cookie", kit.Fields{"id": 1, "kind": "a"})
	t.Same("update returned", got, t.Full("cookie", kit.Fields{"id": 1, "kind": "a"}))
}
