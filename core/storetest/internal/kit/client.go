package kit

import (
	"context"
	"fmt"
	"testing"

	"github.com/larder-go/larder/core"
)

// Fields are the values of a record by field name.
type Fields = map[string]any

// Client runs operations on resources that it finds by name. Keys and fields are plain Go values, converted to the type
// of the field. Methods named Try... return errors; the other methods end the test if the operation fails.
type Client struct {
	testing.TB

	Ctx     context.Context
	Model   *core.Model
	Querier core.Querier
}

// Resource returns the resource with that name. It panics if the model has none.
func (c *Client) Resource(name string) *core.Resource {
	r := c.Model.Resource(name)
	if r == nil {
		panic("storetest: the kit's model has no resource " + name)
	}
	return r
}

// Record returns a record with the fields. The other columns are absent.
func (c *Client) Record(resource string, f Fields) core.Record {
	rec, err := c.Resource(resource).NewRecord(f)
	if err != nil {
		panic(err) // the case is wrong, not the backend
	}
	return rec
}

// Full returns a record with the fields. The other columns are null, as in a record that a backend returns.
func (c *Client) Full(resource string, f Fields) core.Record {
	rec := Must(c.Record(resource, f).WithParts())(c, "record")
	values := make([]core.Value, rec.Len())
	for i, field := range rec.Resource().Columns() {
		if values[i] = rec.At(i); values[i].IsAbsent() && field.Parts() == nil {
			values[i] = core.Null
		}
	}
	return rec.Resource().RecordOf(values)
}

// Key returns a key of the resource.
func (c *Client) Key(resource string, raw any) core.Value {
	v, err := c.Resource(resource).Key().Convert(raw)
	if err != nil {
		panic(err) // the case is wrong, not the backend
	}
	return v
}

// Keys returns keys of the resource.
func (c *Client) Keys(resource string, raw []any) []core.Value {
	keys := make([]core.Value, len(raw))
	for i, k := range raw {
		keys[i] = c.Key(resource, k)
	}
	return keys
}

// Recs returns several records, as Record does.
func (c *Client) Recs(resource string, all []Fields) []core.Record {
	recs := make([]core.Record, len(all))
	for i, f := range all {
		recs[i] = c.Record(resource, f)
	}
	return recs
}

// TryInsert inserts the records.
func (c *Client) TryInsert(resource string, all ...Fields) ([]core.Record, error) {
	return c.Querier.Insert(c.Ctx, c.Resource(resource), c.Recs(resource, all)...)
}

// Insert inserts the records and returns them as stored.
func (c *Client) Insert(resource string, all ...Fields) []core.Record {
	c.Helper()
	return c.checkCount("insert", len(all), Must(c.TryInsert(resource, all...))(c, "insert"))
}

// TryUpdate updates the records, which have their keys among the fields.
func (c *Client) TryUpdate(resource string, all ...Fields) ([]core.Record, error) {
	return c.Querier.Update(c.Ctx, c.Resource(resource), c.Recs(resource, all)...)
}

// Update updates the records and returns them ascending by key.
func (c *Client) Update(resource string, all ...Fields) []core.Record {
	c.Helper()
	return c.checkCount("update", len(all), Must(c.TryUpdate(resource, all...))(c, "update"))
}

// TryDelete deletes the records with the keys.
func (c *Client) TryDelete(resource string, keys ...any) error {
	return c.Querier.Delete(c.Ctx, c.Resource(resource), c.Keys(resource, keys)...)
}

// Delete deletes the records with the keys.
func (c *Client) Delete(resource string, keys ...any) {
	c.Helper()
	Must(0, c.TryDelete(resource, keys...))(c, "delete")
}

// TryGet loads one record. It returns NotFound if the record does not exist.
func (c *Client) TryGet(resource string, key any) (core.Record, error) {
	return c.Querier.Get(c.Ctx, c.Resource(resource), c.Key(resource, key))
}

// Get loads one record.
func (c *Client) Get(resource string, key any) core.Record {
	c.Helper()
	return Must(c.TryGet(resource, key))(c, "get")
}

// Load returns the existing records with the keys, ascending by key.
func (c *Client) Load(resource string, keys ...any) []core.Record {
	c.Helper()
	return Must(c.Querier.Load(c.Ctx, c.Resource(resource), c.Keys(resource, keys)))(c, "load")
}

// Page runs a query and returns one page.
func (c *Client) Page(resource string, q core.Query) core.Page {
	c.Helper()
	return Must(c.Querier.Select(c.Ctx, c.Resource(resource), q))(c, "select")
}

// Find runs a query and returns the records of one page.
func (c *Client) Find(resource string, q core.Query) []core.Record {
	c.Helper()
	return c.Page(resource, q).Records
}

// Where selects the records that match the filter, ascending by key.
func (c *Client) Where(resource string, f core.Filter) []core.Record {
	c.Helper()
	return c.Find(resource, core.Query{Where: f})
}

// All selects every record of the resource, ascending by key.
func (c *Client) All(resource string) []core.Record {
	c.Helper()
	return c.Find(resource, core.Query{})
}

// Count counts the records that match the filter.
func (c *Client) Count(resource string, f core.Filter) int {
	c.Helper()
	return Must(c.Querier.Count(c.Ctx, c.Resource(resource), f))(c, "count")
}

// NextIDs allocates n keys.
func (c *Client) NextIDs(resource string, n int) []core.Value {
	c.Helper()
	keys := Must(c.Querier.NextIDs(c.Ctx, c.Resource(resource), n))(c, "next ids")
	Equal(c, "number of ids", len(keys), n)
	return keys
}

// checkCount ends the test unless the write returned as many records as it was given.
func (c *Client) checkCount(label string, n int, recs []core.Record) []core.Record {
	c.Helper()
	Equal(c, "number of records that "+label+" returned", len(recs), n)
	return recs
}

// Must takes the results of a call and returns a function that returns the value, or ends the test if there is an error.
func Must[T any](result T, err error) func(c *Client, label string) T {
	return func(c *Client, label string) T {
		c.Helper()
		if err != nil {
			c.Fatalf("%s: %v", label, err)
		}
		return result
	}
}

// maxCursor is the length in bytes that every cursor stays below.
const maxCursor = 2048

// AllPages runs the query, follows the cursors to the last page, and returns the records of all pages.
func (c *Client) AllPages(resource string, q core.Query) []core.Record {
	c.Helper()
	var all []core.Record
	for {
		page := c.Page(resource, q)
		if q.Limit > 0 && len(page.Records) > q.Limit {
			c.Fatalf("a page with limit %d has %d records", q.Limit, len(page.Records))
		}
		if len(page.Next) >= maxCursor {
			c.Fatalf("a cursor has %d bytes, want less than %d", len(page.Next), maxCursor)
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all
		}
		if len(all) > 1<<12 {
			c.Fatalf("the pages do not end")
		}
		q.After = page.Next
	}
}

// Pair loads two records. It returns them ascending by key, so low must be the lower key. It is an error if one of them
// is missing.
func (c *Client) Pair(resource string, low, high int) ([]core.Record, error) {
	recs, err := c.Querier.Load(c.Ctx, c.Resource(resource), c.Keys(resource, []any{low, high}))
	if err == nil && len(recs) != 2 {
		err = fmt.Errorf("found %d of the records %d and %d", len(recs), low, high)
	}
	return recs, err
}
