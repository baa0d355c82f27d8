package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

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
