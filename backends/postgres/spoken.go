package postgres

import "github.com/jackc/pgx/v5/pgconn"

// spokenError is an error that a function or trigger of the database has raised. Its
// message is what somebody wrote, may repeat values whatever the SQLSTATE says, and so
// is for those alone who unwrap it.
type spokenError struct{ server *pgconn.PgError }

func (e *spokenError) Error() string {
	return "postgres: raised by a function of the database (SQLSTATE " + e.server.Code + ")"
}

func (e *spokenError) Unwrap() error { return e.server }

// SQLState returns the SQLSTATE, for logs.
func (e *spokenError) SQLState() string { return e.server.Code }

// languages are the files of the server that raise the errors of functions in
// procedural languages (manual, chapter 42).
var languages = []string{"pl_exec.c", "plperl.c", "plpy_elog.c", "pltcl.c"}
