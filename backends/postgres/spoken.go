package postgres

import "github.com/jackc/pgx/v5/pgconn"

// spokenError is an error that a function or trigger of the database has raised. Its
// message is what somebody wrote, and may repeat values whatever the SQLSTATE says.
type spokenError struct{ *pgconn.PgError }

func (e *spokenError) Unwrap() error { return e.PgError }

// Redacted is what a log may hold that is to hold no values.
func (e *spokenError) Redacted() string {
	return "postgres: raised by a function of the database (SQLSTATE " + e.Code + ")"
}

// languages are the files of the server that raise the errors of functions in
// procedural languages (manual, chapter 42).
var languages = []string{"pl_exec.c", "plperl.c", "plpy_elog.c", "pltcl.c"}
