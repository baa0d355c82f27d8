package resttest

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
)

// NewBackend returns a new, empty backend for the model. It registers its own clean-up with tb.Cleanup. The store closes
// the backend.
type NewBackend = func(tb testing.TB, m *core.Model) core.Backend

// Case is a family of rules. [Run] checks all of them.
type Case struct {
	// Name is the name of the family. [Run] uses it as the name of a subtest.
	Name string

	run func(t *testing.T, newBackend NewBackend)
}

// Check checks each rule of the family in a subtest, on backends of its own. The rules do not run in parallel.
func (c Case) Check(t *testing.T, newBackend NewBackend) { c.run(t, newBackend) }

// Run checks all families, each in a subtest.
func Run(t *testing.T, newBackend NewBackend) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Check(t, newBackend) })
	}
}

// Cases returns all families, in the order of [Run].
func Cases() []Case { return slices.Clone(families) }

var families = []Case{
	{"routes", testRoutes},
	{"methods", testMethods},
	{"depth", testDepth},
	{"unknown arguments", testUnknownArguments},
	{"fields", testFields},
	{"equalities", testEqualities},
	{"unreadable arguments", testUnreadableArguments},
	{"aggregates", testAggregates},
	{"filter", testFilter},
	{"sort and limit", testSort},
	{"pages", testPages},
	{"page sizes", testPageSizes},
	{"list sides", testListSides},
	{"related records", testRelated},
	{"lists through a join resource", testThrough},
	{"long links", testLongLinks},
	{"bodies", testBodies},
	{"media types", testMediaTypes},
	{"create", testCreate},
	{"patch", testPatch},
	{"replace", testReplace},
	{"merge patch", testMerge},
	{"delete", testDelete},
	{"changes of many records", testBulk},
	{"batches", testBatches},
	{"actions", testActions},
	{"repeated keys", testRepeatedKeys},
	{"minimal answers", testMinimal},
	{"ids", testIDs},
	{"numbers", testNumbers},
	{"rejected ids", testRejectedPutIDs},
	{"assigned ids", testAssignedIDs},
	{"ids of several fields", testTupleIDs},
	{"types", testTypes},
	{"preconditions", testPreconditions},
	{"compression", testCompression},
	{"validation", testValidation},
	{"errors", testErrors},
	{"internals", testInternals},
	{"principals", testPrincipals},
	{"anonymous requests", testAnonymous},
	{"ownership", testOwnership},
}
