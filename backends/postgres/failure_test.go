package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

func TestErrorsOfTheServerAreClassifiedByWhatHelps(t *testing.T) {
	b := &binding{Backend: &Backend{schema: "s"}}
	for _, c := range []struct {
		err      error
		code     core.Code
		conflict bool
	}{
		{&pgconn.PgError{Code: "40001"}, core.Unavailable, true},
		{&pgconn.PgError{Code: "40P01"}, core.Unavailable, true},
		{&pgconn.PgError{Code: "0A000", Routine: "RevalidateCachedQuery"}, core.Unavailable, true},
		{&pgconn.PgError{Code: "0A000"}, core.ServerError, false},
		{&pgconn.PgError{Code: "0A000", Routine: "GetSerializableTransactionSnapshot"}, core.Unavailable, false}, // a standby
		{&pgconn.PgError{Code: "55000", Routine: "pg_current_wal_lsn"}, core.Unavailable, false},                 // a standby
		{&pgconn.PgError{Code: "53100"}, core.Unavailable, false},                                                // disk full
		{&pgconn.PgError{Code: "53300"}, core.Unavailable, false},                                                // too many connections
		{&pgconn.PgError{Code: "57P01"}, core.Unavailable, false},                                                // shut down by an administrator
		{&pgconn.PgError{Code: "57P03"}, core.Unavailable, false},                                                // starting up
		{&pgconn.PgError{Code: "57014"}, core.Unavailable, false},                                                // statement_timeout
		{&pgconn.PgError{Code: "25006"}, core.Unavailable, false},                                                // a standby
		{&pgconn.PgError{Code: "08P01"}, core.Unavailable, false},                                                // of PgBouncer
		{&pgconn.PgError{Code: "58030"}, core.Unavailable, false},                                                // input and output
		{&pgconn.PgError{Code: "42601"}, core.ServerError, false},                                                // our SQL
		{&pgconn.PgError{Code: "42501"}, core.Forbidden, false},                                                  // our privileges
		{&pgconn.PgError{Code: "XX000"}, core.ServerError, false},
		{io.ErrUnexpectedEOF, core.Unavailable, false},
		{errors.New("anything else"), core.ServerError, false},
	} {
		err := core.AsError(b.statementError(context.Background(), nil, fmt.Errorf("wrapped: %w", c.err)))
		if err.Code != c.code || errors.Is(err, core.ErrConflict) != c.conflict || !errors.Is(err, c.err) {
			t.Errorf("%v: got %v, want %s, conflict %v", c.err, err, c.code, c.conflict)
		}
	}
}

func TestOutcomeIsKnownExactlyWhenTheServerRefused(t *testing.T) {
	for _, c := range []struct {
		err     error
		unknown bool
	}{
		{&pgconn.PgError{Code: "23505", SeverityUnlocalized: "ERROR"}, false},
		{&pgconn.PgError{Code: "57P01", SeverityUnlocalized: "FATAL"}, true},
		{&pgconn.PgError{Code: "25P03", SeverityUnlocalized: "FATAL"}, false}, // idle in transaction
		{io.ErrUnexpectedEOF, true},
		{fmt.Errorf("failed to deallocate cached statement(s): %w", io.ErrUnexpectedEOF), false},
		{pgconn.ErrConnClosed, true},
		{context.DeadlineExceeded, true},
	} {
		if got := isOutcomeUnknown(fmt.Errorf("wrapped: %w", c.err)); got != c.unknown {
			t.Errorf("%v: unknown %v", c.err, got)
		}
	}
}

func TestAnErrorWithoutASQLSTATEIsOfNoValue(t *testing.T) {
	for code, want := range map[string]bool{"": false, "2": false, "22": true, "22003": true, "23505": false} {
		if got := isValueError(&pgconn.PgError{Code: code}); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestEndOfAPrefixIsTheFirstTextBehindIt(t *testing.T) {
	for _, c := range []struct {
		prefix, end string
		bounded     bool
	}{
		{"", "", false},
		{"a", "b", true},
		{"a%", "a&", true},
		{"a\U0010FFFF", "b", true},
		{"\U0010FFFF", "", false},
		{"a\uD7FF", "a\uE000", true},
		{"a\u007f", "a\u0080", true},
	} {
		if end, bounded := prefixEnd(c.prefix); end != c.end || bounded != c.bounded {
			t.Errorf("%q: got %q %v", c.prefix, end, bounded)
		}
	}
}

func TestDetailOfAForeignKeyIsTakenApart(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "child", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "parent", ToOne: "parent"}}},
		core.ResourceSpec{Name: "parent", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}}},
	)
	f := m.Resource("child").Field("parent")
	for _, c := range []struct {
		detail, column, value string
		ok                    bool
	}{
		{`Key (parent)=(a) is not present in table "parent".`, "parent", "a", true},
		{`Key (parent)=(a) (b)) is not present in table "parent".`, "parent", "a) (b)", true},
		{`Key (parent)=(parent)) is not present in table "parent".`, "parent", "parent)", true},
		{`Clé (parent)=(a) n'est pas présente dans la table « parent ».`, "parent", "a", true},
		{`Key (name)=(a) is still referenced from table "child".`, "name", "a", true},
		{`Key (name)=(parent) is still referenced from table "child".`, "name", "parent", true},
		{`Key (other)=(a) is not present in table "parent".`, "", "", false},
		{``, "", "", false},
	} {
		column, value, ok := parseDetail(c.detail, f, "child", "parent")
		if column != c.column || value != c.value || ok != c.ok {
			t.Errorf("%s: got %q %q %v", c.detail, column, value, ok)
		}
	}
}
