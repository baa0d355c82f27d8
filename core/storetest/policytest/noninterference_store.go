package policytest

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// storeDriver sends operations to the stores of both worlds.
type storeDriver struct {
	next      *operation // the operation for the page after the last one
	integrity integrityErrors
}

func newStoreDriver(kit.Drawer, *worlds) driver { return new(storeDriver) }

// act runs one operation outside a transaction, or up to three in a transaction.
func (s *storeDriver) act(d kit.Drawer, w *worlds) int {
	n := d.UpTo(3, "in a transaction")
	s.integrity = integrityErrors{}
	if n == 0 {
		a := s.operation(d, w)
		_ = s.runBoth(d, w, a, side{w.ctx(w.a), w.a.store}, side{w.ctx(w.b), w.b.store}) // runBoth has compared the errors
		return 1
	}
	return s.transaction(d, w, n)
}

// ctx returns the context of the actor's operations.
func (w *worlds) ctx(t *scenario) context.Context {
	ctx, _ := t.newProbe(t.ctx, w.principal)
	return ctx
}

// side is the store or transaction of one world.
type side struct {
	ctx     context.Context
	querier core.Querier
}

// runBoth runs the operation in both worlds and compares the results. It returns the error.
func (s *storeDriver) runBoth(d kit.Drawer, w *worlds, a operation, one, other side) error {
	d.Logf("%v", a)
	here, there := a.run(one.ctx, one.querier), a.run(other.ctx, other.querier)
	s.integrity.add(a)
	if s.integrity.mayBeEither(here.err, there.err) {
		return here.err
	}
	if a.kind == core.NextID && a.res.Key().Type() == core.UUID {
		here.ids, there.ids = here.ids[:0], there.ids[:0] // random, so they cannot be compared
	}
	if diff := here.difference(there); diff != "" {
		failDifferent(d, "%v: %s", a, diff)
	}
	s.remember(w, a, here)
	return here.err
}

// remember keeps keys and cursors for later operations.
func (s *storeDriver) remember(w *worlds, a operation, o result) {
	if a.kind == core.Insert {
		for _, rec := range o.records {
			w.insertedKeys = append(w.insertedKeys, ofType(core.Int, rec.Key())...)
		}
	}
	if a.kind == core.Select && o.next != "" {
		a.query.After = o.next
		s.next = &a
	}
}

func ofType(t core.Type, v core.Value) []core.Value {
	if v.Type() != t {
		return nil
	}
	return []core.Value{v}
}

// transaction runs n operations in a transaction of each world, side by side.
func (s *storeDriver) transaction(d kit.Drawer, w *worlds, n int) int {
	done, keep := 0, d.Bool("commit")
	var inside, other error
	d.Logf("begin")
	opts := core.TxOptions{Attempts: 1, ReadOnly: d.UpTo(5, "reads only") == 0}
	one := w.a.store.TxWith(w.ctx(w.a), opts, func(ctxA context.Context, a *core.Transaction) error {
		other = w.b.store.TxWith(w.ctx(w.b), opts, func(ctxB context.Context, b *core.Transaction) error {
			for ; done < n && inside == nil; done++ {
				inside = s.runBoth(d, w, s.operation(d, w), side{ctxA, a}, side{ctxB, b})
			}
			if inside == nil && !keep {
				inside = kit.ErrRollback
			}
			return inside
		})
		return inside // world a must end in the same way as world b
	})
	if a, b := kit.FullText(one), kit.FullText(other); a != b && !s.integrity.mayBeEither(one, other) {
		failDifferent(d, "the transaction ends with %s in one world and %s in the other", a, b)
	}
	d.Logf("ended: committed %v, %s", inside == nil && one == nil, kit.FullText(ownError(one)))
	return done
}

// ownError returns nil for a rollback by the kit.
func ownError(err error) error {
	if errors.Is(err, kit.ErrRollback) {
		return nil
	}
	return err
}

// operation draws an operation of the actor.
func (s *storeDriver) operation(d kit.Drawer, w *worlds) operation {
	r := d.AnyResource(w.Model)
	if r.Field(w.DeletedAt) != nil && d.UpTo(3, "about deleted rows") == 0 {
		return w.aboutDeleted(d, r)
	}
	switch d.UpTo(11, "kind") {
	case 0:
		return operation{kind: core.Load, res: r, keys: d.Keys(r, 4)}
	case 1, 2:
		q, _ := d.Query(r)
		return operation{kind: core.Select, res: r, query: q}
	case 3:
		if s.next != nil {
			return *s.next
		}
		return operation{kind: core.Select, res: r}
	case 4:
		return operation{kind: core.Count, res: r, query: core.Query{Where: d.Filter(r, 2)}}
	case 5, 6:
		return w.insert(d, r)
	case 7, 8:
		return w.update(d, r)
	case 9:
		return w.delete(d, r)
	case 10:
		of, _ := d.Aggregation(r)
		return operation{kind: core.Aggregate, res: r, of: of}
	}
	return operation{kind: core.NextID, res: r, n: 1 + d.UpTo(2, "more ids")}
}

// aboutDeleted draws a read of deleted rows or a restore. Orders, groups and cursors would have the time of a delete.
func (w *worlds) aboutDeleted(d kit.Drawer, r *core.Resource) operation {
	a := operation{kind: core.Load, res: r, deleted: true, query: core.Query{Fields: w.shownOfDeleted(r)}}
	switch d.UpTo(3, "about deleted") {
	case 0:
		a.keys = d.Keys(r, 4)
	case 1:
		a.kind, a.query.Where, a.query.Limit = core.Select, d.Filter(r, 2), d.UpTo(3, "limit")
	case 2:
		a.kind, a.query.Where = core.Count, d.Filter(r, 2)
	default:
		return operation{kind: core.Restore, res: r, keys: d.Keys(r, 2)}
	}
	return a
}

// stored draws a value to write.
func (w *worlds) stored(d kit.Drawer, f *core.Field) core.Value {
	return d.Pick(w.pool.values[f].stored, f.Name())
}

// columns draws values for some of the columns, without the key.
func (w *worlds) columns(d kit.Drawer, r *core.Resource) core.Record {
	rec := r.RecordOf(make([]core.Value, len(r.Columns())))
	for c, f := range r.Columns() {
		if !inKey(f) && d.Bool("sets "+f.Name()) {
			rec = rec.With(c, w.stored(d, f))
		}
	}
	return rec
}

func (w *worlds) insert(d kit.Drawer, r *core.Resource) operation {
	recs := make([]core.Record, 1+d.UpTo(2, "more records"))
	for i := range recs {
		rec := w.columns(d, r)
		if r.Key().Type() != core.Int || d.Bool("has a key") {
			rec = rec.With(r.Key().Column(), w.stored(d, r.Key()))
		}
		recs[i] = rec
	}
	return operation{kind: core.Insert, res: r, records: recs}
}

// update draws changes of rows that may be readable, hidden or absent.
func (w *worlds) update(d kit.Drawer, r *core.Resource) operation {
	keys := d.Keys(r, 3)
	recs := make([]core.Record, len(keys))
	for i, key := range keys {
		recs[i] = w.columns(d, r).With(r.Key().Column(), key)
	}
	return operation{kind: core.Update, res: r, keys: keys, records: recs}
}

// delete draws rows that no hidden row references. They may be readable, hidden or absent.
func (w *worlds) delete(d kit.Drawer, r *core.Resource) operation {
	keys := slices.DeleteFunc(d.Keys(r, 3), func(key core.Value) bool { return w.pool.referenced[r.Index()][key] })
	return operation{kind: core.Delete, res: r, keys: keys}
}
