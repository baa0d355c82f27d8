package policytest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// worlds are two stores that are one to a guest.
type worlds struct {
	guest // of a

	a, b   *theatre
	twin   guest // of b
	pool   pool
	others []guest // of b, who read and write there
	added  int     // rows that were given a hidden key
	own    []core.Value

	relations bool // of seen rows to hidden ones are not the guest's to see
}

// pool is what programs draw from.
type pool struct {
	made    material
	seen    rows                       // that the guest sees in the beginning
	hidden  rows                       // the others
	anchors []map[core.Value]bool      // keys of seen rows that hidden ones point at
	pinned  []map[core.Value]bool      // keys of hidden rows that seen ones point at
	taken   map[*core.Field]kit.KeySet // values of unique fields that hidden rows hold
	values  map[*core.Field]somehow    // to draw from, by use
}

// somehow is the values of a field by what they are for.
type somehow struct {
	stored, // in rows that are written
	asked []core.Value // in conditions and as keys of reads
}

func newWorlds(ctx context.Context, tb testing.TB, open storetest.Factory, g PolicySpec, who int) *worlds {
	tb.Helper()
	w := &worlds{a: newTheatre(ctx, tb, open, g, false), b: newTheatre(ctx, tb, open, g, false)}
	w.guest, w.twin = w.a.guests()[who], w.b.guests()[who]
	for i, other := range w.b.guests() {
		if i != who {
			w.others = append(w.others, other)
		}
	}
	w.others = append(w.others, w.b.guest(itself))
	w.pool = w.newPool(w.a.begin)
	return w
}

func (w *worlds) close() {
	w.a.close()
	w.b.close()
}

// newPool sorts the rows. Hidden rows whose relation must be unique to a seen row
// lose it, because that the place is taken cannot be kept from anybody.
func (g guest) newPool(all rows) pool {
	p := pool{
		made: material{model: g.Model, rows: all}, seen: make(rows, len(all)), hidden: make(rows, len(all)),
		taken: make(map[*core.Field]kit.KeySet), values: make(map[*core.Field]somehow),
	}
	for i, some := range all {
		p.anchors, p.pinned = append(p.anchors, make(map[core.Value]bool)), append(p.pinned, make(map[core.Value]bool))
		for _, row := range some {
			if g.sees(row) {
				p.seen[i] = append(p.seen[i], row)
			} else {
				p.hidden[i] = append(p.hidden[i], row)
			}
		}
	}
	p.divorce(g)
	for i, some := range g.least(slices.Concat(all)) {
		for _, row := range some {
			p.pinned[i][row.Key()] = !g.sees(row)
		}
	}
	for _, r := range g.Model.Resources() {
		p.anchor(r)
	}
	for _, r := range g.Model.Resources() {
		for _, f := range r.Columns() {
			p.values[f] = p.valuesOf(f)
		}
	}
	return p
}

// divorce takes seen partners from hidden rows, if those stay hidden without.
func (p *pool) divorce(g guest) {
	for i, some := range p.hidden {
		for j, row := range some {
			for _, f := range row.Resource().References() {
				if alone := row.With(f.Column(), core.Null); f.Unique() && p.isSeen(f.Target(), row.At(f.Column())) && !g.sees(alone) {
					row = alone
				}
			}
			p.hidden[i][j] = row
		}
	}
}

func (p *pool) isSeen(r *core.Resource, key core.Value) bool {
	return slices.ContainsFunc(p.seen[r.Index()], func(row core.Record) bool { return row.Key() == key })
}

// anchor notes what the hidden rows of a resource hold on to. Rows that would die
// with others take those along.
func (p *pool) anchor(r *core.Resource) {
	for _, row := range p.hidden[r.Index()] {
		for _, f := range r.References() {
			p.fasten(f.Target(), row.At(f.Column()))
		}
		for _, f := range r.Uniques() {
			if p.taken[f] == nil {
				p.taken[f] = make(kit.KeySet)
			}
			p.taken[f][row.At(f.Column())] = true
		}
	}
}

