package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/storetest"
)

// viewSchemas makes the tables of a model and a view of each.
func viewSchemas(t *testing.T) *servertest.Schemas {
	t.Helper()
	return servertest.NewSchemas(servertest.Pool(t, pgtest.URL(t)), func(m *core.Model) string {
		schema := pgtest.Schema(t)
		if err := postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, m); err != nil {
			t.Fatal(err)
		}
		for _, r := range m.Resources() {
			name := func(s string) string { return pgx.Identifier{schema, s}.Sanitize() }
			servertest.Execute(t, "CREATE VIEW "+name("view of "+r.Name())+" AS SELECT * FROM "+name(r.Name()))
		}
		return schema
	})
}

func TestConformanceThroughViews(t *testing.T) {
	t.Parallel()
	schemas := viewSchemas(t)
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		opts := postgres.Options{Resources: make(map[string]postgres.Source)}
		for _, r := range m.Resources() {
			opts.Resources[r.Name()] = postgres.Source{Table: r.Name(), View: "view of " + r.Name()}
		}
		return schemas.Backend(tb, m, servertest.Pool(tb, pgtest.URL(tb)), opts)
	}
	checkKit(t, open, storetest.Options{Checks: checks}, viewFamilies)
}

func TestConformanceByQueries(t *testing.T) {
	t.Parallel()
	schemas := servertest.MigratedSchemas(t)
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.BackendWith(tb, m, servertest.Pool(tb, pgtest.URL(tb)), func(schema string) postgres.Options {
			opts := postgres.Options{Resources: make(map[string]postgres.Source)}
			for _, r := range m.Resources() {
				table := pgx.Identifier{schema, r.Name()}.Sanitize()
				opts.Resources[r.Name()] = postgres.Source{Table: r.Name(), Query: "SELECT * FROM " + table + " -- everything"}
			}
			return opts
		})
	}
	for _, c := range storetest.Cases() {
		switch c.Family {
		case "read", "filter", "order", "cursor", "projection", "write", "using", "check", "types":
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, open, storetest.Options{}) })
		}
	}
}

var gallery = core.MustModel("gallery",
	core.ResourceSpec{Name: "picture", APIName: "Picture", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text},
		{Name: "price", Type: core.Text},
		{Name: "owner", Type: core.Int},
		{Name: "loud", APIName: "Loud", Type: core.Text, ReadOnly: true},
		{Name: "dear", Type: core.Bool, ReadOnly: true},
		{Name: "painter", ToOne: "painter"},
	}},
	core.ResourceSpec{Name: "painter", APIName: "Painter", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "pictures", Type: core.Int},
		{Name: "works", ToMany: "picture", Inverse: "painter"},
	}},
)

// galleryTables has a view with fields that the table lacks. It does not show pictures without a title.
var galleryTables = []string{
	`CREATE TABLE $S.pictures (id bigserial PRIMARY KEY, title text, price numeric(8,2), owner int, painter int, hidden text)`,
	`CREATE VIEW $S.catalogue AS
	SELECT id, title, price, owner, painter, upper(title) || '!' AS loud, price > 100 AS dear, 1 AS more FROM $S.pictures WHERE title IS NOT NULL`,
	`INSERT INTO $S.pictures (title, price, owner, painter) VALUES ('sea', 50, 1, 7), ('sky', 150, 2, 7), (NULL, 1, 1, 8)`,
}

func gallerySources(schema string) postgres.Options {
	return postgres.Options{Resources: map[string]postgres.Source{
		"picture": {Table: "pictures", View: "catalogue"},
		"painter": {Query: servertest.InSchema(schema, `SELECT painter::bigint AS id, count(*) AS pictures FROM $S.pictures GROUP BY painter`)},
	}}
}

