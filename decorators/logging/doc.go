// Package logging is the decorator that writes a line about every operation and
// every transaction to a [zap.Logger].
//
//	store, err := core.New(ctx, model, backend,
//		logging.New(logger, logging.Options{}),
//		...
//	)
//
// # A line
//
// The message is the kind of the operation and the resource, "insert cookie", or
// "transaction"; so zap's own sampling, which goes by message, treats each of them
// by itself. The fields:
//
//	kind         load, select, count, insert, update, delete, next_id or tx
//	resource     the resource's name; not of a transaction
//	outcome      ok, not_found, denied, invalid, conflict, cancelled, unavailable or failed; see [core.Outcome]
//	duration     time from when the operation came to when its result left, what it waited for included
//	rows         records that were read or written, keys that were handed out; not of a transaction, nor of a count
//	attempt      which try of the transaction this is, from 1; see [core.Op.Attempt]
//	read_only    of a transaction
//	principal    id of the principal; nothing for nobody
//	system       true if it was the program itself, see [core.System]
//	request_id   see [WithRequestID]
//	code         of an error
//	at           of an error: the resource, or resource and field, that it names
//	sqlstate     of an error of a database
//	cause        of what was denied, a conflict or a failure: what the client is not told
//	values       of the records that were read or written: the fields that are allowed
//
// An operation that is repeated after a conflict has a line for each try, and so
// has a transaction, besides those of the operations in it. One that a panic cut
// short has failed.
//
// # Levels
//
// A conflict is a warning, and so is what takes as long as [Options.Slow] or
// longer; what a policy has denied is info; a failure is an error; all else,
// clients that were wrong or have left and transactions that the program rolls back
// included, is for debugging. See
// [core.OutcomeOf] for which is which.
//
// With the level off, an operation costs two readings of the clock, the
// question whether it is, and one allocation, which neighbouring observers share.
//
// # What is not logged
//
// No field's value is ever logged but of the fields that [Options.Values] names,
// and neither are conditions, which hold values too. Keys are values. Ids of
// principals are logged unless [Options.OmitPrincipal] is set.
//
// The public part of an error may repeat values and is left out but for its code
// and what it names of the model. A cause is text from elsewhere: in it, errors that
// may repeat values are replaced. These are the public parts of errors further in, and
// errors of databases (those with a method SQLState) outside the classes that speak of
// the server, the connection, the transaction or the statement: a "value out of range",
// a violation, a RAISE of a trigger are reduced to their SQLSTATE. What Detail, Hint and
// Where of a PostgreSQL error say is never part of its text. An error with a method
// Redacted() string is replaced by what that returns: backends/postgres has such, where
// the text names a row for who repairs it, or is what a function of the database said. Other causes are written as they are: whoever makes errors, in a
// decorator or in the function of a transaction, must put no values in them that a
// log may not hold, nor ids of principals if OmitPrincipal is to leave them out. The policies
// of this project put neither into theirs.
package logging
