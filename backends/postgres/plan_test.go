package postgres_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func TestStatementsUseIndexes(t *testing.T) {
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
	if err := postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, m); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO $S.jar (id) SELECT generate_series(1, 1000)`,
		`INSERT INTO $S.cookie (kind, code, jar, owner)
		SELECT CASE WHEN i % 50 > 0 THEN 'kind ' || i END, i, nullif(i % 1001, 0), i % 3 FROM generate_series(1, 100000) AS i`,
		`ANALYZE $S.jar, $S.cookie`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	p, last := servertest.RecordedPool(t)
	cookie := m.Resource("cookie")
	guard := core.Decorator{Name: "guard", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
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
				changes = append(changes, servertest.Record(t, cookie, map[string]any{"id": id, "kind": "new"}))
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
			plan := last.Plan(t, p)
			if strings.Contains(plan, "Seq Scan on cookie") || !strings.Contains(plan, "Index") {
				t.Errorf("plan:\n%s", plan)
			}
		})
	}
}

// Each statement on a table with a key of several fields touches few of its 1,500 pages.
func TestStatementsUseIndexesOfSeveralColumns(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "order", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "lines", ToMany: "line", Inverse: "order"}}},
		core.ResourceSpec{Name: "line", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "order", ToOne: "order", Key: true}, {Name: "code", Type: core.Text, Key: true}, {Name: "note", Type: core.Text},
			{Name: "parcels", ToMany: "parcel", Inverse: "line"},
		}},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "order", ToOne: "order"}, {Name: "code", Type: core.Text},
			{Name: "line", ToOne: "line", Via: []string{"order", "code"}}, {Name: "spare", ToOne: "line"},
		}},
	)
	schema := pgtest.Schema(t)
	servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, m))
	for _, sql := range []string{
		`INSERT INTO $S.order (id) SELECT generate_series(1, 10)`,
		`INSERT INTO $S.line ("order", code, note) SELECT 1 + i % 10, 'code ' || i, repeat('x', 50) FROM generate_series(1, 100000) AS i`,
		`INSERT INTO $S.parcel ("order", code, spare_order, spare_code) SELECT "order", code, CASE WHEN code < 'code 7' THEN "order" END, CASE WHEN code < 'code 7' THEN code END FROM $S.line`,
		`INSERT INTO $S.line VALUES (3, 'unused'), (4, 'unused')`,
		`ANALYZE $S.order, $S.line, $S.parcel`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	p, last := servertest.RecordedPool(t)
	s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
	servertest.Must(t, err)
	ctx, line, parcel := t.Context(), m.Resource("line"), m.Resource("parcel")
	keysOf := func(texts ...string) (keys []core.Value) {
		for _, text := range texts {
			key, err := line.Key().Convert(text)
			servertest.Must(t, err)
			keys = append(keys, key)
		}
		return keys
	}
	keys, unused := keysOf("6,code 5", "8,code 70007", "3,missing"), keysOf("3,unused", "4,unused")
	list := func(r *core.Resource, q core.Query) func() error {
		return func() error { _, err := s.Select(ctx, r, q); return err }
	}
	second := func(r *core.Resource, skip int, order ...string) func() error {
		return func() error {
			first, err := s.Select(ctx, r, core.Query{Limit: skip, Order: order})
			if err != nil {
				return err
			}
			_, err = s.Select(ctx, r, core.Query{Limit: 10, Order: order, After: first.Next})
			return err
		}
	}
	update := func(keys ...core.Value) func() error {
		return func() error {
			var changes []core.Record
			for _, key := range keys {
				changes = append(changes, line.Patch(key).Set(line.Field("note"), core.TextValue("new")))
			}
			_, err := s.Update(ctx, line, changes...)
			return err
		}
	}
	for _, c := range []struct {
		name string
		most int // buffers
		run  func() error
	}{
		{"get", 6, func() error { _, err := s.Get(ctx, line, keys[0]); return err }},
		{"load", 20, func() error { _, err := s.Load(ctx, line, keys); return err }},
		{"first page", 20, list(line, core.Query{Limit: 10})},
		{"page by key", 20, second(line, 50_000)},
		{"page by key, descending", 20, second(line, 50_000, "-key")},
		{"page by a relation", 60, second(parcel, 50_000, "spare")},
		{"page by a relation, descending", 60, second(parcel, 50_000, "-spare")},
		{"key in", 20, list(line, core.Query{Where: core.In("key", "6,code 5", "8,code 70007", "3,missing")})},
		{"key between", 60, list(line, core.Query{Where: core.And(core.Gt("key", "6,code 5"), core.Lt("key", "6,code 50000")), Limit: 10})},
		{"relation", 20, list(parcel, core.Query{Where: core.Eq("line", "6,code 5")})},
		{"stored relation", 20, list(parcel, core.Query{Where: core.Eq("spare", "6,code 5")})},
		{"relation in", 20, list(parcel, core.Query{Where: core.In("spare", "6,code 5", "8,code 70007")})},
		{"related", 60, list(parcel, core.Query{Where: core.Related("line", core.Eq("key", "6,code 5"))})},
		{"related by the other side", 60, list(line, core.Query{Where: core.Related("parcels", core.Eq("id", 7))})},
		{"update", 60, update(keys[0])},
		{"update several", 120, update(keys[:2]...)},
		{"delete", 0, func() error { return s.Delete(ctx, parcel, core.IntValue(3)) }},
		{"delete several", 0, func() error { return s.Delete(ctx, line, unused...) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			servertest.Must(t, c.run())
			if plan := last.Plan(t, p); strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "Index") {
				t.Errorf("plan:\n%s", plan)
			}
			if c.most == 0 {
				return // the rows are gone
			}
			if n, plan := last.Buffers(t, p); n > c.most {
				t.Errorf("%d buffers\n%s\nplan:\n%s", n, last.SQL, plan)
			}
		})
	}
}

// A page with an equality on a relation reads the relation's index. For several values the planner may prefer the
// primary key.
func TestRelatedPageUsesRelationIndex(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int}}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "jar", ToOne: "jar"}, {Name: "owner", Type: core.Int}}},
	)
	schema := pgtest.Schema(t)
	servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, m))
	for _, sql := range []string{
		`INSERT INTO $S.jar (id, owner) SELECT i, 1 FROM generate_series(1, 100) AS i`,
		`INSERT INTO $S.cookie (jar, owner) SELECT 1 + i % 100, 1 FROM generate_series(1, 10000) AS i`, `ANALYZE $S.jar, $S.cookie`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	p, last := servertest.RecordedPool(t)
	store, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{}), policyOn("cookie", core.Eq("owner", 1)))
	servertest.Must(t, err)
	api := engine.New(store, engine.Options{})
	last.LooksFor = `"cookie" AS t`
	_, err = api.List(t.Context(), "cookie", engine.Query{Filter: map[string]any{"jar": 7}, Limit: 100, Depth: 0})
	servertest.Must(t, err)
	if plan := last.Plan(t, p); strings.Contains(last.SQL, "ANY") || strings.Contains(plan, "cookie_pkey") || !strings.Contains(plan, "Index") {
		t.Errorf("%s\n%s", last.SQL, plan)
	}
}

func TestStatementsUseIndexesOfHandMadeTables(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "country", Fields: []core.FieldSpec{
			{Name: "code", Type: core.Text, Key: true}, {Name: "name", Type: core.Text}, {Name: "capital", ToOne: "city"},
		}},
		core.ResourceSpec{Name: "city", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "country", ToOne: "country"}}},
		core.ResourceSpec{Name: "street", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "city", ToOne: "city"}}})
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.country (code text COLLATE "en-x-icu" PRIMARY KEY, name text COLLATE "en-x-icu", capital bigint UNIQUE)`,
		`CREATE TABLE $S.city (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, country text COLLATE "en-x-icu")`,
		`CREATE TABLE $S.street (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, city bigint)`,
		`INSERT INTO $S.country SELECT i, 'name ' || i, i FROM generate_series(1, 100000) AS i`,
		`INSERT INTO $S.city (country) SELECT i FROM generate_series(1, 100000) AS i`,
		`INSERT INTO $S.street (city) SELECT 50000 + i % 1000 FROM generate_series(1, 100000) AS i`,
		`ALTER TABLE $S.city ADD FOREIGN KEY (country) REFERENCES $S.country`,
		`ALTER TABLE $S.street ADD FOREIGN KEY (city) REFERENCES $S.city ON DELETE CASCADE`,
		`ALTER TABLE $S.country ADD FOREIGN KEY (capital) REFERENCES $S.city`,
		`CREATE INDEX ON $S.country (code COLLATE "C")`, `CREATE INDEX ON $S.country (name COLLATE "C", code COLLATE "C")`,
		`CREATE INDEX ON $S.city (country)`, `CREATE INDEX ON $S.street (city)`, `ANALYZE $S.country, $S.city, $S.street`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	p, last := servertest.RecordedPool(t)
	s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, country, city := t.Context(), m.Resource("country"), m.Resource("city")
	for _, c := range []struct {
		name, statement string
		run             func() error
	}{
		{"page by key", "", func() error { _, err := s.Select(ctx, country, core.Query{Limit: 10}); return err }},
		{"page by text", "", func() error {
			_, err := s.Select(ctx, country, core.Query{Limit: 10, Order: []string{"name"}})
			return err
		}},
		{"prefix", "", func() error {
			_, err := s.Select(ctx, country, core.Query{Where: core.Prefix("name", "name 12")})
			return err
		}},
		{"referencing rows", "SELECT (", func() error { return s.Delete(ctx, city, core.IntValue(5)) }},
		{"detached rows", "SET \"capital\" = NULL", func() error { return s.Delete(ctx, city, core.IntValue(6), core.IntValue(7)) }},
		{"swapped values", "AS v (k0, v0)", func() error {
			_, err := s.Update(ctx, country, servertest.Record(t, country, map[string]any{"code": "5", "capital": 6}), servertest.Record(t, country, map[string]any{"code": "6", "capital": 5}))
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			last.LooksFor, last.SQL = c.statement, ""
			if err := c.run(); err != nil && core.AsError(err).Code != core.StillReferenced {
				t.Fatal(err)
			}
			last.LooksFor = "EXPLAIN" // keeps the recorded statement
			plan := last.Plan(t, p)
			if !strings.Contains(last.SQL, c.statement) || strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "Index") {
				t.Errorf("%s\nplan:\n%s", last.SQL, plan)
			}
		})
	}
}

