package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// removal is the end of records and of everything that dies with them. It is
// worked out breadth-first, however long the chain, and before anything is
// written, because a record that dies has no say in what becomes of its fields.
type removal struct {
	work  *work
	moves *moves
	dying []map[core.Value]core.Record // by index of the resource
	loose []loose
	found int // records that depend on those that die
}

// loose is a record that points through the field at one that dies.
type loose struct {
	field  *core.Field
	record core.Record
}

// front is the keys of records whose dependents are to be found, by index of the
// resource.
type front [][]core.Value

func (f front) any() bool {
	return slices.ContainsFunc(f, func(keys []core.Value) bool { return len(keys) > 0 })
}

// remove deletes the records that die by the moves, which are known, and drops the
// patches of those that die with them. With last, nothing follows in the transaction.
func (w *work) remove(ctx context.Context, m *moves, last bool) error {
	r := removal{work: w, moves: m, dying: make([]map[core.Value]core.Record, len(w.tables))}
	next := make(front, len(w.tables))
	for _, key := range m.dying {
		r.doom(w.table(m.patches.shape).record(key), next)
	}
	for next.any() {
		now := next
		next = make(front, len(w.tables))
		if err := r.spread(ctx, now, next); err != nil {
			return err
		}
	}
	if err := r.judge(ctx); err != nil {
		return err
	}
	if err := r.detach(ctx); err != nil {
		return err
	}
	m.patches.keys = slices.DeleteFunc(m.patches.keys, func(key core.Value) bool {
		return r.dies(m.patches.shape.resource.Index(), key)
	})
	return r.delete(ctx, last)
}

// doom adds a record to those that die.
func (r *removal) doom(rec core.Record, next front) {
	i := rec.Resource().Index()
	if r.dies(i, rec.Key()) {
		return
	}
	if r.dying[i] == nil {
		r.dying[i] = make(map[core.Value]core.Record)
	}
	r.dying[i][rec.Key()] = rec
	next[i] = append(next[i], rec.Key())
}

func (r *removal) dies(resource int, key core.Value) bool {
	_, dies := r.dying[resource][key]
	return dies
}

// spread finds what points at the records of one front.
func (r *removal) spread(ctx context.Context, now, next front) error {
	for i, keys := range now {
		if len(keys) == 0 {
			continue
		}
		for _, f := range r.work.engine.shapes[i].resource.Referrers() {
			dependents, err := r.dependents(ctx, f, keys)
			if err != nil {
				return err
			}
			for _, rec := range dependents {
				if f.Cascade() && !r.moves.patches.moves(f, rec) {
					r.doom(rec, next)
				} else {
					r.loose = append(r.loose, loose{f, rec})
				}
			}
		}
	}
	return nil
}

// dependents reads the records that point through f at one of the keys, of which there
// is a limit for all of the removal.
func (r *removal) dependents(ctx context.Context, f *core.Field, keys []core.Value) ([]core.Record, error) {
	most := r.work.engine.opts.MaxWritten
	found, _, err := r.work.pointing(ctx, f, keys, most-r.found+1)
	if err != nil {
		return nil, err
	}
	if r.found += len(found); r.found > most {
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("more than %d records depend on the records to delete; delete some of those first", most)}
	}
	return found, nil
}

// judge asks the survivors: those that point at the dying, and those at which the
// dying point.
func (r *removal) judge(ctx context.Context) error {
	for _, l := range r.loose {
		if r.dies(l.record.Resource().Index(), l.record.Key()) {
			continue
		}
		if err := r.work.judge(ctx, l.field, l.record, l.field.Target()); err != nil {
			return err
		}
	}
	for i, records := range r.dying {
		s := r.work.engine.shapes[i]
		if len(records) == 0 || !s.guarded {
			continue
		}
		for _, f := range s.resource.References() {
			if err := r.work.judgePartners(ctx, f.Inverse(), r.survivors(f, records)); err != nil {
				return err
			}
		}
	}
	return nil
}

// survivors returns the keys that the dying records point at through f, of
// records that live on; an absent one for those that a policy hides.
func (r *removal) survivors(f *core.Field, records map[core.Value]core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		if v := rec.At(f.Column()); !v.IsNull() && !r.dies(f.Target().Index(), v) {
			keys = append(keys, v)
		}
	}
	return core.SortKeys(keys)
}

// detach empties the relations of survivors that point at the dying.
func (r *removal) detach(ctx context.Context) error {
	all := make([]*patches, len(r.dying))
	for _, l := range r.loose {
		i := l.record.Resource().Index()
		if r.dies(i, l.record.Key()) {
			continue
		}
		if all[i] == nil {
			all[i] = r.work.engine.shapes[i].patches()
		}
		all[i].set(l.record.Key(), l.field, core.Null)
	}
	for _, p := range all {
		if p == nil {
			continue
		}
		if err := r.work.update(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// delete removes the dying, one resource after the other.
func (r *removal) delete(ctx context.Context, last bool) error {
	order := slices.DeleteFunc(slices.Clone(r.work.engine.deletions), func(i int) bool { return len(r.dying[i]) == 0 })
	for at, i := range order {
		tx := r.work.tx
		if last && at == len(order)-1 {
			tx = r.work.tx.Final()
		}
		keys := slices.Collect(maps.Keys(r.dying[i]))
		if err := r.work.delete(ctx, tx, r.work.engine.shapes[i], keys); err != nil {
			return err
		}
	}
	return nil
}
