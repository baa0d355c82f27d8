package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/seed"
)

// friends returns an engine over a store in which every read returns these ids in the list of friends.
func friends(t *testing.T, ids ...core.Value) *engine.Engine {
	model := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "friends", ToMany: "thing", Writable: core.Never},
	}})
	stored := core.Decorator{Name: "stored", Kind: core.KindAnswer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			res, err := next(ctx, op)
			found := make([]core.Record, len(res.Records))
			for i, rec := range res.Records {
				found[i] = rec.With(1, core.ListOf(ids...))
			}
			res.Records = found
			return res, err
		}, nil
	}}
	data := seed.Data{"thing": {1: nil, 2: nil, 3: nil}}
	store, err := core.New(t.Context(), model, memory.NewWith(data), stored)
	if err != nil {
		t.Fatal(err)
	}
	return engine.New(store, engine.Options{})
}

func TestStoredIDOfWrongTypeIsServerError(t *testing.T) {
	_, err := friends(t, core.TextValue("x")).Get(t.Context(), "thing", 1, 1)
	if !errors.Is(err, core.ServerError) {
		t.Fatalf("get: %v, want %s", err, core.ServerError)
	}
	if cause := core.AsError(err).Cause.Error(); !strings.HasPrefix(cause, "reading the ids that a record stores in thing.friends: ") {
		t.Errorf("cause: %s", cause)
	}
}

func TestStoredIDsAreShownAsSet(t *testing.T) {
	api := friends(t, core.IntValue(3), core.IntValue(1), core.IntValue(9), core.IntValue(3))
	for depth, want := range map[int]string{
		1: `{"id":2,"friends":[1,3]}`,
		2: `{"id":2,"friends":[{"id":1,"friends":[1,3]},{"id":3,"friends":[1,3]}]}`,
	} {
		view, err := api.Get(t.Context(), "thing", 2, depth)
		if got := string(view.AppendJSON(nil)); err != nil || got != want {
			t.Errorf("depth %d: %s, %v, want %s", depth, got, err, want)
		}
	}
}

func TestEmptyListEqualsNull(t *testing.T) {
	if _, err := friends(t).Update(t.Context(), "thing", 1, engine.Write{}, map[string]any{"friends": nil}); err != nil {
		t.Error(err)
	}
	_, err := friends(t).Update(t.Context(), "thing", 1, engine.Write{}, map[string]any{"friends": []int{1}})
	if !errors.Is(err, core.FieldUpdateForbidden) {
		t.Errorf("one instead of none: %v, want %s", err, core.FieldUpdateForbidden)
	}
	_, err = friends(t, core.IntValue(1)).Update(t.Context(), "thing", 1, engine.Write{}, map[string]any{"friends": nil})
	if !errors.Is(err, core.FieldUpdateForbidden) {
		t.Errorf("none instead of one: %v, want %s", err, core.FieldUpdateForbidden)
	}
}
