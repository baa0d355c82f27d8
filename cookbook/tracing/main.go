// Tracing serves cookies, and writes a line for each span of a request and of the operations of its store:
//
//	go run ./cookbook/tracing -traces traces.txt
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/tracing"
)

var model = core.MustModel("traces",
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

var spanFile = flag.String("traces", "traces.txt", "`file` to which spans are appended")

// lines is an exporter that writes spans as text. A program has the exporter of its collector, such as otlptracehttp.New.
type lines struct{ to io.Writer }

func (l lines) ExportSpans(_ context.Context, spans []sdk.ReadOnlySpan) error {
	for _, s := range spans {
		var line bytes.Buffer
		fmt.Fprintf(&line, "trace=%s parent=%s span=%s %q", s.SpanContext().TraceID(), s.Parent().SpanID(), s.SpanContext().SpanID(), s.Name())
		for _, a := range s.Attributes() {
			fmt.Fprintf(&line, " %s=%s", a.Key, a.Value.String())
		}
		line.WriteByte('\n')
		if _, err := l.to.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (lines) Shutdown(context.Context) error { return nil }

func run(ctx context.Context) (err error) {
	to, err := os.OpenFile(*spanFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("-traces: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	// A program exports in batches, with sdk.WithBatcher.
	provider := sdk.NewTracerProvider(sdk.WithSyncer(lines{to}), sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample())))
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	store, err := core.New(ctx, model, backend,
		tracing.New(provider.Tracer("example.com/shop"), tracing.Options{}),
		metrics.New(registry, metrics.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	traced := otelhttp.NewHandler(api, "request",
		otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{}))
	mux := http.NewServeMux()
	mux.Handle("/", traced)
	// OpenMetrics is the format with exemplars. Serve it on an internal address only.
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	return serve(ctx, store, mux)
}
