package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// keyed has a resource with keys of each source.
func keyed() *core.Model {
	name := core.FieldSpec{Name: "name", Type: core.Text}
	return core.MustModel("keyed",
		core.ResourceSpec{Name: "generated", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, name}},
		core.ResourceSpec{Name: "random", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, name}},
		core.ResourceSpec{Name: "declared", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true, Assigned: true}, name}},
		core.ResourceSpec{Name: "text", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, name}},
	)
}

// choosing is a store that records Op.ChoosesKey of each insert, inside of an outer decorator.
type choosing struct {
	*testing.T

	store *core.Store
	chose []bool
}

func newChoosing(t *testing.T, outer core.Decorator) *choosing {
	t.Helper()
	c := &choosing{T: t}
	note := around("note", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert || op.ChoosesKey() {
			c.chose = append(c.chose, op.ChoosesKey())
		}
		return next(ctx, op)
	})
	store, err := core.New(t.Context(), keyed(), memory.New(), outer, note)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	c.store = store
	return c
}

func (c *choosing) res(name string) *core.Resource { return c.store.Model().Resource(name) }

func (c *choosing) record(resource string, fields map[string]any) core.Record {
	c.Helper()
	rec, err := c.res(resource).NewRecord(fields)
	if err != nil {
		c.Fatal(err)
	}
	return rec
}

// insert inserts records with the ids; nil leaves the id absent.
func (c *choosing) insert(ctx context.Context, s core.Querier, resource string, ids ...any) {
	c.Helper()
	records := make([]core.Record, len(ids))
	for i, id := range ids {
		fields := map[string]any{"name": "x"}
		if id != nil {
			fields["id"] = id
		}
		records[i] = c.record(resource, fields)
	}
	if _, err := s.Insert(ctx, c.res(resource), records...); err != nil {
		c.Fatal(err)
	}
}

func (c *choosing) noted(want ...bool) {
	c.Helper()
	if got := fmt.Sprint(c.chose); got != fmt.Sprint(want) {
		c.Errorf("got %s, want %v", got, want)
	}
	c.chose = nil
}

func passing() core.Decorator {
	return around("pass", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) })
}

func TestChoosesKey(t *testing.T) {
	c := newChoosing(t, passing())
	for name, x := range map[string]struct {
		resource string
		ids      []any
		want     bool
	}{
		"a key":                                 {"generated", []any{50}, true},
		"no key":                                {"generated", []any{nil}, false},
		"a key in one of several records":       {"generated", []any{nil, 60, nil}, true},
		"no records":                            {"generated", nil, false},
		"a key of type uuid":                    {"random", []any{"00000000-0000-0000-0000-000000000001"}, true},
		"a key that the model says is assigned": {"declared", []any{1}, false},
		"a key of type text":                    {"text", []any{"a"}, false},
	} {
		t.Run(name, func(*testing.T) {
			c.insert(t.Context(), c.store, x.resource, x.ids...)
			c.noted(x.want)
		})
	}
}

func TestChoosesKeyAllocatedByNextIDs(t *testing.T) {
	c := newChoosing(t, passing())
	if err := c.store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		keys, err := tx.NextIDs(ctx, c.res("generated"), 2)
		if err != nil {
			return err
		}
		c.insert(ctx, tx, "generated", keys[0], nil)
		c.insert(ctx, tx, "generated", keys[1], 70)
		c.insert(ctx, tx, "generated", 80)
		more, err := tx.NextIDs(ctx, c.res("generated"), 1)
		if err != nil {
			return err
		}
		c.insert(ctx, tx, "generated", more[0])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c.noted(false, true, true, false)
	keys, err := c.store.NextIDs(t.Context(), c.res("generated"), 1)
	if err != nil {
		t.Fatal(err)
	}
	c.insert(t.Context(), c.store, "generated", keys[0])
	c.noted(true) // the key was allocated in another transaction
}

// A key allocated for another resource of the transaction is chosen.
func TestChoosesKeyAllocatedForAnotherResource(t *testing.T) {
	c := newChoosing(t, passing())
	if err := c.store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		keys, err := tx.NextIDs(ctx, c.res("random"), 1)
		if err != nil {
			return err
		}
		c.insert(ctx, tx, "random", keys[0])
		c.insert(ctx, tx, "generated", 1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c.noted(false, true)
}

func TestChoosesKeyOfADecorator(t *testing.T) {
	var change func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)
	c := newChoosing(t, around("outer", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert {
			return change(ctx, op, next)
		}
		return next(ctx, op)
	}))
	stamp := func(key core.Value) {
		change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			op.Records = []core.Record{op.Records[0].With(op.Resource.Key().Column(), key)}
			return next(ctx, op)
		}
	}
	further := func(values map[string]any) {
		change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			entry := op.Derive(core.Insert, op.Resource)
			entry.Records = []core.Record{c.record("generated", values)}
			if _, err := next(ctx, entry); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		}
	}
	stamp(core.IntValue(50))
	c.insert(t.Context(), c.store, "generated", nil)
	c.noted(false) // the caller did not choose it
	further(map[string]any{"id": 60})
	c.insert(t.Context(), c.store, "generated", nil)
	c.noted(true, false)
	further(map[string]any{"name": "y"})
	c.insert(t.Context(), c.store, "generated", 70)
	c.noted(false, true)
	change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			ids := op.Derive(core.NextID, op.Resource)
			ids.N = 1
			res, err := next(ctx, ids)
			if err != nil {
				return core.Result{}, err
			}
			entry := op.Derive(core.Insert, op.Resource)
			entry.Records = []core.Record{op.Resource.Patch(res.Keys[0])}
			if _, err := next(ctx, entry); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		})
	}
	c.insert(t.Context(), c.store, "generated", nil)
	c.noted(false, false)
	change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		other := c.record("text", map[string]any{"id": "z"})
		op.Resource, op.Records = other.Resource(), []core.Record{other}
		_, err := next(ctx, op)
		return core.Result{Records: op.Records}, err
	}
	c.insert(t.Context(), c.store, "generated", 90)
	c.noted(false)
}

func TestInsertRejectsTextKeysThatURLsCannotAddress(t *testing.T) {
	store, err := core.New(t.Context(), keyed(), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	page := store.Model().Resource("text")
	for _, key := range []string{"", ".", ".."} {
		values := make([]core.Value, len(page.Columns()))
		values[page.Key().Column()] = core.TextValue(key)
		_, err := store.Insert(t.Context(), page, page.RecordOf(values))
		if !errors.Is(err, core.BadFieldValue) || !strings.Contains(err.Error(), `"", "." and ".." cannot be keys`) {
			t.Errorf("%q: got %v", key, err)
		}
	}
}
