package kit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// equal ends the test unless both are the same.
func Equal[T comparable](c *Client, what string, got, want T) {
	c.Helper()
	if got != want {
		c.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// sameKeys ends the test unless the records have these keys, in this order.
func (c *Client) SameKeys(what string, got []core.Record, keys ...any) {
	c.Helper()
	want := make([]string, len(keys))
	for i, k := range keys {
		want[i] = fmt.Sprint(k)
	}
	if have := KeyTexts(got); !slices.Equal(have, want) {
		c.Fatalf("%s: got keys %q, want %q", what, have, want)
	}
}

// same ends the test unless the records are these, in this order.
func (c *Client) Same(what string, got []core.Record, want ...core.Record) {
	c.Helper()
	if diff := Difference(got, want); diff != "" {
		c.Fatalf("%s: %s", what, diff)
	}
}

// fails ends the test unless err has the code and the public details of want.
func (c *Client) Fails(what string, err error, want *core.Error) {
	c.Helper()
	if got := PublicText(err); got != want.Public() {
		c.Fatalf("%s: got %s, want %s", what, got, want.Public())
	}
}

// failsAs ends the test unless err has the code.
func (c *Client) FailsAs(what string, err error, code core.Code) {
	c.Helper()
	if !errors.Is(err, code) {
		c.Fatalf("%s: got %s, want %s", what, PublicText(err), code)
	}
}

// holds ends the test unless the record has the values of want in the named
// fields, and in the others either the same or nothing.
func (c *Client) Holds(what string, got, want core.Record, names ...string) {
	c.Helper()
	Equal(c, what+": resource", got.Resource(), want.Resource())
	for _, name := range names {
		Equal(c, what+": "+name, got.Get(name), want.Get(name))
	}
	for i, f := range want.Resource().Columns() {
		if v := got.At(i); !v.IsAbsent() {
			Equal(c, what+": "+f.Name()+", not asked for", v, want.At(i))
		}
	}
}
