package tracing_test

import (
	"context"
	"fmt"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/tracing"
)

func ExampleNew() {
	ctx := context.Background()
	exporter := tracetest.NewInMemoryExporter() // in a program: an exporter to a collector
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	store, err := core.New(ctx, model, memory.New(), tracing.New(provider.Tracer("example.com/shop"), tracing.Options{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()
	_ = store.Delete(ctx, cookie, core.IntValue(7))
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name)
		for _, a := range span.Attributes {
			fmt.Printf("  %s=%s\n", a.Key, a.Value.String())
		}
	}
	// Output:
	// delete cookie
	//   db.system.name=larder
	//   db.operation.name=delete
	//   db.collection.name=cookie
	//   larder.outcome=not_found
	//   larder.attempt=1
}
