package stacks_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
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

// core.New accepts the orders of all decorators in which every policy stands outside every effect, and soft delete outside the
// stamps, and it rejects all others. make soak sends 200 random ones of them through the kits; other runs take a few, and one in
// many operations.
func TestRandomOrdersOfAllDecorators(t *testing.T) {
	wanted, thin := 4, 10
	source := rand.New(rand.NewPCG(1, 2))
	if os.Getenv("LARDER_SOAK") != "" {
		wanted, thin = 200, 3
		seed := rand.Uint64()
		t.Logf("note: seed %d", seed)
		source = rand.New(rand.NewPCG(seed, 2))
	}
	size := len(catalogue(zap.NewNop(), prometheus.NewRegistry()))
	tried, rejected := make(map[string]bool), 0
	for len(tried) < wanted {
		order := source.Perm(size)
		stack := inOrder(order, catalogue(zap.NewNop(), prometheus.NewRegistry()))
		name, err := accepted(t.Context(), stack)
		if (err == nil) != keepsPromises(stack) {
			t.Fatalf("%s: core.New says %v", name, err)
		}
		if err != nil {
			rejected++
			continue
		}
		if tried[name] {
			continue
		}
		tried[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := keptPromises(order)
			g.Operations, g.Thin = 250, thin
			policytest.Guard(t, faulty, g)
			policytest.NonInterference(t, faulty, g)
		})
	}
	t.Logf("note: %d orders go through the kits; core.New has rejected %d others", len(tried), rejected)
}

// accepted returns the names of the decorators of a stack, outermost first, and the error of core.New.
func accepted(ctx context.Context, stack []core.Decorator) (string, error) {
	var names []string
	for _, d := range stack {
		names = append(names, d.Name)
	}
	store, err := core.New(ctx, kept(), memory.New(), stack...)
	if err == nil {
		err = store.Close()
	}
	return strings.Join(names, "/"), err
}

// keepsPromises reports whether every policy stands outside every effect, and the effects in the order of the catalogue.
func keepsPromises(stack []core.Decorator) bool {
	var effects []string
	for _, d := range stack {
		switch {
		case d.Kind == core.KindEffect:
			effects = append(effects, d.Name)
		case d.Kind == core.KindPolicy && effects != nil:
			return false
		}
	}
	return slices.Equal(effects, []string{"softdelete", "stamp", "audit"})
}

// The order of the catalogue is the one that the cookbook recommends. If two neighbours change places, core.New accepts the stack,
// or its error names the recommended order of the two.
func TestTheRecommendedOrderIsAccepted(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "## One order for all decorators")
	block, _, _ = strings.Cut(block, "\n)\n```")
	var recommended []string
	for _, call := range regexp.MustCompile(`(?m)^\t(\w+)\.New`).FindAllStringSubmatch(block, -1) {
		recommended = append(recommended, call[1])
	}
	stack := catalogue(zap.NewNop(), prometheus.NewRegistry())
	name, err := accepted(t.Context(), stack)
	if err != nil || name != strings.Join(recommended, "/") {
		t.Errorf("%s: %v; the page has %s", name, err, recommended)
	}
	rejected := 0
	for i := range stack[1:] {
		stack := catalogue(zap.NewNop(), prometheus.NewRegistry())
		outer, inner := stack[i].Name, stack[i+1].Name
		stack[i], stack[i+1] = stack[i+1], stack[i]
		if name, err := accepted(t.Context(), stack); err != nil {
			rejected++
			if want := fmt.Sprintf("put %q before %q", outer, inner); !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %s", name, err, want)
			}
		}
	}
	if rejected != 3 { // access and softdelete, softdelete and stamp, stamp and audit
		t.Errorf("core.New rejects %d of the exchanges", rejected)
	}
}
