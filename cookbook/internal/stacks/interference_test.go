package stacks_test

import (
	"os"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// three are principals who own rows of the kit's.
func three() (all []*core.Principal) {
	for id := range int64(3) {
		all = append(all, &core.Principal{ID: core.IntValue(id + 1), Roles: []string{"baker"}})
	}
	return all
}

// Half of the operations go to the store, half to an engine over it;
// LARDER_OPERATIONS says how many are a half.
func TestThreePrincipalsLearnNothingOfEachOtherThroughTheFive(t *testing.T) {
	g := promises(natural)
	g.Principals = three()
	if os.Getenv("LARDER_OPERATIONS") == "" {
		g.Operations = 25_000
	}
	storetest.NonInterference(t, inMemory, g)
}

// Looking at every counter after every operation takes most of the time, so there
// are fewer of them.
func TestMetricsTellNothingOfOthers(t *testing.T) {
	g := promises(natural)
	g.Principals, g.Operations = three(), 1000
	g.Stack = func(testing.TB) storetest.Stack { return five(natural, true) }
	storetest.NonInterference(t, inMemory, g)
}