func (p *pool) fasten(r *core.Resource, key core.Value) {
	for _, row := range p.seen[r.Index()] {
		if row.Key() != key || p.anchors[r.Index()][key] {
			continue
		}
		p.anchors[r.Index()][key] = true
		for _, f := range r.References() {
			if f.Cascade() {
				p.fasten(f.Target(), row.At(f.Column()))
			}
		}
	}
}

// ownKeys is how many keys programs choose for rows of theirs.
const ownKeys = 6

func (p *pool) valuesOf(f *core.Field) somehow {
	all := p.made.values(f)
	target := f.Resource()
	switch {
	case f.Key():
		all = all[1:] // no null
	case f.Target() != nil && !f.Many():
		target = f.Target()
		for _, row := range p.hidden[target.Index()] {
			all = append(all, row.Key())
		}
	case f.Unique():
		return somehow{stored: p.freeOf(f, all), asked: all}
	default:
		return somehow{stored: all, asked: all}
	}
	var stored []core.Value
	if !f.Key() {
		stored = append(stored, core.Null)
	}
	for _, row := range p.seen[target.Index()] {
		stored = append(stored, row.Key())
	}
	for n := range ownKeys {
		stored, all = append(stored, otherKey(target, n)), append(all, otherKey(target, n), hiddenKey(target, n))
	}
	if f.Unique() {
		stored = p.freeOf(f, stored)
	}
	return somehow{stored: stored, asked: slices.Concat(all, stored)}
}

// freeOf leaves out the values that hidden rows hold.
func (p *pool) freeOf(f *core.Field, values []core.Value) []core.Value {
	return slices.DeleteFunc(slices.Clone(values), func(v core.Value) bool { return v.IsSet() && p.taken[f][v] })
}

// hiddenKey returns the n-th key of rows that are added where the guest does not
// see them.
func hiddenKey(r *core.Resource, n int) core.Value {
	switch r.Key().Type() {
	case core.Int:
		return core.IntValue(int64(HiddenKeys + n))
	case core.UUID:
		v, err := core.UUID.Convert(fmt.Sprintf("88888888-0000-4000-8000-%012d", n))
		if err != nil {
			panic(err) // a mistake of the kit's
		}
		return v
	}
	return core.TextValue(fmt.Sprintf("hidden-%d", n))
}

