package softdelete

import (
	"context"
	"time"

	"github.com/larder-go/larder/core"
)

// DefaultBatch is the number of records that a transaction of [Purge] deletes if no other number is given.
const DefaultBatch = 500

// Purge deletes for good the records that were deleted before the given time, and returns their number. It acts as the program,
// in transactions of at most batch records each; 0 or less means [DefaultBatch]. Dependants come before the records that
// they depend on; dependants that lie in a later batch go with them, and are not counted. Records that still point at a purged
// record by a relation that detaches are detached. field is the name of the field that [New] has got.
//
// A deleted record at which a living one points by a relation that cascades or restricts stays until that one is deleted: a caller
// has restored the living one that may not restore the deleted one.
//
// Inner decorators see a Delete by the program: decorators/audit writes an entry, and decorators/stamp touches the parents of the
// record, unless ctx is one of stamp.Unstamped.
//
// Several processes may purge at once. After an error the records of earlier transactions are gone, and a later call goes on.
//
// Errors: those of [core.Store.Tx].
func Purge(ctx context.Context, store *core.Store, field string, before time.Time, batch int) (purged int, err error) {
	if batch <= 0 {
		batch = DefaultBatch
	}
	for _, r := range dependantsFirst(store.Model(), field) {
		q := core.Query{Where: core.And(core.Lt(field, before), unneeded(r, field)), Fields: []string{}, Limit: batch}
		for more := true; more; {
			n := 0
			err := store.Tx(core.WithDeleted(ctx), func(ctx context.Context, tx *core.Transaction) error {
				page, err := tx.Select(ctx, r, q)
				if err != nil {
					return err
				}
				keys := make([]core.Value, len(page.Records))
				for i, rec := range page.Records {
					keys[i] = rec.Key()
				}
				n, more = len(keys), page.Next != ""
				return tx.Delete(ctx, r, keys...)
			})
			if err != nil {
				return purged, err
			}
			purged += n
		}
	}
	return purged, nil
}

// unneeded is the condition on records that no living record needs.
func unneeded(r *core.Resource, field string) core.Filter {
	var all []core.Filter
	for _, f := range r.Referrers() {
		if f.OnDelete() == core.Detach || f.Resource().ReadOnly() {
			continue
		}
		living := core.All()
		if of := f.Resource().Field(field); of != nil {
			living = of.Compare(core.FilterEq, core.Null)
		}
		all = append(all, core.Not(core.Relation{Stored: f, Reverse: true}.Match(living)))
	}
	return core.And(all...)
}

// dependantsFirst returns the resources with the field so that those that reference others come first, where there is no circle.
func dependantsFirst(m *core.Model, field string) (order []*core.Resource) {
	seen := make(map[*core.Resource]bool)
	var add func(r *core.Resource)
	add = func(r *core.Resource) {
		if seen[r] {
			return
		}
		seen[r] = true
		for _, f := range r.Referrers() {
			add(f.Resource())
		}
		if r.Field(field) != nil && !r.ReadOnly() {
			order = append(order, r)
		}
	}
	for _, r := range m.Resources() {
		add(r)
	}
	return order
}
