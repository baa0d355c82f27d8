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

// A statement that wrote what it must not has to fail, so that nothing of it is
// ever visible and no round trip is needed to take it back. SQL has no expression
// that raises an error of one's choice, but the text that cannot be cast to a
// number is part of the error. It contains a column, or the planner would cast it
// in advance, and a secret of this process, so that no client's value that the
// server cannot cast looks like one of ours.
var (
	markPrefix    = "larder " + rand.Text() + ": " // the start of each of the others
	markMissing   = markPrefix + "missing "
	markForbidden = markPrefix + "forbidden "
	// Before the detail comes which field it is, see [referrer.mark].
	markReferenced = markPrefix + "referenced "
	// Before the detail comes the field, see [markOf].
	markUnreadable = markPrefix + "unreadable "
	markExpands    = markPrefix + "expands "
)

const markEnd = ";"

// raise is an expression that fails with the mark and a detail, which is one of
// type text.
func raise(mark, detail string) string {
	return "('" + mark + "' || " + detail + " || '" + markEnd + "')::integer"
}

// guard writes an expression that fails if the row that conditions are about does
// not fulfil the check; nothing for a check that all rows fulfil.
func (b *builder) guard(t *table, check core.Filter) {
	if check.Kind() == core.FilterAll {
		return
	}
	b.WriteString(", CASE WHEN ")
	b.filter(t, check, false)
	b.write(" THEN NULL ELSE ", raise(markForbidden, b.column(t.key)+"::text"), " END")
}

// raised returns the error that a statement raised; nil if the error is another.
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
		return op.Resource.NotFound(op.Keys[i-1])
	}
	return nil
}

// markOf adds a field to a mark, for [marked].
func fieldMark(mark string, f *core.Field) string { return mark + strconv.Itoa(f.Column()) + " " }

// marked returns the field and the detail of an error with a mark; nil if the text of
// the error does not have the mark.
func parseFieldMark(r *core.Resource, mark, text string) (f *core.Field, detail string) {
	_, rest, found := strings.Cut(text, mark)
	place, rest, _ := strings.Cut(rest, " ")
	column, err := strconv.Atoi(place)
	if !found || err != nil || column >= len(r.Columns()) {
		return nil, ""
	}
	if end := strings.LastIndex(rest, markEnd); end >= 0 {
		rest = rest[:end]
	}
	return r.Columns()[column], rest
}

// Triggers, defaults and other programs can store values that the model does not have.
// A write that returned one would be committed before anybody could see that, so its
// statement looks for them itself and fails.

// readable writes an expression for each of the columns that may hold such a value. It
// fails if the row has one.
func (b *builder) failIfUnreadable(t *table, columns []*column) {
	for _, c := range columns {
		if condition := b.unreadableCondition(c); condition != "" {
			b.write(", CASE WHEN ", condition, " THEN ", raise(fieldMark(markUnreadable, c.field), b.column(t.key)+"::text"), " END")
		}
	}
}

// unreadable returns the condition that the model does not have the value of a column;
// "" if it has all values of the column's type.
func (b *builder) unreadableCondition(c *column) string {
	switch v := b.column(c); {
	case c.field.Type() == core.Time:
		return "NOT (" + v + " >= '0001-01-01 00:00:00+00' AND " + v + " < '10000-01-01 00:00:00+00')"
	case c.field.Type() == core.Float:
		return v + " IN ('NaN', 'Infinity', '-Infinity')"
	case c.field.Type() == core.List && !c.json && !c.field.Many():
		return "jsonb_typeof(" + b.value(c) + ") NOT IN ('array', 'null')"
	}
	return ""
}

// unreadableRow returns the error of a row that [builder.readable] found; nil if the
// text of a server's error is about something else.
func unreadableRowError(r *core.Resource, text string) error {
	f, key := parseFieldMark(r, markUnreadable, text)
	if f == nil {
		return nil
	}
	return &core.Error{Code: core.ServerError, Cause: &unreadableError{field: f, key: core.TextValue(key), err: errNotInModel}}
}

// A key that the server generates from other columns would change with them. The
// statement fails instead, with the number of a field that is part of the key: of
// several that the update sets, the first.
var markRekeyed = markPrefix + "rekeyed "

// fixKey goes on behind a list of columns that an UPDATE returns: it writes an
// expression that fails if the row has another key than the expression key says.
// Nothing is written if the update changes no part of the key.
func (u *update) guardKey(b *builder, key string) {
	t := u.table
	i := slices.IndexFunc(u.changes, func(c change) bool { return slices.Contains(t.keyParts, c.field) })
	if i < 0 {
		return
	}
	b.WriteString(", CASE WHEN ")
	b.equals(t.key, t.key.classify(u.op.Keys...), key, false)
	part := strconv.Itoa(u.changes[i].index)
	b.write(" THEN NULL ELSE ", raise(markRekeyed, "'"+part+" ' || "+b.column(t.key)+"::text"), " END")
}

// rekeyed returns the field that would have changed the key of its record; nil if the
// error is another.
func changedKeyField(op *core.Op, message string) *core.Field {
	_, rest, found := strings.Cut(message, markRekeyed)
	number, _, _ := strings.Cut(rest, " ")
	i, bad := strconv.Atoi(number)
	if !found || bad != nil || i < 0 || i >= len(op.Resource.Columns()) {
		return nil
	}
	return op.Resource.Columns()[i]
}

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

// readRest returns the calls that read, of records that were written, the fields that the
// write did not return: those that the table does not have, and those that are read later.
func readRemaining(table *table, later []*column, keys []core.Value, out []core.Record) (calls []call) {
	if len(table.viewOnly) > 0 {
		calls = append(calls, readBack(table.readFrom, table.viewOnly, keys, out))
	}
	if len(later) > 0 {
		calls = append(calls, readBack(table, later, keys, out))
	}
	return calls
}

// readBack is the call that reads columns of records that were written. They are null where
// the table or view does not show the record.
func readBack(table *table, rest []*column, keys []core.Value, out []core.Record) call {
	b := newBuilder()
	key := table.key
	columns := append([]*column{key}, rest...)
	b.WriteString("SELECT ")
	b.values(columns)
	b.failIfUnreadable(table, rest)
	b.write(" FROM ", table.from, " AS t WHERE ")
	b.equals(key, key.classify(keys...), b.keys(table, keys, true), true)
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

// completed returns the record with the columns that it was read without.
func withColumns(rec, read core.Record, columns []*column) core.Record {
	for _, c := range columns {
		v := core.Null
		if !read.IsZero() {
			v = read.At(c.index)
		}
		rec = rec.With(c.index, v)
	}
	return rec
}

func keysOf(recs []core.Record) []core.Value {
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys
}
