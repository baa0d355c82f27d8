package storetest

import (
	"context"
	"testing"

	"github.com/larder-go/larder/core"
)

// fields are the content of a record by name.
type fields = map[string]any

// client runs operations on resources by name, with keys and fields as plain Go
// values. Those whose name begins with try return errors, the others end the
// test.
type client struct {
	testing.TB

	ctx     context.Context
	model   *core.Model
	querier core.Querier
}

// res returns the resource of that name.
func (c *client) res(name string) *core.Resource {
	r := c.model.Resource(name)
	if r == nil {
		panic("storetest: the kit's model has no resource " + name)
	}
	return r
}

// rec returns a record of the named fields, the others absent.
func (c *client) rec(resource string, f fields) core.Record {
	rec, err := c.res(resource).NewRecord(f)
	if err != nil {
		panic(err) // a mistake of the kit's
	}
	return rec
}

// full returns a record of the named fields, the others null: what a record
// reads as.
func (c *client) full(resource string, f fields) core.Record {
	rec := c.rec(resource, f)
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			rec = rec.With(i, core.Null)
		}
	}
	return rec
}

func (c *client) key(resource string, raw any) core.Value {
	v, err := c.res(resource).Key().Convert(raw)
	if err != nil {
		panic(err) // a mistake of the kit's
	}
	return v
}

func (c *client) keys(resource string, raw []any) []core.Value {
	keys := make([]core.Value, len(raw))
	for i, k := range raw {
		keys[i] = c.key(resource, k)
	}
	return keys
}

func (c *client) recs(resource string, all []fields) []core.Record {
	recs := make([]core.Record, len(all))
	for i, f := range all {
		recs[i] = c.rec(resource, f)
	}
	return recs
}

func (c *client) tryInsert(resource string, all ...fields) ([]core.Record, error) {
	return c.querier.Insert(c.ctx, c.res(resource), c.recs(resource, all)...)
}

func (c *client) insert(resource string, all ...fields) []core.Record {
	c.Helper()
	return c.many("insert", len(all), must(c.tryInsert(resource, all...))(c, "insert"))
}

func (c *client) tryUpdate(resource string, all ...fields) ([]core.Record, error) {
	return c.querier.Update(c.ctx, c.res(resource), c.recs(resource, all)...)
}

func (c *client) update(resource string, all ...fields) []core.Record {
	c.Helper()
	return c.many("update", len(all), must(c.tryUpdate(resource, all...))(c, "update"))
}

func (c *client) tryDelete(resource string, keys ...any) error {
	return c.querier.Delete(c.ctx, c.res(resource), c.keys(resource, keys)...)
}

func (c *client) delete(resource string, keys ...any) {
	c.Helper()
	must(0, c.tryDelete(resource, keys...))(c, "delete")
}

func (c *client) tryGet(resource string, key any) (core.Record, error) {
	return c.querier.Get(c.ctx, c.res(resource), c.key(resource, key))
}

func (c *client) get(resource string, key any) core.Record {
	c.Helper()
	return must(c.tryGet(resource, key))(c, "get")
}

func (c *client) load(resource string, keys ...any) []core.Record {
	c.Helper()
	return must(c.querier.Load(c.ctx, c.res(resource), c.keys(resource, keys)))(c, "load")
}

func (c *client) page(resource string, q core.Query) core.Page {
	c.Helper()
	return must(c.querier.Select(c.ctx, c.res(resource), q))(c, "select")
}

func (c *client) find(resource string, q core.Query) []core.Record {
	c.Helper()
	return c.page(resource, q).Records
}

// where finds the records that fulfil the condition, by key.
func (c *client) where(resource string, f core.Filter) []core.Record {
	c.Helper()
	return c.find(resource, core.Query{Where: f})
}

// all finds every record of the resource, by key.
func (c *client) all(resource string) []core.Record {
	c.Helper()
	return c.find(resource, core.Query{})
}

func (c *client) count(resource string, f core.Filter) int {
	c.Helper()
	return must(c.querier.Count(c.ctx, c.res(resource), f))(c, "count")
}

func (c *client) nextIDs(resource string, n int) []core.Value {
	c.Helper()
	keys := must(c.querier.NextIDs(c.ctx, c.res(resource), n))(c, "next ids")
	equal(c, "number of ids", len(keys), n)
	return keys
}

// many ends the test unless there are as many records as were written.
func (c *client) many(what string, n int, recs []core.Record) []core.Record {
	c.Helper()
	equal(c, "number of records that "+what+" returned", len(recs), n)
	return recs
}

// must returns a function that returns the result, or ends the test if there is
// an error.
func must[T any](result T, err error) func(c *client, what string) T {
	return func(c *client, what string) T {
		c.Helper()
		if err != nil {
			c.Fatalf("%s: %v", what, err)
		}
		return result
	}
}
