package metrics_test

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

func ExampleNew() {
	ctx, registry := context.Background(), prometheus.NewRegistry()
	store, err := core.New(ctx, model, memory.New(),
		metrics.New(registry, metrics.Options{}),
		// Policies and other decorators stand here.
		metrics.New(registry, metrics.Options{Subsystem: "backend"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	muffin, _ := cookie.NewRecord(map[string]any{"type": "muffin"})
	_, _ = store.Insert(ctx, cookie, muffin)
	fmt.Print(store.Describe())

	families, _ := registry.Gather()
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); n > 0 {
				fmt.Println(f.GetName(), m.GetLabel()[0].GetValue(), n)
			}
		}
	}
	// Output:
	// model cookies
	//   metrics (observe): larder_*
	//   metrics backend (observe): larder_backend_*
	//   memory
	// larder_backend_operation_rows_total insert 1
	// larder_backend_operations_total insert 1
	// larder_operation_rows_total insert 1
	// larder_operations_total insert 1
}

func ExamplePoolCollector() {
	// In a program: metrics.PoolCollector(pool.Stat) for a pgxpool.Pool, or for a backend of postgres.Open.
	collector := metrics.PoolCollector(func() stat { return stat{} })
	fmt.Println(testutil.CollectAndCount(collector, "larder_pool_connections"), "states")
	// Output: 3 states
}

func ExampleDefaultBuckets() {
	fmt.Println(metrics.DefaultBuckets())
	// Output: [1e-05 0.0001 0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 10]
}
