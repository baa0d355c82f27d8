package observertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/observertest"
)

// A log that has a line for each operation and each transaction.
func ExampleTransparent() {
	TestTransparent := func(t *testing.T) {
		observertest.Transparent(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) }, observertest.Transparency{
			Stack: func(testing.TB) observertest.ObservedStack {
				log := new(kittest.Journal) // mylog.New()
				return observertest.ObservedStack{
					Decorators: []core.Decorator{log.Decorator()},
					Check: func(tb testing.TB, events []observertest.Event) {
						if lines := strings.Count(log.Drain(), "\n") + 1; lines != max(1, len(events)) {
							tb.Errorf("%d lines for %v", lines, events)
						}
					},
				}
			},
		})
	}
	fmt.Printf("%T", TestTransparent)
	// Output: func(*testing.T)
}
