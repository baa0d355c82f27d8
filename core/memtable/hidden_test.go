package memtable

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// countVisits returns how many records the plan of an operation visits.
func countVisits(b *backend, op *core.Op) (n int) {
	b.Snapshot().tables[op.Resource.Index()].scan(plan(op), func(core.Record) bool { n++; return true })
	return n
}

// besideHidden returns ten plants in the bed mine, and as many in the bed yours as there are
// hidden ones, with the same values.
func besideHidden(t *testing.T, hidden int) *backend {
	t.Helper()
	plants := make(map[any]map[string]any)
	add := func(id, i int, bed string) {
		plants[id] = map[string]any{"name": "oat", "height": i, "edible": true, "bed": bed, "note": "x"}
	}
	for i := range 10 {
		add(1+100*i, i, "mine")
	}
	for i := range hidden {
		add(2+2*i, i%10, "yours")
	}
	b := with(seed.Data{"plant": plants, "bed": {"mine": {}, "yours": {}}})
	open(t, b)
	return b
}

// A guard that names values of an indexed field decides which records are visited:
// their number does not depend on the records that the guard hides.
func TestHiddenRecordsAreNotVisited(t *testing.T) {
	without, among := besideHidden(t, 0), besideHidden(t, 400)
	for guard, using := range map[string]core.Filter{
		"one value": core.Eq("bed", "mine"),
		"values":    core.In("bed", "mine", "nobody's"),
		"with more": core.And(core.Eq("note", "x"), core.Eq("bed", "mine"), core.Gt("height", -1)),
	} {
		for condition, filter := range map[string]core.Filter{
			"nothing":               core.All(),
			"a value":               core.Eq("name", "oat"),
			"another value":         core.Eq("name", "rye"),
			"values":                core.In("name", "oat", "rye"),
			"the guard's field":     core.Eq("bed", "yours"),
			"null":                  core.Eq("parent", nil),
			"a range":               core.And(core.Gt("height", 2), core.Lt("height", 5)),
			"a prefix":              core.Prefix("name", "o"),
			"a range of keys":       core.Gt("id", 100),
			"a field with no index": core.Eq("note", "y"),
			"a choice":              core.Or(core.Eq("name", "oat"), core.Eq("height", 3)),
			"several":               core.And(core.Eq("name", "oat"), core.Eq("edible", true)),
		} {
			for _, order := range []string{"id", "-id", "height", "-height", "note"} {
				op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, filter), Using: where(t, plant, using)}
				op.Order = bindOrder(plant, []string{order})
				if a, b := countVisits(without, &op), countVisits(among, &op); a != b || a > 10 {
					t.Errorf("%s under a guard of %s, sorted by %s: visits %d records without hidden ones and %d among them", condition, guard, order, a, b)
				}
			}
		}
	}
}

// A condition that names keys or unique values visits no more records than it names,
// whatever the guard is.
func TestNamedRecordsAreVisitedWhateverTheGuard(t *testing.T) {
	b := besideHidden(t, 400)
	for _, n := range []int{1, 3} {
		keys := make([]any, n)
		for i := range keys {
			keys[i] = 1 + 100*i
		}
		op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, core.In("id", keys...)), Using: where(t, plant, core.Eq("bed", "mine"))}
		op.Order = bindOrder(plant, []string{"id"})
		if got := countVisits(b, &op); got != n {
			t.Errorf("visits %d records, want %d", got, n)
		}
	}
}
