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

// Columns of type json hold values that jsonb, as which they are read, does not have.
func TestWriteOfARowWhoseJSONCannotBeRead(t *testing.T) {
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		for name, c := range map[string]struct {
			typ        core.Type
			sql, value string
		}{
			"null character":      {core.JSON, `json`, `'"\u0000"'`},
			"lone surrogate":      {core.JSON, `json`, `'"\ud800"'`},
			"number out of range": {core.JSON, `json`, `'1e400000'`},
			"array":               {core.List, `json[]`, `ARRAY['"\u0000"']::json[]`},
			"composite":           {core.JSON, `$S.pair`, `ROW(1, '"\u0000"')::$S.pair`},
		} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
					{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}, {Name: "doc", Type: c.typ},
				}})
				row, schema := m.Resource("row"), pgtest.Schema(t)
				for _, sql := range []string{
					`CREATE TYPE $S.pair AS (n int, doc json)`,
					`CREATE TABLE $S.row (id bigserial PRIMARY KEY, name text CHECK (name::jsonb IS NOT NULL), doc ` + c.sql + `)`,
					`INSERT INTO $S.row (name, doc) VALUES ('1', NULL), ('2', NULL), ('3', ` + c.value + `)`,
					`CREATE FUNCTION $S.odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = '"odd"' THEN NEW.doc := ` + c.value + `; END IF; RETURN NEW; END $$`,
					`CREATE TRIGGER odd BEFORE INSERT OR UPDATE ON $S.row FOR EACH ROW EXECUTE FUNCTION $S.odd()`,
				} {
					execute(t, inSchema(schema, sql))
				}
				var store *core.Store
				open := func() {
					b := postgres.New(pool(t, with(t, pgtest.URL(t), "default_query_exec_mode", mode)), schema, postgres.Options{})
					var err error
					store, err = core.New(t.Context(), m, b)
					must(t, err)
					t.Cleanup(func() { _ = b.Close() })
				}
				open()
				named := func(name string, id int) core.Record {
					fields := map[string]any{"name": name}
					if id != 0 {
						fields["id"] = id
					}
					return record(t, row, fields)
				}
				type change func(ctx context.Context, s core.Querier, name string) error
				insert := func(ctx context.Context, s core.Querier, name string) error {
					_, err := s.Insert(ctx, row, named(name, 0))
					return err
				}
				update := func(ids ...int) change {
					return func(ctx context.Context, s core.Querier, name string) error {
						var recs []core.Record
						for _, id := range ids {
							recs = append(recs, named(name, id))
						}
						_, err := s.Update(ctx, row, recs...)
						return err
					}
				}
				single := func(do change, name string) error { return do(t.Context(), store, name) }
				final := func(do change, name string) error {
					return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
						if err := tx.Delete(ctx, row, core.IntValue(2)); err != nil {
							return err
						}
						return do(ctx, tx.Final(), name)
					})
				}
				before := ask(t, pgtest.URL(t), inSchema(schema, `SELECT string_agg(r::text, ' ' ORDER BY id) FROM $S.row AS r`))
				for what, err := range map[string]error{
					"insert": single(insert, `"odd"`), "update": single(update(1), `"odd"`), "several updates": single(update(1, 2), `"odd"`),
					"final insert": final(insert, `"odd"`), "final update": final(update(1), `"odd"`),
					"update of a row that cannot be read": single(update(3), `4`),
					"several inserts": single(func(ctx context.Context, s core.Querier, name string) error {
						_, err := s.Insert(ctx, row, named(`5`, 0), named(name, 0))
						return err
					}, `"odd"`),
				} {
					e := core.AsError(err)
					if err == nil || e.Code != core.ServerError || errors.Is(err, core.ErrCommitUnknown) || core.OutcomeOf(err) != core.OutcomeFailed || strings.Contains(e.Public(), "json") {
						t.Errorf("%s: %v", what, err)
					}
				}
				open() // which knows of no row that cannot be read
				for what, err := range map[string]error{
					"insert": single(insert, `"\u0000"`), "update": single(update(1), `"\u0000"`), "several updates": single(update(1, 2), `"\u0000"`),
					"final insert": final(insert, `"\u0000"`), "final update": final(update(1), `"\u0000"`),
				} {
					if !errors.Is(err, core.BadRequest) {
						t.Errorf("%s of a value that a check refuses: %v", what, err)
					}
				}
				if after := ask(t, pgtest.URL(t), inSchema(schema, `SELECT string_agg(r::text, ' ' ORDER BY id) FROM $S.row AS r`)); after != before {
					t.Errorf("the table has %s, had %s", after, before)
				}
				recs, err := store.Insert(t.Context(), row, named(`6`, 0))
				if err != nil || recs[0].Get("doc") != core.Null {
					t.Errorf("a row that can be read: %v, %v", recs, err)
				}
			})
		}
	}
}
