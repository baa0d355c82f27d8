package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Triggers of the database store a value that the model does not have.
func TestWriteWhoseResultCannotBeReadStoresNothing(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "at", Type: core.Time}, {Name: "weight", Type: core.Float}, {Name: "next", ToOne: "row"}, {Name: "list", Type: core.List},
	}})
	row := m.Resource("row")
	for _, mode := range []string{"cache_statement", "cache_describe", "simple_protocol"} {
		for value, sql := range map[string]string{
			"infinity": `NEW.at := 'infinity'`, "before the calendar": `NEW.at := '4713-01-01 00:00:00+00 BC'`, "NaN": `NEW.weight := 'NaN'`,
			"infinite number": `NEW.weight := '-Infinity'`, "after the calendar": `NEW.at := '10000-01-01 00:00:00+00'`, "list that is none": `NEW.list := '{}'`,
		} {
			t.Run(mode+"/"+value, func(t *testing.T) {
				schema := pgtest.Schema(t)
				must(t, postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, m))
				execute(t, inSchema(schema, `INSERT INTO $S.row (id) VALUES (1), (2)`))
				execute(t, inSchema(schema, `CREATE FUNCTION $S.odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+sql+`; RETURN NEW; END $$`))
				execute(t, inSchema(schema, `CREATE TRIGGER odd BEFORE INSERT OR UPDATE ON $S.row FOR EACH ROW EXECUTE FUNCTION $S.odd()`))
				b, err := postgres.Open(t.Context(), with(t, pgtest.URL(t), "default_query_exec_mode", mode), schema, postgres.Options{})
				must(t, err)
				store, err := core.New(t.Context(), m, b)
				must(t, err)
				defer func() { _ = store.Close() }()

				insert := func(ctx context.Context, s core.Querier, fields map[string]any) error {
					_, err := s.Insert(ctx, row, record(t, row, fields))
					return err
				}
				in := func(do func(ctx context.Context, tx *core.Transaction) error) error {
					return store.Tx(t.Context(), do)
				}
				for name, run := range map[string]func() error{
					"single insert": func() error { return insert(t.Context(), store, nil) },
					"single update": func() error {
						_, err := store.Update(t.Context(), row, record(t, row, map[string]any{"id": 1, "weight": 2}))
						return err
					},
					"several": func() error {
						_, err := store.Insert(t.Context(), row, record(t, row, nil), record(t, row, map[string]any{"weight": 1}))
						return err
					},
					"several updates": func() error {
						_, err := store.Update(t.Context(), row, record(t, row, map[string]any{"id": 1, "weight": 2}), record(t, row, map[string]any{"id": 2, "weight": 2}))
						return err
					},
					"final": func() error {
						return in(func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Final(), nil) })
					},
					"final behind another": func() error {
						return in(func(ctx context.Context, tx *core.Transaction) error {
							if err := tx.Delete(ctx, row, core.IntValue(2)); err != nil {
								return err
							}
							_, err := tx.Final().Update(ctx, row, record(t, row, map[string]any{"id": 1, "weight": 2}))
							return err
						})
					},
					"commit of its own": func() error {
						return in(func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx, nil) })
					},
				} {
					err := run()
					var told *core.Error
					if !errors.As(err, &told) || told.Code != core.ServerError || errors.Is(err, core.ErrCommitUnknown) || core.OutcomeOf(err) != core.OutcomeFailed {
						t.Errorf("%s: got %v", name, err)
					}
					if !strings.Contains(err.Error(), "cannot be read") || strings.Contains(told.Public(), "cannot be read") {
						t.Errorf("%s: got %v, public %s", name, err, told.Public())
					}
					if got := ask(t, pgtest.URL(t), inSchema(schema, `SELECT string_agg(id || coalesce(weight::text, ''), ' ' ORDER BY id) FROM $S.row`)); got != "1 2" {
						t.Errorf("%s: the table has %s", name, got)
					}
				}
			})
		}
	}
}

func TestARowThatCannotBeReadIsNamedForTheOperator(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "at", Type: core.Time}, {Name: "weight", Type: core.Float}, {Name: "id", Type: core.Text, Key: true},
	}})
	row := m.Resource("row")
	store, schema := stored(t, m, `CREATE TABLE $S.row (at timestamptz, weight float8, id text PRIMARY KEY)`, `INSERT INTO $S.row (id) VALUES ('good')`)
	for value, field := range map[string]string{"at = 'infinity'": "at", "at = '0044-03-15 BC'": "at", "at = '12026-01-01'": "at", "weight = 'NaN'": "weight"} {
		execute(t, inSchema(schema, `INSERT INTO $S.row (id) VALUES ('odd one')`))
		execute(t, inSchema(schema, `UPDATE $S.row SET `+value+` WHERE id = 'odd one'`))
		for _, mode := range []string{"cache_statement", "simple_protocol"} {
			again, err := core.New(t.Context(), m, postgres.New(pool(t, with(t, pgtest.URL(t), "default_query_exec_mode", mode)), schema, postgres.Options{}))
			must(t, err)
			for _, fields := range [][]string{nil, {field}} {
				_, err := again.Select(t.Context(), row, core.Query{Fields: fields})
				if err == nil || !strings.Contains(err.Error(), "row."+field+` of "odd one"`) || strings.Contains(core.AsError(err).Public(), "odd one") {
					t.Errorf("%s, %s: %v", value, mode, err)
				}
				var inner interface{ Redacted() string }
				if !errors.As(err, &inner) || strings.Contains(inner.Redacted(), "odd one") || !strings.Contains(inner.Redacted(), "row."+field) {
					t.Errorf("%s, %s: for logs without values: %v", value, mode, inner)
				}
			}
		}
		must(t, store.Delete(t.Context(), row, core.TextValue("odd one")))
	}
}
