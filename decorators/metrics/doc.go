// Package metrics is a decorator that counts and times operations and transactions for Prometheus.
//
//	store, err := core.New(ctx, model, backend,
//		metrics.New(registry, metrics.Options{}), // requests
//		...                                       // policies and other decorators
//		metrics.New(registry, metrics.Options{Subsystem: "backend"}), // operations of the backend
//	)
//
// # Metrics
//
//	larder_operations_total{operation, resource, outcome}       counter
//	larder_operation_failures_total{operation, resource}        counter
//	larder_operation_duration_seconds{operation, resource}      histogram, classic and native
//	larder_operation_rows_total{operation, resource}            counter, not of transactions; 0 for count
//	larder_operations_in_flight{operation, resource}            gauge
//	larder_transaction_attempts                                 histogram
//
// With a subsystem the names are larder_backend_operations_total and so on. Every label has a fixed set of values: the kinds
// of operations, the resources of the model, the outcomes of [core.Outcome]. Ids, owners, conditions and texts of errors are
// never labels. All series exist from the start, so that a rate begins at zero and a panel shows zero rather than no data.
// A resource has nine operations and so 270 series, or 117 without classic buckets.
//
// A transaction is the operation "tx" with an empty resource. Its duration includes its operations, so a sum over operations
// must exclude it:
//
//	sum by (resource) (rate(larder_operations_total{operation!="tx"}[5m]))
//
// Each attempt of an operation or transaction that is repeated after a conflict counts. Failures are the outcomes
// unavailable and failed. The others, such as not found, denied, cancelled and rolled back, occur in a healthy store. Rows
// are records read or written, and keys allocated. The histogram of attempts has the committed transactions only.
//
// The exemplar of a duration is the id of the trace that the operation belongs to, see [core.TraceIDOf]: decorators/tracing, outside
// of this decorator, sets it for sampled traces. An id that is not UTF-8 or longer than 120 characters is left out.
//
// The folder of this package has a Grafana dashboard, dashboard.json, recording and alerting rules, rules.yml, and their
// tests for promtool, rules_test.yml. [PoolCollector] returns the metrics of a connection pool.
//
// # Access
//
// No policy protects a registry. An HTTP handler such as promhttp serves it to every client that reaches the address. The
// metrics show how many records of each resource exist and are requested, for all principals together. Serve them on an
// internal address, not beside a public API.
//
// # Cost
//
// A get from memory takes about 0.3 µs and one allocation more (see BenchmarkGet). An exemplar allocates more. Each operation on each
// resource needs some 9 kB of memory.
package metrics
