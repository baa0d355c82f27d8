package postgres

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

// A forbidden write must make its statement fail, so that it is never visible and needs no round trip to be undone. SQL has
// no expression that raises a given error, but the error of a failed cast to integer contains the text. The text contains a
// column, because the planner would evaluate a constant cast in advance. It also contains a secret of this process, so that
// no value of a client can look like a mark.
var (
	markPrefix    = "larder " + rand.Text() + ": " // common to all marks
	markMissing   = markPrefix + "missing "
	markForbidden = markPrefix + "forbidden "
	// The detail begins with the field, see [referrer.mark].
	markReferenced = markPrefix + "referenced "
	// The detail begins with the field, see [fieldMark].
	markUnreadable = markPrefix + "unreadable "
	markExpands    = markPrefix + "expands "
)

const markEnd = ";"

// raise returns an expression that fails with a mark and a detail. The detail is an expression of type text.
func raise(mark, detail string) string {
	return "('" + mark + "' || " + detail + " || '" + markEnd + "')::integer"
}

// guard writes an expression that fails if the row violates the check; nothing for a check that all rows
// satisfy.
func (r row) guard(check core.Filter) {
	if check.Kind() == core.FilterAll {
		return
	}
	r.WriteString(", CASE WHEN ")
	r.filter(check, false)
	r.write(" THEN NULL ELSE ", raise(markForbidden, r.keyText()), " END")
}

// keyText returns the key of the row as text: its cells joined by commas.
func (r row) keyText() string {
	texts := make([]string, len(r.table.key.cells))
	for i, c := range r.table.key.cells {
		texts[i] = r.column(c) + "::text"
		if !r.table.remote {
			continue
		}
		switch c.typ { // Citus rejects functions that depend on settings, such as the cast of a date to text
		case core.Date:
			texts[i] = "(" + r.column(c) + " - '2000-01-01')::text"
		case core.Time, core.LocalTime:
			texts[i] = "extract(epoch FROM " + r.column(c) + " - '2000-01-01')::text"
		}
	}
	return strings.Join(texts, " || ',' || ")
}

// markedError returns the error of a mark in a server error; nil if there is no mark.
func markedError(op *core.Op, err *pgconn.PgError) error {
	if err.Code != "22P02" || op == nil {
		return nil
	}
	if strings.Contains(err.Message, markForbidden) {
		return op.Resource.Forbidden()
	}
	if f := referenced(op.Resource.Model(), err.Message); f != nil {
		return f.StillReferenced()
	}
	if unreadable := unreadableRowError(op.Resource, err.Message); unreadable != nil {
		return unreadable
	}
	if f, _ := parseFieldMark(op.Resource, markExpands, err.Message); f != nil {
		return valueError(op, f)
	}
	if f := changedKeyField(op, err.Message); f != nil {
		return &core.Error{Code: core.FieldUpdateForbidden, Resource: f.Resource().APIName(), Field: f.APIName()}
	}
	_, rest, found := strings.Cut(err.Message, markMissing)
	number, _, _ := strings.Cut(rest, markEnd)
	if i, bad := strconv.Atoi(number); found && bad == nil && i >= 1 && i <= len(op.Keys) {
		missed := op.Resource.NotFound(op.Keys[i-1])
		missed.Cause = core.ErrTxAborted // the server executes no further statement
		return missed
	}
	return nil
}

// fieldMark adds a field to a mark, for [parseFieldMark].
func fieldMark(mark string, f *core.Field) string { return mark + strconv.Itoa(f.Column()) + " " }

// parseFieldMark returns the field and the detail of a mark in an error text; nil if the text does not have the mark.
func parseFieldMark(r *core.Resource, mark, text string) (f *core.Field, detail string) {
	_, rest, found := strings.Cut(text, mark)
	digits, rest, _ := strings.Cut(rest, " ")
	column, err := strconv.Atoi(digits)
	if !found || err != nil || column >= len(r.Columns()) {
		return nil, ""
	}
	if end := strings.LastIndex(rest, markEnd); end >= 0 {
		rest = rest[:end]
	}
	return r.Columns()[column], rest
}

// Triggers and defaults can store values that the model does not represent. The backend would notice a returned one only after
// the commit, so the statements of writes detect such values and fail.

// failIfUnreadable writes expressions that fail if a column of the row has a value that the model does not
// represent.
func (r row) failIfUnreadable(columns []*column) {
	for _, c := range columns {
		if condition := r.unreadableCondition(c); condition != "" {
			r.write(", CASE WHEN ", condition, " THEN ", raise(fieldMark(markUnreadable, c.field), r.keyText()), " END")
		}
	}
}

// unreadableCondition returns the condition that the model does not represent the value of a column; "" if it
// represents all values of the column's type.
func (r row) unreadableCondition(c *column) string {
	switch v := r.column(c); {
	case c.typ == core.Time:
		return "NOT (" + v + " >= '0001-01-01 00:00:00+00' AND " + v + " < '10000-01-01 00:00:00+00')"
	case c.typ == core.Date, c.typ == core.LocalTime:
		return "NOT (" + v + " >= '0001-01-01' AND " + v + " < '10000-01-01')"
	case c.typ == core.Decimal: // whose infinities are of version 14 and later
		return v + "::text IN ('NaN', 'Infinity', '-Infinity') OR length(translate(trim_scale(" + v + ")::text, '-.', '')) > 1000"
	case c.typ == core.Float:
		return v + " IN ('NaN', 'Infinity', '-Infinity')"
	case c.typ == core.List && !c.json && !c.field.Many():
		return "jsonb_typeof(" + r.value(c) + ") NOT IN ('array', 'null')"
	}
	return ""
}