// galleryStore makes a store of the gallery with some decorators.
func galleryStore(t *testing.T, decorators ...core.Decorator) *core.Store {
	t.Helper()
	schema := pgtest.Schema(t)
	for _, sql := range galleryTables {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	store, err := core.New(t.Context(), gallery, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, gallerySources(schema)), decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestViewFieldsAreReadFilteredAndReadBack(t *testing.T) {
	s := galleryStore(t)
	picture := gallery.Resource("picture")
	show := func(recs []core.Record, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, rec := range recs {
			lines = append(lines, rec.String())
		}
		return strings.Join(lines, "; ")
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", what, got, want)
		}
	}
	query := func(q core.Query) string {
		page, err := s.Select(t.Context(), picture, q)
		return show(page.Records, err)
	}
	sea, sky := "picture{id:1 title:sea price:50.00 owner:1 loud:SEA! dear:false painter:7}", "picture{id:2 title:sky price:150.00 owner:2 loud:SKY! dear:true painter:7}"
	expect("all", query(core.Query{Order: []string{"-loud"}}), sky+"; "+sea)
	expect("some", query(core.Query{Where: core.And(core.Eq("dear", true), core.Prefix("loud", "S"))}), sky)
	if n, err := s.Count(t.Context(), picture, core.All()); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	rec := func(fields map[string]any) core.Record { return servertest.Record(t, picture, fields) }
	expect("insert", show(s.Insert(t.Context(), picture, rec(map[string]any{"title": "sun", "price": "200"}), rec(map[string]any{"price": "3"}), rec(map[string]any{"title": "a"}))),
		"picture{id:4 title:sun price:200.00 owner:null loud:SUN! dear:true painter:null}; "+
			"picture{id:5 title:null price:3.00 owner:null loud:null dear:null painter:null}; "+
			"picture{id:6 title:a price:null owner:null loud:A! dear:null painter:null}")
	expect("update", show(s.Update(t.Context(), picture, rec(map[string]any{"id": 1, "title": "see"}))),
		"picture{id:1 title:see price:50.00 owner:1 loud:SEE! dear:false painter:7}")
	expect("update several", show(s.Update(t.Context(), picture, rec(map[string]any{"id": 2, "title": nil}), rec(map[string]any{"id": 1, "price": "101"}))),
		"picture{id:1 title:see price:101.00 owner:1 loud:SEE! dear:true painter:7}; picture{id:2 title:null price:150.00 owner:2 loud:null dear:null painter:7}")
	for _, err := range []error{
		func() error { _, err := s.Insert(t.Context(), picture, rec(map[string]any{"loud": "X"})); return err }(),
		func() error {
			_, err := s.Update(t.Context(), picture, rec(map[string]any{"id": 1, "loud": "X"}))
			return err
		}(),
	} {
		if e := core.AsError(err); err == nil || e.Code != core.FieldReadOnly || e.Field != "Loud" {
			t.Errorf("got %v", err)
		}
	}
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		expect("in a transaction", show(tx.Insert(ctx, picture, rec(map[string]any{"title": "b"}))), "picture{id:7 title:b price:null owner:null loud:B! dear:null painter:null}")
		return errors.New("undone")
	})
	if err == nil {
		t.Error("committed")
	}
	if err := s.Delete(t.Context(), picture, core.IntValue(4)); err != nil {
		t.Error(err)
	}
	if n, err := s.Count(t.Context(), picture, core.All()); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
}

