package stacks_test

import (
	"context"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/softdelete"
	"github.com/larder-go/larder/decorators/stamp"
)

// softdelete turns a delete and a restore into updates, which stamp sees: they change the record, and touch the one that it points at.
func TestSoftDeletesAndRestoresAreStamped(t *testing.T) {
	store, err := core.New(t.Context(), kept(), faulty(t, nil), softdelete.New(deletedAt, softdelete.Options{}),
		stamp.New(stamp.Options{Updated: "updated_at", UpdatedBy: "updated_by", Touch: map[string][]string{"crumb": {"cookie"}}}))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // it is in memory
	ada, bob := core.WithPrincipal(t.Context(), three()[0]), core.WithPrincipal(t.Context(), three()[1])
	cookie, crumb := store.Model().Resource("cookie"), store.Model().Resource("crumb")
	for r, fields := range map[*core.Resource]map[string]any{cookie: {"id": 1}, crumb: {"id": 1}} {
		rec, err := r.NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Insert(ada, r, rec); err != nil {
			t.Fatal(err)
		}
	}
	key := core.IntValue(1)
	if _, err := store.Update(ada, crumb, crumb.Patch(key).Set(crumb.Field("cookie"), key)); err != nil {
		t.Fatal(err)
	}
	last := core.Null
	for _, step := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"delete", func(ctx context.Context) error { return store.Delete(ctx, crumb, key) }},
		{"restore", func(ctx context.Context) error { _, err := store.Restore(ctx, crumb, key); return err }},
	} {
		if err := step.do(bob); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		parent, err := store.Get(bob, cookie, key)
		if err != nil {
			t.Fatal(err)
		}
		child, err := store.Load(core.WithDeleted(core.System(t.Context())), crumb, []core.Value{key})
		if err != nil || len(child) != 1 {
			t.Fatal(child, err)
		}
		if at := child[0].Get("updated_at"); at == last || at != parent.Get("updated_at") || child[0].Get("updated_by") != core.IntValue(2) || parent.Get("updated_by") != key {
			t.Errorf("%s: %v, %v", step.name, child[0], parent)
		} else {
			last = at
		}
	}
}
