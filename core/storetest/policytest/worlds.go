package policytest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// worlds are two stores that must be indistinguishable to an actor.
type worlds struct {
	actor // in world a

	a, b         *scenario
	twin         actor // the same principal in world b
	pool         valuePool
	others       []actor // other principals, acting in world b
	added        int     // number of hidden keys in use
	insertedKeys []core.Value

	referencesDiffer bool // the worlds differ in references of readable rows to hidden ones
}

// newWorlds returns empty worlds for the actor with the given index.
func newWorlds(ctx context.Context, tb testing.TB, open storetest.Factory, spec PolicySpec, index int) *worlds {
	tb.Helper()
	w := &worlds{a: newScenario(ctx, tb, open, spec, false), b: newScenario(ctx, tb, open, spec, false)}
	w.actor, w.twin = w.a.actors()[index], w.b.actors()[index]
	for i, other := range w.b.actors() {
		if i != index {
			w.others = append(w.others, other)
		}
	}
	w.others = append(w.others, w.b.actor(systemPrincipal))
	w.pool = w.newPool(w.a.initial)
	return w
}

func (w *worlds) close() {
	w.a.close()
	w.b.close()
}

// randomRows draws the initial rows of a world, in which the actor has the same decisions as in the rows of the spec.
func (w *worlds) randomRows(d kit.Drawer) rows {
	const attempts = 4
	for range attempts {
		if all := w.drawRows(d); !w.dependent || w.sameView(all) {
			return all
		}
	}
	return w.a.initial
}

// sameView reports whether the actor may read and change the same rows as in the rows of the spec.
func (w *worlds) sameView(all rows) bool {
	now := w.in(all)
	for i, some := range all {
		before := kit.ByKey(w.pool.readable[i])
		found := 0
		for _, row := range some {
			old, readable := before[row.Key()]
			if now.sees(row) != readable {
				return false
			}
			if readable {
				found++
			} else {
				old = row
			}
			for _, kind := range []core.Kind{core.Update, core.Delete, core.Restore} {
				if now.canChange(kind, row) != w.canChange(kind, old) {
					return false
				}
			}
		}
		if found != len(before) {
			return false
		}
	}
	return true
}