func TestRoundTripsOfReadingBack(t *testing.T) {
	schema := pgtest.Schema(t)
	for _, sql := range galleryTables {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	s, count := countedStoreIn(t, servertest.With(t, pgtest.URL(t), "default_transaction_isolation", "serializable"), schema, gallery, gallerySources(schema))
	ctx, picture := t.Context(), gallery.Resource("picture")
	rec := func(fields map[string]any) core.Record { return servertest.Record(t, picture, fields) }
	for _, c := range []struct {
		name string
		want int64
		run  func() error
	}{
		{"get", 1, func() error { _, err := s.Get(ctx, picture, core.IntValue(1)); return err }},
		{"insert", 2, func() error { _, err := s.Insert(ctx, picture, rec(map[string]any{"title": "x"})); return err }},
		{"update", 1, func() error { _, err := s.Update(ctx, picture, rec(map[string]any{"id": 1, "title": "x"})); return err }},
		{"update several", 1, func() error {
			_, err := s.Update(ctx, picture, rec(map[string]any{"id": 1, "title": "x"}), rec(map[string]any{"id": 2, "title": "y"}))
			return err
		}},
		{"missing", 1, func() error {
			if _, err := s.Update(ctx, picture, rec(map[string]any{"id": 1_000_000, "title": "x"})); !errors.Is(err, core.NotFound) {
				return errors.New("updated")
			}
			return nil
		}},
	} {
		var before int64
		for range 2 { // the statement is prepared the first time
			before = count.Load()
			if err := c.run(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		if got := count.Load() - before; got != c.want {
			t.Errorf("%s: %d round trips, want %d", c.name, got, c.want)
		}
	}
}

// policyOn returns a policy with a condition on one resource.
func policyOn(resource string, f core.Filter) core.Decorator {
	return core.Decorator{Name: "guard", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != nil && op.Resource.Name() == resource {
				op.Guard(f)
			}
			return next(ctx, op)
		}, nil
	}}
}

func TestPoliciesApplyToViews(t *testing.T) {
	s := galleryStore(t, policyOn("picture", core.Eq("owner", 1)))
	ctx, picture := t.Context(), gallery.Resource("picture")
	foreign := core.IntValue(2)
	change := servertest.Record(t, picture, map[string]any{"id": 2, "title": "mine"})
	_, got := s.Get(ctx, picture, foreign)
	_, updated := s.Update(ctx, picture, change)
	_, several := s.Update(ctx, picture, servertest.Record(t, picture, map[string]any{"id": 1, "title": "x"}), change)
	for _, err := range []error{got, updated, several, s.Delete(ctx, picture, foreign)} {
		if e := core.AsError(err); err == nil || e.Code != core.NotFound || e.Key != foreign {
			t.Errorf("got %v", err)
		}
	}
	_, inserted := s.Insert(ctx, picture, servertest.Record(t, picture, map[string]any{"title": "t", "owner": 2}))
	_, given := s.Update(ctx, picture, servertest.Record(t, picture, map[string]any{"id": 1, "owner": 2}))
	for _, err := range []error{inserted, given} {
		if !errors.Is(err, core.Forbidden) {
			t.Errorf("got %v", err)
		}
	}
	if page, err := s.Select(ctx, picture, core.Query{}); err != nil || len(page.Records) != 1 || page.Records[0].Get("title") != core.TextValue("sea") {
		t.Errorf("%v %v", page, err)
	}
}

func TestWriteConditionOnViewFieldFailsClosed(t *testing.T) {
	s := galleryStore(t, policyOn("picture", core.Eq("dear", false)))
	ctx, picture := t.Context(), gallery.Resource("picture")
	if page, err := s.Select(ctx, picture, core.Query{}); err != nil || len(page.Records) != 1 {
		t.Errorf("%v %v", page, err)
	}
	_, inserted := s.Insert(ctx, picture, servertest.Record(t, picture, map[string]any{"title": "t"}))
	_, updated := s.Update(ctx, picture, servertest.Record(t, picture, map[string]any{"id": 1, "title": "x"}))
	for _, err := range []error{inserted, updated, s.Delete(ctx, picture, core.IntValue(1))} {
		if e := core.AsError(err); err == nil || e.Code != core.ServerError || strings.Contains(e.Public(), "dear") {
			t.Errorf("got %v", err)
		}
	}
	if n, err := s.Count(core.System(ctx), gallery.Resource("painter"), core.All()); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
}

func TestResourceWithoutTableIsReadOnly(t *testing.T) {
	s := galleryStore(t)
	ctx, painter := t.Context(), gallery.Resource("painter")
	if rec, err := s.Get(ctx, painter, core.IntValue(7)); err != nil || rec.Get("pictures") != core.IntValue(2) {
		t.Errorf("%v %v", rec, err)
	}
	rec := servertest.Record(t, painter, map[string]any{"id": 7, "pictures": 3})
	_, inserted := s.Insert(ctx, painter, rec)
	_, updated := s.Update(ctx, painter, rec)
	_, next := s.NextIDs(ctx, painter, 1)
	for _, err := range []error{inserted, updated, next, s.Delete(ctx, painter, core.IntValue(7))} {
		if e := core.AsError(err); err == nil || e.Code != core.ReadOnly || e.Resource != "Painter" {
			t.Errorf("got %v", err)
		}
	}
	handler, err := rest.New(engine.New(s, engine.Options{}), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"GET", "/Painter/7", "", 200, `{"id":7,"pictures":2,"works":[1,2]}`},
		{"GET", "/Picture/1?depth=2", "", 200, `"painter":{"id":7,"pictures":2,"works":[1,2]}`},
		{"POST", "/Painter", `{"pictures": 1}`, 405, `"READ_ONLY"`},
		{"PATCH", "/Painter/7", `{"pictures": 1}`, 405, `"READ_ONLY"`},
		{"DELETE", "/Painter/7", "", 405, `"READ_ONLY"`},
		{"PATCH", "/Picture/1", `{"title": "low"}`, 200, `"Loud":"LOW!"`},
	} {
		req := httptest.NewRequestWithContext(ctx, c.method, c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/json")
		res := httptest.NewRecorder()
		handler.ServeHTTP(res, req)
		if res.Code != c.status || !strings.Contains(res.Body.String(), c.text) {
			t.Errorf("%s %s: %d %s", c.method, c.path, res.Code, res.Body)
		}
	}
}

// An id is shown without a read only if its target is certain to be read: not for views, queries and row security.
func TestIdsOfRowsThatAreNotReadAreNotShown(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	m := core.MustModel("m", core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{id}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{id, {Name: "shelf", ToOne: "shelf"}}})
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.shelf (id bigint PRIMARY KEY); INSERT INTO $S.shelf VALUES (1), (2);
		CREATE TABLE $S.item (id bigint PRIMARY KEY, shelf bigint REFERENCES $S.shelf DEFERRABLE INITIALLY DEFERRED); INSERT INTO $S.item VALUES (1, 1), (2, 2);
		CREATE VIEW $S.low AS SELECT * FROM $S.shelf WHERE id < 2`))
	server := login(t, schema, "ALL ON ALL TABLES IN SCHEMA $S")
	permissive := core.Decorator{Name: "permissive", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return next, nil
	}}
	for _, c := range []struct {
		name, sql string
		source    postgres.Source
		want      string
	}{
		{"table", "", postgres.Source{}, `[{"id":1,"shelf":1},{"id":2,"shelf":2}]`},
		{"view", "", postgres.Source{View: "low"}, `[{"id":1,"shelf":1},{"id":2}]`},
		{"view of a table", "", postgres.Source{Table: "shelf", View: "low"}, `[{"id":1,"shelf":1},{"id":2}]`},
		{"query", "", postgres.Source{Query: servertest.InSchema(schema, `SELECT * FROM $S.shelf WHERE id > 1`)}, `[{"id":1},{"id":2,"shelf":2}]`},
		{"row security", `ALTER TABLE $S.shelf ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $S.shelf USING (id < 2)`, postgres.Source{}, `[{"id":1,"shelf":1},{"id":2}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			servertest.Execute(t, servertest.InSchema(schema, c.sql))
			for _, stack := range [][]core.Decorator{nil, {permissive}} {
				backend := postgres.New(servertest.Pool(t, server), schema, postgres.Options{Resources: map[string]postgres.Source{"shelf": c.source}})
				store, err := core.New(t.Context(), m, backend, stack...)
				servertest.Must(t, err)
				list, err := engine.New(store, engine.Options{}).List(t.Context(), "item", engine.Query{Depth: 1})
				servertest.Must(t, err)
				var got []string
				for _, v := range list.Views {
					got = append(got, string(v.AppendJSON(nil)))
				}
				if text := "[" + strings.Join(got, ",") + "]"; text != c.want {
					t.Errorf("%d decorators: got %s, want %s", len(stack), text, c.want)
				}
				servertest.Must(t, store.Close())
			}
		})
	}
}