// TestHotListReadsOnePage counts the buffers of the page that a list of the 50 newest records of one tenant reads: 10,000
// of 100,000 rows, without deleted ones.
func TestHotListReadsOnePage(t *testing.T) {
	fields := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "org", Type: core.Int, Indexed: true},
		{Name: "number", Type: core.Int},
		{Name: "title", Type: core.Text},
		{Name: "updated", Type: core.Time},
		{Name: "deleted_at", Type: core.Time},
	}
	without := core.MustModel("m", core.ResourceSpec{Name: "issue", Fields: fields})
	with := core.MustModel("m", core.ResourceSpec{
		Name: "issue", Fields: fields, Unique: [][]string{{"org", "number"}},
		Indexes: []core.Index{{Fields: []string{"org", "-updated"}, Where: core.Eq("deleted_at", nil)}},
	})
	schema := pgtest.Schema(t)
	p, last := servertest.RecordedPool(t)
	if err := postgres.Migrate(t.Context(), p, schema, without); err != nil {
		t.Fatal(err)
	}
	servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.issue (org, number, title, updated, deleted_at)
		SELECT i % 10, i / 10, 'the title of issue ' || i, '2026-01-01'::timestamptz + i * 7919 % 100000 * interval '1 second', CASE WHEN i % 7 = 0 THEN now() END
		FROM generate_series(1, 100000) AS i`))
	servertest.Execute(t, servertest.InSchema(schema, `VACUUM ANALYZE $S.issue`))
	buffers := func(m *core.Model, q core.Query) int {
		t.Helper()
		s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
		if err != nil {
			t.Fatal(err)
		}
		last.LooksFor = ".\"issue\" AS t"
		first, err := s.Select(t.Context(), m.Resource("issue"), q)
		if err != nil || len(first.Records) != 50 {
			t.Fatal(len(first.Records), err)
		}
		most, _ := last.Buffers(t, p)
		q.After = first.Next
		if _, err := s.Select(t.Context(), m.Resource("issue"), q); err != nil {
			t.Fatal(err)
		}
		n, _ := last.Buffers(t, p)
		return max(most, n)
	}
	newest := core.Query{Where: core.And(core.Eq("org", 7), core.Eq("deleted_at", nil)), Order: []string{"-updated", "id"}, Limit: 50}
	before := buffers(without, newest)
	if err := postgres.Migrate(t.Context(), p, schema, with); err != nil {
		t.Fatal(err)
	}
	servertest.Execute(t, servertest.InSchema(schema, `VACUUM ANALYZE $S.issue`))
	after := buffers(with, newest)
	byNumber := newest
	byNumber.Where, byNumber.Order = core.Eq("org", 7), []string{"number"}
	t.Logf("buffers without the index: %d; with the index: %d; by the unique index: %d", before, after, buffers(with, byNumber))
	if before < 300 || after > 100 || buffers(with, byNumber) > 100 {
		t.Errorf("want more than 300 buffers without the index and less than 100 with it:\n%s", last.Plan(t, p))
	}
}

// roundTrips is a connection that counts answers to writes. pgx reads in the background while a write takes long, so a read may
// begin before the write that it answers.
type roundTrips struct {
	net.Conn

	wrote atomic.Bool
	count *atomic.Int64
}

func (c *roundTrips) Write(b []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(b)
}

func (c *roundTrips) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.wrote.Swap(false) {
		c.count.Add(1)
	}
	return n, err
}

// countedStore returns a store with one connection and the number of its round trips.
func countedStore(t *testing.T, url string, opts postgres.Options) (*core.Store, *atomic.Int64) {
	t.Helper()
	schema := pgtest.Schema(t)
	if err := postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, servertest.Numbered); err != nil {
		t.Fatal(err)
	}
	return countedStoreIn(t, url, schema, servertest.Numbered, opts)
}

// countedStoreIn is countedStore on an existing schema.
func countedStoreIn(t *testing.T, url, schema string, m *core.Model, opts postgres.Options) (*core.Store, *atomic.Int64) {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64
	config.MaxConns = 1
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &roundTrips{Conn: conn, count: &count}, err
	}
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	opts.CheckSchema = -1 // its round trips would count
	store, err := core.New(t.Context(), m, postgres.New(p, schema, opts))
	if err != nil {
		t.Fatal(err)
	}
	return store, &count
}

func TestOperationsTakeOneRoundTrip(t *testing.T) {
	row := servertest.Numbered.Resource("row")
	one, two, gone := core.IntValue(1), core.IntValue(2), core.IntValue(3)
	rec := func(fields map[string]any) core.Record { return servertest.Record(t, row, fields) }
	type tx = *core.Transaction
	cases := []struct {
		name string
		want int64
		fn   func(ctx context.Context, s *core.Store) error
	}{
		{"get", 1, func(ctx context.Context, s *core.Store) error { _, err := s.Get(ctx, row, one); return err }},
		{"load", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Load(ctx, row, []core.Value{one, two, gone})
			return err
		}},
		{"select", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Select(ctx, row, core.Query{Where: core.Eq("name", "a"), Limit: 3})
			return err
		}},
		{"count", 1, func(ctx context.Context, s *core.Store) error { _, err := s.Count(ctx, row, core.All()); return err }},
		{"insert", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, rec(nil))
			return err
		}},
		{"insert several", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Insert(ctx, row, rec(nil), rec(map[string]any{"name": "x"}))
			return err
		}},
		{"update", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Update(ctx, row, rec(map[string]any{"id": 1, "name": "c"}))
			return err
		}},
		{"update several", 1, func(ctx context.Context, s *core.Store) error {
			_, err := s.Update(ctx, row, rec(map[string]any{"id": 1, "name": "c"}), rec(map[string]any{"id": 2, "name": "d"}))
			return err
		}},
		{"delete nothing", 1, func(ctx context.Context, s *core.Store) error {
			if err := s.Delete(ctx, row, core.IntValue(1_000_000)); !errors.Is(err, core.NotFound) {
				return errors.New("deleted")
			}
			return nil
		}},
		{"next ids", 1, func(ctx context.Context, s *core.Store) error { _, err := s.NextIDs(ctx, row, 3); return err }},
		{"empty transaction", 0, func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(context.Context, tx) error { return nil })
		}},
		{"read, modify, write", 2, func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(ctx context.Context, tx tx) error {
				if _, err := tx.Get(ctx, row, one); err != nil {
					return err
				}
				_, err := tx.Final().Update(ctx, row, rec(map[string]any{"id": 1, "name": "e"}))
				return err
			})
		}},
		{"read twice", 2, func(ctx context.Context, s *core.Store) error {
			return s.TxWith(ctx, core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx tx) error {
				if _, err := tx.Get(ctx, row, one); err != nil {
					return err
				}
				_, err := tx.Final().Get(ctx, row, two)
				return err
			})
		}},
		{"write twice and commit", 3, func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(ctx context.Context, tx tx) error {
				if _, err := tx.Insert(ctx, row, rec(nil)); err != nil {
					return err
				}
				_, err := tx.Update(ctx, row, rec(map[string]any{"id": 1, "name": "f"}))
				return err
			})
		}},
	}
	serializable := servertest.With(t, pgtest.URL(t), "default_transaction_isolation", "serializable")
	for _, way := range []struct {
		name, url string
		opts      postgres.Options
	}{
		{"serializable by default", serializable, postgres.Options{}},
		{"read committed by default", pgtest.URL(t), postgres.Options{}},
		{"simple protocol", servertest.With(t, pgtest.URL(t), "default_query_exec_mode", "simple_protocol"), postgres.Options{}},
		{"bouncer", servertest.With(t, pgtest.Bouncer(t), "default_query_exec_mode", "cache_describe"), postgres.Options{Bouncer: true}},
	} {
		t.Run(way.name, func(t *testing.T) {
			store, count := countedStore(t, way.url, way.opts)
			if _, err := store.Insert(t.Context(), row, rec(map[string]any{"name": "a"}), rec(map[string]any{"name": "b"})); err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				if err := c.fn(t.Context(), store); err != nil { // the first time it may be prepared
					t.Fatalf("%s: %v", c.name, err)
				}
				before := count.Load()
				if err := c.fn(t.Context(), store); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if got := count.Load() - before; got != c.want {
					t.Errorf("%s: %d round trips, want %d", c.name, got, c.want)
				}
			}
		})
	}
}
