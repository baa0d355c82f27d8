// Package logging is a decorator that writes one line about every operation and every transaction to a [zap.Logger] or a
// [slog.Logger].
//
//	store, err := core.New(ctx, model, backend,
//		logging.New(zapLogger, logging.Options{}), // or logging.NewSlog(slogLogger, logging.Options{})
//		...
//	)
//	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Logger: slogLogger}) // failed requests
//
// # In a stack
//
// It observes: it cannot change an operation, and may stand anywhere. Outermost it has a line for each operation of a caller, denied
// ones included. Innermost it has a line for each operation that reaches the backend, those that decorators add included. Put
// decorators/tracing outside it, so that lines have the id of the trace.
//
// # Lines
//
// The message is the kind and the resource, such as "insert cookie", or "transaction". zap's sampling, which goes by
// message, so samples each of them separately. The fields:
//
//	kind         load, select, count, aggregate, insert, update, delete, restore, next_id or tx
//	resource     name of the resource in the model; not of a transaction
//	outcome      ok, not_found, denied, invalid, conflict, cancelled, rolled_back, unavailable or failed; see core.Outcome
//	duration     time from the arrival of the operation to its result, waiting included
//	rows         number of records read or written, or of keys allocated; not of a transaction or a count
//	attempt      number of the attempt, from 1; see core.Op.Attempt
//	read_only    of a transaction: true if it rejects writes
//	principal    id of the principal, at most 256 bytes; absent if anonymous
//	system       true for the system principal, see core.System
//	request_id   id of the request, see core.WithRequestID
//	trace_id     id of the trace, see core.WithTraceID
//	code         of an error
//	at           of an error: the resource, or resource and field, that it names
//	sqlstate     of an error of a database
//	cause        of a denied, conflicting or failed operation: the part of the error that the client does not get
//	values       of the records read or written: the fields in Options.Values
//
// An operation or transaction that is repeated after a conflict has a line for each attempt. A transaction has a line beside
// the lines of its operations. An operation that panics has failed.
//
// # Levels
//
//	error   a failure: unavailable or failed
//	warn    a conflict, and an operation that takes at least Options.Slow
//	info    denied by a policy
//	debug   everything else, also errors of clients, cancelled operations and rollbacks by the program
//
// An operation to which several lines apply has the first of these levels. [core.OutcomeOf] defines the outcome of an
// error.
//
// # Values and secrets
//
// A line has the values of the fields in [Options.Values] and of no others. Keys are values. Conditions are never logged,
// because they contain values. Ids of principals are logged unless [Options.OmitPrincipal] is set.
//
// The public part of an error may repeat values. Only its code is logged, and the resource and field that it names if the
// model has them.
//
// A cause is text from other packages. These errors inside it may repeat values and are replaced:
//
//   - the public part of a [core.Error], by its code and names;
//   - an error with a method SQLState() string, by its SQLSTATE. Messages in the classes about the server, the connection,
//     the transaction or the statement are kept. A value out of range, a violation or a RAISE of a trigger is replaced.
//     Detail, Hint and Where of a PostgreSQL error are never part of its text;
//   - an error with a method Redacted() string, by the result of that method. backends/postgres uses it where a text names
//     a row, or comes from a function of the database.
//
// Other causes are written unchanged. A program that returns errors from a decorator or from the function of a transaction
// must keep secret values out of them, and ids of principals too if it sets OmitPrincipal. The policies of this module do.
//
// # Cost
//
// An operation with its level off costs about 0.2 µs and one allocation (see BenchmarkGet).
package logging
