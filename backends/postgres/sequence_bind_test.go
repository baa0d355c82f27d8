package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// sequencedModel has n resources, each with a sequence of its own.
func sequencedModel(n int) *core.Model {
	resources := make([]core.ResourceSpec, n)
	for i := range resources {
		resources[i] = core.ResourceSpec{Name: fmt.Sprintf("r%d", i), Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}
	}
	return core.MustModel("sequenced", resources...)
}

func TestAStoreOfManyResourcesStartsInAsManyRoundTripsAsASmallOne(t *testing.T) {
	const some, many = 2, 100
	schema := pgtest.Schema(t)
	must(t, postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, sequencedModel(many)))
	for i := range many {
		execute(t, inSchema(schema, fmt.Sprintf(`INSERT INTO $S.r%d SELECT FROM generate_series(1, 3)`, i)))
	}
	start := func(n int) (*core.Store, int64) {
		store, count := countedIn(t, pgtest.URL(t), schema, sequencedModel(n), postgres.Options{})
		return store, count.Load()
	}
	start(some) // the connections that look at the catalog first take longer
	_, few := start(some)
	store, all := start(many)
	if few != all {
		t.Errorf("%d round trips for %d resources, %d for %d", few, some, all, many)
	}
	for _, r := range store.Model().Resources() {
		if keys, err := store.NextIDs(t.Context(), r, 1); err != nil || keys[0] != core.IntValue(4) {
			t.Fatalf("%s: next id %v, %v", r, keys, err)
		}
	}
}

func TestOnlySequencesThatAreBehindAreMovedWhenTheStoreIsMade(t *testing.T) {
	m := sequencedModel(3)
	schema := pgtest.Schema(t)
	must(t, postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, m))
	execute(t, inSchema(schema, `INSERT INTO $S.r0 SELECT FROM generate_series(1, 9)`))
	execute(t, inSchema(schema, `INSERT INTO $S.r1 (id) VALUES (70)`))
	store, err := core.New(t.Context(), m, postgres.New(pool(t, pgtest.URL(t)), schema, postgres.Options{}))
	must(t, err)
	for i, want := range []int64{10, 71, 1} {
		keys, err := store.NextIDs(t.Context(), m.Resources()[i], 1)
		if err != nil || keys[0] != core.IntValue(want) {
			t.Errorf("r%d: next id %v, %v, want %d", i, keys, err, want)
		}
	}
}

// A key that the sequence is known to have passed needs no look at it.
func TestAGivenKeyBelowTheSequenceIsInsertedAlone(t *testing.T) {
	schema := pgtest.Schema(t)
	execute(t, inSchema(schema, defaults["identity"][0]))
	execute(t, inSchema(schema, `INSERT INTO $S.row (name) SELECT 'x' FROM generate_series(1, 9)`))
	execute(t, inSchema(schema, `DELETE FROM $S.row WHERE id > 5`))
	row := numbered.Resource("row")
	p, last := traced(t)
	store, err := core.New(t.Context(), numbered, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
	must(t, err)
	for _, c := range []struct {
		fields map[string]any
		alone  bool
	}{
		{map[string]any{"id": 6}, true}, {map[string]any{"id": 7}, true}, {nil, true}, {map[string]any{"id": 9}, true},
		{map[string]any{"id": 20}, false}, {map[string]any{"id": 15}, true},
	} {
		last.sql = ""
		_, err := store.Insert(t.Context(), row, record(t, row, c.fields))
		must(t, err)
		if alone := strings.HasPrefix(last.sql, "INSERT"); alone != c.alone {
			t.Errorf("%v: sent alone: %v, want %v", c.fields, alone, c.alone)
		}
	}
}
