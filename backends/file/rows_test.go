package file

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

// Compares rows with a map: keys in order, out of order, removed and inserted again.
func TestRowsAgreeWithMap(t *testing.T) {
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
			if want, exists := model[key]; ok != exists || ok && got.values[0].Int() != want {
				t.Fatalf("got %v, %t, want %d, %t", got, ok, want, exists)
			}
		}
		checkRows(t, &ours, model)
	})
}

// A queue does not keep its removed rows.
func TestRemovedRowsAreSwept(t *testing.T) {
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

// wideJournal returns a journal of the given size with many fields in the header, and few fields in the records.
func wideJournal(size int) []byte {
	var out bytes.Buffer
	out.WriteString(`{"larder":"journal","version":2,"model":"m","resources":[{"name":"r","fields":[{"name":"id","type":"int","key":true}`)
	for i := 0; out.Len() < size/2; i++ {
		fmt.Fprintf(&out, `,{"name":"f%d","type":"int"}`, i)
	}
	out.WriteString("]}]}")
	data := appendChecksum(bytes.TrimSuffix(out.Bytes(), []byte("}")), 0)
	for n, id := int64(1), 1; len(data) < size; n++ {
		body := []byte(`"put":{"r":[{"id":0}`)
		for range 400 {
			body = fmt.Appendf(body, `,{"id":%d}`, id)
			id++
		}
		body = append(body, `]},"set":{"r":[{"id":0,"f9":3}]},"seq":{}`...)
		data = appendFrame(data, frame{n, 0, body})
	}
	return data
}

// allocatedBytes returns the number of bytes that a call allocates.
func allocatedBytes(call func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// The memory for a file depends on its size, regardless of its header.
func TestMemoryIsProportionalToFileSize(t *testing.T) {
	const size, factor = 200_000, 100
	data := wideJournal(size)
	m := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "f9", Type: core.Int}}})
	for name, use := range map[string]func(path string) error{
		"verify":  func(path string) error { _, err := Verify(path); return err },
		"dump":    func(path string) error { return Dump(path, io.Discard) },
		"recover": func(path string) error { _, err := Recover(path, path+".out"); return err },
		"compact": func(path string) error { return Compact(t.Context(), path, nil) },
		"open": func(path string) error {
			b := New(path, quiet())
			if err := b.Bind(t.Context(), m); err != nil {
				return err
			}
			return b.Close()
		},
	} {
		path := filepath.Join(t.TempDir(), "hostile.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if n := allocatedBytes(func() {
			if err := use(path); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}); n > factor*len(data) {
			t.Errorf("%s allocates %d bytes, %d times the size of the file", name, n, n/len(data))
		}
	}
}

// Rows with few of many fields have the same values as others.
func TestSparseRowsKeepValues(t *testing.T) {
	spec := core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}
	for i := range 40 {
		spec.Fields = append(spec.Fields, core.FieldSpec{Name: fmt.Sprintf("f%d", i), Type: core.Text})
	}
	m := core.MustModel("m", spec)
	r := m.Resource("r")
	path := filepath.Join(t.TempDir(), "wide.db")
	opened := func() (*core.Store, *Backend) {
		b := New(path, quiet())
		store, err := core.New(t.Context(), m, b)
		if err != nil {
			t.Fatal(err)
		}
		return store, b
	}
	content := func(b *Backend) string {
		var out strings.Builder
		for rec := range b.store.Snapshot().Records(r) {
			out.WriteString(rec.String())
		}
		return out.String()
	}
	store, b := opened()
	random := newRandom(3)
	for i := range 200 {
		fields := map[string]any{"id": 1 + random.IntN(20)}
		for range random.IntN(8) {
			fields[fmt.Sprintf("f%d", random.IntN(40))] = []any{nil, "x", "yy"}[random.IntN(3)]
		}
		rec, err := r.NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Insert(t.Context(), r, rec); err != nil {
			if _, err := store.Update(t.Context(), r, rec); err != nil {
				t.Fatal(err)
			}
		}
		if i%20 != 0 {
			continue
		}
		want := content(b)
		shut(t, store)
		if i%40 == 0 {
			if err := Compact(t.Context(), path, nil); err != nil {
				t.Fatal(err)
			}
		}
		store, b = opened()
		if found := content(b); found != want {
			t.Fatalf("found %s, want %s", found, want)
		}
	}
	shut(t, store)
	out := filepath.Join(t.TempDir(), "out.db")
	if report, err := Recover(path, out); err != nil || len(report.Lost)+len(report.Mended) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	var dumps [2]bytes.Buffer
	for i, p := range []string{path, out} {
		if err := Dump(p, &dumps[i]); err != nil {
			t.Fatal(err)
		}
	}
	if dumps[0].String() != dumps[1].String() {
		t.Errorf("dumped\n%s\nand recovered\n%s", dumps[0].String(), dumps[1].String())
	}
}

// The cost of an update depends on its size, not on the size of the record.
func TestUpdatesOfWideRecordAreCheap(t *testing.T) {
	const wide, changes = 2_000, 2_000
	r := resourceSchema{name: "r", key: 0}
	for i := range 10 * wide {
		r.add(fieldSchema{name: fmt.Sprint("f", i), label: labelOf(fmt.Sprint("f", i)), typ: core.Int})
	}
	s := schema{model: "m"}
	s.add(&r)
	c := newContent(s)
	cells := make([]cell, wide)
	for i := range cells {
		cells[i] = cell{2 * i, core.IntValue(int64(i))}
	}
	c.put(&r, c.row(&r, cells, 0))
	n := allocatedBytes(func() {
		for i := range changes {
			if err := c.set(&r, core.IntValue(0), []cell{{0, core.IntValue(0)}, {2*i + 1, core.IntValue(1)}, {4 * (1 + i%100), core.Null}}); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 1000*changes {
		t.Errorf("%d changes of a record of %d fields allocate %d bytes", changes, wide, n)
	}
	found, _ := c.rows[0].get(core.IntValue(0))
	for i := range 2 * changes {
		want := core.IntValue(1)
		switch {
		case i > 0 && i <= 400 && i%4 == 0:
			want = core.Null
		case i%2 == 0:
			want = core.IntValue(int64(i / 2))
		}
		if found.at(i) != want {
			t.Fatalf("field %d is %s, want %s", i, found.at(i), want)
		}
	}
}
