// Package metrics is the decorator that counts and times operations and
// transactions for Prometheus.
//
//	store, err := core.New(ctx, model, backend,
//		metrics.New(registry, metrics.Options{}), // what was asked for
//		...                                       // policies and the like
//		metrics.New(registry, metrics.Options{Subsystem: "backend"}), // what reached the backend
//	)
//
// # Metrics
//
//	larder_operations_total{operation, resource, outcome}       counter
//	larder_operation_failures_total{operation, resource}        counter
//	larder_operation_duration_seconds{operation, resource}      histogram, classic and native
//	larder_operation_rows_total{operation, resource}            counter, not of transactions
//	larder_operations_in_flight{operation, resource}            gauge
//	larder_transaction_attempts                                 histogram
//
// With a subsystem they are larder_backend_operations_total and so on. All labels
// have closed sets of values: the kinds of operations, the resources of the
// model, the outcomes ([core.Outcome]). No id, owner, condition or text of an error is
// ever a label. All series exist from the start, so that a rate has a zero to
// start from and a panel shows zero instead of nothing. A resource has seven
// operations and so 210 series, 91 without classic buckets.
//
// A transaction is the operation "tx" with an empty resource. Its duration
// contains those of the operations in it, so sums over operations leave it out:
//
//	sum by (resource) (rate(larder_operations_total{operation!="tx"}[5m]))
//
// Each try of what is repeated after a conflict counts. Failures are the outcomes
// unavailable and failed; not found, denied, cancelled, rolled back by the program and
// the like happen in a sound store. Rows are records that were read or written and keys that were
// handed out. The attempts are those that transactions took to commit.
//
// The folder of this package has a Grafana dashboard, dashboard.json, rules for
// recording and alerting, rules.yml, and their tests, rules_test.yml, for promtool.
//
// # Who may read them
//
// No policy stands before a registry: what serves it, such as promhttp, answers whoever
// reaches it, and larder_operation_rows_total and its like tell how much of each resource
// there is and is asked for, by all principals together. Serve it on an address that is
// internal, not beside the API for the world.
//
// # Cost
//
// A get from memory takes about 0.2 µs more (see BenchmarkGet). Neighbouring observers share one
// allocation; an exemplar allocates more. Each operation on each resource takes some 9 kB.
package metrics
