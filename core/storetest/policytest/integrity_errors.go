package policytest

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// integrityErrors decides whether a transaction may fail with either of two errors. If a commit violates several
// references and unique values, the backend may return any of the errors. The error for a missing record of an operation
// is always the same.
type integrityErrors struct {
	keys    []operation // their keys may be missing
	claims  int         // written unique values and references
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

// claims counts the keys, references and unique values that the record sets.
func claims(rec core.Record, kind core.Kind) (n int) {
	for i, f := range rec.Resource().Columns() {
		if rec.At(i).IsSet() && (f.Target() != nil && !f.Many() || f.Unique() || f.Key() && kind == core.Insert) {
			n++
		}
	}
	return n
}

// mayBeEither reports whether the transaction may fail with either error.
func (c *integrityErrors) mayBeEither(a, b error) bool {
	if !c.isIntegrity(a) || !c.isIntegrity(b) {
		return false
	}
	if errors.Is(a, core.StillReferenced) && errors.Is(b, core.StillReferenced) {
		return c.deletes > 0
	}
	return c.claims+c.deletes > 1
}

// isIntegrity reports whether the error is one of references and unique values.
func (c *integrityErrors) isIntegrity(err error) bool {
	switch {
	case errors.Is(err, core.AlreadyExists), errors.Is(err, core.StillReferenced):
		return true
	case !errors.Is(err, core.NotFound):
		return false
	}
	e := core.AsError(err)
	return !slices.ContainsFunc(c.keys, func(a operation) bool {
		return a.res.APIName() == e.Resource && slices.Contains(a.keys, e.Key)
	})
}
