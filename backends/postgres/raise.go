package postgres

import (
	"crypto/rand"
	"strconv"
	"strings"

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
