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

func TestReadThatFailsInTheDatabaseIsTheServersFault(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "made", Type: core.JSON, ReadOnly: true},
	}})
	row := m.Resource("row")
	for name, expression := range map[string]string{
		"22012": `to_jsonb(10 / n)`, "22P02": `to_jsonb((n::text || 'x')::int)`, "22P05": `('"\u0000' || n || '"')::json::jsonb`,
		"P0001": `$S.raise(n)`, "23514": `to_jsonb((n - 1)::$S.positive)`, "54000": `to_jsonb(repeat('x', (2147483647 - n)))`,
	} {
		t.Run(name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE DOMAIN $S.positive AS int CHECK (VALUE > 0)`,
				`CREATE FUNCTION $S.raise(n int) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'secret %', n; END $$`,
				`CREATE TABLE $S.row (id bigserial PRIMARY KEY, n int)`, `CREATE VIEW $S.seen AS SELECT *, ` + expression + ` AS made FROM $S.row`,
				`INSERT INTO $S.row (n) VALUES (0)`,
			} {
				execute(t, inSchema(schema, sql))
			}
			store, err := core.New(t.Context(), m, postgres.New(pool(t, pgtest.URL(t)), schema,
				postgres.Options{Resources: map[string]postgres.Source{"row": {Table: "row", View: "seen"}}}))
			must(t, err)
			defer func() { must(t, store.Close()) }()
			insert := func(ctx context.Context, s core.Querier) error {
				_, err := s.Insert(ctx, row, record(t, row, map[string]any{"n": 0}))
				return err
			}
			for what, run := range map[string]func() error{
				"get":    func() error { _, err := store.Get(t.Context(), row, core.IntValue(1)); return err },
				"select": func() error { _, err := store.Select(t.Context(), row, core.Query{}); return err },
				"filter": func() error {
					_, err := store.Select(t.Context(), row, core.Query{Where: core.Ne("made", 7)})
					return err
				},
				"count":  func() error { _, err := store.Count(t.Context(), row, core.Eq("made", 7)); return err },
				"insert": func() error { return insert(t.Context(), store) },
				"update": func() error {
					_, err := store.Update(t.Context(), row, record(t, row, map[string]any{"id": 1, "n": 0}))
					return err
				},
				"final insert": func() error {
					return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error { return insert(ctx, tx.Final()) })
				},
			} {
				err := run()
				if err == nil && name == "54000" {
					continue // where the server can hold the value
				}
				if e := core.AsError(err); err == nil || e.Code != core.ServerError || core.OutcomeOf(err) != core.OutcomeFailed || strings.Contains(e.Public(), "secret") {
					t.Errorf("%s: got %v", what, err)
				}
			}
			if got := ask(t, pgtest.URL(t), inSchema(schema, `SELECT count(*)::text FROM $S.row`)); got != "1" {
				t.Errorf("%s rows", got)
			}
		})
	}
}

func TestLabelsThatAnEnumHasNoLongerMatchNothing(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "mood", Type: core.Text}, {Name: "moods", Type: core.List},
	}})
	thing := m.Resource("thing")
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE TYPE $S.mood AS ENUM ('sad', 'ok')`, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, mood $S.mood, moods $S.mood[])`, `CREATE INDEX ON $S.thing (mood)`,
				`INSERT INTO $S.thing (mood, moods) VALUES ('sad', '{sad}'), ('ok', '{ok}'), (NULL, NULL)`,
			} {
				execute(t, inSchema(schema, sql))
			}
			store, err := core.New(t.Context(), m, postgres.New(pool(t, way.url(t)), schema, way.opts))
			must(t, err)
			execute(t, inSchema(schema, `ALTER TYPE $S.mood RENAME VALUE 'sad' TO 'blue'`))
			for _, c := range []struct {
				where core.Filter
				count int
			}{
				{core.Eq("mood", "sad"), 0}, {core.In("mood", "sad", "ok", nil), 2}, {core.Ne("mood", "sad"), 3}, {core.Not(core.In("mood", "sad", "blue")), 2},
				{core.Eq("mood", "blue"), 1}, {core.In("mood", "blue", "none"), 1}, {core.Gt("mood", "sad"), 0}, {core.Eq("moods", []any{"sad"}), 0},
			} {
				if n, err := store.Count(t.Context(), thing, c.where); err != nil || n != c.count {
					t.Errorf("%v: %d, %v; want %d", c.where, n, err, c.count)
				}
			}
			must(t, store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				_, err := tx.Select(ctx, thing, core.Query{Where: core.Eq("mood", "sad")})
				return err
			}))
			_, err = store.Update(t.Context(), thing, record(t, thing, map[string]any{"id": 2, "mood": "sad"}))
			var told *core.Error
			if !errors.As(err, &told) || told.Code != core.BadFieldValue || told.Field != "mood" {
				t.Errorf("update: %v", err)
			}
		})
	}
}
