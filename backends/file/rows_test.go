package file

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

// Against a map, and sorted: keys in order, out of it, removed and there again.
func TestRowsAreAMapInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours, model := rows{key: 1}, make(map[int64]int64)
		next := rapid.Int64Range(-20, 20).Draw(t, "first")
		for i := range rapid.Int64Range(1, 200).Draw(t, "steps") {
			key := rapid.OneOf(rapid.Int64Range(-20, 60), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})).Draw(t, "key")
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				next += 1 + max(0, key%3)
				key = next
				fallthrough
			case 1:
				if n := ours.put(row{values: []core.Value{core.IntValue(i), core.IntValue(key)}, size: i}); n != model[key] {
					t.Fatalf("a row of size %d was replaced, want %d", n, model[key])
				}
				model[key] = i
			default:
				if n := ours.remove(core.IntValue(key)); n != model[key] {
					t.Fatalf("a row of size %d was removed, want %d", n, model[key])
				}
				delete(model, key)
			}
			got, ok := ours.get(core.IntValue(key))
			if want, there := model[key]; ok != there || ok && got.values[0].Int() != want {
				t.Fatalf("got %v, %t, want %d, %t", got, ok, want, there)
			}
		}
		checkRows(t, &ours, model)
	})
}

// A queue: what is removed does not stay for ever.
func TestRowsThatAreRemovedAreSwept(t *testing.T) {
	ours, model := rows{key: 1}, make(map[int64]int64)
	for i := range int64(100 * sweepThreshold) {
		ours.put(row{values: []core.Value{core.IntValue(i), core.IntValue(i)}})
		ours.remove(core.IntValue(i - 10))
		model[i] = i
		delete(model, i-10)
	}
	if n := len(ours.inOrder); n > 2*sweepThreshold {
		t.Errorf("%d rows are kept for %d", n, ours.size())
	}
	checkRows(t, &ours, model)
}

func checkRows(t interface{ Fatalf(string, ...any) }, ours *rows, model map[int64]int64) {
	if ours.size() != len(model) {
		t.Fatalf("%d rows, want %d", ours.size(), len(model))
	}
	keys := slices.Sorted(maps.Keys(model))
	for row := range ours.all() {
		if len(keys) == 0 || row.at(1).Int() != keys[0] || row.at(0).Int() != model[keys[0]] {
			t.Fatalf("row %v, want %v of %v", row, keys, model)
		}
		keys = keys[1:]
	}
	if len(keys) > 0 {
		t.Fatalf("missing: %v", keys)
	}
}
