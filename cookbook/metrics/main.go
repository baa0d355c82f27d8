// Metrics serves cookies, and the metrics of their store for Prometheus under /metrics:
//
//	go run ./cookbook/metrics
//
// README.md shows it step by step and explains each panel of the dashboard.
package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/metrics"
)

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if server, ok := backend.(*postgres.Backend); ok {
		registry.MustRegister(metrics.PoolCollector(server.Stat))
	}
	store, err := core.New(ctx, model, backend,
		metrics.New(registry, metrics.Options{}),
		// Policies stand between the two.
		metrics.New(registry, metrics.Options{Subsystem: "backend"}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", traced(api))
	// OpenMetrics is the format with exemplars. Serve it on an internal address only.
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	return serve(ctx, store, mux)
}
