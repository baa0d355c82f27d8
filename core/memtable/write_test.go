package memtable

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// run runs an op in a transaction of its own, as a backend receives it, and commits if it succeeds.
func run(t *testing.T, b *backend, op core.Op) (records []core.Record, err error) {
	t.Helper()
	tx, err := b.Begin(t.Context(), core.BackendTxOptions{Single: true})
	if err != nil {
		t.Fatal(err)
	}
	switch op.Kind {
	case core.Insert:
		records, err = tx.Insert(t.Context(), &op)
	case core.Update:
		records, err = tx.Update(t.Context(), &op)
	case core.Delete:
		err = tx.Delete(t.Context(), &op)
	default:
		t.Fatal(op.Kind)
	}
	if err != nil {
		_ = tx.Rollback(t.Context())
		return nil, err
	}
	return records, tx.Commit(t.Context())
}

// where binds the condition to the resource.
func where(t *testing.T, r *core.Resource, f core.Filter) core.Filter {
	t.Helper()
	f, err := r.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWritesCheckPolicies(t *testing.T) {
	keys := func(names ...string) (out []core.Value) {
		for _, name := range names {
			out = append(out, core.TextValue(name))
		}
		return out
	}
	low := where(t, bed, core.Lt("rank", 5))
	patch := func(name string, rank any) core.Record { return record(t, bed, "id", name, "rank", rank) }
	tests := map[string]struct {
		op   core.Op
		want core.Code
		key  string
	}{
		"insert": {op: core.Op{Kind: core.Insert, Records: []core.Record{patch("c", 1)}, Check: low}},
		"insert of a hidden record": {
			core.Op{Kind: core.Insert, Records: []core.Record{patch("c", 1), patch("d", 5)}, Check: low}, core.Forbidden, "",
		},
		"insert of an existing key": {
			core.Op{Kind: core.Insert, Records: []core.Record{patch("c", 1), patch("b", 1)}}, core.AlreadyExists, "",
		},
		"insert of one key twice": {
			core.Op{Kind: core.Insert, Records: []core.Record{patch("c", 1), patch("c", 1)}}, core.AlreadyExists, "",
		},
		"update": {op: core.Op{Kind: core.Update, Keys: keys("a"), Records: []core.Record{patch("a", 2)}, Using: low, Check: low}},
		"update of a missing record": {
			core.Op{Kind: core.Update, Keys: keys("a", "c"), Records: []core.Record{patch("a", 2), patch("c", 2)}}, core.NotFound, "c",
		},
		"update of a hidden record": {
			core.Op{Kind: core.Update, Keys: keys("a", "b"), Records: []core.Record{patch("a", 9), patch("b", 2)}, Using: low, Check: low},
			core.NotFound, "b",
		},
		"update that hides the record": {
			core.Op{Kind: core.Update, Keys: keys("a"), Records: []core.Record{patch("a", 5)}, Using: low, Check: low}, core.Forbidden, "",
		},
		"delete": {op: core.Op{Kind: core.Delete, Keys: keys("a"), Using: low}},
		"delete of a hidden record": {
			core.Op{Kind: core.Delete, Keys: keys("a", "b"), Using: low}, core.NotFound, "b",
		},
		"delete of a missing record": {
			core.Op{Kind: core.Delete, Keys: keys("a", "c")}, core.NotFound, "c",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := with(seed.Data{"bed": {"a": {"rank": 1}, "b": {"rank": 9}}})
			open(t, b)
			tt.op.Resource = bed
			_, err := run(t, b, tt.op)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e, _ := errors.AsType[*core.Error](err); e == nil || e.Code != tt.want || e.Resource != "bed" || e.Key.Text() != tt.key {
				t.Errorf("%v, want %s %q", err, tt.want, tt.key)
			}
			if got := b.Dump()["bed"]; len(got) != 2 || got["a"]["rank"] != int64(1) || got["b"]["rank"] != int64(9) {
				t.Errorf("left %v", got)
			}
		})
	}
}

func TestStoredRecordHasNoAbsentColumn(t *testing.T) {
	b := fresh()
	open(t, b)
	records, err := run(t, b, core.Op{Kind: core.Insert, Resource: plant, Records: []core.Record{record(t, plant, "name", "leek")}})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range plant.Columns() {
		if records[0].At(i).IsAbsent() {
			t.Errorf("%s is absent", f)
		}
	}
}
