package stacks_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

// No order of these five breaks a promise, so core.New accepts all 120. make soak runs the kits on all of them. Other runs
// take each order of the three policies once, with the observers at different places, and one in five operations.
func TestEveryOrderOfFiveDecorators(t *testing.T) {
	all := orders(5)
	if len(all) != 120 {
		t.Fatalf("%d orders", len(all))
	}
	tried := 0
	for i, order := range all {
		name := describe(t, order)
		if os.Getenv("LARDER_SOAK") == "" && !chosen(all, i) {
			continue
		}
		tried++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := promises(order)
			g.Operations = 250
			if os.Getenv("LARDER_SOAK") == "" {
				g.Thin = 5
			}
			policytest.Guard(t, inMemory, g)
			policytest.NonInterference(t, inMemory, g)
		})
	}
	t.Logf("note: all 120 orders are accepted, %d of them go through the kits", tried)
}

// chosen reports whether a run without LARDER_SOAK takes the order with index i. It takes one order of the policies each, and
// moves the observers from one to the next.
func chosen(all [][]int, i int) bool {
	var alike, kinds []int // indices in all: orders with the same policies; the first of each order of policies
	for j := range all {
		same := slices.Equal(policies(all[j]), policies(all[i]))
		if same {
			alike = append(alike, j)
		}
		if !slices.ContainsFunc(kinds, func(k int) bool { return slices.Equal(policies(all[k]), policies(all[j])) }) {
			kinds = append(kinds, j)
		}
	}
	turn := slices.Index(kinds, alike[0])
	return alike[turn*3] == i
}

// policies returns the policies of an order.
func policies(order []int) []int {
	return slices.DeleteFunc(slices.Clone(order), func(i int) bool { return i < 2 })
}

// describe returns the names of the decorators of a stack, outermost first.
func describe(t *testing.T, order []int) string {
	t.Helper()
	store, err := core.New(t.Context(), policytest.OwnedModel(), memory.New(), five(order, zap.NewNop(), prometheus.NewRegistry())...)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it is empty
	var names []string
	for _, l := range store.Describe().Decorators {
		names = append(names, l.Name)
	}
	return strings.Join(names, "/")
}