// drawRows draws rows of a world: readable rows with other unreadable fields, and some of the hidden rows, changed or copied.
func (w *worlds) drawRows(d kit.Drawer) rows {
	all := make(rows, len(w.pool.readable))
	for i, r := range w.Model.Resources() {
		for _, row := range w.pool.readable[i] {
			all[i] = append(all[i], w.changeUnreadable(d, row))
		}
		all[i] = append(all[i], w.pool.granting[i]...)
		for _, row := range w.pool.hidden[i] {
			switch d.UpTo(3, "hidden "+row.Key().String()) {
			case 1:
				row = w.changeHidden(d, row)
			case 2:
				if !w.pool.required[i][row.Key()] {
					continue
				}
			}
			all[i] = append(all[i], row)
		}
		for range d.UpTo(2, "more hidden "+r.Name()) {
			if row, ok := w.copyHidden(d, r); ok {
				all[i] = append(all[i], row)
			}
		}
		slices.SortFunc(all[i], func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	}
	w.repairReferences(d, all)
	return all
}

// changeUnreadable changes fields of a readable row that the actor may not read.
func (w *worlds) changeUnreadable(d kit.Drawer, row core.Record) core.Record {
	for c, f := range row.Resource().Columns() {
		if w.grants(row) || inKey(f) || f.Target() != nil || f.Unique() || w.canReadField(f) || !d.Bool("change "+f.Name()) {
			continue
		}
		if other := row.With(c, d.Pick(w.pool.values[f].stored, f.Name())); w.sameDecisions(row, other) {
			row = other
		}
	}
	return row
}

// sameDecisions reports whether the spec decides the same for both rows.
func (w *worlds) sameDecisions(a, b core.Record) bool {
	if w.canRead(a) != w.canRead(b) || w.sees(a) != w.sees(b) {
		return false
	}
	for _, kind := range []core.Kind{core.Insert, core.Update, core.Delete, core.Restore} {
		if w.canChange(kind, a) != w.canChange(kind, b) || w.canResultIn(kind, a) != w.canResultIn(kind, b) {
			return false
		}
	}
	return true
}

// changeHidden returns the hidden row with a changed value. The row stays hidden.
func (w *worlds) changeHidden(d kit.Drawer, row core.Record) core.Record {
	f := d.Field(row.Resource(), "change")
	if inKey(f) || isUnique(f) || limitsUnique(f) {
		return row
	}
	values := w.pool.values[f].compared
	if f.Target() != nil && !f.Many() {
		values = w.targetsOfHidden(f)
	}
	if other := row.With(f.Column(), d.Pick(values, f.Name())); w.isHidden(other) {
		return other
	}
	return row
}

// targetsOfHidden returns the keys that a hidden row may reference.
func (w *worlds) targetsOfHidden(f *core.Field) []core.Value {
	i := f.Target().Index()
	keys := []core.Value{core.Null}
	keys = append(keys, kit.KeysOf(w.pool.hidden[i])...)
	return append(keys, slices.SortedFunc(maps.Keys(w.pool.referenced[i]), core.Compare)...)
}

// isHidden reports whether the actor may neither read nor change the row, and the row grants it nothing.
func (w *worlds) isHidden(row core.Record) bool {
	return !w.sees(row) && !w.grants(row) && !w.canChange(core.Update, row) && !w.canChange(core.Delete, row) && !w.canChange(core.Restore, row)
}

// copyHidden returns a copy of a hidden row with a new key.
func (w *worlds) copyHidden(d kit.Drawer, r *core.Resource) (core.Record, bool) {
	hidden := w.pool.hidden[r.Index()]
	if len(hidden) == 0 {
		return core.Record{}, false
	}
	row := hidden[d.UpTo(len(hidden)-1, "like")]
	for _, f := range uniques(r) {
		row = row.With(f.Column(), core.Null)
	}
	row = keyed(w.changeHidden(d, row), w.pool.generator.hiddenKey(r, w.added))
	w.added++
	return row, w.isHidden(row)
}

// repairReferences sets references to absent rows to null. If the worlds differ in references of readable rows to hidden
// ones, it also changes some of these references.
func (w *worlds) repairReferences(d kit.Drawer, all rows) {
	there := make([]kit.RecordMap, len(all))
	for i := range all {
		there[i] = kit.ByKey(all[i])
	}
	for i := range all {
		for j, row := range all[i] {
			for _, f := range row.Resource().References() {
				key, target := row.At(f.Column()), f.Target().Index()
				if _, ok := there[target][key]; key.IsSet() && !ok {
					row = row.With(f.Column(), core.Null)
				}
				if w.referencesDiffer && w.sees(row) && !w.grants(row) && key.IsSet() && w.isHiddenKey(all[target], key) && !isUnique(f) && d.Bool("another target") {
					if other := row.With(f.Column(), d.Pick(w.hiddenKeys(all[target]), f.Name())); w.sameDecisions(row, other) {
						row = other
					}
				}
			}
			all[i][j] = w.changeListMembers(d, row, all)
		}
	}
}

// changeListMembers changes the hidden members of lists in a readable row, if the worlds differ in such members.
func (w *worlds) changeListMembers(d kit.Drawer, row core.Record, all rows) core.Record {
	if !w.referencesDiffer || !w.sees(row) || w.grants(row) {
		return row
	}
	for c, f := range row.Resource().Columns() {
		if !f.Many() || !d.Bool("other members") {
			continue
		}
		members := w.withoutHidden(all, f, row.At(c))
		for _, key := range w.hiddenKeys(all[f.Target().Index()])[1:] {
			if d.Bool("member " + key.String()) {
				members = append(members, key)
			}
		}
		if other := row.With(c, core.ListOf(core.SortKeys(members)...)); w.sameDecisions(row, other) {
			row = other
		}
	}
	return row
}

// withoutHidden returns the members of a list that the actor may read.
func (w *worlds) withoutHidden(all rows, f *core.Field, list core.Value) []core.Value {
	members, err := f.Elements(list)
	if err != nil {
		panic(err) // the store returned an invalid list
	}
	readable := w.readableRows(all[f.Target().Index()])
	return slices.DeleteFunc(members, func(key core.Value) bool { return !slices.Contains(kit.KeysOf(readable), key) })
}

// isHiddenKey reports whether the key is null or that of a row that the actor may not read.
func (w *worlds) isHiddenKey(all []core.Record, key core.Value) bool {
	return slices.Contains(w.hiddenKeys(all), key)
}

// hiddenKeys returns null and the keys of the rows that the actor may not read.
func (w *worlds) hiddenKeys(all []core.Record) []core.Value {
	keys := []core.Value{core.Null}
	for _, row := range all {
		if !w.sees(row) {
			keys = append(keys, row.Key())
		}
	}
	return keys
}
