package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestLabelsThatAnEnumGetsLaterAreFound(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}})
	s, schema := stored(t, m, `CREATE TYPE $S.mood AS ENUM ('sad')`, `CREATE TABLE $S.thing (id $S.mood PRIMARY KEY)`)
	thing := m.Resource("thing")
	execute(t, inSchema(schema, `ALTER TYPE $S.mood ADD VALUE 'new'`))
	if _, err := s.Insert(t.Context(), thing, record(t, thing, map[string]any{"id": "new"}), record(t, thing, map[string]any{"id": "sad"})); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"new", "sad"} {
		if _, err := s.Get(t.Context(), thing, core.TextValue(key)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if n, err := s.Count(t.Context(), thing, core.In("id", "new", "sad", "none")); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	if err := s.Delete(t.Context(), thing, core.TextValue("new"), core.TextValue("sad")); err != nil {
		t.Error(err)
	}
}

func TestDomainsGiveTheirDefaultAndKeepTheirRules(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "a", APIName: "A", Type: core.Int}, {Name: "b", Type: core.Text},
	}})
	s, _ := stored(t, m,
		`CREATE DOMAIN $S.rating AS int DEFAULT 3 NOT NULL CONSTRAINT secret_rule CHECK (VALUE < 6)`,
		`CREATE DOMAIN $S.better AS $S.rating CHECK (VALUE > 2)`,
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, a $S.better, b numeric)`)
	thing := m.Resource("thing")
	recs, err := s.Insert(t.Context(), thing, record(t, thing, map[string]any{"b": "1"}), record(t, thing, map[string]any{"a": 5}))
	if err != nil || recs[0].Get("a") != core.IntValue(3) || recs[1].Get("a") != core.IntValue(5) {
		t.Fatalf("%v %v", recs, err)
	}
	if n, err := s.Count(t.Context(), thing, core.Or(core.Eq("a", 3), core.Eq("a", 77))); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	for _, bad := range []any{6, 2, nil} {
		_, err := s.Update(t.Context(), thing, record(t, thing, map[string]any{"id": 1, "a": bad, "b": "2"}))
		if e := core.AsError(err); err == nil || e.Code != core.BadFieldValue || e.Field != "A" {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestKeysOfOtherTypesComeFromTheirDefault(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, {Name: "n", Type: core.Int}}})
	s, _ := stored(t, m, `CREATE SEQUENCE $S.s`, `CREATE TABLE $S.thing (id numeric(9,2) DEFAULT nextval('$S.s') PRIMARY KEY, n int)`)
	thing := m.Resource("thing")
	recs, err := s.Insert(t.Context(), thing, record(t, thing, map[string]any{"n": 1}), record(t, thing, map[string]any{"n": 2}))
	if err != nil || recs[0].Key() != core.TextValue("1.00") || recs[1].Key() != core.TextValue("2.00") {
		t.Fatalf("%v %v", recs, err)
	}
}

func TestAnIndexOnTheTextServesItsOrder(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "price", Type: core.Text}}})
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, price numeric)`,
		`CREATE INDEX ON $S.thing (((price::text) COLLATE "C"), id)`,
		`INSERT INTO $S.thing (price) SELECT i FROM generate_series(1, 10000) AS i`,
		`ANALYZE $S.thing`,
	} {
		execute(t, inSchema(schema, sql))
	}
	p, last := traced(t)
	s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []core.Query{
		{Order: []string{"price"}, Limit: 10},
		{Order: []string{"-price"}, Limit: 10},
		{Where: core.Prefix("price", "123")},
		{Where: core.And(core.Gt("price", "123"), core.Lt("price", "124"))},
	} {
		if _, err := s.Select(t.Context(), m.Resource("thing"), q); err != nil {
			t.Fatal(err)
		}
		if plan := last.plan(t, p); !strings.Contains(plan, "Index") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%v:\n%s", q, plan)
		}
	}
}

func TestOpenSpellsDatesOneWay(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "day", Type: core.Text}, {Name: "span", Type: core.Text},
	}})
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, day date, span interval)`))
	for server, want := range map[string][2]string{
		pgtest.URL(t): {"2026-11-23", "1 year 2 days"},
		with(t, with(t, pgtest.URL(t), "datestyle", "German"), "intervalstyle", "iso_8601"): {"23.11.2026", "P1Y2D"},
	} {
		backend, err := postgres.Open(t.Context(), server, schema, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := core.New(t.Context(), m, backend)
		if err != nil {
			t.Fatal(err)
		}
		thing := m.Resource("thing")
		recs, err := s.Insert(t.Context(), thing, record(t, thing, map[string]any{"day": "2026-11-23", "span": "P1Y2D"}))
		if err != nil || recs[0].Get("day") != core.TextValue(want[0]) || recs[0].Get("span") != core.TextValue(want[1]) {
			t.Errorf("%v %v, want %v", recs, err, want)
		}
		page, err := s.Select(t.Context(), thing, core.Query{Where: core.And(core.Eq("id", recs[0].Key()), core.Eq("day", want[0]), core.Eq("span", want[1]))})
		if err != nil || !slices.EqualFunc(page.Records, recs, core.Record.Equal) {
			t.Errorf("%v %v", page, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
