package policytest

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// operations returns how many operations are compared.
func (g PolicySpec) operations(tb testing.TB) int {
	tb.Helper()
	if g.Operations > 0 {
		return g.Operations
	}
	return setting(tb, "LARDER_OPERATIONS", 50_000)
}

// programTime is how long one program may take, so that what hangs is told.
const programTime = time.Minute

// actor does what programs consist of, in both worlds.
type actor interface {
	// act does one thing on behalf of the guest, and returns how many operations
	// that were.
	act(d kit.Drawer, w *worlds) int
}

// interfere runs random programs in two worlds until there were enough
// operations. relations says that in some of them the worlds differ in which
// hidden rows the seen ones point at, too.
func interfere(tb testing.TB, open storetest.Factory, g PolicySpec, relations bool, newActor func(d kit.Drawer, w *worlds) actor) {
	tb.Helper()
	left := g.operations(tb)
	guests := len(g.everybody())
	kit.RepeatWhile(tb, func() bool { return left > 0 }, func(r *rapid.T) {
		ctx, cancel := context.WithTimeout(tb.Context(), programTime)
		defer cancel()
		d := kit.Drawer{T: r}
		w := newWorlds(ctx, tb, open, g, d.UpTo(guests-1, "principal"))
		defer w.close()
		w.relations = relations && d.Bool("relations differ")
		w.open(d)
		actor := newActor(d, w)
		r.Repeat(map[string]func(*rapid.T){
			"act":       func(r *rapid.T) { left -= actor.act(w.drawer(r), w); w.observe(r) },
			"interlude": func(r *rapid.T) { left--; w.interlude(w.drawer(r)) },
		})
		w.compareSeen(r)
	})
}

// drawer draws values that conditions may ask for.
func (w *worlds) drawer(r *rapid.T) kit.Drawer {
	return kit.Drawer{T: r, Values: func(f *core.Field) []core.Value {
		if f.Key() {
			own := slices.DeleteFunc(slices.Clone(w.own), func(v core.Value) bool { return v.Type() != f.Type() })
			return slices.Concat(w.pool.values[f].asked, own)
		}
		return w.pool.values[f].asked
	}}
}

// open fills the worlds.
func (w *worlds) open(d kit.Drawer) {
	d.Logf("on behalf of %v", w.guest)
	for _, t := range []*theatre{w.a, w.b} {
		all := w.vary(d)
		t.fill(all)
		if err := t.door.use(t.ctx, core.IntValue(2*HiddenKeys)); err != nil {
			t.Fatal(err)
		}
		d.Logf("a world begins with %v", all)
	}
	w.added = 1000 // what is added from now on has other keys
	w.forget()
}

// forget drops what was observed.
func (w *worlds) forget() {
	for _, t := range []*theatre{w.a, w.b} {
		if t.stack.Observe != nil {
			t.stack.Observe()
		}
	}
}

func (w *worlds) observe(r *rapid.T) {
	if w.a.stack.Observe == nil {
		return
	}
	if a, b := w.a.stack.Observe(), w.b.stack.Observe(); a != b {
		differ(kit.Drawer{T: r}, "an observer sees\n%s\nin one world, and in the other\n%s", a, b)
	}
}

// compareSeen compares what is stored, as far as the guest sees it.
func (w *worlds) compareSeen(r *rapid.T) {
	var seen [2][]core.Record
	for i, t := range []*theatre{w.a, w.b} {
		all, err := t.door.read(t.ctx)
		if err != nil {
			r.Fatalf("%v", err)
		}
		for _, some := range all {
			for _, row := range w.seen(some) {
				seen[i] = append(seen[i], w.veiled(all, w.shown(row)))
			}
		}
	}
	if diff := kit.Difference(seen[0], seen[1]); diff != "" {
		differ(kit.Drawer{T: r}, "at last one world holds something else: %s", diff)
	}
}

// veiled returns the row without relations to what the guest does not see, if
// those are not its to see.
func (w *worlds) veiled(all rows, row core.Record) core.Record {
	for _, f := range row.Resource().References() {
		if w.relations && w.hidesKey(all[f.Target().Index()], row.At(f.Column())) {
			row = row.With(f.Column(), core.Null)
		}
	}
	for c, f := range row.Resource().Columns() {
		if w.relations && f.Many() && !row.At(c).IsAbsent() {
			row = row.With(c, core.ListOf(w.withoutHidden(all, f, row.At(c))...))
		}
	}
	return row
}

// interlude has somebody else do something in one of the worlds which the guest
// does not see.
func (w *worlds) interlude(d kit.Drawer) {
	if len(w.others) == 0 {
		return
	}
	other := w.others[d.UpTo(len(w.others)-1, "other")]
	a, ok := w.beyond(d)
	if !ok {
		return
	}
	ctx, _ := w.b.send(w.b.ctx, other.who)
	err := w.b.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		o := a.run(ctx, tx)
		if o.err != nil {
			return o.err
		}
		for _, rec := range o.records {
			if a.kind.Writes() && !w.hidesAll(rec) {
				return kit.ErrRollback // the guest would see it, and rightly
			}
		}
		return nil
	})
	d.Logf("meanwhile, elsewhere, %v: %v: %v", other, a, err)
	w.forget()
}

// hidesAll reports whether the record is all there and hidden.
func (w *worlds) hidesAll(rec core.Record) bool {
	for c := range rec.Len() {
		if rec.At(c).IsAbsent() {
			return false
		}
	}
	return w.hides(rec)
}

// beyond draws an operation on what the guest does not see.
func (w *worlds) beyond(d kit.Drawer) (attempt, bool) {
	r := d.AnyResource(w.Model)
	switch d.UpTo(4, "does") {
	case 0:
		return attempt{kind: []core.Kind{core.Select, core.Count}[d.UpTo(1, "counts")], res: r}, true
	case 1:
		return attempt{kind: core.Load, res: r, keys: d.Keys(r, 4)}, true
	case 2:
		row, ok := w.another(d, r)
		return attempt{kind: core.Insert, res: r, records: []core.Record{row}}, ok
	}
	now, err := w.b.door.read(w.b.ctx)
	if err != nil {
		d.Fatalf("%v", err)
	}
	var hidden []core.Record
	for _, row := range now[r.Index()] {
		if w.hides(row) && w.notOwn(r, row.Key()) {
			hidden = append(hidden, row)
		}
	}
	if len(hidden) == 0 {
		return attempt{}, false
	}
	row := hidden[d.UpTo(len(hidden)-1, "hidden")]
	if d.Bool("deletes") {
		return attempt{kind: core.Delete, res: r, keys: []core.Value{row.Key()}}, !w.pool.pinned[r.Index()][row.Key()]
	}
	return attempt{kind: core.Update, res: r, records: []core.Record{w.changed(d, row)}}, true
}

// notOwn reports whether the key is none that programs give to rows: one that they
// gave, or saw, before the row was hidden from them stays taken in both worlds.
func (w *worlds) notOwn(r *core.Resource, key core.Value) bool {
	return !slices.Contains(w.pool.values[r.Key()].stored, key) && (key.Type() != core.Int || key.Int() < 2*HiddenKeys)
}

// differ ends the program: it told one world from the other. The words are the
// same each time, as rapid needs to shrink.
func differ(d kit.Drawer, format string, args ...any) {
	d.Logf(format, args...)
	d.Fatalf("the worlds differ")
}
