package resttest

import (
	"testing"

	"github.com/larder-go/larder/core"
)

// NewBackend returns a fresh, empty backend for the model. What has to be
// removed afterwards is up to tb.Cleanup.
type NewBackend = func(tb testing.TB, m *core.Model) core.Backend

// Run runs all rules, each against stores of its own.
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
	{"filter", testFilter},
	{"sort and limit", testSort},
	{"pages", testPages},
	{"page sizes", testPageSizes},
	{"list sides", testListSides},
	{"long links", testLongLinks},
	{"bodies", testBodies},
	{"media types", testMediaTypes},
	{"create", testCreate},
	{"change", testPatch},
	{"replace", testReplace},
	{"merge patch", testMerge},
	{"delete", testDelete},
	{"ids", testIDs},
	{"chosen ids", testRejectedPutIDs},
	{"assigned ids", testAssignedIDs},
	{"types", testTypes},
	{"tags and conditions", testConditions},
	{"errors", testErrors},
	{"internals", testInternals},
	{"principals", testPrincipals},
	{"nobody", testAnonymous},
	{"ownership", testOwnership},
}
