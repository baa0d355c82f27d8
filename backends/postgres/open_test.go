package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestPasswordIsInNoError(t *testing.T) {
	u, err := url.Parse(pgtest.URL(t))
	must(t, err)
	server := " user=postgres host=" + u.Query().Get("host") + " port=" + u.Query().Get("port")
	for _, connection := range []string{
		"postgres://me:hunter2@localhost:1/db?connect_timeout=2",
		"postgres://me:hunter2@local host/db",
		"postgres://me:hunter2%zz@localhost/db",
		"postgres://me:hunter2@localhost:port/db",
		"postgres://me:hunter2",
		"postgres://me:hunter2:5432/db",
		"postgres://:hunter2@127.0.0.1:1/db",
		"postgres://me:4321/hunter2@127.0.0.1:1/db",
		"postgres://me:4321#hunter2@127.0.0.1:1/db",
		"postgres://me:4321?hunter2@127.0.0.1:1/db",
		"postgres://127.0.0.1:1/hunter2@127.0.0.1:1/db",
		"postgers://me:hunter2@127.0.0.1/db?sslmode=disable" + server,
		"postgres:/me:hunter2@127.0.0.1/db?sslmode=disable" + server,
		"postgres//me:hunter2@127.0.0.1/db?sslmode=disable" + server,
		"me:hunter2@127.0.0.1/db",
		"host=localhost port=x password=hunter2",
		"host=localhost password=hunter2 sslmode=nonsense",
		"password='hunter2",
		"password=top hunter2=x" + server,
		"password=top datestyle=hunter2" + server,
	} {
		_, err := postgres.Open(t.Context(), connection, "s", postgres.Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "4321") {
			t.Errorf("%s: %v", connection, err)
		}
	}
}

func TestAConnectionStringThatIsNoneSaysWhatToWrite(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://me:a/b@localhost/db", "s", postgres.Options{})
	if err == nil || !strings.Contains(err.Error(), "/ ? # @ : % as %2F %3F %23 %40 %3A %25") {
		t.Errorf("got %v", err)
	}
}

func TestAWrongConnectionStringOfAReplicaIsRefusedAtOnce(t *testing.T) {
	for _, replica := range []string{"postgers://me:hunter2@h/db?sslmode=disable", "postgres://me:4321/hunter2@h/db"} {
		opts := postgres.Options{Replicas: []string{replica}}
		_, opened := postgres.Open(t.Context(), pgtest.URL(t), "s", opts)
		_, bound := core.New(t.Context(), numbered, postgres.New(pool(t, pgtest.URL(t)), pgtest.Schema(t), opts))
		for _, err := range []error{opened, bound} {
			if err == nil || !strings.Contains(err.Error(), "replica") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "4321") {
				t.Errorf("%s: %v", replica, err)
			}
		}
	}
}

func TestServerOutOfReachIsUnavailable(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://localhost:1/db", "s", postgres.Options{})
	if !errors.Is(err, core.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestOpenedConnectionsAreSetUp(t *testing.T) {
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, `CREATE FUNCTION $S.setting(text) RETURNS text LANGUAGE sql AS 'SELECT current_setting($1)'`))
	execute(t, inSchema(schema, `CREATE TABLE $S.row (id bigserial PRIMARY KEY, a text DEFAULT $S.setting('application_name'),
		b text DEFAULT $S.setting('transaction_isolation'), c text DEFAULT $S.setting('idle_in_transaction_session_timeout'))`))
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "a", Type: core.Text}, {Name: "b", Type: core.Text}, {Name: "c", Type: core.Text},
	}})
	for _, c := range []struct {
		opts postgres.Options
		url  string
		want string
	}{
		{postgres.Options{}, pgtest.URL(t), "row{id:1 a:larder b:serializable c:1min}"},
		{postgres.Options{ApplicationName: "shop"}, pgtest.URL(t), "row{id:2 a:shop b:serializable c:1min}"},
		{postgres.Options{Isolation: "repeatable read"}, with(t, pgtest.URL(t), "application_name", "mine"), "row{id:3 a:mine b:repeatable read c:1min}"},
		{postgres.Options{Bouncer: true}, pgtest.Bouncer(t), "row{id:4 a:larder b:serializable c:0}"},
	} {
		b, err := postgres.Open(t.Context(), c.url, schema, c.opts)
		if err != nil {
			t.Fatal(err)
		}
		store, err := core.New(t.Context(), m, b)
		if err != nil {
			t.Fatal(err)
		}
		row := m.Resource("row")
		got, err := store.Insert(t.Context(), row, record(t, row, nil))
		if err != nil || got[0].String() != c.want {
			t.Errorf("got %v %v, want %s", got, err, c.want)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if _, err := b.Begin(context.Background(), core.BackendTxOptions{}); !errors.Is(err, core.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestRefusedLoginIsUnavailableAndSaysWhyOnOneLine(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	u, err := url.Parse(server.TCP())
	must(t, err)
	for mode, want := range map[string]string{"disable": "password authentication failed", "prefer": "password authentication failed", "require": "refused TLS"} {
		u.User, u.RawQuery = url.UserPassword("postgres", "hunter2"), "sslmode="+mode
		_, err := postgres.Open(t.Context(), u.String(), "s", postgres.Options{})
		if !errors.Is(err, core.Unavailable) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", mode, err)
		}
		where := server.Address() + " "
		if text := err.Error(); strings.Contains(text, "\n") || strings.Count(text, where) != 1 || !strings.Contains(text, want) {
			t.Errorf("%s: got %q, want one line with %q and %q", mode, text, where, want)
		}
	}
}
