package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/cookbook/internal/program"
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

func main() { program.Main(run) }

func run(ctx context.Context, p *program.Program) (err error) {
	p.AddrFlag()
	where := p.StoreFlags()
	if err := p.Parse(); err != nil {
		return err
	}
	backend, err := where.Backend(ctx, model)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if server, ok := backend.(*postgres.Backend); ok {
		registry.MustRegister(metrics.PoolCollector(server.Stat))
	}
	store, err := core.New(ctx, model, backend,
		metrics.New(registry, metrics.Options{TraceID: traceOf}),
		// Policies and whatever else a store has stand here.
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
	// OpenMetrics is the format that has exemplars. Not for the whole world.
	mux.Handle("/metrics", program.Only(promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}), "GET", "HEAD"))
	return p.Serve(ctx, store, mux)
}
