package postgres

import "github.com/larder-go/larder/core"

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
