package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// expensive is a guard that the planner puts behind any comparison: it has many of
// its own.
func expensive() core.Decorator {
	var own []core.Filter
	for i := range 40 {
		own = append(own, core.And(core.Eq("owner", i+1), core.Ne("team", fmt.Sprint("no team ", i))))
	}
	return guarded("row", core.And(core.Eq("owner", 1), core.Or(own...)))
}

// fenced is a table, or a view on one, whose columns share, number and doc may fail when they are read.
var fenced = core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int}, {Name: "team", Type: core.Text},
	{Name: "share", Type: core.Int, ReadOnly: true}, {Name: "number", Type: core.Int, ReadOnly: true}, {Name: "doc", Type: core.JSON},
}})

const fencedColumns = `id, owner, team, 10 / n AS share, txt::bigint AS number, doc`

// TestConditionsThatCanFailTellNothingOfHiddenRows compares two worlds. In one of them,
// every value of the hidden rows makes an expression fail.
func TestConditionsThatCanFailTellNothingOfHiddenRows(t *testing.T) {
	for source, opts := range map[string]postgres.Source{
		"view": {Table: "row", View: "seen"}, "query": {Table: "row", Query: `SELECT ` + fencedColumns + ` FROM $S.row`}, "view of a view": {Table: "row", View: "seen again"},
	} {
		t.Run(source, func(t *testing.T) {
			compareWorlds(t, opts,
				`CREATE TABLE $S.row (id bigserial PRIMARY KEY, owner bigint, team text, n int, txt text, doc json)`,
				`CREATE VIEW $S.seen AS SELECT `+fencedColumns+` FROM $S.row`,
				`CREATE VIEW $S."seen again" AS SELECT * FROM $S.seen`,
			)
		})
	}
}

func TestConditionsOnVirtualColumnsTellNothingOfHiddenRows(t *testing.T) {
	const table = `CREATE TABLE $S.row (id bigserial PRIMARY KEY, owner bigint, team text, n int, txt text, doc json,
		share int GENERATED ALWAYS AS (10 / n) VIRTUAL, number bigint GENERATED ALWAYS AS (txt::bigint) VIRTUAL)`
	since(t, 18, inSchema(pgtest.Schema(t), table), func(t *testing.T) { compareWorlds(t, postgres.Source{}, table) })
}

// compareWorlds asks the same questions of two stores, whose tables the statements make. They differ in rows that a
// policy hides.
func compareWorlds(t *testing.T, source postgres.Source, statements ...string) {
	t.Helper()
	var worlds []*core.Store
	for _, hidden := range []string{`1, '1', '{}'`, `0, 'x', '"\u0000"'`} {
		schema := pgtest.Schema(t)
		for _, sql := range append(slices.Clone(statements),
			`INSERT INTO $S.row (owner, team, n, txt, doc) SELECT 1, 'a', i, i, '{"a": 1}' FROM generate_series(1, 9) AS i`,
			`INSERT INTO $S.row (owner, team, n, txt, doc) SELECT 2, 'a', `+hidden+` FROM generate_series(1, 9)`,
			`ANALYZE $S.row`,
		) {
			execute(t, inSchema(schema, sql))
		}
		opts := postgres.Options{}
		if source.Table != "" {
			source := source
			source.Query = inSchema(schema, source.Query)
			opts.Resources = map[string]postgres.Source{"row": source}
		}
		store, err := core.New(t.Context(), fenced, postgres.New(pool(t, pgtest.URL(t)), schema, opts), expensive())
		must(t, err)
		t.Cleanup(func() { _ = store.Close() })
		worlds = append(worlds, store)
	}
	for name, ask := range fencedQuestions(fenced.Resource("row")) {
		var answers []string
		for _, store := range worlds {
			answers = append(answers, ask(t.Context(), store))
		}
		if answers[0] != answers[1] || strings.Contains(answers[0], "ERROR") {
			t.Errorf("%s: %.300s\nin the other world: %.300s", name, answers[0], answers[1])
		}
	}
}

