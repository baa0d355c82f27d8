package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/larder-go/larder/core"
)

// errSkippedByTrigger reports an Insert without inserted rows: a BEFORE trigger has skipped all of them (manual,
// section 39.1). Other effects of the trigger, and other writes of the transaction, may have been committed.
var errSkippedByTrigger = errors.New("postgres: a BEFORE trigger of the table skipped the rows")

// operationError returns the error of an operation after its calls have failed. If the calls end with a commit and the
// server has not reported its failure, the outcome is unknown. If the commit succeeded but its result cannot be read,
// the error is [core.ErrCommitUnknown] too, so that the operation is not repeated.
func (t *transaction) operationError(ctx context.Context, op *core.Op, err error, commits bool) error {
	err = t.withoutShards(err)
	if isStandbyError(err, t.opts.ReadOnly) {
		t.backend.closeStandby(ctx, t.conn)
		return standbyUnavailable(err)
	}
	resultErr, isResultErr := errors.AsType[*resultError](err)
	switch {
	case errors.Is(err, errRolledBack):
		return err
	case errors.Is(err, errSkippedByTrigger) && (t.opts.Single || !commits):
		found := valueError(op, nil)
		found.Cause = resultErr.error
		return found
	case isResultErr && commits && t.wrote:
		t.backend.written.noteUnknown()
		return &core.Error{Code: core.ServerError, Cause: errors.Join(core.ErrCommitUnknown, resultErr.error)}
	case isResultErr && isGroupBound(op, resultErr.error):
		return resultErr.error
	case isResultErr:
		return &core.Error{Code: core.ServerError, Cause: resultErr.error}
	case commits && t.wrote && isOutcomeUnknown(err):
		t.backend.written.noteUnknown()
		return outcomeUnknown(ctx.Err(), err)
	}
	if table := t.collidingTable(op, err); table != nil {
		t.staleTable = table
		return fmt.Errorf("%w: a generated key already exists: %w", core.ErrConflict, err)
	}
	if found := t.badValueError(ctx, op, err); found != nil {
		return found
	}
	if found := t.ambiguousJSONError(op, err); found != nil {
		return found
	}
	return t.backend.statementError(ctx, op, err)
}

// isGroupBound reports whether the groups of an Aggregate exceed a bound of core. Other errors of reading stored values are
// the server's.
func isGroupBound(op *core.Op, err error) bool {
	return op != nil && op.Kind == core.Aggregate && (errors.Is(err, core.BadRequest) || errors.Is(err, core.TooLarge))
}

// outcomeUnknown returns the error of a commit that may have happened.
func outcomeUnknown(causes ...error) error {
	return &core.Error{Code: core.OutcomeUnknown, Cause: errors.Join(core.ErrCommitUnknown, errors.Join(causes...))}
}

// deallocateFailed is part of pgx's error when it cannot deallocate cached statements. It does that before it sends the
// calls. The error has no type.
const deallocateFailed = "failed to deallocate cached statement(s)"

// isOutcomeUnknown reports whether the server may have executed the calls in spite of the error.
func isOutcomeUnknown(err error) bool {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		// FATAL may come between a commit and its acknowledgement, unless an idle session was terminated.
		return server.SeverityUnlocalized != "ERROR" && server.Severity != "ERROR" && server.Code != "25P03" && server.Code != "57P05"
	}
	if _, unsent := errors.AsType[pgx.ErrPreprocessingBatch](err); unsent || strings.Contains(err.Error(), deallocateFailed) {
		return false
	}
	// ErrConnClosed counts as safe to retry, but this statement may have closed the connection.
	return errors.Is(err, pgconn.ErrConnClosed) || !pgconn.SafeToRetry(err)
}

// collidingTable returns the table of an Insert that failed because a generated key already exists; nil for other
// failures.
func (t *transaction) collidingTable(op *core.Op, err error) *table {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || op == nil || op.Kind != core.Insert || server.Code != "23505" {
		return nil
	}
	table := t.backend.table(op.Resource)
	server = t.backend.partitions.toRoot(server)
	if table.sequence == nil && !table.descending || table.uniques[server.ConstraintName] != table.key {
		return nil
	}
	_, rest, _ := strings.Cut(server.Detail, ")=(")
	digits, _, _ := strings.Cut(rest, ")")
	key, bad := core.Int.Convert(digits)
	named := make(keySet)
	for _, rec := range op.Records {
		k := rec.Key()
		if k.IsSet() && (bad != nil || k == key) && (named.has(k) || !t.generatedKeys[table].has(k)) {
			return nil // chosen by the client, or used twice
		}
		named[k] = struct{}{}
	}
	return table
}

// statementError returns the error of a failed statement as [core.Backend] requires.
func (b *binding) statementError(ctx context.Context, op *core.Op, err error) error {
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && ctx.Err() == nil {
		if found := markedError(op, server); found != nil {
			return found
		}
		if found := b.violation(op, server); found != nil && !isReadError(err) {
			return found
		}
		if changedSchema(server) {
			b.checker.checkSoon()
		}
		if slices.Contains(languageFiles, server.File) {
			err = &raisedError{server}
		}
		if server.Code == insufficientPrivilege {
			return b.forbidden(op, err)
		}
	}
	return b.classify(ctx, err)
}

