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

// worlds are two stores that are one to a guest.
type worlds struct {
	actor // of a

	a, b         *scenario
	twin         actor // of b
	pool         valuePool
	others       []actor // of b, who read and write there
	added        int     // rows that were given a hidden key
	insertedKeys []core.Value

	referencesDiffer bool // of seen rows to hidden ones are not the guest's to see
}

func newWorlds(ctx context.Context, tb testing.TB, open storetest.Factory, g PolicySpec, who int) *worlds {
	tb.Helper()
	w := &worlds{a: newScenario(ctx, tb, open, g, false), b: newScenario(ctx, tb, open, g, false)}
	w.actor, w.twin = w.a.actors()[who], w.b.actors()[who]
	for i, other := range w.b.actors() {
		if i != who {
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

// vary draws what a world holds of what the guest does not see.
func (w *worlds) randomRows(d kit.Drawer) rows {
	all := make(rows, len(w.pool.readable))
	for i, r := range w.Model.Resources() {
		for _, row := range w.pool.readable[i] {
			all[i] = append(all[i], w.changeUnreadable(d, row))
		}
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

// repaint changes what the guest does not read of a row that it sees.
func (w *worlds) changeUnreadable(d kit.Drawer, row core.Record) core.Record {
	for c, f := range row.Resource().Columns() {
		if f.Key() || f.Target() != nil || f.Unique() || w.canReadField(f) || !d.Bool("repaint "+f.Name()) {
			continue
		}
		if other := row.With(c, d.Pick(w.pool.values[f].stored, f.Name())); w.sameDecisions(row, other) {
			row = other
		}
	}
	return row
}

// alike reports whether the rules say the same of both rows.
func (w *worlds) sameDecisions(a, b core.Record) bool {
	if w.canRead(a) != w.canRead(b) {
		return false
	}
	for _, kind := range []core.Kind{core.Insert, core.Update, core.Delete} {
		if w.canChange(kind, a) != w.canChange(kind, b) || w.canResultIn(kind, a) != w.canResultIn(kind, b) {
			return false
		}
	}
	return true
}

// changed returns the hidden row with another value somewhere, still hidden.
func (w *worlds) changeHidden(d kit.Drawer, row core.Record) core.Record {
	f := d.Field(row.Resource(), "change")
	if f.Key() || f.Unique() {
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

// targets returns what a hidden row may point at.
func (w *worlds) targetsOfHidden(f *core.Field) []core.Value {
	i := f.Target().Index()
	keys := []core.Value{core.Null}
	keys = append(keys, kit.KeysOf(w.pool.hidden[i])...)
	return append(keys, slices.SortedFunc(maps.Keys(w.pool.referenced[i]), core.Compare)...)
}

// hides reports whether the row means nothing to the guest.
func (w *worlds) isHidden(row core.Record) bool {
	return !w.canRead(row) && !w.canChange(core.Update, row) && !w.canChange(core.Delete, row)
}

// another returns a copy of a hidden row with a key of its own.
func (w *worlds) copyHidden(d kit.Drawer, r *core.Resource) (core.Record, bool) {
	hidden := w.pool.hidden[r.Index()]
	if len(hidden) == 0 {
		return core.Record{}, false
	}
	row := hidden[d.UpTo(len(hidden)-1, "like")]
	for _, f := range r.Uniques() {
		row = row.With(f.Column(), core.Null)
	}
	row = w.changeHidden(d, row).With(r.Key().Column(), hiddenKey(r, w.added))
	w.added++
	return row, w.isHidden(row)
}

// settle sees to it that relations lead somewhere; and, if relations of seen rows
// to hidden ones are not the guest's to see, that they lead elsewhere.
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
				if w.referencesDiffer && w.canRead(row) && key.IsSet() && w.isHiddenKey(all[target], key) && !f.Unique() && d.Bool("point elsewhere") {
					if other := row.With(f.Column(), d.Pick(w.hiddenKeys(all[target]), f.Name())); w.sameDecisions(row, other) {
						row = other
					}
				}
			}
			all[i][j] = w.changeListMembers(d, row, all)
		}
	}
}

// relist has the lists of a seen row hold other hidden rows, if which is not the
// guest's to see.
func (w *worlds) changeListMembers(d kit.Drawer, row core.Record, all rows) core.Record {
	if !w.referencesDiffer || !w.canRead(row) {
		return row
	}
	for c, f := range row.Resource().Columns() {
		if !f.Many() || !d.Bool("list others") {
			continue
		}
		members := w.withoutHidden(all, f, row.At(c))
		for _, key := range w.hiddenKeys(all[f.Target().Index()])[1:] {
			if d.Bool("list " + key.String()) {
				members = append(members, key)
			}
		}
		if other := row.With(c, core.ListOf(core.SortKeys(members)...)); w.sameDecisions(row, other) {
			row = other
		}
	}
	return row
}

// withoutHidden returns the members of a list that the guest sees.
func (w *worlds) withoutHidden(all rows, f *core.Field, list core.Value) []core.Value {
	members, err := list.Elements(f.Target().Key().Type())
	if err != nil {
		panic(err) // a mistake of the kit's
	}
	seen := w.readableRows(all[f.Target().Index()])
	return slices.DeleteFunc(members, func(key core.Value) bool { return !slices.Contains(kit.KeysOf(seen), key) })
}

func (w *worlds) isHiddenKey(all []core.Record, key core.Value) bool {
	return slices.Contains(w.hiddenKeys(all), key)
}

func (w *worlds) hiddenKeys(all []core.Record) []core.Value {
	keys := []core.Value{core.Null}
	for _, row := range all {
		if !w.canRead(row) {
			keys = append(keys, row.Key())
		}
	}
	return keys
}
