package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// recorder is a tracer that keeps the last statement with a text in it; without a text,
// the last one that was sent alone.
type recorder struct {
	mu       sync.Mutex
	sql      string
	args     []any
	looksFor string
}

func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Contains(data.SQL, r.looksFor) {
		r.sql, r.args = data.SQL, data.Args
	}
	return ctx
}

func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// traced returns serializable connections whose last statement is kept.
func traced(t *testing.T) (*pgxpool.Pool, *recorder) {
	t.Helper()
	config, err := pgxpool.ParseConfig(with(t, pgtest.URL(t), "default_transaction_isolation", "serializable"))
	if err != nil {
		t.Fatal(err)
	}
	last := &recorder{}
	config.ConnConfig.Tracer = last
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, last
}

// plan is how the server executes the last statement.
func (r *recorder) plan(t *testing.T, p *pgxpool.Pool) string {
	t.Helper()
	rows, err := p.Query(t.Context(), "EXPLAIN "+r.sql, r.args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestStatementsUseTheIndexesThatThereAre(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "kind", Type: core.Text, Indexed: true},
			{Name: "code", Type: core.Int, Unique: true},
			{Name: "jar", ToOne: "jar"},
			{Name: "owner", Type: core.Int},
		}},
	)
	schema := pgtest.Schema(t)
	if err := postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, m); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO $S.jar (id) SELECT generate_series(1, 1000)`,
		`INSERT INTO $S.cookie (kind, code, jar, owner)
		SELECT CASE WHEN i % 50 > 0 THEN 'kind ' || i END, i, nullif(i % 1001, 0), i % 3 FROM generate_series(1, 100000) AS i`,
		`ANALYZE $S.jar, $S.cookie`,
	} {
		execute(t, inSchema(schema, sql))
	}
	p, last := traced(t)
	cookie := m.Resource("cookie")
	guard := core.Decorator{Name: "guard", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			op.Guard(core.Ne("owner", 7))
			return next(ctx, op)
		}, nil
	}}
	s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}), guard)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	page := func(order string, skip int) func() error {
		return func() error {
			q := core.Query{Limit: skip}
			if order != "" {
				q.Order = []string{order}
			}
			first, err := s.Select(ctx, cookie, q)
			if err != nil {
				return err
			}
			q.After, q.Limit = first.Next, 10
			_, err = s.Select(ctx, cookie, q)
			return err
		}
	}
	where := func(f core.Filter) func() error {
		return func() error { _, err := s.Select(ctx, cookie, core.Query{Where: f}); return err }
	}
	update := func(ids ...int) func() error {
		return func() error {
			var changes []core.Record
			for _, id := range ids {
				changes = append(changes, record(t, cookie, map[string]any{"id": id, "kind": "new"}))
			}
			_, err := s.Update(ctx, cookie, changes...)
			return err
		}
	}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"get", func() error { _, err := s.Get(ctx, cookie, core.IntValue(5)); return err }},
		{"load", func() error {
			_, err := s.Load(ctx, cookie, []core.Value{core.IntValue(5), core.IntValue(7000)})
			return err
		}},
		{"first page", func() error { _, err := s.Select(ctx, cookie, core.Query{Limit: 10}); return err }},
		{"equal", where(core.Eq("kind", "kind 1"))},
		{"unique", where(core.Eq("code", 1))},
		{"relation", where(core.Eq("jar", 1))},
		{"one of", where(core.In("kind", "kind 1", "kind 70000"))},
		{"one of or null", where(core.In("jar", 1, nil))},
		{"null", where(core.Eq("jar", nil))},
		{"less", where(core.Lt("kind", "kind 10"))},
		{"prefix", where(core.Prefix("kind", "kind 12"))},
		{"both", where(core.And(core.Eq("jar", 3), core.Ne("kind", "x")))},
		{"either", where(core.Or(core.Eq("jar", 3), core.Eq("code", 9)))},
		{"not", where(core.Not(core.Or(core.Ne("jar", 3), core.Eq("kind", "x"))))},
		{"count", func() error { _, err := s.Count(ctx, cookie, core.Eq("jar", 1)); return err }},
		{"page by key", page("", 50_000)},
		{"page by key, descending", page("-id", 50_000)},
		{"page by text", page("kind", 50_000)},
		{"page by text, among nulls", page("kind", 99_000)},
		{"page by text, descending", page("-kind", 50_000)},
		{"page by text, descending from nulls", page("-kind", 1000)},
		{"update", update(5)},
		{"update several", update(5, 6, 70_000)},
		{"delete", func() error { return s.Delete(ctx, cookie, core.IntValue(5)) }},
		{"delete several", func() error { return s.Delete(ctx, cookie, core.IntValue(6), core.IntValue(7)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
			plan := last.plan(t, p)
			if strings.Contains(plan, "Seq Scan on cookie") || !strings.Contains(plan, "Index") {
				t.Errorf("plan:\n%s", plan)
			}
		})
	}
}

// A page under a condition on a relation to one record reads the index of the relation,
// where the planner may prefer the order of the primary key for any of several.
func TestPageOfOneRelatedRecordUsesTheIndexOfTheRelation(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int}}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "jar", ToOne: "jar"}, {Name: "owner", Type: core.Int}}},
	)
	schema := pgtest.Schema(t)
	must(t, postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, m))
	for _, sql := range []string{
		`INSERT INTO $S.jar (id, owner) SELECT i, 1 FROM generate_series(1, 100) AS i`,
		`INSERT INTO $S.cookie (jar, owner) SELECT 1 + i % 100, 1 FROM generate_series(1, 10000) AS i`, `ANALYZE $S.jar, $S.cookie`,
	} {
		execute(t, inSchema(schema, sql))
	}
	p, last := traced(t)
	store, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{}), guarded("cookie", core.Eq("owner", 1)))
	must(t, err)
	api := engine.New(store, engine.Options{})
	last.looksFor = `"cookie" AS t`
	_, err = api.List(t.Context(), "cookie", engine.Query{Filter: map[string]any{"jar": 7}, Limit: 100, Depth: 0})
	must(t, err)
	if plan := last.plan(t, p); strings.Contains(last.sql, "ANY") || strings.Contains(plan, "cookie_pkey") || !strings.Contains(plan, "Index") {
		t.Errorf("%s\n%s", last.sql, plan)
	}
}
