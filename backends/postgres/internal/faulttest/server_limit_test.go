package faulttest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// singleConnectionStore returns a store with one connection, and a function that executes statements on this
// connection.
func singleConnectionStore(t *testing.T, url, schema string) (store *core.Store, set func(sql string)) {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	servertest.Must(t, err)
	config.MaxConns = 1
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	servertest.Must(t, err)
	t.Cleanup(p.Close)
	store, err = core.New(t.Context(), servertest.Numbered, postgres.New(p, schema, postgres.Options{Migrate: true}))
	servertest.Must(t, err)
	return store, func(sql string) {
		t.Helper()
		_, err := p.Exec(t.Context(), sql)
		servertest.Must(t, err)
	}
}

// TestServerTimeoutOfWriteIsUnavailable writes to a row that another transaction locks, with timeouts of the server
// (manual, section 20.11.1).
func TestServerTimeoutOfWriteIsUnavailable(t *testing.T) {
	row := servertest.Numbered.Resource("row")
	for setting, sqlstate := range map[string]string{"statement_timeout": "57014", "lock_timeout": "55P03"} {
		t.Run(setting, func(t *testing.T) {
			schema := pgtest.Schema(t)
			store, set := singleConnectionStore(t, pgtest.URL(t), schema)
			added, err := store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "old"}))
			servertest.Must(t, err)
			changed := added[0].With(row.Field("name").Column(), core.TextValue("new"))
			ways := commitModes(t, store, func(ctx context.Context, s core.Querier) error {
				_, err := s.Update(ctx, row, changed)
				return err
			})
			servertest.Must(t, pgx.BeginFunc(t.Context(), servertest.Pool(t, pgtest.URL(t)), func(holder pgx.Tx) error {
				_, err := holder.Exec(t.Context(), servertest.InSchema(schema, `SELECT FROM $S.row FOR UPDATE`))
				servertest.Must(t, err)
				set("SET " + setting + " = 50")
				for name, way := range ways {
					t.Run(name, func(t *testing.T) { expectFailure(t, way(), sqlstate) })
				}
				return nil
			}))
			set("SET " + setting + " = 0")
			if got, err := store.Get(t.Context(), row, changed.Key()); err != nil || got.Get("name").Text() != "old" {
				t.Errorf("got %v %v", got, err)
			}
			for name, way := range ways {
				if err := way(); err != nil {
					t.Errorf("%s, without the lock: %v", name, err)
				}
			}
		})
	}
}

// commitModes has the ways in which a write is committed.
func commitModes(t *testing.T, store *core.Store, write func(ctx context.Context, s core.Querier) error) map[string]func() error {
	t.Helper()
	return map[string]func() error{
		"single": func() error { return write(t.Context(), store) },
		"transaction": func() error {
			return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error { return write(ctx, tx) })
		},
		"final": func() error {
			return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error { return write(ctx, tx.Final()) })
		},
	}
}

// TestIdleTransactionIsNotCommitted waits until the server ends a session that is idle in a transaction, and commits
// then.
func TestIdleTransactionIsNotCommitted(t *testing.T) {
	t.Parallel()
	url := pgtest.Own(t).TCP() // by TCP, writing to a closed connection succeeds
	store, set := singleConnectionStore(t, servertest.With(t, url, "application_name", "silent"), "public")
	set("SET idle_in_transaction_session_timeout = 20")
	row := servertest.Numbered.Resource("row")
	err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		_, err := tx.Insert(ctx, row, servertest.Record(t, row, nil))
		for servertest.Query(t, url, `SELECT pid::text FROM pg_stat_activity WHERE application_name = 'silent'`) != "" {
		}
		return err
	})
	expectFailure(t, err, "25P03")
	if n, err := store.Count(t.Context(), row, core.All()); n != 0 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestFullDiskIsUnavailable replaces the file of a table by the device that is always full (full(4)).
func TestFullDiskIsUnavailable(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t)
	store := open(t, server.TCP(), postgres.Options{})
	entry := ledger.Resource("entry")
	ways := commitModes(t, store, func(ctx context.Context, s core.Querier) error {
		_, err := s.Insert(ctx, entry, servertest.Record(t, entry, map[string]any{"name": "x"}))
		return err
	})
	file := filepath.Join(servertest.Query(t, server.URL(), `SHOW data_directory`), servertest.Query(t, server.URL(), `SELECT pg_relation_filepath('ledger.entry')`))
	servertest.Must(t, server.Shutdown(t.Context(), pgtest.Fast)) // it keeps files open
	servertest.Must(t, os.Rename(file, file+".aside"))
	servertest.Must(t, os.Symlink("/dev/full", file))
	servertest.Must(t, server.Resume(t.Context()))
	_, _ = store.Count(t.Context(), entry, core.All()) // the connection that broke
	for name, way := range ways {
		t.Run(name, func(t *testing.T) { expectFailure(t, way(), "53100") })
	}
	servertest.Must(t, server.Shutdown(t.Context(), pgtest.Fast))
	servertest.Must(t, os.Rename(file+".aside", file))
	servertest.Must(t, server.Resume(t.Context()))
	_, _ = store.Count(t.Context(), entry, core.All())
	for name, way := range ways {
		if err := way(); err != nil {
			t.Errorf("%s, when there is room again: %v", name, err)
		}
	}
	if n, err := store.Count(t.Context(), entry, core.All()); n != len(ways) || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

// TestExhaustedServerResourceIsUnavailable exhausts the space for temporary files, and raises the other errors of that
// class (manual, appendix A).
func TestExhaustedServerResourceIsUnavailable(t *testing.T) {
	t.Run("temp_file_limit", func(t *testing.T) {
		schema := pgtest.Schema(t)
		url := servertest.With(t, servertest.With(t, pgtest.URL(t), "temp_file_limit", "64"), "work_mem", "64")
		b, err := postgres.Open(t.Context(), url, schema, postgres.Options{Migrate: true})
		servertest.Must(t, err)
		store, err := core.New(t.Context(), servertest.Numbered, b)
		servertest.Must(t, err)
		defer func() { _ = store.Close() }()
		servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.row (name) SELECT md5(n::text) FROM generate_series(1, 10000) AS n`))
		row := servertest.Numbered.Resource("row")
		_, err = store.Select(t.Context(), row, core.Query{Order: []string{"name"}})
		expectFailure(t, err, "53400")
	})
	store, schema := servertest.Store(t, servertest.Numbered,
		`CREATE TABLE $S.row (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text)`,
		`CREATE FUNCTION $S.lacks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lacking' USING ERRCODE = NEW.name; END $$`)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE CONSTRAINT TRIGGER lacks AFTER INSERT ON $S.row DEFERRABLE FOR EACH ROW EXECUTE FUNCTION $S.lacks()`))
	row := servertest.Numbered.Resource("row")
	for _, sqlstate := range []string{"53000", "53100", "53200", "58030", "55P03", "57014"} {
		rec := servertest.Record(t, row, map[string]any{"name": sqlstate})
		_, err := store.Insert(t.Context(), row, rec)
		expectFailure(t, err, sqlstate)
		expectFailure(t, store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			_, err := tx.Insert(ctx, row, rec)
			return err
		}), sqlstate)
	}
	if n, err := store.Count(t.Context(), row, core.All()); n != 0 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
