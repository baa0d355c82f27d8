package memory

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

func TestDumpIsTakenBack(t *testing.T) {
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

func TestDumpShowsWhatIsCommittedAndBelongsToTheCaller(t *testing.T) {
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
