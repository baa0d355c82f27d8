package memtable

import "github.com/larder-go/larder/core"

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
