package memory

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest"
)

func TestInvalidDataNamesRecordAndField(t *testing.T) {
	tests := map[string]struct {
		data seed.Data
		says []string
	}{
		"unknown resource":                {seed.Data{"weed": {}}, []string{"weed"}},
		"unknown field":                   {seed.Data{"plant": {1: {"colour": "red"}}}, []string{"plant 1", "colour"}},
		"wrong type":                      {seed.Data{"plant": {1: {"height": "tall"}}}, []string{"plant 1", "height", "tall"}},
		"wrong key":                       {seed.Data{"plant": {"one": {}}}, []string{"plant one"}},
		"missing target":                  {seed.Data{"plant": {1: {"bed": "north"}}}, []string{"plant 1", "bed", "north"}},
		"conflicting sides of a relation": {seed.Data{"plant": {1: {}}, "bed": {"north": {"plants": []any{1}}}}, []string{"bed north", "plants"}},
		"not unique":                      {seed.Data{"plant": {1: {"tag": 5}, 2: {"tag": 5}}}, []string{"plant 2", "tag", "1"}},
		"two errors":                      {seed.Data{"plant": {1: {"tag": "x"}, 2: {"sown": "y"}}}, []string{"plant 1", "tag", "plant 2", "sown"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := core.New(t.Context(), garden, NewWith(tt.data))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range tt.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestSecondBindFails(t *testing.T) {
	b := New()
	store := open(t, b)
	key := insert(t, store, plant)
	if err := b.Bind(t.Context(), garden); err == nil {
		t.Error("bound twice")
	}
	if _, err := store.Get(t.Context(), plant, key); err != nil {
		t.Error(err)
	}
}

func TestBeginAfterCloseFails(t *testing.T) {
	b := New()
	open(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []core.BackendTxOptions{{}, {ReadOnly: true}, {Single: true}} {
		if _, err := b.Begin(t.Context(), opts); !errors.Is(err, core.ErrClosed) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

func TestDescribeNamesBackend(t *testing.T) {
	if d := open(t, New()).Describe(); d.Backend != "memory" {
		t.Errorf("%q", d.Backend)
	}
}

func TestDumpRoundTrip(t *testing.T) {
	const id = "0b4f1f0a-9c1e-4b7e-8f5d-2f6a1c3d4e5f"
	b := NewWith(seed.Data{
		"plant":  {1: {"name": "1", "height": 1.5, "edible": false, "sown": "2024-02-29T12:00:00.000001Z", "tag": 3, "parent": 1}},
		"bed":    {"1": {"label": []byte{0, 255}, "plants": []any{}}},
		"sensor": {id: {"bed": "1", "watches": []any{1, 9}, "raw": map[string]any{"a": []any{1, nil, "x"}}, "blob": []byte{}}},
	})
	open(t, b)
	first := b.Dump()
	again := NewWith(first)
	open(t, again)
	if second := again.Dump(); !reflect.DeepEqual(first, second) {
		t.Errorf("dumped %v and then %v", first, second)
	}
	if got := first["sensor"][id]["raw"]; !reflect.DeepEqual(got, map[string]any{"a": []any{json.Number("1"), nil, "x"}}) {
		t.Errorf("raw is %v", got)
	}
	if got, want := len(first["plant"][int64(1)]), 7; got != want {
		t.Errorf("%d fields, want %d without the null ones", got, want)
	}
}

func TestDumpIsCommittedAndOwnedByCaller(t *testing.T) {
	b := New()
	if data := b.Dump(); len(data) != 0 {
		t.Errorf("before Bind: %v", data)
	}
	store := open(t, b)
	insert(t, store, bed, "id", "north")
	err := store.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
		insert(t, tx, bed, "id", "south")
		data := b.Dump()
		if keys := maps.Clone(data["bed"]); len(keys) != 1 || keys["north"] == nil {
			t.Errorf("dumped %v", data)
		}
		data["bed"]["north"]["rank"] = 5
		delete(data, "bed")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Dump()["bed"]; len(got) != 2 || got["north"]["rank"] != nil {
		t.Errorf("dumped %v", got)
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(testing.TB, *core.Model) core.Backend { return New() })
}
