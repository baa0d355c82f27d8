package metrics_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/observertest"
	"github.com/larder-go/larder/decorators/metrics"
)

func TestTransparentAndCountsOnce(t *testing.T) {
	observertest.Transparent(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, observertest.Transparency{
		Options: storetest.Options{Checks: 20},
		Stack: func(testing.TB) observertest.ObservedStack {
			registry, total := prometheus.NewRegistry(), make(map[string]float64)
			return observertest.ObservedStack{
				Decorators: []core.Decorator{metrics.New(registry, metrics.Options{Subsystem: "kit"})},
				Check: func(tb testing.TB, events []observertest.Event) {
					for _, e := range events {
						add(total, e)
					}
					expect(tb, registry, total)
				},
			}
		},
	})
}

// add adds an event to the expected metrics.
func add(to map[string]float64, e observertest.Event) {
	outcome := core.OutcomeOf(e.Err)
	if e.Panicked {
		outcome = core.OutcomeFailed
	}
	on := ""
	if e.Resource != nil {
		on = " " + e.Resource.Name()
	}
	operation := " " + e.Kind.String()
	to["kit_operations_total"+operation+" "+outcome.String()+on]++
	to["kit_operation_duration_seconds"+operation+on]++
	if outcome.Failure() {
		to["kit_operation_failures_total"+operation+on]++
	}
	if e.Kind == core.Tx && outcome == core.OutcomeOK {
		to["kit_transaction_attempts"]++
	}
	if e.Rows > 0 && e.Kind != core.Count {
		to["kit_operation_rows_total"+operation+on] += float64(e.Rows)
	}
}
