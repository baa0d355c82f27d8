package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

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