func fencedQuestions(row *core.Resource) map[string]func(ctx context.Context, s *core.Store) string {
	questions := make(map[string]func(ctx context.Context, s *core.Store) string)
	told := func(v any, err error) string {
		if err != nil {
			return "ERROR " + err.Error()
		}
		return fmt.Sprint(v)
	}
	for i, f := range []core.Filter{
		core.Gt("share", 0), core.Eq("share", 5), core.In("share", 1, 2), core.Ne("share", 3), core.Eq("share", nil), core.Not(core.Gt("number", 7)),
		core.And(core.Eq("id", 10), core.Gt("share", 0)), core.Or(core.Eq("id", 10), core.Gt("number", 3)), core.Eq("doc", map[string]any{"a": 1}),
		core.Ne("doc", []any{}), core.In("doc", 1, nil), core.Not(core.And(core.Eq("doc", 1), core.Lt("share", 2))),
	} {
		questions[fmt.Sprint("select ", i, f)] = func(ctx context.Context, s *core.Store) string {
			page, err := s.Select(ctx, row, core.Query{Where: f, Order: []string{"share"}})
			return told(page.Records, err)
		}
		questions[fmt.Sprint("count ", i, f)] = func(ctx context.Context, s *core.Store) string { return told(s.Count(ctx, row, f)) }
	}
	for _, order := range [][]string{{"share"}, {"-number"}, {"team", "share"}} {
		questions[fmt.Sprint("pages by ", order)] = func(ctx context.Context, s *core.Store) string {
			var all []core.Record
			for q := (core.Query{Order: order, Limit: 2}); ; {
				page, err := s.Select(ctx, row, q)
				if all = append(all, page.Records...); err != nil || page.Next == "" {
					return told(all, err)
				}
				q.After = page.Next
			}
		}
	}
	questions["load"] = func(ctx context.Context, s *core.Store) string {
		return told(s.Load(ctx, row, []core.Value{core.IntValue(1), core.IntValue(10)}))
	}
	return questions
}

func TestColumnsOfViewsThatAreStoredKeepTheirIndexes(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int}, {Name: "team", Type: core.Text}, {Name: "code", Type: core.Int},
		{Name: "kind", Type: core.Text, ReadOnly: true}, {Name: "share", Type: core.Int, ReadOnly: true},
	}})
	row := m.Resource("row")
	schema := pgtest.Schema(t)
	const columns = `r.id, r.owner, r.team, r.code, k.name AS kind, 10 / r.code AS share`
	for _, sql := range []string{
		`CREATE TABLE $S.kind (id bigserial PRIMARY KEY, name text COLLATE "C")`,
		`CREATE TABLE $S.row (id bigserial PRIMARY KEY, owner bigint, team text, code int UNIQUE, kind_id bigint REFERENCES $S.kind)`,
		`CREATE VIEW $S.seen AS SELECT ` + columns + ` FROM $S.row AS r LEFT JOIN $S.kind AS k ON k.id = r.kind_id`,
		`INSERT INTO $S.kind (name) SELECT i FROM generate_series(1, 9) AS i`,
		`INSERT INTO $S.row (owner, team, code, kind_id) SELECT 1, 'a', i, 1 + i % 9 FROM generate_series(1, 10000) AS i`, `ANALYZE $S.row, $S.kind`,
	} {
		execute(t, inSchema(schema, sql))
	}
	for source, opts := range map[string]postgres.Source{
		"view":  {Table: "row", View: "seen"},
		"query": {Table: "row", Query: inSchema(schema, `SELECT `+columns+` FROM $S.row AS r LEFT JOIN $S.kind AS k ON k.id = r.kind_id`)},
	} {
		p, last := traced(t)
		store, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{Resources: map[string]postgres.Source{"row": opts}}), expensive())
		must(t, err)
		for name, run := range map[string]func() error{
			"equal": func() error {
				_, err := store.Select(t.Context(), row, core.Query{Where: core.Eq("code", 7)})
				return err
			},
			"load": func() error { _, err := store.Get(t.Context(), row, core.IntValue(5)); return err },
			"beside one that may fail": func() error {
				_, err := store.Count(t.Context(), row, core.And(core.Eq("code", 7), core.Gt("share", 0)))
				return err
			},
		} {
			must(t, run())
			if plan := last.plan(t, p); strings.Contains(plan, "Seq Scan on row") || !strings.Contains(plan, "Index") {
				t.Errorf("%s, %s:\n%s", source, name, plan)
			}
		}
	}
}