// isReadError reports whether the failed statement only reads, so that the error concerns stored values. A COMMIT that
// was sent along does not count.
func isReadError(err error) bool {
	_, asked := errors.AsType[*readError](err)
	return asked
}

// insufficientPrivilege is the SQLSTATE (manual, appendix A) of missing privileges and of rows that row security
// rejects.
const insufficientPrivilege = "42501"

// forbidden returns the error of a missing privilege. op is nil at a commit.
func (b *binding) forbidden(op *core.Op, err error) error {
	if op == nil {
		return &core.Error{Code: core.Forbidden, Cause: err}
	}
	found := op.Resource.Forbidden()
	if found.Cause = err; b.table(op.Resource).sequence != nil && (op.Kind == core.Insert || op.Kind == core.NextID) {
		found.Cause = b.table(op.Resource).sequence.explain(err)
	}
	return found
}

// classify returns the error of a failure that concerns neither values nor privileges: the context's error, a conflict,
// [core.Unavailable], or the error itself.
func (b *Backend) classify(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return classifyClient(err)
	}
	switch {
	case isStandbyError(err, false):
		return standbyUnavailable(err)
	case isConflict(server):
		return fmt.Errorf("%w: %w", core.ErrConflict, err)
	case exceedsTimeout(err) && isRead(err): // a write may have waited for a lock
		return &core.Error{Code: core.QueryTooExpensive, Cause: err}
	case isTransient(server.Code):
		return unavailable(err)
	}
	return err
}

// classifyClient classifies errors that the server has not sent. Most of them are broken connections.
func classifyClient(err error) error {
	var connecting *pgconn.ConnectError
	switch {
	case errors.As(err, &connecting), pgconn.SafeToRetry(err), pgconn.Timeout(err), isNetwork(err), errors.Is(err, errUnreplicated):
		return unavailable(err)
	}
	return err
}

// isConflict reports whether repeating the transaction may succeed (manual, section 13.5): after serialization failures
// and deadlocks, and after a table has changed under a prepared statement, which pgx then prepares again.
func isConflict(err *pgconn.PgError) bool {
	switch err.Code {
	case "40001", "40P01", "26000":
		return true
	case "0A000":
		return err.Routine == "RevalidateCachedQuery"
	}
	return false
}

// isTooExpensive reports whether a statement has exceeded statement_timeout. A statement that an administrator has cancelled
// has the same SQLSTATE and another message, which the server may translate.
func isTooExpensive(err *pgconn.PgError) bool {
	return err.Code == "57014" && !strings.Contains(err.Message, "user request")
}

// exceedsTimeout reports whether the error is that of a statement that has exceeded statement_timeout.
func exceedsTimeout(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && isTooExpensive(server)
}

// isRead reports whether the error is that of a call that only reads.
func isRead(err error) bool {
	_, ok := errors.AsType[*readError](err)
	return ok
}

// isTransient reports whether an SQLSTATE (manual, appendix A) concerns the state of the server.
func isTransient(code string) bool {
	switch code {
	case "25006", // read-only: a standby, or a primary that has become one
		"25P03", "25P04", // timeouts of the server
		"55P03",                                     // lock not available
		"57014", "57P01", "57P02", "57P03", "57P05": // cancelled, shutting down, starting up
		return true
	}
	for _, class := range []string{"08", "53", "58"} { // connections, resources, the system
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// isNetwork reports whether the error is that of a broken connection.
func isNetwork(err error) bool {
	for _, broken := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, pgconn.ErrConnClosed,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED, puddle.ErrClosedPool,
	} {
		if errors.Is(err, broken) {
			return true
		}
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// badValueError returns the error of a value that the type of a column rejects; nil for other failures. The server does
// not name the column, so each column with cast values is tried separately. The transaction has failed and is rolled
// back first.
func (t *transaction) badValueError(ctx context.Context, op *core.Op, err error) *core.Error {
	if op == nil || isReadError(err) || !isValueError(err) {
		return nil
	}
	_ = t.undo(ctx) // the statements below would fail in the failed transaction
	for _, c := range t.backend.table(op.Resource).cells {
		values, given := valuesOf(c, op.Records)
		if !c.mayReject() || !slices.Contains(given, true) {
			continue
		}
		if _, failed := t.conn.Exec(ctx, c.castSQL(), c.array(values)); isValueError(failed) {
			found := valueError(op, c.field)
			found.Cause = err
			return found
		}
	}
	return nil
}

// isValueError reports whether an error may concern a value and its type (manual, appendix A): data exceptions, checks
// of domains, syntax errors and undefined objects in types that parse their values, and limits.
func isValueError(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || strings.Contains(server.Message, markPrefix) {
		return false
	}
	switch server.Code {
	case "23514", "23502":
		return server.DataTypeName != ""
	}
	return slices.ContainsFunc([]string{"22", "42", "54"}, func(class string) bool { return strings.HasPrefix(server.Code, class) })
}

// mayReject reports whether the column's type may reject values of the model's type: it is a different type, or it
// contains numbers, which may be too large or too small.
func (c *column) mayReject() bool {
	return c.otherType || c.typ == core.JSON || c.typ == core.List
}

// castSQL returns a statement that only casts values to the column's type.
func (c *column) castSQL() string {
	return "SELECT count((" + c.fromParameter("v.x") + ")::" + c.sqlType + ") FROM unnest($1::" + c.elementType() + "[]) AS v (x)"
}
