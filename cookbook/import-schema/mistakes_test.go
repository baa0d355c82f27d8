package main_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

func TestInvalidFlagsEndTheProgram(t *testing.T) {
	good, empty := pgtest.URL(t), pgtest.Schema(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	const noURL = "-url: postgres: not a connection string"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no url":            {[]string{"-schema", "s"}, "-url is missing"},
		"no schema":         {[]string{"-url", good}, "-schema is missing"},
		"unknown schema":    {[]string{"-url", good, "-schema", "no such"}, `the database has no schema "no such"`},
		"empty schema":      {[]string{"-url", good, "-schema", empty}, "has no tables"},
		"only read":         {[]string{"-url", good, "-schema", "s", "-write"}, "-write has no effect without -serve"},
		"no package":        {[]string{"-url", good, "-schema", "s", "-package", "my-model"}, `-package: "my-model" cannot be the name of a package`},
		"stray argument":    {[]string{"-url", good, "-schema", "s", "secret"}, "unexpected argument behind the flags"},
		"url as argument":   {[]string{"postgres://u:secret@h/db"}, "unexpected argument behind the flags"},
		"url as schema":     {[]string{"-url", good, "-schema", "postgres://u:secret@h/db"}, "-schema: this is a connection string"},
		"url as package":    {[]string{"-url", good, "-package", "host=h password=secret"}, "-package: this is a connection string"},
		"no url at all":     {[]string{"-url", "user:secret@host/db", "-schema", "s"}, noURL},
		"scheme cut":        {[]string{"-url", "postgres:/user:secret@127.0.0.1/db?sslmode=disable", "-schema", "s"}, noURL},
		"scheme misspelt":   {[]string{"-url", "postgers://user:secret@127.0.0.1/db?sslmode=disable", "-schema", "s"}, noURL},
		"wrong setting":     {[]string{"-url", "postgres://user:secret@127.0.0.1:1/db?sslmode=secret", "-schema", "s"}, noURL},
		"no host":           {[]string{"-url", "postgres://user:secret", "-schema", "s"}, noURL},
		"host forgotten":    {[]string{"-url", "postgres://user:secret:5432/db", "-schema", "s"}, noURL},
		"slash in password": {[]string{"-url", "postgres://user:12/secret@127.0.0.1:1/db", "-schema", "s"}, noURL},
		"hash in password":  {[]string{"-url", "postgres://user:12#secret@127.0.0.1:1/db", "-schema", "s"}, noURL},
		"query in password": {[]string{"-url", "postgres://user:12?secret@127.0.0.1:1/db", "-schema", "s"}, noURL},
		"percent":           {[]string{"-url", "postgres://user:%secret@127.0.0.1:1/db", "-schema", "s"}, noURL},
		"blank in password": {[]string{"-url", "host=h password=top secret", "-schema", "s"}, noURL},
		"blank before =":    {[]string{"-url", asKeys(t, good) + " password=top secret=x", "-schema", "s"}, "refuses a setting of the connection string (42704)"},
		"unreachable":       {[]string{"-url", "postgres://user:secret@127.0.0.1:1/db", "-schema", "s"}, "cannot reach 127.0.0.1:1: connect: connection refused"},
		"several":           {[]string{"-url", "postgres://user:secret@127.0.0.1:1,127.0.0.1:2/db", "-schema", "s"}, "cannot reach 127.0.0.1:1 or 127.0.0.1:2"},
		"key and value":     {[]string{"-url", "host=127.0.0.1 port=1 password=secret", "-schema", "s"}, "cannot reach 127.0.0.1:1"},
		"no such host":      {[]string{"-url", "postgres://user:secret@host.invalid/db", "-schema", "s"}, "cannot find the host host.invalid"},
		"no such socket":    {[]string{"-url", "host=/nowhere password=secret", "-schema", "s"}, "cannot reach /nowhere/.s.PGSQL.5432: connect: no such file or directory"},
		"silent":            {[]string{"-url", "postgres://user:secret@" + silent.Addr().String() + "/db?connect_timeout=1", "-schema", "s"}, "no answer from " + silent.Addr().String()},
		"no such database":  {[]string{"-url", withDatabase(t, good, "no such"), "-schema", "s"}, `says: database "no such" does not exist (3D000)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, c.args...)
			if got.code != 1 || got.out != "" || strings.Count(got.report, "\n") != 1 || !strings.Contains(got.report, c.want) {
				t.Errorf("%+v; want 1 and %q", got, c.want)
			}
			if strings.Contains(got.report, "secret") || strings.Contains(got.report, ":12") {
				t.Errorf("a password was printed: %s", got.report)
			}
		})
	}
}

// asKeys returns the server and user of a URL as keywords and values.
func asKeys(t *testing.T, connection string) string {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	return "user=" + u.User.Username() + " host='" + u.Query().Get("host") + "' port=" + u.Query().Get("port")
}

func withDatabase(t *testing.T, connection, name string) string {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// demandPassword makes the server ask the user careful for a password. A superuser can write the file with the rules of
// authentication.
func demandPassword(t *testing.T, admin string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	loaded := func() (at time.Time) {
		if err := conn.QueryRow(t.Context(), "SELECT pg_conf_load_time()").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	before := loaded()
	_, err = conn.Exec(t.Context(), `
		CREATE ROLE careful LOGIN PASSWORD 'right';
		DO $$ BEGIN EXECUTE format('COPY (VALUES (''local all careful scram-sha-256''), (''local all all trust'')) TO %L', current_setting('hba_file')); END $$;
		SELECT pg_reload_conf()`)
	if err != nil {
		t.Fatal(err)
	}
	for loaded().Equal(before) { // sessions see the new time after the server has read the file
	}
}

func TestWrongPasswordIsNotPrinted(t *testing.T) {
	admin := server(t)
	demandPassword(t, admin)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"sec/ret@ 100%", "geheim"} {
		u.User = url.UserPassword("careful", password)
		asKeys := "host='" + u.Query().Get("host") + "' port=" + u.Query().Get("port") + " user=careful dbname=postgres password='" + password + "'"
		for _, connection := range []string{u.String(), asKeys} {
			got := runIn(t, []string{"DATABASE_URL=" + connection}, "-schema", "public")
			if got.code != 1 || !strings.Contains(got.report, `says: password authentication failed for user "careful" (28P01)`) || strings.Count(got.report, "\n") != 1 {
				t.Errorf("%+v", got)
			}
			for _, form := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
				if strings.Contains(got.report, form) {
					t.Errorf("a password was printed: %s", got.report)
				}
			}
		}
	}
}

func TestSchemaOfViewsOnlyIsRejected(t *testing.T) {
	schema := pgtest.Schema(t)
	exec1(t, pgtest.URL(t), `CREATE VIEW "`+strings.ReplaceAll(schema, `"`, `""`)+`".v AS SELECT 1 AS one`)
	got := run(t, "-url", pgtest.URL(t), "-schema", schema)
	if got.code != 1 || got.out != "" || !strings.HasPrefix(got.report, "tables and views: 0 of 1 became resources\nnotes: 1 left out, ") || !strings.Contains(got.report, "has no table that can be a resource\n") {
		t.Errorf("%+v", got)
	}
}

func TestUnwritableFileIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nowhere", "model.go")
	got := run(t, "-url", pgtest.URL(t), "-schema", "pg_catalog", "-out", file)
	if got.code != 1 || !strings.HasSuffix(got.report, "import-schema: -out: open "+file+": no such file or directory\n") {
		t.Errorf("%+v", got)
	}
}

func TestExistingFileIsOverwrittenOnlyBySource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "model.go")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "-url", pgtest.URL(t), "-schema", "no such", "-out", file); got.code != 1 {
		t.Errorf("%+v", got)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("%s %v", text, err)
	}
	if got := run(t, "-url", pgtest.URL(t), "-schema", "pg_catalog", "-out", file); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "package main\n") {
		t.Errorf("%s %v", text, err)
	}
}