// vary draws what a world holds of what the guest does not see.
func (w *worlds) vary(d kit.Drawer) rows {
	all := make(rows, len(w.pool.seen))
	for i, r := range w.Model.Resources() {
		for _, row := range w.pool.seen[i] {
			all[i] = append(all[i], w.repaint(d, row))
		}
		for _, row := range w.pool.hidden[i] {
			switch d.UpTo(3, "hidden "+row.Key().String()) {
			case 1:
				row = w.changed(d, row)
			case 2:
				if !w.pool.pinned[i][row.Key()] {
					continue
				}
			}
			all[i] = append(all[i], row)
		}
		for range d.UpTo(2, "more hidden "+r.Name()) {
			if row, ok := w.another(d, r); ok {
				all[i] = append(all[i], row)
			}
		}
		slices.SortFunc(all[i], func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	}
	w.settle(d, all)
	return all
}

// repaint changes what the guest does not read of a row that it sees.
func (w *worlds) repaint(d kit.Drawer, row core.Record) core.Record {
	for c, f := range row.Resource().Columns() {
		if f.Key() || f.Target() != nil || f.Unique() || w.reads(f) || !d.Bool("repaint "+f.Name()) {
			continue
		}
		if other := row.With(c, d.Pick(w.pool.values[f].stored, f.Name())); w.alike(row, other) {
			row = other
		}
	}
	return row
}

// alike reports whether the rules say the same of both rows.
func (w *worlds) alike(a, b core.Record) bool {
	if w.sees(a) != w.sees(b) {
		return false
	}
	for _, kind := range []core.Kind{core.Insert, core.Update, core.Delete} {
		if w.changes(kind, a) != w.changes(kind, b) || w.leaves(kind, a) != w.leaves(kind, b) {
			return false
		}
	}
	return true
}

// changed returns the hidden row with another value somewhere, still hidden.
func (w *worlds) changed(d kit.Drawer, row core.Record) core.Record {
	f := d.Field(row.Resource(), "change")
	if f.Key() || f.Unique() {
		return row
	}
	values := w.pool.values[f].asked
	if f.Target() != nil && !f.Many() {
		values = w.targets(f)
	}
	if other := row.With(f.Column(), d.Pick(values, f.Name())); w.hides(other) {
		return other
	}
	return row
}

// targets returns what a hidden row may point at.
func (w *worlds) targets(f *core.Field) []core.Value {
	i := f.Target().Index()
	keys := []core.Value{core.Null}
	keys = append(keys, kit.KeysOf(w.pool.hidden[i])...)
	return append(keys, slices.SortedFunc(maps.Keys(w.pool.anchors[i]), core.Compare)...)
}

// hides reports whether the row means nothing to the guest.
func (w *worlds) hides(row core.Record) bool {
	return !w.sees(row) && !w.changes(core.Update, row) && !w.changes(core.Delete, row)
}

// another returns a copy of a hidden row with a key of its own.
func (w *worlds) another(d kit.Drawer, r *core.Resource) (core.Record, bool) {
	hidden := w.pool.hidden[r.Index()]
	if len(hidden) == 0 {
		return core.Record{}, false
	}
	row := hidden[d.UpTo(len(hidden)-1, "like")]
	for _, f := range r.Uniques() {
		row = row.With(f.Column(), core.Null)
	}
	row = w.changed(d, row).With(r.Key().Column(), hiddenKey(r, w.added))
	w.added++
	return row, w.hides(row)
}

// settle sees to it that relations lead somewhere; and, if relations of seen rows
// to hidden ones are not the guest's to see, that they lead elsewhere.
func (w *worlds) settle(d kit.Drawer, all rows) {
	there := make([]kit.Table, len(all))
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
				if w.relations && w.sees(row) && key.IsSet() && w.hidesKey(all[target], key) && !f.Unique() && d.Bool("point elsewhere") {
					if other := row.With(f.Column(), d.Pick(w.hiddenTargets(all[target]), f.Name())); w.alike(row, other) {
						row = other
					}
				}
			}
			all[i][j] = w.relist(d, row, all)
		}
	}
}

// relist has the lists of a seen row hold other hidden rows, if which is not the
// guest's to see.
func (w *worlds) relist(d kit.Drawer, row core.Record, all rows) core.Record {
	if !w.relations || !w.sees(row) {
		return row
	}
	for c, f := range row.Resource().Columns() {
		if !f.Many() || !d.Bool("list others") {
			continue
		}
		members := w.withoutHidden(all, f, row.At(c))
		for _, key := range w.hiddenTargets(all[f.Target().Index()])[1:] {
			if d.Bool("list " + key.String()) {
				members = append(members, key)
			}
		}
		if other := row.With(c, core.ListOf(core.SortKeys(members)...)); w.alike(row, other) {
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
	seen := w.seen(all[f.Target().Index()])
	return slices.DeleteFunc(members, func(key core.Value) bool { return !slices.Contains(kit.KeysOf(seen), key) })
}

func (w *worlds) hidesKey(all []core.Record, key core.Value) bool {
	return slices.Contains(w.hiddenTargets(all), key)
}

func (w *worlds) hiddenTargets(all []core.Record) []core.Value {
	keys := []core.Value{core.Null}
	for _, row := range all {
		if !w.sees(row) {
			keys = append(keys, row.Key())
		}
	}
	return keys
}
