package memtable

import "github.com/larder-go/larder/core"

// Log makes transactions durable before they are shown to readers. Its methods
// may be called by several goroutines at once.
//
// Once it failed it has to go on failing: the store does not write any more
// either, because what it would build on is lost.
type Log interface {
	// Append takes what a transaction changed. The store calls it for one
	// transaction at a time, in the order in which they are serialized. An error
	// means that the transaction did not happen and the store goes on.
	//
	// Otherwise the log calls publish, which does not block, once the changes and
	// all that were appended before are durable, and never before the publish of
	// those. It may leave out one that it would call directly before a later one,
	// which shows everything that the earlier would. durable waits for this and
	// returns nil, or the error because of which it never will; it may be called any
	// number of times, by several goroutines.
	Append(changes Changes, publish func()) (durable func() error, err error)
	// Failed returns the error because of which nothing can be appended any more, nil as
	// long as it can. It speaks of what was not tried, as errors of durable do not.
	Failed() error
	// Reserve makes durable, before it returns, that keys of the resource up to
	// atLeast, or to the larger number that it returns, may be handed out.
	Reserve(r *core.Resource, atLeast int64) (upTo int64, err error)
}

// Changes are the net effect of a transaction. No key of a resource is in two
// lists, nor twice in one. The slices belong to the log.
type Changes struct {
	Inserted []core.Record // complete
	Updated  []Update
	Removed  []core.Record // as they were before the transaction
	// Positions tell of keys that were given and whose records are gone again: by
	// resource, the number up to which the log has to make durable, with the rest,
	// that keys may have been handed out; 0 where it knows. nil for none.
	Positions []int64
}

// Update is a record before and after a transaction that changed at least one of its
// columns, never the key. Both are complete.
type Update struct{ Before, After core.Record }

// writtenKey is the key of a record that a transaction wrote.
type writtenKey struct {
	resource *core.Resource
	key      core.Value
}

// changes returns the net effect of the transaction, in the order in which it
// first touched the records.
func (t *transaction) changes() (c Changes) {
	seen := make(map[writtenKey]struct{}, len(t.written))
	for _, at := range t.written {
		if _, again := seen[at]; again {
			continue
		}
		seen[at] = struct{}{}
		i := at.resource.Index()
		old, was := t.base.tables[i].get(at.key)
		rec, is := t.current.tables[i].get(at.key)
		switch {
		case is && !was:
			c.Inserted = append(c.Inserted, rec)
		case is && !rec.Equal(old):
			c.Updated = append(c.Updated, Update{old, rec})
		case was && !is:
			c.Removed = append(c.Removed, old)
		case !was && !is && t.store.sequences[i].exceedsReservation(at.key):
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

// empty reports whether nothing changed.
func (c Changes) empty() bool {
	return len(c.Inserted) == 0 && len(c.Updated) == 0 && len(c.Removed) == 0 && c.Positions == nil
}
