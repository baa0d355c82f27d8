package tracing_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/internal/costtest"
	"github.com/larder-go/larder/decorators/tracing"
)

// BenchmarkUnsampled measures what the decorator adds to a get in a trace that is not sampled.
func BenchmarkUnsampled(b *testing.B) { benchmark(b, within(b.Context(), false)) }

// BenchmarkSampled measures what a span adds to a get, beside a span by hand.
func BenchmarkSampled(b *testing.B) { benchmark(b, within(b.Context(), true)) }

func benchmark(b *testing.B, ctx context.Context) { //nolint:revive // b comes first, as in every benchmark
	b.Helper()
	tracer := sdk.NewTracerProvider().Tracer("bench")
	bare := costtest.Getter(ctx, b, memory.New())
	byHand := func() {
		_, span := tracer.Start(ctx, "load cookie", trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(
			attribute.String("db.system.name", "larder"), attribute.String("db.operation.name", "load"), attribute.String("db.collection.name", "cookie")))
		bare()
		span.SetAttributes(attribute.String("larder.outcome", core.OutcomeOK.String()), attribute.Int("larder.attempt", 1))
		span.End()
	}
	costtest.Against(b, bare, byHand, bare, costtest.Getter(ctx, b, memory.New(), tracing.New(tracer, tracing.Options{})))
}
