// Tracker is a whole service: issues of organisations, for the members of each organisation.
//
//	go run ./cookbook/tracker -secret FILE -database postgres://...
//
// README.md is a guided tour; -help lists the flags. In the environment, TRACKER_LOG_LEVEL stands for -log-level.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/metrics"
)

var (
	addr       = flag.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 selects a free port")
	database   = flag.String("database", "", "connection `string` of PostgreSQL, such as postgres://user:password@host:5432/database; default: memory")
	schema     = flag.String("schema", "tracker", "PostgreSQL `schema` of the tables")
	secretFile = flag.String("secret", "", "`file` with the secret that signs bearer tokens (HS256)")
	logLevel   = levelFlag()
)

func levelFlag() *slog.LevelVar {
	level := new(slog.LevelVar)
	flag.TextVar(level, "log-level", level, "lowest `level` of logged lines: debug, info, warn or error")
	return level
}

// run serves until an interrupt or SIGTERM. It lets running requests finish and then closes the store.
func run(ctx context.Context) (err error) {
	if err := readEnvironment(); err != nil {
		return err
	}
	secret, err := os.ReadFile(*secretFile)
	if secret = bytes.TrimSpace(secret); err != nil || len(secret) < 32 {
		return errors.Join(errors.New("-secret: name a file with at least 32 bytes, such as the output of openssl rand -hex 32"), err)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: logLevel})))
	registry := prometheus.NewRegistry()
	backend, err := openBackend(ctx, registry)
	if err != nil {
		return err
	}
	spans, err := tracerProvider(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spans.Shutdown(context.WithoutCancel(ctx))) }()
	store, err := open(ctx, backend, registry, spans)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	handler, err := handlerOf(store, secret, registry, spans)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	fmt.Printf("serving on http://%s\n", listener.Addr())
	return rest.Serve(ctx, listener, rest.WithHealth(store, handler))
}

// openBackend returns PostgreSQL, with the tables, columns, rules and indexes that the model needs, or memory for a trial.
func openBackend(ctx context.Context, registry *prometheus.Registry) (core.Backend, error) {
	if *database == "" {
		return memory.New(), nil
	}
	backend, err := postgres.Open(ctx, *database, *schema, postgres.Options{Migrate: true})
	if err != nil {
		return nil, fmt.Errorf("-database: %w", err)
	}
	registry.MustRegister(metrics.PoolCollector(backend.Stat))
	return backend, nil
}

// tracerProvider sends spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names. Without it there are none.
func tracerProvider(ctx context.Context) (*sdk.TracerProvider, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return sdk.NewTracerProvider(sdk.WithSampler(sdk.NeverSample())), nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	return sdk.NewTracerProvider(sdk.WithBatcher(exporter)), nil
}

// readEnvironment sets the flags that are not on the command line to variables of the environment.
func readEnvironment() (err error) {
	given := make(map[string]bool)
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	flag.VisitAll(func(f *flag.Flag) {
		name := "TRACKER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, found := os.LookupEnv(name); found && !given[f.Name] && f.Value.Set(value) != nil {
			err = errors.Join(err, fmt.Errorf("%s: the value is not valid; see -help for -%s", name, f.Name))
		}
	})
	return err
}
