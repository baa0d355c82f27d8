package postgres

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

// A column of type json, or of a type that contains it, may hold a value that jsonb does not
// have, such as "\u0000" from a trigger. A statement that returns such a value fails with the
// error that a value of the client's would cause. To find out which value it was, the
// transaction is repeated, and from then on writes to the table leave these columns to a
// second statement, which only reads. Writes to other tables stay one round trip.

// returned returns the columns that the statement of a write returns, and those that are
// read after it.
func (t *transaction) returning(table *table) (now, later []*column) {
	t.jsonWrite = nil
	switch {
	case len(table.jsonText) == 0:
		return table.stored, nil
	case !table.readsJSONLater.Load():
		t.jsonWrite = table
		return table.stored, nil
	}
	for _, c := range table.stored {
		if !slices.Contains(table.jsonText, c) {
			now = append(now, c)
		}
	}
	return now, table.jsonText
}

// unsure returns a conflict for a write that failed with an error of jsonb which a written or
// a returned value may have caused, so that the store repeats it; nil for other errors.
func (t *transaction) ambiguousJSONError(op *core.Op, err error) error {
	if op == nil || op.Kind != core.Insert && op.Kind != core.Update || t.jsonWrite == nil || isReadError(err) || !isValueError(err) {
		return nil
	}
	server, _ := errors.AsType[*pgconn.PgError](err)
	switch server.Code { // of text that is no jsonb (manual, section 8.14)
	case "22P02", "22P05", "22003", "54000":
		t.jsonWrite.readsJSONLater.Store(true)
		return fmt.Errorf("%w: the failure may concern a written or a returned value: %w", core.ErrConflict, err)
	}
	return nil
}
