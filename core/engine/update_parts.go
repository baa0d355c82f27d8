package engine

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
)

// Records are updated in parts, so that the records that an operation returns are not in memory all at once. Their size is
// unknown before the first part.
const (
	firstPart   = 16
	largestPart = 1000
	partBytes   = 4 << 20
)

// partOf returns at most n, and fewer if records of that size would have too many bytes.
func partOf(n, size int) int { return min(n, max(partBytes/max(size, 1), 1), largestPart) }

// update writes the update set, all records of it or none. An empty set needs no operation.
func (w *writer) update(ctx context.Context, updates *updateSet) error {
	if len(updates.keys) == 0 {
		return nil
	}
	if err := w.budget.write(updates.info.resource, updates.keys...); err != nil {
		return err
	}
	changes := updates.records()
	var found *core.Error // the violations so far
	greatest := contentSize(changes[0])
	for from, n := 0, 0; from < len(changes); from += n {
		n = min(partOf(max(4*n, firstPart), greatest), len(changes)-from)
		size, err := w.updatePart(ctx, updates, changes[from:from+n])
		switch e := core.AsError(err); {
		case err == nil:
			greatest = max(greatest, size)
		case found != nil && errors.Is(err, core.ErrTxFailed): // the part is valid
		case e.Code == core.ValidationFailed:
			found = joinViolations(found, e, from)
		default:
			return err
		}
	}
	if found == nil {
		return nil
	}
	return located(found, updates.info.resource, updates.locate)
}

// updatePart writes some changes of the update set in one operation, and returns the greatest size of a record.
func (w *writer) updatePart(ctx context.Context, updates *updateSet, changes []core.Record) (greatest int, err error) {
	w.writes++
	updated, err := w.tx.Replace(ctx, updates.info.resource, updates.reset, changes...)
	m := w.knownOf(updates.info)
	for _, rec := range updated {
		greatest = max(greatest, contentSize(rec))
		m.addUpdated(updates.info, rec, rec.Key() == updates.own, w.writes)
	}
	return greatest, err
}

// contentSize returns the size of all columns of the record in JSON.
func contentSize(rec core.Record) (n int) {
	for i := range rec.Len() {
		n += rec.At(i).JSONSize()
	}
	return n
}

// joinViolations adds the violations of a part to those of the parts before it. from is the position of its first record.
func joinViolations(found, of *core.Error, from int) *core.Error {
	all := *of
	all.Violations = nil
	if found != nil {
		all.Violations = found.Violations
	}
	for _, v := range of.Violations {
		if v.Record >= 0 {
			v.Record += from
		}
		all.Violations = append(all.Violations, v)
	}
	return &all
}
