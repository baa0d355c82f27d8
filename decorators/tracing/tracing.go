package tracing

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. The zero value suits a store without a database server.
type Options struct {
	// System is the database system behind the store by the semantic conventions, such as "postgresql". "" means "larder".
	System string
}

// New returns the decorator. It is repeatable: a stack may have several, with tracers of different names.
//
// [core.New] fails if the tracer is nil.
func New(tracer trace.Tracer, opts Options) core.Decorator {
	return core.Decorator{
		Name: "tracing", Note: opts.System, Kind: core.KindObserve, Repeatable: true,
		Observe: func(m *core.Model) (core.Observer, error) {
			if tracer == nil {
				return nil, errors.New("the tracer is nil; pass one of a TracerProvider")
			}
			return newObserver(m, tracer, opts), nil
		},
	}
}

const (
	outcomeKey  = attribute.Key("larder.outcome")
	attemptKey  = attribute.Key("larder.attempt")
	readOnlyKey = attribute.Key("larder.read_only")
)

// description is the part of a span that is known before the operation.
type description struct {
	name    string
	options []trace.SpanStartOption
}

// observer makes the spans of one store.
type observer struct {
	model    *core.Model
	tracer   trace.Tracer
	unknown  description     // of an invalid kind or resource
	tx       description     // of a transaction
	resource [][]description // by index of the resource and by kind
}

var _ core.Observer = (*observer)(nil)

func newObserver(m *core.Model, tracer trace.Tracer, opts Options) *observer {
	system, kind := opts.System, trace.SpanKindClient
	if system == "" {
		system, kind = "larder", trace.SpanKindInternal
	}
	describe := func(operation, collection string) description {
		attributes := []attribute.KeyValue{semconv.DBSystemNameKey.String(system), semconv.DBOperationName(operation)}
		name := operation
		if collection != "" {
			attributes = append(attributes, semconv.DBCollectionName(collection))
			name += " " + collection
		}
		return description{name, []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(attributes...)}}
	}
	o := &observer{model: m, tracer: tracer, unknown: describe("unknown", ""), tx: describe(core.Tx.String(), "")}
	for _, r := range m.Resources() {
		byKind := []description{o.unknown} // kinds count from 1
		for k := core.Load; k <= slices.Max(core.Kinds()); k++ {
			byKind = append(byKind, describe(k.String(), r.Name()))
		}
		o.resource = append(o.resource, byKind)
	}
	return o
}

// of returns the description of an operation.
func (o *observer) of(k core.Kind, r *core.Resource) description {
	switch {
	case k == core.Tx:
		return o.tx
	case r == nil || r.Model() != o.model || int(k) >= len(o.resource[r.Index()]):
		return o.unknown // an outer decorator has made it invalid, and the store rejects it
	}
	return o.resource[r.Index()][k]
}

// Begin implements [core.Observer]. It leaves out operations of traces that are not sampled.
func (o *observer) Begin(ctx context.Context, k core.Kind, r *core.Resource) (context.Context, bool) {
	parent := trace.SpanFromContext(ctx)
	if of := parent.SpanContext(); of.IsValid() && !of.IsSampled() && !parent.IsRecording() {
		return nil, false
	}
	d := o.of(k, r)
	ctx, span := o.tracer.Start(ctx, d.name, d.options...)
	if of := span.SpanContext(); of.IsSampled() {
		if id := of.TraceID().String(); id != core.TraceIDOf(ctx) {
			ctx = core.WithTraceID(ctx, id)
		}
	}
	return ctx, span.IsRecording()
}

// End implements [core.Observer].
func (o *observer) End(ctx context.Context, event *core.Event) {
	span := trace.SpanFromContext(ctx)
	outcome := core.OutcomeOf(event.Err)
	span.SetAttributes(outcomeKey.String(outcome.String()), attemptKey.Int(event.Attempt))
	if event.Kind == core.Tx && event.Tx != nil {
		span.SetAttributes(readOnlyKey.Bool(event.Tx.ReadOnly))
	}
	if outcome.Failure() {
		span.SetAttributes(failure(event.Err, outcome)...)
		span.SetStatus(codes.Error, "") // a text could repeat values
	}
	span.End()
}

// failure returns the attributes of a failure.
func failure(err error, outcome core.Outcome) []attribute.KeyValue {
	code := core.ServerError // also for a code of the program
	if outcome == core.OutcomeUnavailable {
		code = core.AsError(err).Code
	}
	attributes := []attribute.KeyValue{semconv.ErrorTypeKey.String(string(code))}
	if server, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		attributes = append(attributes, semconv.DBResponseStatusCode(server.SQLState()))
	}
	return attributes
}
