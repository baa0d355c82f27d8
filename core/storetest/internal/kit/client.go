package kit

import (
	"context"
	"fmt"
	"testing"

	"github.com/larder-go/larder/core"
)

// fields are the content of a record by name.
type Fields = map[string]any

// client runs operations on resources by name, with keys and fields as plain Go
// values. Those whose name begins with try return errors, the others end the
// test.
type Client struct {
	testing.TB

	Ctx     context.Context
	Model   *core.Model
	Querier core.Querier
}

// res returns the resource of that name.
func (c *Client) Resource(name string) *core.Resource {
	r := c.Model.Resource(name)
	if r == nil {
		panic("storetest: the kit's model has no resource " + name)
	}
	return r
}

// rec returns a record of the named fields, the others absent.
func (c *Client) Record(resource string, f Fields) core.Record {
	rec, err := c.Resource(resource).NewRecord(f)
	if err != nil {
		panic(err) // a mistake of the kit's
	}
	return rec
}

// full returns a record of the named fields, the others null: what a record
// reads as.
func (c *Client) Full(resource string, f Fields) core.Record {
	rec := c.Record(resource, f)
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			rec = rec.With(i, core.Null)
		}
	}
	return rec
}

func (c *Client) Key(resource string, raw any) core.Value {
	v, err := c.Resource(resource).Key().Convert(raw)
	if err != nil {
		panic(err) // a mistake of the kit's
	}
	return v
}

func (c *Client) Keys(resource string, raw []any) []core.Value {
	keys := make([]core.Value, len(raw))
	for i, k := range raw {
		keys[i] = c.Key(resource, k)
	}
	return keys
}

func (c *Client) Recs(resource string, all []Fields) []core.Record {
	recs := make([]core.Record, len(all))
	for i, f := range all {
		recs[i] = c.Record(resource, f)
	}
	return recs
}

func (c *Client) TryInsert(resource string, all ...Fields) ([]core.Record, error) {
	return c.Querier.Insert(c.Ctx, c.Resource(resource), c.Recs(resource, all)...)
}

func (c *Client) Insert(resource string, all ...Fields) []core.Record {
	c.Helper()
	return c.checkCount("insert", len(all), Must(c.TryInsert(resource, all...))(c, "insert"))
}

func (c *Client) TryUpdate(resource string, all ...Fields) ([]core.Record, error) {
	return c.Querier.Update(c.Ctx, c.Resource(resource), c.Recs(resource, all)...)
}

func (c *Client) Update(resource string, all ...Fields) []core.Record {
	c.Helper()
	return c.checkCount("update", len(all), Must(c.TryUpdate(resource, all...))(c, "update"))
}

func (c *Client) TryDelete(resource string, keys ...any) error {
	return c.Querier.Delete(c.Ctx, c.Resource(resource), c.Keys(resource, keys)...)
}

func (c *Client) Delete(resource string, keys ...any) {
	c.Helper()
	Must(0, c.TryDelete(resource, keys...))(c, "delete")
}

func (c *Client) TryGet(resource string, key any) (core.Record, error) {
	return c.Querier.Get(c.Ctx, c.Resource(resource), c.Key(resource, key))
}

func (c *Client) Get(resource string, key any) core.Record {
	c.Helper()
	return Must(c.TryGet(resource, key))(c, "get")
}

func (c *Client) Load(resource string, keys ...any) []core.Record {
	c.Helper()
	return Must(c.Querier.Load(c.Ctx, c.Resource(resource), c.Keys(resource, keys)))(c, "load")
}

func (c *Client) Page(resource string, q core.Query) core.Page {
	c.Helper()
	return Must(c.Querier.Select(c.Ctx, c.Resource(resource), q))(c, "select")
}

func (c *Client) Find(resource string, q core.Query) []core.Record {
	c.Helper()
	return c.Page(resource, q).Records
}

// where finds the records that fulfil the condition, by key.
func (c *Client) Where(resource string, f core.Filter) []core.Record {
	c.Helper()
	return c.Find(resource, core.Query{Where: f})
}

// all finds every record of the resource, by key.
func (c *Client) All(resource string) []core.Record {
	c.Helper()
	return c.Find(resource, core.Query{})
}

func (c *Client) Count(resource string, f core.Filter) int {
	c.Helper()
	return Must(c.Querier.Count(c.Ctx, c.Resource(resource), f))(c, "count")
}

func (c *Client) NextIDs(resource string, n int) []core.Value {
	c.Helper()
	keys := Must(c.Querier.NextIDs(c.Ctx, c.Resource(resource), n))(c, "next ids")
	Equal(c, "number of ids", len(keys), n)
	return keys
}

// many ends the test unless there are as many records as were written.
func (c *Client) checkCount(what string, n int, recs []core.Record) []core.Record {
	c.Helper()
	Equal(c, "number of records that "+what+" returned", len(recs), n)
	return recs
}

// must returns a function that returns the result, or ends the test if there is
// an error.
func Must[T any](result T, err error) func(c *Client, what string) T {
	return func(c *Client, what string) T {
		c.Helper()
		if err != nil {
			c.Fatalf("%s: %v", what, err)
		}
		return result
	}
}

// maxCursor is how many bytes a cursor stays below.
const maxCursor = 2048

// through returns what all pages of the query hold together.
func (c *Client) AllPages(resource string, q core.Query) []core.Record {
	c.Helper()
	var all []core.Record
	for {
		page := c.Page(resource, q)
		if q.Limit > 0 && len(page.Records) > q.Limit {
			c.Fatalf("a page of at most %d has %d records", q.Limit, len(page.Records))
		}
		if len(page.Next) >= maxCursor {
			c.Fatalf("a cursor has %d bytes", len(page.Next))
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all
		}
		if len(all) > 1<<12 {
			c.Fatalf("pages never end")
		}
		q.After = page.Next
	}
}

// pair loads two records, of which the first has the lower key.
func (c *Client) Pair(resource string, low, high int) ([]core.Record, error) {
	recs, err := c.Querier.Load(c.Ctx, c.Resource(resource), c.Keys(resource, []any{low, high}))
	if err == nil && len(recs) != 2 {
		err = fmt.Errorf("%d of the two records %d and %d are there", len(recs), low, high)
	}
	return recs, err
}
