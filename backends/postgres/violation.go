package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

// violation returns the error of a rule of the database that was broken (manual,
// appendix A, classes 22, 23 and 54), in the names of the model; nil if the error is
// none. op is nil at a commit.
func (b *binding) violation(op *core.Op, server *pgconn.PgError) error {
	err := b.partitions.toRoot(b.schema, server)
	table := b.tableNamed(op, err)
	var found error
	switch {
	case err.Code == "2200H": // a sequence has come to its end
		return nil
	case err.Code == "23505" || err.Code == "23P01":
		found = duplicate(table, op, err)
	case err.Code == "23503" || err.Code == restrictViolation:
		found = b.referenceViolation(table, op, err)
	case err.Code == "23502":
		found = valueError(op, fieldNamed(table, err.ColumnName))
	case err.Code == "23514":
		found = table.checkViolation(op, err.ConstraintName)
	case strings.HasPrefix(err.Code, "54") && op != nil:
		found = valueError(op, b.table(op.Resource).oversized(op, err.ConstraintName))
	case strings.HasPrefix(err.Code, "22"), strings.HasPrefix(err.Code, "23"), err.Code == "P0001":
		found = valueError(op, fieldNamed(table, err.ColumnName))
	}
	if e, ok := found.(*core.Error); ok { //nolint:errorlint // made above
		e.Cause = &constraintError{server}
	}
	return found
}

// tableNamed returns the table that the error names; nil if that is none of ours.
// Several resources can have the same one.
func (b *binding) tableNamed(op *core.Op, err *pgconn.PgError) *table {
	if err.SchemaName != b.schema || err.TableName == "" {
		return nil
	}
	if op != nil && b.table(op.Resource).tableName == err.TableName {
		return b.table(op.Resource)
	}
	for _, t := range b.tables {
		if t.tableName == err.TableName {
			return t
		}
	}
	return nil
}

func fieldNamed(t *table, column string) *core.Field {
	if t == nil {
		return nil
	}
	return t.fields[column]
}

// broken is the error of a CHECK. One on several columns is about their values
// together, and its error names their fields but for hidden ones.
func (t *table) checkViolation(op *core.Op, constraint string) *core.Error {
	if t == nil || len(t.checks[constraint]) == 0 {
		return valueError(op, nil)
	}
	fields := t.checks[constraint]
	if !t.multiColumn[constraint] {
		return valueError(op, fields[0])
	}
	var names []string
	for _, f := range fields {
		if !f.Hidden() {
			names = append(names, f.APIName())
		}
	}
	found := badValues(t.resource)
	if len(names) > 0 {
		found.Message += " of " + strings.Join(names, ", ")
	}
	return found
}

// taken is the error of values that must be unique and are not. The constraint may
// be one that the model does not know.
func duplicate(t *table, op *core.Op, err *pgconn.PgError) error {
	switch {
	case t != nil && t.uniques[err.ConstraintName] != nil:
		f := t.uniques[err.ConstraintName]
		if v := takenValue(f, err.Detail); v.IsSet() {
			return f.AlreadyExistsWith(v)
		}
		return f.AlreadyExists()
	case t != nil:
		return &core.Error{Code: core.AlreadyExists, Resource: t.resource.APIName()}
	case op != nil:
		return &core.Error{Code: core.AlreadyExists, Resource: op.Resource.APIName()}
	}
	return &core.Error{Code: core.AlreadyExists}
}

// takenValue returns the value that the detail of the error tells, which says "Key
// (column)=(value) ..." in every language; absent if it says nothing, or a value in a form
// that the type does not convert.
func takenValue(f *core.Field, detail string) core.Value {
	_, rest, _ := strings.Cut(detail, ")=(")
	end := strings.LastIndex(rest, ")")
	if end < 0 {
		return core.Value{}
	}
	v, err := f.Type().Convert(rest[:end])
	if err != nil {
		return core.Value{}
	}
	return v
}

// rejected is the error of a value that the database does not take, or if it is
// not known which one, or not to clients, of the request. The value is told if there
// is only one that it can be.
func valueError(op *core.Op, f *core.Field) *core.Error {
	switch {
	case f == nil && op == nil:
		return &core.Error{Code: core.BadRequest, Message: notAccepted}
	case f == nil:
		return badValues(op.Resource)
	}
	v := core.Null
	if op != nil && op.Resource == f.Resource() && len(op.Records) == 1 {
		v = op.Records[0].At(f.Column())
	}
	return badValue(f, v)
}

const notAccepted = "the storage does not accept these values"

func badValues(r *core.Resource) *core.Error {
	return &core.Error{Code: core.BadRequest, Message: r.APIName() + ": " + notAccepted}
}

