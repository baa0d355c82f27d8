package logging_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/logging"
)

// The message of a server about an invalid value, or of a trigger that raises an error, repeats the value.
func TestServerMessagesWithValuesAreNotLogged(t *testing.T) {
	for name, c := range map[string]struct{ body, line string }{
		"conversion": {
			`PERFORM NEW.type::int`,
			"debug insert cookie: kind=insert resource=cookie outcome=invalid rows=0 attempt=1 code=BAD_REQUEST sqlstate=22P02",
		},
		"raise": {
			`RAISE EXCEPTION 'no % today', NEW.type USING DETAIL = NEW.type, HINT = NEW.type, ERRCODE = '99001'`,
			"error insert cookie: kind=insert resource=cookie outcome=failed rows=0 attempt=1 code=SERVER_ERROR sqlstate=99001" +
				" cause=postgres: raised by a function of the database (SQLSTATE 99001, PL/pgSQL function FUNCTION)",
		},
		"raise as the server": {
			`RAISE EXCEPTION 'no % today', NEW.type USING ERRCODE = '55000'`,
			"error insert cookie: kind=insert resource=cookie outcome=failed rows=0 attempt=1 code=SERVER_ERROR sqlstate=55000" +
				" cause=postgres: raised by a function of the database (SQLSTATE 55000, PL/pgSQL function FUNCTION)",
		},
		"raise as a denial": {
			`RAISE EXCEPTION 'no % for you', NEW.type USING ERRCODE = 'insufficient_privilege'`,
			"info insert cookie: kind=insert resource=cookie outcome=denied rows=0 attempt=1 code=FORBIDDEN at=cookie sqlstate=42501" +
				" cause=postgres: raised by a function of the database (SQLSTATE 42501, PL/pgSQL function FUNCTION)",
		},
		"statement": {
			`PERFORM no_such_function()`,
			"error insert cookie: kind=insert resource=cookie outcome=failed rows=0 attempt=1 code=SERVER_ERROR sqlstate=42883" +
				" cause=ERROR: function no_such_function() does not exist (SQLSTATE 42883)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, logs, function := withTrigger(t, c.body)
			if _, err := store.Insert(t.Context(), cookie, record(t, map[string]any{"type": secret})); err == nil || name != "statement" && !strings.Contains(err.Error(), secret) {
				t.Fatalf("the server does not repeat the value: %v", err)
			}
			expect(t, logs, strings.ReplaceAll(c.line, "FUNCTION", function))
		})
	}
}

// withTrigger returns a store with a trigger on the table of cookies, and the name of its function as the server writes it.
func withTrigger(t *testing.T, body string) (_ *core.Store, _ *observer.ObservedLogs, function string) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	schema := pgtest.Schema(t)
	zapCore, logs := observer.New(zapcore.DebugLevel)
	store, err := core.New(t.Context(), model, postgres.New(pool, schema, postgres.Options{Migrate: true}),
		logging.New(zap.New(zapCore), logging.Options{Slow: -1}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	in := func(name string) string { return pgx.Identifier{schema, name}.Sanitize() }
	_, err = pool.Exec(t.Context(), `CREATE FUNCTION `+in("object")+`() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+body+`; RETURN NEW; END $$;
		CREATE TRIGGER object BEFORE INSERT ON `+in("cookie")+` FOR EACH ROW EXECUTE FUNCTION `+in("object")+`()`)
	if err != nil {
		t.Fatal(err)
	}
	return store, logs, pgx.Identifier{schema}.Sanitize() + ".object"
}
