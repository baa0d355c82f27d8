package stacks_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

// Nothing about the order of these five breaks a promise, so every one of the 120
// is accepted.
func TestNoOrderOfTheFiveCanBeGotRound(t *testing.T) {
	all := orders(5)
	if len(all) != 120 {
		t.Fatalf("%d orders", len(all))
	}
	for _, order := range all {
		t.Run(describe(t, order), func(t *testing.T) {
			t.Parallel()
			storetest.Guard(t, inMemory, promises(order))
			quick := promises(order)
			quick.Operations = 250
			storetest.NonInterference(t, inMemory, quick)
		})
	}
}

// describe names the layers of a stack, outermost first.
func describe(t *testing.T, order []int) string {
	t.Helper()
	store, err := core.New(t.Context(), storetest.OwnedModel(), memory.New(), five(order).Decorators...)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it is empty
	name := ""
	for _, l := range store.Describe().Layers {
		name += "/" + l.Name
	}
	return name[1:]
}
