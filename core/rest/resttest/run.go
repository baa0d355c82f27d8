package resttest

import (
	"testing"

	"github.com/larder-go/larder/core"
)

// NewBackend returns a new, empty backend for the model. It registers its own clean-up with tb.Cleanup. The store closes
// the backend.
type NewBackend = func(tb testing.TB, m *core.Model) core.Backend

// Run checks all rules, each in a subtest with stores of its own. The rules do not run in parallel.
func Run(t *testing.T, newBackend NewBackend) {
	for _, family := range families {
		t.Run(family.name, func(t *testing.T) { family.run(t, newBackend) })
	}
}

var families = []struct {
	name string
	run  func(t *testing.T, newBackend NewBackend)
}{
	{"routes", testRoutes},
	{"methods", testMethods},
	{"depth", testDepth},
	{"unknown arguments", testUnknownArguments},
	{"equalities", testEqualities},
	{"unreadable arguments", testUnreadableArguments},
	{"filter", testFilter},
	{"sort and limit", testSort},
	{"pages", testPages},
	{"page sizes", testPageSizes},
	{"list sides", testListSides},
	{"related records", testRelated},
	{"long links", testLongLinks},
	{"bodies", testBodies},
	{"media types", testMediaTypes},
	{"create", testCreate},
	{"patch", testPatch},
	{"replace", testReplace},
	{"merge patch", testMerge},
	{"delete", testDelete},
	{"ids", testIDs},
	{"rejected ids", testRejectedPutIDs},
	{"assigned ids", testAssignedIDs},
	{"types", testTypes},
	{"preconditions", testPreconditions},
	{"errors", testErrors},
	{"internals", testInternals},
	{"principals", testPrincipals},
	{"anonymous requests", testAnonymous},
	{"ownership", testOwnership},
}
