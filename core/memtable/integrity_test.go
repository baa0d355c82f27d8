package memtable

import (
	"context"
	"errors"
	"iter"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
)

func TestCommitChecksIntegrity(t *testing.T) {
	jar := func(tb testing.TB, s core.Querier, id string) { insert(tb, s, bed, "id", id) }
	tests := map[string]struct {
		do   func(t *testing.T, s core.Querier) error
		want core.Error // Code "" for none
	}{
		"missing target": {
			func(t *testing.T, s core.Querier) error {
				return write(t, s, plant, "bed", "north")
			},
			core.Error{Code: core.NotFound, Resource: "bed", Key: core.TextValue("north")},
		},
		"deleted target": {
			func(t *testing.T, s core.Querier) error {
				jar(t, s, "north")
				insert(t, s, plant, "bed", "north")
				return s.Delete(t.Context(), bed, core.TextValue("north"))
			},
			core.Error{Code: core.NotFound, Resource: "bed", Key: core.TextValue("north")},
		},
		"target inserted later": {
			func(t *testing.T, s core.Querier) error {
				insert(t, s, plant, "bed", "north")
				jar(t, s, "north")
				return nil
			},
			core.Error{},
		},
		"deleted record is still referenced": {
			func(t *testing.T, s core.Querier) error {
				return s.Delete(t.Context(), bed, core.TextValue("old"))
			},
			core.Error{Code: core.StillReferenced, Resource: "bed", Field: "plants"},
		},
		"record deleted with its referrers": {
			func(t *testing.T, s core.Querier) error {
				if err := s.Delete(t.Context(), bed, core.TextValue("old")); err != nil {
					return err
				}
				return s.Delete(t.Context(), plant, core.IntValue(1), core.IntValue(2))
			},
			core.Error{},
		},
		"record references itself": {
			func(t *testing.T, s core.Querier) error {
				insert(t, s, plant, "id", 7, "parent", 7)
				return s.Delete(t.Context(), plant, core.IntValue(7))
			},
			core.Error{},
		},
		"record deleted and inserted again": {
			func(t *testing.T, s core.Querier) error {
				if err := s.Delete(t.Context(), bed, core.TextValue("old")); err != nil {
					return err
				}
				jar(t, s, "old")
				return nil
			},
			core.Error{},
		},
		"duplicate unique value": {
			func(t *testing.T, s core.Querier) error {
				return write(t, s, plant, "tag", 11)
			},
			core.Error{Code: core.AlreadyExists, Resource: "plant", Field: "tag"},
		},
		"duplicate one-to-one relation": {
			func(t *testing.T, s core.Querier) error {
				insert(t, s, sensor, "bed", "old")
				return write(t, s, sensor, "bed", "old")
			},
			core.Error{Code: core.AlreadyExists, Resource: "sensor", Field: "bed"},
		},
		"unique values swapped": {
			func(t *testing.T, s core.Querier) error {
				if err := change(t, s, "id", 1, "tag", 12); err != nil {
					return err
				}
				return change(t, s, "id", 2, "tag", 11)
			},
			core.Error{},
		},
		"null in several records": {
			func(t *testing.T, s core.Querier) error {
				insert(t, s, plant, "tag", nil)
				return write(t, s, plant, "tag", nil)
			},
			core.Error{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			store := open(t, with(seed.Data{
				"bed": {"old": {}},
				"plant": {
					1: {"bed": "old", "tag": 11},
					2: {"tag": 12},
				},
			}))
			err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
				return tt.do(t, tx)
			})
			got, _ := errors.AsType[*core.Error](err)
			if got == nil {
				got = &core.Error{}
			}
			if got.Code != tt.want.Code || got.Resource != tt.want.Resource || got.Field != tt.want.Field || got.Key != tt.want.Key {
				t.Errorf("commit: %v, want %v", err, &tt.want)
			}
		})
	}
}

func write(t *testing.T, s core.Querier, r *core.Resource, fields ...any) error {
	_, err := s.Insert(t.Context(), r, record(t, r, fields...))
	return err
}

func change(t *testing.T, s core.Querier, fields ...any) error {
	_, err := s.Update(t.Context(), plant, record(t, plant, fields...))
	return err
}

// content is a simple reference store: records by resource and key.
type content map[*core.Resource]map[core.Value]core.Record

func (c content) clone() content {
	out := make(content)
	for r, records := range c {
		out[r] = maps.Clone(records)
	}
	return out
}

func (c content) of(r *core.Resource) iter.Seq[core.Record] { return maps.Values(c[r]) }

var errUndo = errors.New("undo")

func TestTransactionsAgreeWithMap(t *testing.T) {
	resources := []*core.Resource{plant, bed}
	rapid.Check(t, func(t *rapid.T) {
		b := fresh()
		store, err := core.New(t.Context(), garden, b)
		if err != nil {
			t.Fatal(err)
		}
		want := content{plant: {}, bed: {}, sensor: {}}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			next := want.clone()
			undo := rapid.IntRange(0, 4).Draw(t, "undo") == 0
			err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
				for range rapid.IntRange(0, 6).Draw(t, "operations") {
					step(t, tx, next, rapid.SampledFrom(resources).Draw(t, "resource"))
				}
				holds(t, tx, next)
				if undo {
					return errUndo
				}
				return nil
			})
			broken := reference.CheckIntegrity(garden, next.of)
			switch {
			case undo && !errors.Is(err, errUndo):
				t.Fatalf("undone: %v", err)
			case !undo && (err == nil) != (broken == nil):
				t.Fatalf("commit: %v, want %v", err, broken)
			case err == nil:
				want = next
			}
			holds(t, store, want)
		}
		again, err := core.New(t.Context(), garden, with(b.Dump()))
		if err != nil {
			t.Fatal(err)
		}
		holds(t, again, want)
	})
}

// step runs a random operation on the transaction and on the content.
func step(t *rapid.T, s core.Querier, c content, r *core.Resource) {
	rec := anyRecord(t, r, rapid.SampledFrom(domain(r.Key())).Draw(t, "key"))
	key := rec.Key()
	_, exists := c[r][key]
	switch {
	case !exists:
		if _, err := s.Insert(t.Context(), r, rec); err != nil {
			t.Fatal(err)
		}
		c[r][key] = rec
	case rapid.Bool().Draw(t, "update"):
		if _, err := s.Update(t.Context(), r, rec); err != nil {
			t.Fatal(err)
		}
		c[r][key] = rec
	default:
		if err := s.Delete(t.Context(), r, key); err != nil {
			t.Fatal(err)
		}
		delete(c[r], key)
	}
}

// holds compares the records that s returns with the content, and each index with the records.
func holds(t *rapid.T, s core.Querier, c content) {
	for r, records := range c {
		page, err := s.Select(t.Context(), r, core.Query{})
		if err != nil || len(page.Records) != len(records) {
			t.Fatalf("%v, %v, want %v", page.Records, err, records)
		}
		for _, rec := range page.Records {
			if !rec.Equal(records[rec.Key()]) {
				t.Fatalf("%v, want %v", rec, records[rec.Key()])
			}
		}
		for _, f := range r.Columns() {
			if !f.Type().Ordered() {
				continue
			}
			page, err := s.Select(t.Context(), r, core.Query{Order: []string{f.Name()}})
			if err != nil || len(page.Records) != len(records) {
				t.Fatalf("by %s: %v, %v", f, page.Records, err)
			}
		}
	}
}
