package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/logging"
)

func main() { program.Main(run) }

// run serves until ctx ends.
func run(ctx context.Context, p *program.Program) (err error) {
	p.AddrFlag()
	where, around := p.StoreFlags(), layerFlags(p)
	modelName := p.Flags.String("model", "cookies", "the resources to serve: `cookies` or family")
	initial := p.Flags.String("data", "", "JSON `file` of initial records: {\"cookie\": {\"1\": {\"type\": \"muffin\"}}}")
	if err := p.Parse(); err != nil {
		return err
	}
	model, err := modelOf(*modelName, around.auth)
	if err != nil {
		return err
	}
	logs, err := around.logs()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	decorators, err := around.decorators(registry, logs.operations)
	if err != nil {
		return err
	}
	store, err := open(ctx, model, where, *initial, decorators, registry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	handler, err := serve(store, registry, around, logs.answers)
	if err != nil {
		return err
	}
	return p.Serve(ctx, store, handler, func(base string) error { return announce(p.Out, base, store, around.auth) })
}

// serve puts the REST face over the store, and /metrics beside it. Where anonymous
// callers do not see every record, /metrics takes the token of admin: it tells how much
// there is of each resource.
func serve(store *core.Store, registry *prometheus.Registry, around *layers, log *slog.Logger) (http.Handler, error) {
	opts := rest.Options{Logger: log}
	if around.auth {
		opts.Authenticate = demo.Principal
	}
	api, err := rest.New(engine.New(store, engine.Options{}), opts)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	counts := promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true})
	if around.auth || around.policy != "" {
		counts = forAdmin(counts)
	}
	mux.Handle("/metrics", program.Only(counts, "GET", "HEAD"))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(logging.WithRequestID(r.Context(), r.Header.Get("X-Request-Id"))))
	})
	return mux, nil
}
