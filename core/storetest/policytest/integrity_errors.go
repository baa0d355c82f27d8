package policytest

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// certain knows whether it is certain which error a transaction owes: of several
// that a commit may owe for broken relations and unique values, a backend returns
// any. What is owed for a missing record is always certain.
type integrityErrors struct {
	keys    []operation // whose keys may be missing
	claims  int         // values that others may hold, or that may lead nowhere
	deletes int
}

// add takes an operation of the transaction into account.
func (c *integrityErrors) add(a operation) {
	switch a.kind {
	case core.Insert, core.Update:
		for _, rec := range a.records {
			c.claims += claims(rec, a.kind)
		}
	case core.Delete:
		c.deletes++
	}
	if a.kind != core.Insert {
		c.keys = append(c.keys, a)
	}
}

func claims(rec core.Record, kind core.Kind) (n int) {
	for i, f := range rec.Resource().Columns() {
		if rec.At(i).IsSet() && (f.Target() != nil && !f.Many() || f.Unique() || f.Key() && kind == core.Insert) {
			n++
		}
	}
	return n
}

// either reports whether the transaction may have owed both errors.
func (c *integrityErrors) mayBeEither(a, b error) bool {
	if !c.isIntegrity(a) || !c.isIntegrity(b) {
		return false
	}
	if errors.Is(a, core.FieldUpdateForbidden) && errors.Is(b, core.FieldUpdateForbidden) {
		return c.deletes > 0
	}
	return c.claims+c.deletes > 1
}

// broken reports whether the error is one of broken relations and unique values.
func (c *integrityErrors) isIntegrity(err error) bool {
	switch {
	case errors.Is(err, core.AlreadyExists), errors.Is(err, core.FieldUpdateForbidden):
		return true
	case !errors.Is(err, core.NotFound):
		return false
	}
	e := core.AsError(err)
	return !slices.ContainsFunc(c.keys, func(a operation) bool {
		return a.res.APIName() == e.Resource && slices.Contains(a.keys, e.Key)
	})
}