// restrictViolation is what RESTRICT, which is about rows that are pointed at, says
// since version 18.
const restrictViolation = "23001"

// reference is the error of a foreign key: of its own side, if it points at no row,
// or of the other side, if it is pointed at. The detail of the error says
// "Key (column)=(value) ..." in every language, with the column of the side that
// the statement was about, and then the table of the other side; or, where row security
// keeps the values from the role, that table alone.
func (b *binding) referenceViolation(t *table, op *core.Op, err *pgconn.PgError) error {
	if t == nil || t.foreignKeys[err.ConstraintName] == nil {
		return valueError(op, nil)
	}
	f := t.foreignKeys[err.ConstraintName]
	target := b.table(f.Target()).tableName
	column, value, ok := parseDetail(err.Detail, f, t.tableName, target)
	switch {
	case err.Code == restrictViolation, ok && column != f.Name(),
		(!ok || column == f.Target().Key().Name()) && endsLater(err.Detail, t.tableName, target),
		!ok && op != nil && op.Kind == core.Delete:
		return f.StillReferenced()
	}
	key, bad := f.Type().Convert(value)
	if !ok || bad != nil {
		key = core.Null
	}
	return f.Target().NotFound(key)
}

// endsLater reports whether the last place of a name in the text ends behind that of
// the other, which may be a part of it.
func endsLater(text, name, other string) bool {
	at, otherAt := strings.LastIndex(text, name), strings.LastIndex(text, other)
	switch {
	case at < 0 || otherAt < 0:
		return at >= 0
	case at+len(name) != otherAt+len(other):
		return at+len(name) > otherAt+len(other)
	}
	return len(name) > len(other)
}

// detail takes the detail apart. A value may have parentheses in it, so it ends at
// the last one before the name of the table that the detail ends with.
func parseDetail(text string, f *core.Field, own, target string) (column, value string, ok bool) {
	_, rest, ok := strings.Cut(text, "(")
	if !ok {
		return "", "", false
	}
	for _, column := range []string{f.Name(), f.Target().Key().Name()} {
		after, is := strings.CutPrefix(rest, column+")=(")
		if !is {
			continue
		}
		names := max(strings.LastIndex(after, target), strings.LastIndex(after, own))
		if names > 0 {
			after = after[:names]
		}
		if i := strings.LastIndex(after, ")"); i >= 0 {
			return column, after[:i], true
		}
	}
	return "", "", false
}

// oversized returns the field with the largest value in the records of an operation
// among those of the index, or if the server does not name it, of all indexes: an entry
// of a B-tree must fit into a third of a page. It is nil if there is none.
func (t *table) oversized(op *core.Op, index string) (found *core.Field) {
	most := 0
	for name, fields := range t.indexed {
		if index != "" && name != index {
			continue
		}
		for _, f := range fields {
			for _, rec := range op.Records {
				if size := len(rec.At(f.Column()).Text()); size > most {
					found, most = f, size
				}
			}
		}
	}
	return found
}

// spokenError is an error that a function or trigger of the database has raised. Its
// message is what somebody wrote, and may repeat values whatever the SQLSTATE says.
type raisedError struct{ *pgconn.PgError }

func (e *raisedError) Unwrap() error { return e.PgError }

// Redacted is what a log may hold that is to hold no values.
func (e *raisedError) Redacted() string {
	return "postgres: raised by a function of the database (" + origin(e.PgError) + ")"
}

// brokenError is the error of a rule of the database, which names the rule for the
// operator. Its message may repeat values.
type constraintError struct{ *pgconn.PgError }

func (e *constraintError) Unwrap() error { return e.PgError }

// Redacted is what a log may hold that is to hold no values.
func (e *constraintError) Redacted() string { return "postgres: " + origin(e.PgError) }

// places says where in the database an error comes from, without any value.
func origin(e *pgconn.PgError) string {
	places := []string{"SQLSTATE " + e.Code}
	for _, place := range []struct{ what, name string }{{"constraint", e.ConstraintName}, {"table", e.TableName}, {"column", e.ColumnName}} {
		if place.name != "" {
			places = append(places, place.what+" "+strconv.Quote(place.name))
		}
	}
	if function := strings.TrimSuffix(raisedBy.FindString(e.Where), "("); function != "" {
		places = append(places, function)
	}
	return strings.Join(places, ", ")
}

// raisedBy finds the function that has raised an error in the context of the error.
var raisedBy = regexp.MustCompile(`PL/pgSQL function [^(\n]+\(`)

// languages are the files of the server that raise the errors of functions in
// procedural languages (manual, chapter 42).
var languageFiles = []string{"pl_exec.c", "plperl.c", "plpy_elog.c", "pltcl.c"}
