package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// The foreign key has the name of the key that it refers to, as in many schemas, so
// that the detail of an error names one column whichever side broke the rule.
func TestBrokenReferencesAreToldApartByTheirTables(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "customer", Fields: []core.FieldSpec{{Name: "customer_id", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "customer_order", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "customer_id", ToOne: "customer"}}},
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, {Name: "boss", ToOne: "person"}}})
	const text = `x" is still "customer_order" ("person`
	for _, constraints := range []string{"", " DEFERRABLE INITIALLY DEFERRED", " ON DELETE RESTRICT"} {
		store, _ := stored(t, m, `CREATE TABLE $S.customer (customer_id text PRIMARY KEY)`,
			`CREATE TABLE $S.customer_order (id serial PRIMARY KEY, customer_id text REFERENCES $S.customer`+constraints+`)`,
			`CREATE TABLE $S.person (id text PRIMARY KEY, boss text REFERENCES $S.person`+constraints+`)`,
			`INSERT INTO $S.customer VALUES ('`+text+`')`, `INSERT INTO $S.customer_order (customer_id) VALUES ('`+text+`')`,
			`INSERT INTO $S.person VALUES ('`+text+`', '`+text+`'), ('b', '`+text+`')`)
		customer, order, person := m.Resource("customer"), m.Resource("customer_order"), m.Resource("person")
		for _, c := range []struct {
			name     string
			work     func(ctx context.Context, s core.Querier) error
			code     core.Code
			resource string
			key      string
		}{
			{"deletion", func(ctx context.Context, s core.Querier) error {
				return s.Delete(ctx, customer, core.TextValue(text))
			}, core.FieldUpdateForbidden, "customer_order", ""},
			{"deletion in a tree", func(ctx context.Context, s core.Querier) error {
				return s.Delete(ctx, person, core.TextValue(text))
			}, core.FieldUpdateForbidden, "person", ""},
			{"insertion", func(ctx context.Context, s core.Querier) error {
				_, err := s.Insert(ctx, order, record(t, order, map[string]any{"customer_id": text + "2"}))
				return err
			}, core.NotFound, "customer", text + "2"},
			{"insertion in a tree", func(ctx context.Context, s core.Querier) error {
				_, err := s.Insert(ctx, person, record(t, person, map[string]any{"id": "c", "boss": text + "2"}))
				return err
			}, core.NotFound, "person", text + "2"},
			{"update", func(ctx context.Context, s core.Querier) error {
				_, err := s.Update(ctx, order, record(t, order, map[string]any{"id": 1, "customer_id": "none"}))
				return err
			}, core.NotFound, "customer", "none"},
		} {
			check := func(end string, err error) {
				t.Helper()
				var e *core.Error
				if !errors.As(err, &e) || e.Code != c.code || e.Resource != c.resource || e.Key.Text() != c.key {
					t.Errorf("%s%s, %s: got %v", c.name, constraints, end, err)
				}
			}
			check("along with its commit", store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				return c.work(ctx, tx.Final())
			}))
			check("before its commit", store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				return c.work(ctx, tx)
			}))
			check("before another operation", store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				if err := c.work(ctx, tx); err != nil {
					return err
				}
				_, err := tx.Final().Insert(ctx, customer, record(t, customer, map[string]any{"customer_id": "new"}))
				return err
			}))
		}
	}
}

// Row security keeps the detail of the error from the role.
func TestBrokenReferencesAreToldApartUnderRowSecurity(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "shelf", ToOne: "shelf"}, {Name: "up", ToOne: "item"}}})
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, `CREATE TABLE $S.shelf (id bigserial PRIMARY KEY); INSERT INTO $S.shelf DEFAULT VALUES;
		CREATE TABLE $S.item (id bigserial PRIMARY KEY, shelf bigint REFERENCES $S.shelf, up bigint REFERENCES $S.item); INSERT INTO $S.item (shelf) VALUES (1);
		INSERT INTO $S.item (up) VALUES (1); ALTER TABLE $S.shelf ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $S.shelf USING (true);
		ALTER TABLE $S.item ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $S.item USING (true)`))
	server := login(t, schema, "ALL ON ALL TABLES IN SCHEMA $S", "ALL ON ALL SEQUENCES IN SCHEMA $S")
	store, err := core.New(t.Context(), m, postgres.New(pool(t, server), schema, postgres.Options{}))
	must(t, err)
	shelf, item := m.Resource("shelf"), m.Resource("item")
	insert := func(field string) error {
		_, err := store.Insert(t.Context(), item, record(t, item, map[string]any{field: 77}))
		return err
	}
	for name, c := range map[string]struct {
		err      error
		code     core.Code
		resource string
	}{
		"deletion":            {store.Delete(t.Context(), shelf, core.IntValue(1)), core.FieldUpdateForbidden, "item"},
		"deletion in a tree":  {store.Delete(t.Context(), item, core.IntValue(1)), core.FieldUpdateForbidden, "item"},
		"insertion":           {insert("shelf"), core.NotFound, "shelf"},
		"insertion in a tree": {insert("up"), core.NotFound, "item"},
	} {
		var e *core.Error
		if !errors.As(c.err, &e) || e.Code != c.code || e.Resource != c.resource {
			t.Errorf("%s: got %v", name, c.err)
		}
	}
}