func TestUnsuitableSourcesAreNamed(t *testing.T) {
	schema := pgtest.Schema(t)
	for _, sql := range galleryTables {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	servertest.Execute(t, servertest.InSchema(schema, `CREATE VIEW $S.poor AS SELECT id, title, price::text, owner, painter, upper(title) AS loud FROM $S.pictures`))
	good := gallerySources(schema).Resources
	for _, c := range []struct {
		name     string
		resource string
		source   postgres.Source
		want     string
	}{
		{"nothing wrong", "picture", good["picture"], ""},
		{"no such resource", "sculpture", postgres.Source{View: "x"}, `the model has no resource "sculpture"`},
		{"view and query", "painter", postgres.Source{View: "x", Query: "SELECT 1"}, "both a View and a Query"},
		{"no such view", "painter", postgres.Source{View: "nothing"}, `painter: view "nothing" is missing`},
		{"no such table", "picture", postgres.Source{Table: "nothing", View: "catalogue"}, `picture: table "nothing" is missing`},
		{"not a table", "picture", postgres.Source{Table: "catalogue", View: "catalogue"}, "picture: is not a table"},
		{"not in the view", "picture", postgres.Source{Table: "pictures", View: "poor"}, `picture.dear: the view "poor" has no such column`},
		{"not in the table", "painter", postgres.Source{Table: "pictures", Query: good["painter"].Query}, "a field that only the query has must be ReadOnly"},
		{"type", "painter", postgres.Source{Query: "SELECT '1'::text AS id, 1 AS pictures"}, "painter.id: column of the query is text and should be bigint"},
		{"unnamed column", "painter", postgres.Source{Query: "SELECT 1, 2 AS pictures"}, "painter.id: the query has no such column"},
		{"column twice", "painter", postgres.Source{Query: "SELECT 1 AS id, 2 AS id, 3 AS pictures"}, `painter: the query must be one SELECT`},
		{"no SQL", "painter", postgres.Source{Query: "rubbish"}, "painter: the query must be one SELECT"},
		{"nothing", "painter", postgres.Source{Query: " "}, "painter: the query must be one SELECT"},
		{"two statements", "painter", postgres.Source{Query: "SELECT 1 AS id; SELECT 2"}, "painter: the query must be one SELECT"},
		{"semicolon", "painter", postgres.Source{Query: "SELECT 1 AS id, 2 AS pictures;"}, "painter: the query must be one SELECT"},
		{"ends before its end", "painter", postgres.Source{Query: "SELECT 1 AS id, 2 AS pictures) AS x, (SELECT 3"}, "painter: the query must be one SELECT"},
		{"a write", "painter", postgres.Source{Query: servertest.InSchema(schema, "DELETE FROM $S.pictures RETURNING id, 1 AS pictures")}, "painter: the query must be one SELECT"},
		{"a write inside", "painter", postgres.Source{Query: servertest.InSchema(schema, "WITH x AS (DELETE FROM $S.pictures RETURNING id) SELECT id, 1 AS pictures FROM x")}, "painter: the query must be one SELECT"},
		{"parameter", "painter", postgres.Source{Query: "SELECT $1::bigint AS id, 1 AS pictures"}, "it has parameters"},
		{"open comment", "painter", postgres.Source{Query: "SELECT 1 AS id, 1 AS pictures /*"}, "painter: the query must be one SELECT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := gallerySources(schema)
			opts.Resources[c.resource] = c.source
			b := postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts)
			defer b.Close() //nolint:errcheck // nothing is open
			err := b.Bind(t.Context(), gallery)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestDDLAndMigrateWithSources(t *testing.T) {
	opts := postgres.Options{Migrate: true, Resources: map[string]postgres.Source{
		"cookie": {Table: "cookies"},
		"jar":    {Query: "SELECT gen_random_uuid() AS id, '{}'::jsonb AS facts"},
	}}
	schema := pgtest.Schema(t)
	sql := strings.Join(opts.DDL(schema, shop), "\n")
	if !strings.Contains(sql, `"cookies"`) || strings.Contains(sql, `"jar" (`) || strings.Contains(sql, "REFERENCES") || strings.Contains(sql, `"cookie"`) {
		t.Error(sql)
	}
	store, err := core.New(t.Context(), shop, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts))
	if err != nil {
		t.Fatal(err)
	}
	cookie := shop.Resource("cookie")
	if _, err := store.Insert(t.Context(), cookie, servertest.Record(t, cookie, map[string]any{"code": "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11"})); err != nil {
		t.Error(err)
	}
	_, err = store.Insert(t.Context(), cookie, servertest.Record(t, cookie, map[string]any{"code": "0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11"}))
	if e := core.AsError(err); err == nil || e.Code != core.AlreadyExists || e.Field != "code" {
		t.Errorf("got %v", err)
	}
	var tables int
	if err := servertest.Pool(t, pgtest.URL(t)).QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema).Scan(&tables); err != nil || tables != 1 {
		t.Errorf("%d tables %v", tables, err)
	}
}

func TestTablesOfSeveralSchemas(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "label", Type: core.Text, Unique: true}, {Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}, {Name: "jar", ToOne: "jar", OnDelete: core.Restrict}, {Name: "tin", ToOne: "tin"},
		}},
		core.ResourceSpec{Name: "tin", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "code", Type: core.Text, Unique: true}}},
		core.ResourceSpec{Name: "report", ReadOnly: true, Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}}},
	)
	here, there := pgtest.Schema(t), pgtest.Schema(t)
	for _, sql := range []string{`CREATE TABLE $S.jar (id bigserial PRIMARY KEY, label text UNIQUE)`, `CREATE TABLE $S.cookie (id text)`, `CREATE TABLE $S.tin (code text)`} {
		servertest.Execute(t, servertest.InSchema(here, sql))
	}
	for _, sql := range []string{
		`CREATE TABLE $S.jar (id bigserial PRIMARY KEY, label text UNIQUE)`,
		`CREATE TABLE $S.tins (id bigserial PRIMARY KEY, code text UNIQUE)`,
		`CREATE TABLE $S.cookie (id bigserial PRIMARY KEY, name text, jar bigint REFERENCES HERE.jar, tin bigint REFERENCES $S.tins) PARTITION BY HASH (id)`,
		`CREATE TABLE $S.part PARTITION OF $S.cookie FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
		`CREATE VIEW $S.report AS SELECT id, name FROM $S.cookie`,
	} {
		servertest.Execute(t, strings.ReplaceAll(servertest.InSchema(there, sql), "HERE.", pgx.Identifier{here}.Sanitize()+"."))
	}
	opts := postgres.Options{Migrate: true, Resources: map[string]postgres.Source{"cookie": {Schema: there}, "report": {Schema: there}, "tin": {Schema: there, Table: "tins"}}}
	if sql := strings.Join(opts.DDL(here, m), "\n"); strings.Contains(sql, "cookie") || strings.Contains(sql, "tin") || !strings.Contains(sql, "jar") {
		t.Errorf("DDL: %s", sql)
	}
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), here, opts))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	api := engine.New(store, engine.Options{})
	type body = map[string]any
	create := func(resource string, b body) error {
		_, err := api.Create(t.Context(), resource, engine.Write{}, b)
		return err
	}
	for _, c := range []struct {
		scenario string
		do       func() error
		want     *core.Error
	}{
		{"a jar with a cookie in a tin", func() error {
			return create("jar", body{"label": "a", "cookies": []any{body{"name": "x", "tin": body{"code": "t"}}}})
		}, nil},
		{"a taken label", func() error { return create("jar", body{"label": "a"}) }, core.AsError(m.Resource("jar").Field("label").AlreadyExists())},
		{"a taken code of another schema", func() error { return create("tin", body{"code": "t"}) }, core.AsError(m.Resource("tin").Field("code").AlreadyExists())},
		{"a jar that does not exist", func() error { return create("cookie", body{"jar": 9}) }, core.AsError(m.Resource("jar").NotFound(core.IntValue(9)))},
		{"a jar that a cookie refers to", func() error { return store.Delete(t.Context(), m.Resource("jar"), core.IntValue(1)) }, core.AsError(m.Resource("cookie").Field("jar").StillReferenced())},
		{"a tin is detached", func() error { return api.Delete(t.Context(), "tin", 1, engine.Write{}) }, nil},
		{"a cookie", func() error { return api.Delete(t.Context(), "cookie", 1, engine.Write{}) }, nil},
		{"a jar without cookies", func() error { return api.Delete(t.Context(), "jar", 1, engine.Write{}) }, nil},
		{"another cookie", func() error { return create("cookie", body{"name": "y"}) }, nil},
	} {
		if err := c.do(); (err == nil) != (c.want == nil) || err != nil && (core.AsError(err).Code != c.want.Code || core.AsError(err).Resource != c.want.Resource || core.AsError(err).Field != c.want.Field) {
			t.Errorf("%s: %v, want %v", c.scenario, err, c.want)
		}
	}
	page, err := store.Select(t.Context(), m.Resource("report"), core.Query{})
	if err != nil || len(page.Records) != 1 || page.Records[0].Get("name") != core.TextValue("y") {
		t.Errorf("%v %v", page.Records, err)
	}
	opts.Resources["tin"] = postgres.Source{Schema: there, Table: "gone"}
	_, err = core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), here, opts))
	if err == nil || !strings.Contains(err.Error(), `tin: table "gone" is missing`) {
		t.Errorf("got %v", err)
	}
}

func TestReadOnlyResourceIsAViewOfItsName(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "totals", ToMany: "total", Inverse: "jar"}}},
		core.ResourceSpec{Name: "total", ReadOnly: true, Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "jar", ToOne: "jar"}}},
	)
	schema, opts := pgtest.Schema(t), postgres.Options{Migrate: true}
	if sql := strings.Join(opts.DDL(schema, m), "\n"); strings.Contains(sql, "total") {
		t.Errorf("DDL makes the view: %s", sql)
	}
	_, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts))
	if err == nil || !strings.Contains(err.Error(), `total: view "total" is missing`) {
		t.Errorf("got %v", err)
	}
	servertest.Execute(t, servertest.InSchema(schema, `CREATE VIEW $S.total AS SELECT id * 10 AS id, id AS jar FROM $S.jar`))
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	api := engine.New(store, engine.Options{})
	views, err := api.Create(t.Context(), "jar", engine.Write{Depth: 1}, map[string]any{})
	if err != nil || string(views[0].AppendJSON(nil)) != `{"id":1,"totals":[10]}` {
		t.Errorf("%v %v", views, err)
	}
	if err := api.Delete(t.Context(), "jar", 1, engine.Write{}); err != nil {
		t.Errorf("delete of a jar with records in the view: %v", err)
	}
}

// costlyPolicy has a condition with many comparisons, so that the planner would evaluate other conditions first.
func costlyPolicy() core.Decorator {
	var own []core.Filter
	for i := range 40 {
		own = append(own, core.And(core.Eq("owner", i+1), core.Ne("team", fmt.Sprint("no team ", i))))
	}
	return policyOn("row", core.And(core.Eq("owner", 1), core.Or(own...)))
}

// fencedModel has the columns share, number and doc, which may fail when they are read.
var fencedModel = core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int}, {Name: "team", Type: core.Text},
	{Name: "share", Type: core.Int, ReadOnly: true}, {Name: "number", Type: core.Int, ReadOnly: true}, {Name: "doc", Type: core.JSON},
}})

const fencedColumns = `id, owner, team, 10 / n AS share, txt::bigint AS number, doc`

// TestFailingConditionRevealsNoHiddenRow compares two databases. In one, every value of the hidden rows makes an
// expression fail.
func TestFailingConditionRevealsNoHiddenRow(t *testing.T) {
	for source, opts := range map[string]postgres.Source{
		"view": {Table: "row", View: "seen"}, "query": {Table: "row", Query: `SELECT ` + fencedColumns + ` FROM $S.row`}, "view of a view": {Table: "row", View: "seen again"},
	} {
		t.Run(source, func(t *testing.T) {
			compareAnswers(t, opts,
				`CREATE TABLE $S.row (id bigserial PRIMARY KEY, owner bigint, team text, n int, txt text, doc json)`,
				`CREATE VIEW $S.seen AS SELECT `+fencedColumns+` FROM $S.row`,
				`CREATE VIEW $S."seen again" AS SELECT * FROM $S.seen`,
			)
		})
	}
}

func TestConditionOnVirtualColumnRevealsNoHiddenRow(t *testing.T) {
	const table = `CREATE TABLE $S.row (id bigserial PRIMARY KEY, owner bigint, team text, n int, txt text, doc json,
		share int GENERATED ALWAYS AS (10 / n) VIRTUAL, number bigint GENERATED ALWAYS AS (txt::bigint) VIRTUAL)`
	sinceVersion(t, 18, servertest.InSchema(pgtest.Schema(t), table), func(t *testing.T) { compareAnswers(t, postgres.Source{}, table) })
}

// compareAnswers executes the same queries on two databases with the tables that the statements make. The databases
// differ only in rows that a policy hides.
func compareAnswers(t *testing.T, source postgres.Source, statements ...string) {
	t.Helper()
	var worlds []*core.Store
	for _, hidden := range []string{`1, '1', '{}'`, `0, 'x', '"\u0000"'`} {
		schema := pgtest.Schema(t)
		for _, sql := range append(slices.Clone(statements),
			`INSERT INTO $S.row (owner, team, n, txt, doc) SELECT 1, 'a', i, i, '{"a": 1}' FROM generate_series(1, 9) AS i`,
			`INSERT INTO $S.row (owner, team, n, txt, doc) SELECT 2, 'a', `+hidden+` FROM generate_series(1, 9)`,
			`ANALYZE $S.row`,
		) {
			servertest.Execute(t, servertest.InSchema(schema, sql))
		}
		opts := postgres.Options{}
		if source.Table != "" {
			source := source
			source.Query = servertest.InSchema(schema, source.Query)
			opts.Resources = map[string]postgres.Source{"row": source}
		}
		store, err := core.New(t.Context(), fencedModel, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts), costlyPolicy())
		servertest.Must(t, err)
		t.Cleanup(func() { _ = store.Close() })
		worlds = append(worlds, store)
	}
	for name, ask := range fencedQueries(fencedModel.Resource("row")) {
		var answers []string
		for _, store := range worlds {
			answers = append(answers, ask(t.Context(), store))
		}
		if answers[0] != answers[1] || strings.Contains(answers[0], "ERROR") {
			t.Errorf("%s: %.300s\nin the other database: %.300s", name, answers[0], answers[1])
		}
	}
}

func fencedQueries(row *core.Resource) map[string]func(ctx context.Context, s *core.Store) string {
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

func TestStoredColumnsOfViewsUseIndexes(t *testing.T) {
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
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	for source, opts := range map[string]postgres.Source{
		"view":  {Table: "row", View: "seen"},
		"query": {Table: "row", Query: servertest.InSchema(schema, `SELECT `+columns+` FROM $S.row AS r LEFT JOIN $S.kind AS k ON k.id = r.kind_id`)},
	} {
		p, last := servertest.RecordedPool(t)
		store, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{Resources: map[string]postgres.Source{"row": opts}}), costlyPolicy())
		servertest.Must(t, err)
		for name, run := range map[string]func() error{
			"equal": func() error {
				_, err := store.Select(t.Context(), row, core.Query{Where: core.Eq("code", 7)})
				return err
			},
			"load": func() error { _, err := store.Get(t.Context(), row, core.IntValue(5)); return err },
			"with a fenced comparison": func() error {
				_, err := store.Count(t.Context(), row, core.And(core.Eq("code", 7), core.Gt("share", 0)))
				return err
			},
		} {
			servertest.Must(t, run())
			if plan := last.Plan(t, p); strings.Contains(plan, "Seq Scan on row") || !strings.Contains(plan, "Index") {
				t.Errorf("%s, %s:\n%s", source, name, plan)
			}
		}
	}
}

// A relation may have a column that only the view has.
func TestKeysOfSeveralFieldsThroughViews(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "line", KeyName: "key", Fields: []core.FieldSpec{{Name: "a", Type: core.Int, Key: true}, {Name: "b", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "note", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "a", Type: core.Int, Key: true}, {Name: "n", Type: core.Int, Key: true}, {Name: "b", Type: core.Text, ReadOnly: true},
			{Name: "line", ToOne: "line", Via: []string{"a", "b"}}, {Name: "next", ToOne: "line", ReadOnly: true},
		}},
	)
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.line (a int, b text, PRIMARY KEY (a, b))`, `CREATE TABLE $S.note (a int, n int, PRIMARY KEY (a, n))`,
		`CREATE VIEW $S.note_view AS SELECT a, n, 'b' || n AS b, a AS next_a, 'b' || n + 1 AS next_b FROM $S.note`, `INSERT INTO $S.line VALUES (1, 'b2')`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	opts := postgres.Options{Resources: map[string]postgres.Source{"note": {Table: "note", View: "note_view"}}}
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, opts))
	servertest.Must(t, err)
	defer store.Close() //nolint:errcheck // nothing is open
	note := m.Resource("note")
	inserted, err := store.Insert(t.Context(), note, servertest.Record(t, note, map[string]any{"a": 1, "n": 1}), servertest.Record(t, note, map[string]any{"a": 1, "n": 2}))
	servertest.Must(t, err)
	for i, want := range []string{"note{key:1,1 a:1 n:1 b:b1 line:1,b1 next:1,b2}", "note{key:1,2 a:1 n:2 b:b2 line:1,b2 next:1,b3}"} {
		read, err := store.Get(t.Context(), note, inserted[i].Key())
		if err != nil || inserted[i].String() != want || read.String() != want {
			t.Errorf("inserted %v, read %v %v, want %s", inserted[i], read, err, want)
		}
	}
	for name, c := range map[string]struct {
		where core.Filter
		want  string
	}{
		"equal": {core.Eq("next", "1,b2"), "1,1"}, "greater": {core.Gt("line", "1,b1"), "1,2"}, "related": {core.Related("next", core.Eq("b", "b2")), "1,1"},
		"in": {core.In("line", "1,b2", "2,b1"), "1,2"},
	} {
		page, err := store.Select(t.Context(), note, core.Query{Where: c.where})
		if err != nil || len(page.Records) != 1 || page.Records[0].Key().String() != c.want {
			t.Errorf("%s: %v %v, want %s", name, page.Records, err, c.want)
		}
	}
	_, err = store.Update(t.Context(), note, note.Patch(inserted[0].Key()).Set(note.Field("next"), core.Null))
	if e := core.AsError(err); e.Code != core.FieldReadOnly || e.Field != "next" {
		t.Errorf("write of a relation that the view computes: %v", err)
	}
}

// The server keeps the views of its catalog apart from those of other schemas.
func TestViewsOfTheSystem(t *testing.T) {
	m := core.MustModel("system",
		core.ResourceSpec{Name: "setting", ReadOnly: true, Fields: []core.FieldSpec{
			{Name: "name", Type: core.Text, Key: true}, {Name: "setting", Type: core.Text},
		}},
		core.ResourceSpec{Name: "schema", ReadOnly: true, Fields: []core.FieldSpec{{Name: "schema_name", Type: core.Text, Key: true}}},
	)
	schema := pgtest.Schema(t)
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{Resources: map[string]postgres.Source{
		"setting": {View: "pg_settings", Schema: "pg_catalog"}, "schema": {View: "schemata", Schema: "information_schema"},
	}}))
	servertest.Must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	got, err := store.Get(t.Context(), m.Resource("setting"), core.TextValue("jit"))
	if err != nil || got.Get("setting") != core.TextValue("off") {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := store.Get(t.Context(), m.Resource("schema"), core.TextValue(schema)); err != nil {
		t.Error(err)
	}
}
