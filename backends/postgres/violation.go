package postgres

import (
	"cmp"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

// violation returns the error of a violated constraint or limit (manual, appendix A, classes 22, 23 and 54) with the
// names of the model; nil for other errors. op is nil at a commit.
func (b *binding) violation(op *core.Op, server *pgconn.PgError) error {
	err := b.partitions.toRoot(server)
	table := b.tableNamed(op, err)
	var found error
	switch {
	case err.Code == "2200H": // a sequence is exhausted
		return nil
	case err.Code == "23505" || err.Code == "23P01":
		found = duplicate(table, op, err)
	case err.Code == foreignKeyViolation || err.Code == restrictViolation:
		found = b.referenceViolation(table, op, err)
	case err.Code == notNullViolation:
		found = ruleError(op, fieldNamed(table, err.ColumnName), "required")
	case err.Code == checkViolation:
		found = table.checkViolation(op, err.ConstraintName)
	case strings.HasPrefix(err.Code, "54") && op != nil:
		found = b.table(op.Resource).limitExceeded(op, err.ConstraintName)
	case strings.HasPrefix(err.Code, "22"), strings.HasPrefix(err.Code, "23"), err.Code == "P0001":
		found = valueError(op, fieldNamed(table, err.ColumnName))
	}
	if e, ok := found.(*core.Error); ok { //nolint:errorlint // made above
		e.Cause = &constraintError{server}
	}
	return found
}

// tableNamed returns the table that an error names; nil if it belongs to no resource. Several resources can share a
// table; the resource of the operation takes precedence.
func (b *binding) tableNamed(op *core.Op, err *pgconn.PgError) *table {
	if err.TableName == "" {
		return nil
	}
	named := relation{err.SchemaName, err.TableName}
	if op != nil && b.table(op.Resource).relation == named {
		return b.table(op.Resource)
	}
	for _, t := range b.tables {
		if t.relation == named {
			return t
		}
	}
	return nil
}

// fieldNamed returns the field of a column; nil if there is none.
func fieldNamed(t *table, column string) *core.Field {
	if t == nil {
		return nil
	}
	return t.fields[column]
}

// checkViolation returns the error of a violated CHECK. The error of a constraint on several columns concerns their
// combination and lists their fields, except hidden ones.
func (t *table) checkViolation(op *core.Op, constraint string) *core.Error {
	if t == nil || len(t.checks[constraint]) == 0 {
		return ruleError(op, nil, "")
	}
	fields := t.checks[constraint]
	if !t.multiColumn[constraint] {
		return ruleError(op, fields[0], cmp.Or(t.rules[constraint], storageRule))
	}
	return valuesError(t, op, fields)
}

// valuesError returns the error of values that cannot be together. It names their fields, except hidden ones.
func valuesError(t *table, op *core.Op, fields []*core.Field) *core.Error {
	var names []string
	for _, f := range fields {
		if !f.Hidden() {
			names = append(names, f.APIName())
		}
	}
	v := core.Violation{Resource: t.resource.APIName(), Rule: storageRule, Accepted: "other values", Record: recordOf(op)}
	if len(names) > 0 {
		v.Accepted += " of " + strings.Join(names, ", ")
	}
	return &core.Error{Code: core.ValidationFailed, Violations: []core.Violation{v}}
}

// storageRule is the rule of a constraint that the model does not know.
const storageRule = "storage"

// ruleError returns the error of a record that breaks a rule of the field; f is nil if the field is unknown.
func ruleError(op *core.Op, f *core.Field, rule string) *core.Error {
	switch {
	case f != nil:
		found := f.Violated(rule)
		v := &found.Violations[0]
		if v.Record = recordOf(op); v.Rule == storageRule {
			v.Accepted = "another value"
		}
		return found
	case op == nil:
		return valueError(op, nil)
	}
	v := core.Violation{Resource: op.Resource.APIName(), Rule: storageRule, Accepted: "other values", Record: recordOf(op)}
	return &core.Error{Code: core.ValidationFailed, Violations: []core.Violation{v}}
}

// recordOf returns the position of the record that an error of the server concerns; -1 if the operation has several.
func recordOf(op *core.Op) int {
	if op != nil && len(op.Records) == 1 {
		return 0
	}
	return -1
}

// duplicate returns the error of a violated unique constraint. The model may not know the constraint.
func duplicate(t *table, op *core.Op, err *pgconn.PgError) error {
	switch {
	case t != nil && t.uniques[err.ConstraintName] != nil:
		c := t.uniques[err.ConstraintName]
		if v := t.takenValue(c, op, err); v.IsSet() {
			return c.field.AlreadyExistsWith(v)
		}
		return c.field.AlreadyExists()
	case t != nil && t.uniqueIndexes[err.ConstraintName] != nil:
		x := t.uniqueIndexes[err.ConstraintName]
		if claim := t.takenClaim(x, op, err); claim.IsSet() {
			return x.AlreadyExistsWith(claim)
		}
		return x.AlreadyExists()
	case t != nil:
		return &core.Error{Code: core.AlreadyExists, Resource: t.resource.APIName()}
	case op != nil:
		return &core.Error{Code: core.AlreadyExists, Resource: op.Resource.APIName()}
	}
	return &core.Error{Code: core.AlreadyExists}
}

// takenValue returns the value of a unique column in the detail of an error. The detail has the form
// "Key (columns)=(values) ..." in every language. The value is absent if the detail has none that the type can convert.
func (t *table) takenValue(c *column, op *core.Op, err *pgconn.PgError) core.Value {
	_, rest, _ := strings.Cut(err.Detail, ")=(")
	return c.valueIn(t.valuesIn(err.ConstraintName, op, rest))
}

// bindUniqueIndexes sets the unique indexes of a table by their names.
func (t *table) bindUniqueIndexes(found *catalogTable) {
	for _, want := range t.resource.Indexes() {
		for _, x := range found.indexes {
			if want.Unique && x.fits(want, t.resource) {
				t.uniqueIndexes[x.name] = want
			}
		}
	}
}

// takenClaim returns the values in the detail of an error as [core.Index.Claim] does; absent if it cannot tell them from
// each other. The detail has the form "Key (columns)=(values) ..." in every language, twice for an exclusion constraint.
func (t *table) takenClaim(x *core.Index, op *core.Op, err *pgconn.PgError) core.Value {
	begin := strings.Index(err.Detail, "(")
	end := strings.Index(err.Detail, ")=(")
	if begin < 0 || end < begin {
		return core.Value{}
	}
	columns := err.Detail[begin : end+len(")=(")]
	found := t.valuesIn(err.ConstraintName, op, err.Detail[strings.LastIndex(err.Detail, columns)+len(columns):])
	values := make([]core.Value, len(x.Order()))
	for i, o := range x.Order() {
		if values[i] = t.columns[o.Field.Column()].valueIn(found); !values[i].IsSet() {
			return core.Value{}
		}
	}
	if len(values) == 1 {
		return values[0]
	}
	return core.ListOf(values...)
}

// valueIn returns the value of the column that its cells have; absent if one has none.
func (c *column) valueIn(cells map[*column]core.Value) core.Value {
	if len(c.cells) == 1 {
		return cells[c]
	}
	elements := make([]core.Value, len(c.cells))
	for i, cell := range c.cells {
		elements[i] = cells[cell]
	}
	return core.TupleOf(elements...)
}

// valuesIn returns the values of the cells of a constraint. The text begins with the values as the server spells them, joined
// by commas, and a parenthesis; the last one ends them. If a value contains a comma, or a type cannot convert its
// spelling, the values are those of the only record of the operation that fits. It returns nil if it cannot tell them.
func (t *table) valuesIn(constraint string, op *core.Op, text string) map[*column]core.Value {
	cells := t.constraints[constraint]
	end := strings.LastIndex(text, ")")
	if end < 0 || len(cells) == 0 {
		return nil
	}
	text = text[:end]
	texts := []string{text}
	if len(cells) > 1 {
		texts = strings.Split(text, ", ")
	}
	found := make(map[*column]core.Value)
	if len(texts) == len(cells) {
		for i, c := range cells {
			if v, err := c.typ.Convert(texts[i]); err == nil {
				found[c] = v
			}
		}
		if len(found) == len(cells) {
			return found
		}
	}
	if op == nil || op.Resource != t.resource {
		return nil
	}
	var fitting map[*column]core.Value
	for _, rec := range op.Records {
		values := make(map[*column]core.Value)
		spelled := make([]string, len(cells))
		for i, c := range cells {
			values[c] = c.in(rec)
			spelled[i] = values[c].String()
		}
		switch {
		case len(found) == 0 && strings.Join(spelled, ", ") != text, !includes(values, found):
		case fitting != nil && !maps.Equal(fitting, values):
			return nil
		default:
			fitting = values
		}
	}
	return fitting
}

// includes reports whether all of the values have the entries of some.
func includes(all, some map[*column]core.Value) bool {
	for c, v := range some {
		if all[c] != v {
			return false
		}
	}
	return true
}

// valueError returns the error of a rejected value. f is nil if the field is unknown. The error contains the value if
// the operation has only one record, and does not name a hidden field.
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

// notAccepted is the message of errors that name no field.
const notAccepted = "the storage does not accept these values"

func badValues(r *core.Resource) *core.Error {
	return &core.Error{Code: core.BadRequest, Message: r.APIName() + ": " + notAccepted}
}

// SQLSTATEs of violated foreign keys. The second one is that of ON DELETE RESTRICT since version 18.
const (
	foreignKeyViolation = "23503"
	restrictViolation   = "23001"
)

// referenceViolation returns the error of a violated foreign key: the target does not exist, or a record is still
// referenced. The detail of the error has the form "Key (column)=(value) ..." in every language, with the column of the
// side that the statement concerns and the table of the other side at its end. If row security hides the values from
// the role, the detail only has the table.
func (b *binding) referenceViolation(t *table, op *core.Op, err *pgconn.PgError) error {
	if t == nil || t.foreignKeys[err.ConstraintName] == nil {
		return valueError(op, nil)
	}
	k := t.foreignKeys[err.ConstraintName]
	if k.full && err.Code != restrictViolation && !strings.Contains(err.Detail, "(") && !strings.Contains(err.Detail, b.table(k.field.Target()).relation.name) {
		found := valuesError(t, op, k.field.Parts()) // some columns are null
		found.Violations[0].Accepted += "; set all of them, or none"
		return found
	}
	f, target := k.field, b.table(k.field.Target()).relation.name
	columns, values, ok := k.parseDetail(err.Detail, t.relation.name, target)
	switch {
	case err.Code == restrictViolation, ok && columns != k.columns,
		(!ok || columns == k.targetColumns) && endsLater(err.Detail, t.relation.name, target),
		!ok && op != nil && op.Kind == core.Delete:
		return f.StillReferenced()
	}
	key := core.Null
	if ok {
		if v := t.columns[f.Column()].valueIn(t.valuesIn(err.ConstraintName, op, values+")")); v.IsSet() {
			key = v
		}
	}
	return f.Target().NotFound(key)
}

// foreignKey is the constraint of a to-one relation.
type foreignKey struct {
	field                  *core.Field
	columns, targetColumns string // as in the details of errors
	full                   bool   // MATCH FULL of several columns
}

// endsLater reports whether the last occurrence of a name in the text ends after that of another name. One name may be
// a part of the other.
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

// parseDetail returns the columns and the values in a detail. A value may contain parentheses; the values end at the last one
// before the name of the table.
func (k *foreignKey) parseDetail(text, own, target string) (columns, values string, ok bool) {
	_, rest, ok := strings.Cut(text, "(")
	if !ok {
		return "", "", false
	}
	for _, columns := range []string{k.columns, k.targetColumns} {
		after, is := strings.CutPrefix(rest, columns+")=(")
		if !is {
			continue
		}
		names := max(strings.LastIndex(after, target), strings.LastIndex(after, own))
		if names > 0 {
			after = after[:names]
		}
		if i := strings.LastIndex(after, ")"); i >= 0 {
			return columns, after[:i], true
		}
	}
	return "", "", false
}

// maxIndexed is a size in bytes that fits into an entry of an index, which takes at most a third of a page of 8 KiB. Longer
// values may fit too, because the server compresses them.
const maxIndexed = 2600

// limitExceeded returns the error of a value that exceeds a limit of the server. It states the limit if the value is too
// large for an index.
func (t *table) limitExceeded(op *core.Op, index string) *core.Error {
	f, size := t.oversized(op, index)
	found := valueError(op, f)
	if size > maxIndexed && found.Code == core.BadFieldValue {
		found.Accepted = "a shorter value; an index of the field holds about 2,700 bytes"
	}
	return found
}

// oversized returns the field with the largest value in the records, and the size of that value, among the fields of an
// index; of all indexes if the server does not name it. It returns nil if there is no such field.
func (t *table) oversized(op *core.Op, index string) (found *core.Field, most int) {
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
	return found, most
}

// raisedError is an error that a function or trigger of the database has raised. Its message is arbitrary and may
// contain values.
type raisedError struct{ *pgconn.PgError }

func (e *raisedError) Unwrap() error { return e.PgError }

// Redacted returns the error text without values, for logs.
func (e *raisedError) Redacted() string {
	return "postgres: raised by a function of the database (" + origin(e.PgError) + ")"
}

// constraintError is the error of a violated constraint. It names the constraint for operators. Its message may contain
// values.
type constraintError struct{ *pgconn.PgError }

func (e *constraintError) Unwrap() error { return e.PgError }

// Redacted returns the error text without values, for logs.
func (e *constraintError) Redacted() string { return "postgres: " + origin(e.PgError) }

// origin returns the SQLSTATE of an error and the objects that it names, without values.
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

// raisedBy finds the raising function in the context of an error.
var raisedBy = regexp.MustCompile(`PL/pgSQL function [^(\n]+\(`)

// languageFiles lists the source files of the server that raise the errors of procedural languages (manual, chapter
// 42).
var languageFiles = []string{"pl_exec.c", "plperl.c", "plpy_elog.c", "pltcl.c"}
