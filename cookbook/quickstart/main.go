// Quickstart serves related resources over REST with one command:
//
//	go run ./cookbook/quickstart
//
// Flags select the address, the storage, the model, initial data and decorators; -help lists them.
//
// The program serves /metrics on the same address: to every client, and with -auth or -policy only to the token of admin,
// because larder_operation_rows_total shows how many records each resource has. A program on a public network serves metrics on an
// internal address.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/rest/swaggerui"
)

var modelName = flag.String("model", "cookies", "resources to serve: `cookies` or family")

func run(ctx context.Context) (err error) {
	model, err := modelOf(*modelName, *auth)
	if err != nil {
		return err
	}
	log, err := openLog()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	decorators, err := compose(registry, log)
	if err != nil {
		return err
	}
	store, err := open(ctx, model, decorators, registry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	handler, err := handlerOf(store, registry, log)
	if err != nil {
		return err
	}
	return serve(ctx, store, handler, func(base string) error { return announce(base, store) })
}

// about has the members of the OpenAPI document that only the owner of a service knows.
var about = map[string]any{"info": map[string]any{
	"contact": map[string]any{"name": "The Larder authors", "url": "https://github.com/larder-go/larder"},
	"license": map[string]any{"name": "MIT", "url": "https://github.com/larder-go/larder/blob/main/LICENSE"},
}}

// handlerOf returns the pages and the REST handler of the store, with /docs and /metrics beside them. Where policies hide
// records, /metrics takes the token of admin.
func handlerOf(store *core.Store, registry *prometheus.Registry, log *slog.Logger) (http.Handler, error) {
	opts := rest.Options{Logger: log, Gzip: true, Document: about}
	if *auth {
		opts.Authenticate = authenticate
	}
	records := engine.New(store, engine.Options{})
	api, err := rest.New(records, opts)
	if err != nil {
		return nil, err
	}
	explain, err := explainer(store.Model())
	if err != nil {
		return nil, err
	}
	pages, err := explorer.New(rest.WithRequestID(api), records, explorer.Options{SignIn: *auth, Docs: "/docs/", Explain: explain})
	if err != nil {
		return nil, err
	}
	docs, err := swaggerui.New("/docs", "/$explorer/openapi.json")
	if err != nil {
		return nil, err
	}
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true})
	if *auth || *policyFile != "" {
		metrics = forAdmin(metrics)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("/docs/", docs)
	mux.Handle("/", pages)
	return forBrowsers(mux)
}
