package observertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/observertest"
)

// A log that has a line for each operation and each transaction, and no more.
func ExampleTransparent() {
	TestItOnlyWatches := func(t *testing.T) {
		observertest.Transparent(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) }, observertest.Transparency{
			Stack: func(testing.TB) observertest.ObservedStack {
				log := new(kittest.Journal) // mylog.New()
				return observertest.ObservedStack{
					Decorators: []core.Decorator{log.Decorator()},
					Check: func(tb testing.TB, happened []observertest.Event) {
						if lines := strings.Count(log.Drain(), "\n") + 1; lines != max(1, len(happened)) {
							tb.Errorf("%d lines for %v", lines, happened)
						}
					},
				}
			},
		})
	}
	fmt.Printf("%T", TestItOnlyWatches)
	// Output: func(*testing.T)
}
