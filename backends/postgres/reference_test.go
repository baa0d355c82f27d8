package postgres_test

import (
	"context"
	"errors"
	"testing"

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
	for _, constraints := range []string{"", " DEFERRABLE INITIALLY DEFERRED"} {
		store, _ := stored(t, m, `CREATE TABLE $S.customer (customer_id text PRIMARY KEY)`,
			`CREATE TABLE $S.customer_order (id serial PRIMARY KEY, customer_id text REFERENCES $S.customer`+constraints+`)`,
			`CREATE TABLE $S.person (id text PRIMARY KEY, boss text REFERENCES $S.person`+constraints+`)`,
			`INSERT INTO $S.customer VALUES ('`+text+`')`, `INSERT INTO $S.customer_order (customer_id) VALUES ('`+text+`')`,
			`INSERT INTO $S.person VALUES ('`+text+`', '`+text+`'), ('b', '`+text+`')`)
		customer, order, person := m.Resource("customer"), m.Resource("customer_order"), m.Resource("person")
		for _, c := range []struct {
			name     string
			work     func(ctx context.Context, s core.Session) error
			code     core.Code
			resource string
			key      string
		}{
			{"deletion", func(ctx context.Context, s core.Session) error {
				return s.Delete(ctx, customer, core.TextValue(text))
			}, core.FieldUpdateForbidden, "customer_order", ""},
			{"deletion in a tree", func(ctx context.Context, s core.Session) error {
				return s.Delete(ctx, person, core.TextValue(text))
			}, core.FieldUpdateForbidden, "person", ""},
			{"insertion", func(ctx context.Context, s core.Session) error {
				_, err := s.Insert(ctx, order, record(t, order, map[string]any{"customer_id": text + "2"}))
				return err
			}, core.NotFound, "customer", text + "2"},
			{"insertion in a tree", func(ctx context.Context, s core.Session) error {
				_, err := s.Insert(ctx, person, record(t, person, map[string]any{"id": "c", "boss": text + "2"}))
				return err
			}, core.NotFound, "person", text + "2"},
			{"update", func(ctx context.Context, s core.Session) error {
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
			check("along with its commit", store.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error {
				return c.work(ctx, tx.Final())
			}))
			check("before its commit", store.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error {
				return c.work(ctx, tx.Session)
			}))
			check("before another operation", store.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error {
				if err := c.work(ctx, tx.Session); err != nil {
					return err
				}
				_, err := tx.Final().Insert(ctx, customer, record(t, customer, map[string]any{"customer_id": "new"}))
				return err
			}))
		}
	}
}
