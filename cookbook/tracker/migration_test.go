package main

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// firstModel is the model of the first version: issues had no priority, no due date, no index, and no limit for titles.
func firstModel(t *testing.T) *core.Model {
	t.Helper()
	first := slices.Clone(resources)
	i := slices.IndexFunc(first, func(r core.ResourceSpec) bool { return r.Name == "issue" })
	first[i].Fields = slices.DeleteFunc(slices.Clone(first[i].Fields), func(f core.FieldSpec) bool { return f.Name == "priority" || f.Name == "due" })
	first[i].Indexes = first[i].Indexes[:1]
	for j, f := range first[i].Fields {
		if f.Name == "title" {
			first[i].Fields[j].MaxLength = 0
		}
	}
	m, err := core.NewModel("tracker", first...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The first version has stored 100,000 issues in 100 projects. Titles of three of them are longer than the second one accepts.
func TestSecondModelOnTablesOfTheFirst(t *testing.T) {
	ctx, schema := t.Context(), pgtest.Schema(t)
	pool, err := pgxpool.New(ctx, pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := postgres.Migrate(ctx, pool, schema, firstModel(t)); err != nil {
		t.Fatal(err)
	}
	// One transaction, without checks of the references.
	if _, err := pool.Exec(ctx, `SET LOCAL session_replication_role TO replica; SET LOCAL search_path TO `+pgx.Identifier{schema}.Sanitize()+`;
		INSERT INTO "user" (name) VALUES ('ada');
		INSERT INTO organisation (name) VALUES ('Analytical Engines');
		INSERT INTO membership (organisation, "user", role) VALUES (1, 'ada', 'admin');
		INSERT INTO project (organisation, name) SELECT 1, 'project ' || n FROM generate_series(1, 100) n;
		INSERT INTO issue (project, number, title, state, author, created)
			SELECT 1 + n / 1000, 1 + n % 1000, CASE WHEN n < 3 THEN repeat('long ', 50) ELSE 'issue ' || n END, 'open', 'ada', now()
			FROM generate_series(0, 99999) n`); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	backend := postgres.New(pool, schema, postgres.Options{Migrate: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	s := newService(t, backend)
	if !strings.Contains(log.String(), "issue.title: the rule max_length has no constraint") || !strings.Contains(log.String(), "rows=3 ") {
		t.Errorf("the log of the migration: %s", log.String())
	}
	s.check(t, `ada GET /issue?count=true&limit=0&filter={"priority":"normal","due":null}  => 200 []`)
	if got := s.header.Get("X-Total-Count"); got != "100000" {
		t.Errorf("%s issues have the default", got)
	}
	s.check(t, `
		ada GET /issue/1?fields=number,priority  => 200 {"number":1,"priority":"normal"}
		ada POST /issue?fields=project,number,priority {"project":7,"title":"new","due":"2027-01-31"}  => 201 {"project":7,"number":1001,"priority":"normal"}
		ada GET /issue?fields=number&filter={"project":7,"state":"open","due":{"lt":"2027-02-01"}}    => 200 [{"number":1001}]
		ada PATCH /issue/1 {"state":"started"}    => 200
		ada PATCH /issue/1 {"title":"`+strings.Repeat("long ", 50)+`"}  => 400 VALIDATION_FAILED
		ada PATCH /issue/9 {"priority":"urgent"}  => 400 VALIDATION_FAILED
		ada PATCH /issue?filter={"project":7}&max=2000 {"state":"closed","resolution":"done"}  => 200 {"count":1001}`)
	var indexes, constraints int
	err = pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND tablename = 'issue' AND indexdef LIKE '%(project, state%, due%'),
		(SELECT count(*) FROM information_schema.table_constraints WHERE constraint_schema = $1 AND constraint_name LIKE 'larder\_issue\_priority%')`, schema).Scan(&indexes, &constraints)
	if err != nil || indexes != 1 || constraints == 0 {
		t.Errorf("%d indexes, %d constraints of the priority, %v", indexes, constraints, err)
	}
}
