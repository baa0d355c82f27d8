package memory

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

func TestDataThatBreaksTheModelIsRefusedWithRecordAndFieldNamed(t *testing.T) {
	tests := map[string]struct {
		data seed.Data
		says []string
	}{
		"unknown resource": {seed.Data{"weed": {}}, []string{"weed"}},
		"unknown field":    {seed.Data{"plant": {1: {"colour": "red"}}}, []string{"plant 1", "colour"}},
		"wrong type":       {seed.Data{"plant": {1: {"height": "tall"}}}, []string{"plant 1", "height", "tall"}},
		"wrong key":        {seed.Data{"plant": {"one": {}}}, []string{"plant one"}},
		"no target":        {seed.Data{"plant": {1: {"bed": "north"}}}, []string{"plant 1", "bed", "north"}},
		"two sides":        {seed.Data{"plant": {1: {}}, "bed": {"north": {"plants": []any{1}}}}, []string{"bed north", "plants"}},
		"not unique":       {seed.Data{"plant": {1: {"tag": 5}, 2: {"tag": 5}}}, []string{"plant 2", "tag", "1"}},
		"two mistakes":     {seed.Data{"plant": {1: {"tag": "x"}, 2: {"sown": "y"}}}, []string{"plant 1", "tag", "plant 2", "sown"}},
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

func TestABackendBelongsToOneStore(t *testing.T) {
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

func TestAClosedBackendBeginsNothing(t *testing.T) {
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

func TestTheStackNamesTheBackend(t *testing.T) {
	if d := open(t, New()).Describe(); d.Backend != "memory" {
		t.Errorf("%q", d.Backend)
	}
}
