package memtable

import "github.com/larder-go/larder/core"

// Log makes transactions durable before they become visible to readers. Its methods must be safe for concurrent use.
//
// A log that failed must keep failing, because later changes would be based on the lost ones. The store accepts no
// further writes then either.
type Log interface {
	// Append accepts the changes of a transaction. The store calls it for one transaction at a time, in
	// serialization order. An error means that the transaction did not happen; the store goes on.
	//
	// After a success the log calls publish, which does not block, once the changes and all earlier ones are durable,
	// and in the order of the Append calls. If it would make several publish calls directly one after the other, the
	// last one is enough: it makes all earlier changes visible too. durable waits until the changes are durable and
	// returns nil, or returns the error because of which they never will be. durable must be safe for concurrent and
	// repeated use.
	Append(changes Changes, publish func()) (durable func() error, err error)
	// Failed returns the error that prevents every further Append, or nil. The error must describe later attempts: it
	// is returned to transactions that appended nothing themselves.
	Failed() error
	// Reserve makes durable that the keys of the resource up to atLeast may have been generated, and returns after
	// that. It may reserve more keys, up to the number that it returns.
	Reserve(r *core.Resource, atLeast int64) (upTo int64, err error)
}

// Changes are the net effect of a transaction: a key of a resource occurs at most once in all lists. The log owns the
// slices.
type Changes struct {
	// Inserted are complete records.
	Inserted []core.Record
	// Updated are the before and after images of changed records.
	Updated []Update
	// Removed are the before images.
	Removed []core.Record
	// Positions report chosen keys whose records were deleted in the same transaction: by resource index, the number
	// up to which the log must record keys as used, together with the other changes; 0 for none. The slice is nil if
	// there are no such keys.
	Positions []int64
}

// Update is the before and the after image of a record. Both are complete and have the same key. At least one column
// differs.
type Update struct{ Before, After core.Record }

// writtenKey identifies a record that a transaction wrote.
type writtenKey struct {
	resource *core.Resource
	key      core.Value
}

// changes returns the net effect of the transaction, in the order in which it first wrote the records.
func (t *transaction) changes() (c Changes) {
	seen := make(map[writtenKey]struct{}, len(t.written))
	for _, at := range t.written {
		if _, ok := seen[at]; ok {
			continue
		}
		seen[at] = struct{}{}
		i := at.resource.Index()
		old, existed := t.base.tables[i].get(at.key)
		rec, exists := t.current.tables[i].get(at.key)
		switch {
		case exists && !existed:
			c.Inserted = append(c.Inserted, rec)
		case exists && !rec.Equal(old):
			c.Updated = append(c.Updated, Update{old, rec})
		case existed && !exists:
			c.Removed = append(c.Removed, old)
		case !existed && !exists && t.store.sequences[i].exceedsReservation(at.key):
			if c.Positions == nil {
				c.Positions = make([]int64, len(t.store.sequences))
			}
			if c.Positions[i] == 0 {
				c.Positions[i] = max(t.store.sequences[i].last.Load(), t.explicitKeysOf(i).highest())
			}
		}
	}
	return c
}

// empty reports whether there is nothing to log.
func (c Changes) empty() bool {
	return len(c.Inserted) == 0 && len(c.Updated) == 0 && len(c.Removed) == 0 && c.Positions == nil
}
