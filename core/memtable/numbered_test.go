package memtable

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

// numberedKey draws keys close together, around the borders of pages and blocks,
// and anywhere.
func numberedKey() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64Range(-40, 40),
		rapid.Map(rapid.Int64Range(-3, 3), func(n int64) int64 { return n<<blockBits - n&1 }),
		rapid.Int64(),
	)
}

func TestFilledRecordsAreThoseThatWereSetOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(numberedKey(), func(key int64) int64 { return key }).Draw(t, "keys")
		slices.Sort(keys)
		want := make(map[int64]core.Record)
		records := make([]core.Record, len(keys))
		for i, key := range keys {
			records[i] = plant.RecordOf(make([]core.Value, len(plant.Columns()))).With(0, core.IntValue(key))
			want[key] = records[i]
		}
		got := newNumbered()
		got.fill(keys, records)
		if got.size() != len(keys) {
			t.Fatalf("%d records", got.size())
		}
		checkScan(t, got, want, 0, false, rapid.Bool().Draw(t, "desc"), len(keys)+1)
		for _, key := range keys {
			if rec, ok := got.get(key); !ok || !rec.Equal(want[key]) {
				t.Fatalf("get %d: %v", key, rec)
			}
		}
	})
}

func TestNumberedRecordsAreAnOrderedMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got, want := newNumbered(), make(map[int64]core.Record)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				key := numberedKey().Draw(t, "key")
				want[key] = plant.RecordOf(make([]core.Value, len(plant.Columns()))).With(0, core.IntValue(rapid.Int64().Draw(t, "value")))
				got.set(key, want[key])
			},
			"remove": func(t *rapid.T) {
				if present := slices.Sorted(maps.Keys(want)); len(present) > 0 {
					key := rapid.SampledFrom(present).Draw(t, "key")
					got.remove(key)
					delete(want, key)
				}
			},
			"write to a clone": func(t *rapid.T) {
				clone := got.clone()
				clone.set(numberedKey().Draw(t, "key"), core.Record{})
				for key := range want {
					clone.remove(key)
					break
				}
			},
			"": func(t *rapid.T) {
				if got.size() != len(want) {
					t.Fatalf("%d records, want %d", got.size(), len(want))
				}
				key := numberedKey().Draw(t, "from")
				rec, ok := got.get(key)
				if expected, there := want[key]; ok != there || !rec.Equal(expected) {
					t.Fatalf("get %d: %v, %t", key, rec, ok)
				}
				bounded, desc := rapid.Bool().Draw(t, "bounded"), rapid.Bool().Draw(t, "desc")
				limit := rapid.IntRange(1, 10).Draw(t, "limit")
				checkScan(t, got, want, key, bounded, desc, limit)
			},
		})
	})
}

// checkScan compares the first keys of a scan with those of a plain map.
func checkScan(t *rapid.T, got records[int64], want map[int64]core.Record, from int64, bounded, desc bool, limit int) {
	expected := slices.Sorted(maps.Keys(want))
	if desc {
		slices.Reverse(expected)
	}
	expected = slices.DeleteFunc(expected, func(key int64) bool { return bounded && (!desc && key < from || desc && key > from) })
	expected = expected[:min(limit, len(expected))]
	var keys []int64
	got.scan(from, bounded, desc, func(key int64, rec core.Record) bool {
		if !rec.Equal(want[key]) {
			t.Fatalf("scan: %d is %v, want %v", key, rec, want[key])
		}
		keys = append(keys, key)
		return len(keys) < limit
	})
	if !slices.Equal(keys, expected) {
		t.Fatalf("scan from %d %t desc %t: %v, want %v", from, bounded, desc, keys, expected)
	}
}
