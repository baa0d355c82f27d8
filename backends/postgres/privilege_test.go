package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

var roles atomic.Int64

// login makes a role with these privileges, and returns the connection string of it.
func login(t *testing.T, schema string, grants ...string) string {
	t.Helper()
	role := fmt.Sprintf("larder_role_%d_%d", os.Getpid(), roles.Add(1))
	execute(t, "CREATE ROLE "+role+" LOGIN")
	t.Cleanup(func() {
		for _, sql := range []string{"DROP OWNED BY ", "DROP ROLE "} {
			if _, err := pool(t, pgtest.URL(t)).Exec(context.WithoutCancel(t.Context()), sql+role); err != nil {
				t.Error(err)
			}
		}
	})
	for _, grant := range append(grants, "USAGE ON SCHEMA $S") {
		execute(t, inSchema(schema, "GRANT "+grant+" TO "+role))
	}
	u, err := url.Parse(pgtest.URL(t))
	must(t, err)
	u.User = url.User(role)
	return u.String()
}

func TestARoleNeedsNoMoreThanItUses(t *testing.T) {
	const tables, allTables = " ON ALL TABLES IN SCHEMA $S", "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $S"
	row := numbered.Resource("row")
	operations := map[string]func(ctx context.Context, s *core.Store) error{
		"list": func(ctx context.Context, s *core.Store) error {
			_, err := s.Select(ctx, row, core.Query{})
			return err
		},
		"insert": func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, record(t, row, nil))
			return err
		},
		"next ids": func(ctx context.Context, s *core.Store) error {
			_, err := s.NextIDs(ctx, row, 1)
			return err
		},
		"given key": func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, record(t, row, map[string]any{"id": 50}))
			return err
		},
		"key far ahead": func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, record(t, row, map[string]any{"id": 50_000}))
			return err
		},
	}
	for _, c := range []struct {
		grants  []string
		refused map[string]string // with the grant that is missing
	}{
		{[]string{"SELECT" + tables}, map[string]string{"insert": "", "next ids": "USAGE, SELECT, UPDATE", "given key": "USAGE, SELECT, UPDATE", "key far ahead": "USAGE, SELECT, UPDATE"}},
		{[]string{allTables}, map[string]string{"next ids": "USAGE, SELECT, UPDATE", "given key": "USAGE, SELECT, UPDATE", "key far ahead": "USAGE, SELECT, UPDATE"}},
		{[]string{allTables, "USAGE ON ALL SEQUENCES IN SCHEMA $S"}, map[string]string{"given key": "SELECT, UPDATE", "key far ahead": "SELECT, UPDATE"}},
		{[]string{allTables, "USAGE, SELECT ON ALL SEQUENCES IN SCHEMA $S"}, map[string]string{"key far ahead": "UPDATE"}},
		{[]string{allTables, "SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA $S"}, nil},
	} {
		schema := pgtest.Schema(t)
		execute(t, inSchema(schema, defaults["identity"][0]))
		store, err := core.New(t.Context(), numbered, postgres.New(pool(t, login(t, schema, c.grants...)), schema, postgres.Options{}))
		if err != nil {
			t.Errorf("%v: %v", c.grants, err)
			continue
		}
		for name, operation := range operations {
			missing, refused := c.refused[name]
			err := operation(t.Context(), store)
			switch {
			case !refused && err == nil:
			case !refused || !errors.Is(err, core.Forbidden) || missing != "" && !strings.Contains(err.Error(), "GRANT "+missing+" ON SEQUENCE "):
				t.Errorf("%v: %s: %v", c.grants, name, err)
			case strings.Contains(core.AsError(err).Public(), "row_id_seq"):
				t.Errorf("%v: %s: public text %s", c.grants, name, core.AsError(err).Public())
			}
		}
	}
}

func TestASequenceThatIsBehindAndMustNotBeMovedIsNamedAtOnce(t *testing.T) {
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, defaults["identity"][0]))
	execute(t, inSchema(schema, `INSERT INTO $S.row (id) VALUES (50000)`))
	server := login(t, schema, "ALL ON ALL TABLES IN SCHEMA $S", "USAGE, SELECT ON ALL SEQUENCES IN SCHEMA $S")
	_, err := core.New(t.Context(), numbered, postgres.New(pool(t, server), schema, postgres.Options{}))
	if err == nil || !strings.Contains(err.Error(), "GRANT UPDATE ON SEQUENCE ") || !strings.Contains(err.Error(), "row_id_seq") {
		t.Errorf("got %v", err)
	}
}

func TestRowSecurityForbids(t *testing.T) {
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, `CREATE TABLE $S.row (id bigint PRIMARY KEY DEFAULT (random() * 1000000000)::bigint, name text)`))
	server := login(t, schema, "SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA $S")
	for _, sql := range []string{"ALTER TABLE $S.row ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON $S.row USING (true) WITH CHECK (name = 'mine')"} {
		execute(t, inSchema(schema, sql))
	}
	store, err := core.New(t.Context(), numbered, postgres.New(pool(t, server), schema, postgres.Options{}))
	must(t, err)
	row := numbered.Resource("row")
	got, err := store.Insert(t.Context(), row, record(t, row, map[string]any{"name": "mine"}))
	must(t, err)
	_, inserted := store.Insert(t.Context(), row, record(t, row, map[string]any{"name": "yours"}))
	_, updated := store.Update(t.Context(), row, got[0].With(1, core.TextValue("yours")))
	for _, err := range []error{inserted, updated, store.Delete(t.Context(), row, got[0].Key())} {
		var e *core.Error
		if !errors.As(err, &e) || e.Code != core.Forbidden || e.Resource != "row" {
			t.Errorf("got %v", err)
		}
	}
}
