// Package tracing is a decorator that makes an OpenTelemetry span of every operation and every transaction.
//
//	tracer := provider.Tracer("example.com/shop") // of the OpenTelemetry SDK
//	store, err := core.New(ctx, model, backend,
//		tracing.New(tracer, tracing.Options{}),
//		metrics.New(registry, metrics.Options{}), // exemplars lead to the trace
//		...
//	)
//	handler := otelhttp.NewHandler(api, "api") // the span of the request is the parent
//
// # In a stack
//
//	request              the context has the span of the request
//	  |
//	tracing              begins a span, and puts it and the id of the trace into the context
//	  |
//	metrics, logging     take the id of the trace from the context, see core.TraceIDOf
//	  |
//	policies, effects, answers
//	  |
//	backend              spans of the database driver, such as those of otelpgx, are children
//
// It observes: it cannot change an operation. It may stand anywhere. Outermost its spans are those of requests; a second one,
// innermost and with another tracer name, has the operations of the backend.
//
// # Spans
//
// A span follows the semantic conventions of OpenTelemetry for databases, as far as they are stable:
//
//	name                        kind and resource, such as "load cookie"; "tx" for a transaction
//	kind                        internal; client if Options.System is set
//	db.system.name              Options.System, by default "larder"
//	db.operation.name           load, select, count, aggregate, insert, update, delete, restore, next_id or tx
//	db.collection.name          name of the resource in the model; not of a transaction
//	larder.outcome              ok, not_found, denied, ...; see core.Outcome
//	larder.attempt              number of the attempt, from 1; each attempt has a span
//	larder.read_only            of a transaction: true if it rejects writes
//	error.type                  of a failure: SERVER_ERROR, UNAVAILABLE, OUTCOME_UNKNOWN or QUERY_TOO_EXPENSIVE
//	db.response.status_code     of a failure of a database: the SQLSTATE
//
// The status of a span is Error after a failure: the outcomes unavailable and failed. The others, such as denied and
// not_found, occur in a healthy store. The operations in a transaction are children of its span.
//
// Names and values are from closed sets. A span never has an id, a value of a record, a condition, a principal or the text of an
// error.
//
// # Sampling
//
// An operation in a trace that is not sampled has no span. An operation without a parent begins a trace, about which the sampler
// of the tracer decides.
//
// # Cost
//
// An operation of a trace that is not sampled costs less than 0.1 µs and no allocation (see BenchmarkUnsampled). A span adds about
// 2.5 µs; by hand with the same SDK it adds 2.1 µs (see BenchmarkSampled). The package links the API of OpenTelemetry and not its SDK.
package tracing
