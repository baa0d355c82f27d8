package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// equal ends the test unless both are the same.
func equal[T comparable](c *client, what string, got, want T) {
	c.Helper()
	if got != want {
		c.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// sameKeys ends the test unless the records have these keys, in this order.
func (c *client) sameKeys(what string, got []core.Record, keys ...any) {
	c.Helper()
	want := make([]string, len(keys))
	for i, k := range keys {
		want[i] = fmt.Sprint(k)
	}
	if have := keysOf(got); !slices.Equal(have, want) {
		c.Fatalf("%s: got keys %q, want %q", what, have, want)
	}
}

func keysOf(recs []core.Record) []string {
	keys := make([]string, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key().String()
	}
	return keys
}

// same ends the test unless the records are these, in this order.
func (c *client) same(what string, got []core.Record, want ...core.Record) {
	c.Helper()
	if diff := difference(got, want); diff != "" {
		c.Fatalf("%s: %s", what, diff)
	}
}

// difference says in words how two lists of records differ.
func difference(got, want []core.Record) string {
	for i := range min(len(got), len(want)) {
		if !got[i].Equal(want[i]) {
			return fmt.Sprintf("record %d of %d: got %v, want %v", i+1, len(want), got[i], want[i])
		}
	}
	switch {
	case len(got) < len(want):
		return fmt.Sprintf("got %d records of %d: %v is missing", len(got), len(want), want[len(got)])
	case len(got) > len(want):
		return fmt.Sprintf("got %d records instead of %d: %v is too many", len(got), len(want), got[len(want)])
	}
	return ""
}

// fails ends the test unless err has the code and the public details of want.
func (c *client) fails(what string, err error, want *core.Error) {
	c.Helper()
	if got := publicly(err); got != want.Public() {
		c.Fatalf("%s: got %s, want %s", what, got, want.Public())
	}
}

// failsAs ends the test unless err has the code.
func (c *client) failsAs(what string, err error, code core.Code) {
	c.Helper()
	if !errors.Is(err, code) {
		c.Fatalf("%s: got %s, want %s", what, publicly(err), code)
	}
}

// publicly returns what a client may see of an error, and its cause if there is
// no more than that.
func publicly(err error) string {
	if err == nil {
		return "no error"
	}
	e := core.AsError(err)
	if e.Code == core.ServerError || e.Code == core.Unavailable || e.Code == core.OutcomeUnknown {
		return e.Error()
	}
	return e.Public()
}