// unreadableRowError returns the error of a row that [builder.failIfUnreadable] detected; nil if the text has no such
// mark.
func unreadableRowError(r *core.Resource, text string) error {
	f, key := parseFieldMark(r, markUnreadable, text)
	if f == nil {
		return nil
	}
	return &core.Error{Code: core.ServerError, Cause: &unreadableError{field: f, key: core.TextValue(key), err: errNotInModel}}
}

// markRekeyed marks the error of an update that would change a key that the server generates from other columns. The
// detail begins with the number of the first changed field that is part of the key.
var markRekeyed = markPrefix + "rekeyed "

// guardKey follows the columns that an UPDATE returns. It writes an expression that fails if the key of the row differs
// from the given expression; nothing if the update changes no part of the key.
func (u *update) guardKey(r row, key keyOperand) {
	t := u.table
	i := slices.IndexFunc(u.changes, func(c change) bool { return slices.Contains(t.keyParts, c.field) })
	if i < 0 {
		return
	}
	r.WriteString(", CASE WHEN ")
	r.matches(key)
	part := strconv.Itoa(u.changes[i].index)
	r.write(" THEN NULL ELSE ", raise(markRekeyed, "'"+part+" ' || "+r.keyText()), " END")
}

// changedKeyField returns the field that would have changed the key; nil if the message does not have the mark.
func changedKeyField(op *core.Op, message string) *core.Field {
	_, rest, found := strings.Cut(message, markRekeyed)
	number, _, _ := strings.Cut(rest, " ")
	i, bad := strconv.Atoi(number)
	if !found || bad != nil || i < 0 || i >= len(op.Resource.Columns()) {
		return nil
	}
	return op.Resource.Columns()[i]
}

// A column of type json, or of a type that contains json, may hold a value that jsonb cannot represent, such as "\u0000" from
// a trigger. A statement that returns such a value fails with the same error as a written value. To distinguish the two, the
// transaction is repeated, and from then on writes to the table read these columns with a second statement. Writes to other
// tables still take one round trip.

// returning returns the columns that the statement of a write returns, and the columns that a second statement reads.
func (t *transaction) returning(table *table) (returned, remaining []*column) {
	t.jsonWrite = nil
	switch {
	case table.remote:
		remaining = table.converted()
	case len(table.jsonText) > 0 && table.readsJSONLater.Load():
		remaining = table.jsonText
	case len(table.jsonText) > 0:
		t.jsonWrite = table
	}
	if len(remaining) == 0 {
		return table.stored, nil
	}
	for _, c := range table.stored {
		if !slices.Contains(remaining, c) {
			returned = append(returned, c)
		}
	}
	return returned, remaining
}

// converted returns the stored columns whose values are converted for the model. Citus rejects most of these conversions in
// RETURNING, because their results depend on settings.
func (t *table) converted() (columns []*column) {
	for _, c := range t.stored {
		if c.toModel("") != "" {
			columns = append(columns, c)
		}
	}
	return columns
}

// ambiguousJSONError returns a conflict for a write that failed with an error of jsonb that either a written or a
// returned value may have caused. The store then repeats the transaction. It returns nil for other errors.
func (t *transaction) ambiguousJSONError(op *core.Op, err error) error {
	if op == nil || op.Kind != core.Insert && op.Kind != core.Update || t.jsonWrite == nil || isReadError(err) || !isValueError(err) {
		return nil
	}
	server, _ := errors.AsType[*pgconn.PgError](err)
	switch server.Code { // invalid jsonb (manual, section 8.14)
	case "22P02", "22P05", "22003", "54000":
		t.jsonWrite.readsJSONLater.Store(true)
		return fmt.Errorf("%w: the failure may concern a written or a returned value: %w", core.ErrConflict, err)
	}
	return nil
}

// readRemaining returns the calls that read the other fields of written records: fields of the view or query, and
// columns that are read later.
func readRemaining(table *table, remaining []*column, keys []core.Value, out []core.Record) (calls []call) {
	if len(table.viewOnly) > 0 {
		calls = append(calls, readBack(table.readFrom, table.viewOnly, keys, out))
	}
	if len(remaining) > 0 {
		calls = append(calls, readBack(table, remaining, keys, out))
	}
	return calls
}

// readBack returns the call that reads columns of written records. The columns are null for records that the relation
// does not show.
func readBack(table *table, rest []*column, keys []core.Value, out []core.Record) call {
	b := newBuilder()
	t := b.row(table)
	columns := slices.Concat(table.key.cells, rest)
	b.WriteString("SELECT ")
	t.values(columns)
	t.failIfUnreadable(rest)
	b.write(" FROM ", table.from, " AS t WHERE ")
	t.matches(b.keys(table, keys, true))
	return call{sql: b.String(), args: b.args, readOnly: true, read: func(rows pgx.Rows) error {
		read, err := records(rows, table, columns, len(keys))
		shown := make(map[core.Value]core.Record, len(read))
		for _, rec := range read {
			shown[rec.Key()] = rec
		}
		for i, rec := range out {
			if !rec.IsZero() {
				out[i] = withColumns(rec, shown[rec.Key()], rest)
			}
		}
		return err
	}}
}

// withColumns returns a record with columns of another one; null if that is the zero Record.
func withColumns(rec, read core.Record, columns []*column) core.Record {
	values := make([]core.Value, rec.Len())
	for _, c := range columns {
		values[c.index] = core.Null
		if !read.IsZero() {
			values[c.index] = read.At(c.index)
		}
	}
	return rec.Merge(rec.Resource().RecordOf(values))
}

func keysOf(recs []core.Record) []core.Value {
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys
}
