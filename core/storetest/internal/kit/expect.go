package kit

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// Equal ends the test unless got and want are equal.
func Equal[T comparable](c *Client, label string, got, want T) {
	c.Helper()
	if got != want {
		c.Fatalf("%s: got %v, want %v", label, got, want)
	}
}

// SameKeys ends the test unless the records have these keys, in this order.
func (c *Client) SameKeys(label string, got []core.Record, keys ...any) {
	c.Helper()
	want := make([]string, len(keys))
	for i, k := range keys {
		want[i] = fmt.Sprint(k)
	}
	if have := KeyTexts(got); !slices.Equal(have, want) {
		c.Fatalf("%s: got keys %q, want %q", label, have, want)
	}
}

// Same ends the test unless the records equal want, in this order.
func (c *Client) Same(label string, got []core.Record, want ...core.Record) {
	c.Helper()
	if diff := Difference(got, want); diff != "" {
		c.Fatalf("%s: %s", label, diff)
	}
}

// Fails ends the test unless err has the code and the public details of want.
func (c *Client) Fails(label string, err error, want *core.Error) {
	c.Helper()
	if got := PublicText(err); got != want.Public() {
		c.Fatalf("%s: got %s, want %s", label, got, want.Public())
	}
}

// FailsAs ends the test unless err has the code.
func (c *Client) FailsAs(label string, err error, code core.Code) {
	c.Helper()
	if err == nil || core.AsError(err).Code != code {
		c.Fatalf("%s: got %s, want %s", label, PublicText(err), code)
	}
}

// Holds ends the test unless the record has the values of want in the named fields. Each other field must have the value
// of want or be absent.
func (c *Client) Holds(label string, got, want core.Record, names ...string) {
	c.Helper()
	Equal(c, label+": resource", got.Resource(), want.Resource())
	for _, name := range names {
		Equal(c, label+": "+name, got.Get(name), want.Get(name))
	}
	for i, f := range want.Resource().Columns() {
		if v := got.At(i); !v.IsAbsent() {
			Equal(c, label+": "+f.Name()+", not requested", v, want.At(i))
		}
	}
}
