package relatedtest

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// A condition or an order that fails on a hidden related row would reveal the row. A view computes the ratio of a note, and
// the computation fails for the hidden note.
func TestFailingConditionRevealsNoHiddenRelatedRow(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "main", ToOne: "note"}, {Name: "notes", ToMany: "note", Inverse: "item"},
		}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "item", ToOne: "item"}, {Name: "owner", Type: core.Int}, {Name: "ratio", Type: core.Int, ReadOnly: true},
		}},
	)
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.note (id bigint PRIMARY KEY, item bigint, owner bigint, divisor bigint)`,
		`CREATE TABLE $S.item (id bigint PRIMARY KEY, main bigint REFERENCES $S.note)`,
		`ALTER TABLE $S.note ADD FOREIGN KEY (item) REFERENCES $S.item DEFERRABLE INITIALLY DEFERRED`,
		`CREATE VIEW $S.notes AS SELECT id, item, owner, 100 / divisor AS ratio FROM $S.note`,
		`WITH n AS (INSERT INTO $S.note VALUES (1, 1, 1, 10), (2, 2, 2, 0), (3, 2, 1, 50)) INSERT INTO $S.item VALUES (1, 1), (2, 2), (3, 3)`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	policy := core.Decorator{Name: "policy", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource.Name() == "note" {
				op.Guard(core.Or(core.Eq("owner", 1), core.Related("item", core.Eq("id", 77)))) // costs more than the division
			}
			return next(ctx, op)
		}, nil
	}}
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, pgtest.URL(t)), schema, postgres.Options{
		Resources: map[string]postgres.Source{"note": {View: "notes"}},
	}), policy)
	servertest.Must(t, err)
	for _, c := range []struct {
		name string
		q    core.Query
		want []int64
	}{
		{"condition", core.Query{Where: core.Related("notes", core.Gt("ratio", 1))}, []int64{1, 2}},
		{"negated", core.Query{Where: core.Not(core.Related("notes", core.Lt("ratio", 5)))}, []int64{1, 3}},
		{"to one", core.Query{Where: core.Related("main", core.Gt("ratio", 1))}, []int64{1, 3}},
		{"nested", core.Query{Where: core.Related("notes", core.Related("item", core.Related("notes", core.Lt("ratio", 5))))}, []int64{2}},
		{"order", core.Query{Order: []string{"main.ratio"}}, []int64{3, 1, 2}},
		{"descending order", core.Query{Order: []string{"-main.ratio"}}, []int64{2, 1, 3}},
	} {
		for _, limit := range []int{0, 1} {
			t.Run(c.name, func(t *testing.T) {
				var got []int64
				for q := c.q; ; {
					q.Limit = limit
					page, err := store.Select(t.Context(), m.Resource("item"), q)
					servertest.Must(t, err)
					for _, rec := range page.Records {
						got = append(got, rec.Key().Int())
					}
					if q.After = page.Next; q.After == "" {
						break
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			})
		}
	}
}
