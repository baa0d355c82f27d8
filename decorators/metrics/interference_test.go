package metrics_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
)

// The change of the metrics during the operations of a principal contains no more about hidden rows than the answers do.
func TestMetricsRevealNoHiddenRows(t *testing.T) {
	policytest.NonInterferenceOfStore(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, policytest.PolicySpec{
		Operations: 100,
		Stack: func(tb testing.TB) policytest.Stack {
			registry, last := prometheus.NewRegistry(), make(map[string]float64)
			return policytest.Stack{
				Decorators: []core.Decorator{ownership.New("owner", ownership.Options{}), metrics.New(registry, metrics.Options{Buckets: []float64{}})},
				Observe: func() string {
					now, changed := values(tb, registry), make(map[string]float64)
					for name, v := range now {
						if v != last[name] {
							changed[name] = v - last[name]
						}
					}
					last = now
					return fmt.Sprint(changed)
				},
			}
		},
	})
}
