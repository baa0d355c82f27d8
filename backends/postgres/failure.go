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

// errLeftOut says that an Insert wrote none of its rows, because triggers left them out
// (manual, section 39.1). What else these did, and other writes of the transaction, may
// have been committed along with it.
var errSkippedByTrigger = errors.New("postgres: a trigger of the table left the rows out")

// failed returns the error of calls that failed. If they ended with a commit and
// the server did not say that it refused, nobody knows whether it happened. If it
// did happen, and only its result cannot be read, to call it unknown is the one way
// to say that it must not be repeated.
func (t *transaction) operationError(ctx context.Context, op *core.Op, err error, commits bool) error {
	if isStandbyError(err, t.opts.ReadOnly) {
		t.backend.closeStandby(ctx, t.conn)
		return standbyUnavailable(err)
	}
	unread, isUnread := errors.AsType[*resultError](err)
	switch {
	case errors.Is(err, errRolledBack):
		return err
	case errors.Is(err, errSkippedByTrigger) && (t.opts.Single || !commits):
		found := valueError(op, nil)
		found.Cause = unread.error
		return found
	case isUnread && commits && t.wrote:
		t.backend.written.noteUnknown()
		return &core.Error{Code: core.ServerError, Cause: errors.Join(core.ErrCommitUnknown, unread.error)}
	case isUnread:
		return &core.Error{Code: core.ServerError, Cause: unread.error}
	case commits && t.wrote && isOutcomeUnknown(err):
		t.backend.written.noteUnknown()
		return outcomeUnknown(ctx.Err(), err)
	}
	if table := t.collidingTable(op, err); table != nil {
		t.staleTable = table
		return fmt.Errorf("%w: a key that was handed out is taken: %w", core.ErrConflict, err)
	}
	if found := t.badValueError(ctx, op, err); found != nil {
		return found
	}
	if found := t.ambiguousJSONError(op, err); found != nil {
		return found
	}
	return t.backend.statementError(ctx, op, err)
}

// outcomeUnknown is the error of a commit that may have happened.
func outcomeUnknown(causes ...error) error {
	return &core.Error{Code: core.OutcomeUnknown, Cause: errors.Join(core.ErrCommitUnknown, errors.Join(causes...))}
}

// undeallocated is what pgx says when it could not remove statements of its cache from the
// server, which it does before it sends anything of ours. The error has no type.
const deallocateFailed = "failed to deallocate cached statement(s)"

// unknown reports whether the server may have done what it was asked for although
// there is an error.
func isOutcomeUnknown(err error) bool {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		// FATAL may come between a commit and its acknowledgement, but for the ends of
		// sessions that asked for nothing.
		return server.SeverityUnlocalized != "ERROR" && server.Severity != "ERROR" && server.Code != "25P03" && server.Code != "57P05"
	}
	if _, unsent := errors.AsType[pgx.ErrPreprocessingBatch](err); unsent || strings.Contains(err.Error(), deallocateFailed) {
		return false
	}
	// A connection that is found closed calls itself safe, although it may be this
	// very statement that it was closed by.
	return errors.Is(err, pgconn.ErrConnClosed) || !pgconn.SafeToRetry(err)
}

// taken returns the table of an Insert that failed because a key that it did not
// choose itself is taken; nil for other failures.
func (t *transaction) collidingTable(op *core.Op, err error) *table {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || op == nil || op.Kind != core.Insert || server.Code != "23505" {
		return nil
	}
	table := t.backend.table(op.Resource)
	server = t.backend.partitions.toRoot(t.backend.schema, server)
	if table.sequence == nil && !table.descending || table.uniques[server.ConstraintName] != table.key.field {
		return nil
	}
	_, rest, _ := strings.Cut(server.Detail, ")=(")
	digits, _, _ := strings.Cut(rest, ")")
	key, bad := core.Int.Convert(digits)
	named := make(keySet)
	for _, rec := range op.Records {
		k := rec.Key()
		if k.IsSet() && (bad != nil || k == key) && (named.has(k) || !t.generatedKeys[table].has(k)) {
			return nil // chosen, or named twice
		}
		named[k] = struct{}{}
	}
	return table
}

// failure returns the error of a statement as [core.Backend] wants it.
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

// asks reports whether the statement that failed only read, other than a COMMIT that
// travelled with it. Whatever the server says of values then is about those that are stored.
func isReadError(err error) bool {
	_, asked := errors.AsType[*readError](err)
	return asked
}

// insufficientPrivilege is the SQLSTATE (manual, appendix A) of what the role of the
// connection may not do, and of rows that row security does not let it write.
const insufficientPrivilege = "42501"

// forbidden is the error of what the role may not do. op is nil at a commit.
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

// classify returns an error that is nobody's fault with what it means for the
// caller: the context ended, a conflict, out of reach, or plain.
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
	case isTransient(server.Code):
		return unavailable(err)
	}
	return err
}

// classifyClient is about errors that the server has not sent. Most say that the
// connection is no more.
func classifyClient(err error) error {
	var connecting *pgconn.ConnectError
	switch {
	case errors.As(err, &connecting), pgconn.SafeToRetry(err), pgconn.Timeout(err), isNetwork(err), errors.Is(err, errUnreplicated):
		return unavailable(err)
	}
	return err
}

// conflicting reports whether the transaction would succeed if it were repeated
// (manual, section 13.5): a serialization failure, a deadlock, or a table that has
// changed under a prepared statement, which pgx then prepares anew.
func isConflict(err *pgconn.PgError) bool {
	switch err.Code {
	case "40001", "40P01", "26000":
		return true
	case "0A000":
		return err.Routine == "RevalidateCachedQuery"
	}
	return false
}

// transient reports whether an SQLSTATE (manual, appendix A) speaks of the state
// that the server is in.
func isTransient(code string) bool {
	switch code {
	case "25006", // read-only: a standby, or a primary that has become one
		"25P03", "25P04", // a timeout of the server's
		"55P03",                                     // a lock was not to be had
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

// isNetwork reports whether the error is one of a connection that broke.
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

// culprit returns the error of a value that a column's type does not take; nil if
// it was something else that went wrong. The server does not say which column it
// was, so every one whose values are cast is tried alone. The transaction has
// failed, and all that is left to do with it is to roll it back, which is done here
// first.
func (t *transaction) badValueError(ctx context.Context, op *core.Op, err error) *core.Error {
	if op == nil || isReadError(err) || !isValueError(err) {
		return nil
	}
	_ = t.undo(ctx) // without it, nothing below finds anything
	for _, c := range t.backend.table(op.Resource).columns {
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

// ofValue reports whether an error can be one of a value and a type (manual,
// appendix A): data exceptions, the checks of domains, what types with a syntax or
// with names of things in them call a syntax error or not defined, and limits.
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

// refuses reports whether the column's type may not take a value of the model's: it is
// another one, or has numbers in it, which may be too large for it or too small.
func (c *column) mayReject() bool {
	return c.otherType || c.field.Type() == core.JSON || c.field.Type() == core.List
}

// trySQL casts values to the column's type, for nothing but the error.
func (c *column) castSQL() string {
	return "SELECT count((" + c.fromParameter("v.x") + ")::" + c.sqlType + ") FROM unnest($1::" + c.elementType() + "[]) AS v (x)"
}
