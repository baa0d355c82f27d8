package ownership_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/ownership"
)

// model has cookies with owners, and jars that are shared.
var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "user_id", Type: core.Int, Hidden: true, Indexed: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

var cookie, jar = model.Resource("cookie"), model.Resource("jar")

var options = ownership.Options{Shared: []string{"jar"}, Bypass: []string{"auditor", "admin"}}

// client runs operations of a principal on a store, outside transactions or in one.
type client struct {
	*testing.T

	ctx     context.Context
	store   *core.Store
	querier core.Querier
}

// open returns a client of an empty store, as the system principal.
func open(t *testing.T, m *core.Model, decorators ...core.Decorator) *client {
	t.Helper()
	store, err := core.New(t.Context(), m, memory.New(), decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &client{t, core.System(t.Context()), store, store}
}

// stocked returns a client of a store with cookies 1 and 3 of user 1, cookie 2 of user 2, and cookie 4 without an owner.
func stocked(t *testing.T) *client {
	t.Helper()
	c := open(t, model, ownership.New("user_id", options))
	c.insert(jar, map[string]any{"id": 1})
	for id, owner := range []any{1: 1, 2: 2, 3: 1, 4: nil} {
		if id > 0 {
			c.insert(cookie, map[string]any{"id": id, "user_id": owner, "type": "muffin", "jar": 1})
		}
	}
	return c
}

func (c *client) as(p *core.Principal) *client {
	next := *c
	next.ctx = core.WithPrincipal(c.ctx, p)
	return &next
}

func (c *client) user(id int64) *client { return c.as(&core.Principal{ID: core.IntValue(id)}) }

func (c *client) record(r *core.Resource, fields map[string]any) core.Record {
	c.Helper()
	rec, err := r.NewRecord(fields)
	if err != nil {
		c.Fatal(err)
	}
	return rec
}

func (c *client) insert(r *core.Resource, fields map[string]any) core.Record {
	c.Helper()
	out, err := c.querier.Insert(c.ctx, r, c.record(r, fields))
	if err != nil {
		c.Fatalf("insert: %v", err)
	}
	return out[0]
}

func (c *client) tryInsert(r *core.Resource, fields map[string]any) error {
	c.Helper()
	_, err := c.querier.Insert(c.ctx, r, c.record(r, fields))
	return err
}

func (c *client) tryUpdate(r *core.Resource, fields map[string]any) error {
	c.Helper()
	_, err := c.querier.Update(c.ctx, r, c.record(r, fields))
	return err
}

// keys returns the keys of all records that the client can read, and compares three ways to read them.
func (c *client) keys(r *core.Resource) (keys []int64) {
	c.Helper()
	page, err := c.querier.Select(c.ctx, r, core.Query{})
	if err != nil {
		c.Fatalf("select: %v", err)
	}
	for _, rec := range page.Records {
		keys = append(keys, rec.Key().Int())
	}
	var all []core.Value
	for k := int64(1); k < 20; k++ {
		all = append(all, core.IntValue(k))
	}
	loaded, err := c.querier.Load(c.ctx, r, all)
	if err != nil {
		c.Fatalf("load: %v", err)
	}
	n, err := c.querier.Count(c.ctx, r, core.All())
	if err != nil || n != len(keys) || len(loaded) != n {
		c.Errorf("%d are selected, %d loaded, %d counted, %v", len(keys), len(loaded), n, err)
	}
	return keys
}

// everywhere runs the test outside a transaction and inside one.
func (c *client) everywhere(test func(c *client)) {
	c.Helper()
	test(c)
	undo := errors.New("undo")
	err := c.store.Tx(c.ctx, func(ctx context.Context, tx *core.Transaction) error {
		test(&client{c.T, ctx, c.store, tx})
		return undo
	})
	if !errors.Is(err, undo) {
		c.Errorf("transaction: %v", err)
	}
}
