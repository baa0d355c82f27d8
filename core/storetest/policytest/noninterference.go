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

// NonInterference checks that a principal learns nothing about what it may not
// see. It makes two worlds, each a store with the stack on a backend of its own,
// that differ only in rows which the principal does not see and in fields which it
// does not read; it runs the same random program in both on behalf of the
// principal, while others read and write in one of them; and it compares every
// result, count, cursor, id, error with its details, and what [Stack.Observe] has
// seen. It does so for each principal, in two subtests: operations on the store,
// and requests to a core/engine over it. What differs is shrunk, and printed step
// by step with the seed that repeats it.
//
// Some things tell of other rows with any policy, and no program does them:
//
//   - gaps in the ids that are handed out: others insert with keys of their own;
//   - a key or a unique value that is taken: programs set none that is hidden;
//   - a relation that is set at the store, not the engine, to a row which is there
//     though it is not seen: programs set it to what is seen or is never there;
//   - a row that others point at, which cannot be deleted: programs do not;
//   - at the store, not the engine, the id of a row that is not seen, where one that
//     is seen points at it: it is the same in both worlds.
func NonInterference(t *testing.T, open storetest.Factory, g PolicySpec) {
	t.Run("store", func(t *testing.T) { NonInterferenceOfStore(t, open, g) })
	t.Run("engine", func(t *testing.T) { NonInterferenceOfEngine(t, open, g) })
}

// NonInterferenceOfStore is the part of [NonInterference] that sends operations
// to the store.
func NonInterferenceOfStore(tb testing.TB, open storetest.Factory, g PolicySpec) {
	tb.Helper()
	runPrograms(tb, open, g.filled(tb), false, newStoreDriver)
}

// NonInterferenceOfEngine is the part of [NonInterference] that sends requests to
// an engine over the store.
func NonInterferenceOfEngine(tb testing.TB, open storetest.Factory, g PolicySpec) {
	tb.Helper()
	runPrograms(tb, open, g.filled(tb), true, newEngineDriver)
}

// operations returns how many operations are compared.
func (g PolicySpec) operations(tb testing.TB) int {
	tb.Helper()
	if g.Operations > 0 {
		return g.Operations
	}
	return envInt(tb, "LARDER_OPERATIONS", 50_000)
}

// programTime is how long one program may take, so that what hangs is told.
const programTimeout = time.Minute

// actor does what programs consist of, in both worlds.
type driver interface {
	// act does one thing on behalf of the guest, and returns how many operations
	// that were.
	act(d kit.Drawer, w *worlds) int
}

// interfere runs random programs in two worlds until there were enough
// operations. relations says that in some of them the worlds differ in which
// hidden rows the seen ones point at, too.
func runPrograms(tb testing.TB, open storetest.Factory, g PolicySpec, relations bool, newActor func(d kit.Drawer, w *worlds) driver) {
	tb.Helper()
	left := g.operations(tb)
	guests := len(g.allPrincipals())
	kit.RepeatWhile(tb, func() bool { return left > 0 }, func(r *rapid.T) {
		ctx, cancel := context.WithTimeout(tb.Context(), programTimeout)
		defer cancel()
		d := kit.Drawer{T: r}
		w := newWorlds(ctx, tb, open, g, d.UpTo(guests-1, "principal"))
		defer w.close()
		w.referencesDiffer = relations && d.Bool("relations differ")
		w.fill(d)
		actor := newActor(d, w)
		r.Repeat(map[string]func(*rapid.T){
			"act":       func(r *rapid.T) { left -= actor.act(w.drawer(r), w); w.compareObservations(r) },
			"interlude": func(r *rapid.T) { left--; w.otherActs(w.drawer(r)) },
		})
		w.compareStored(r)
	})
}

// drawer draws values that conditions may ask for.
func (w *worlds) drawer(r *rapid.T) kit.Drawer {
	return kit.Drawer{T: r, Values: func(f *core.Field) []core.Value {
		if f.Key() {
			own := slices.DeleteFunc(slices.Clone(w.insertedKeys), func(v core.Value) bool { return v.Type() != f.Type() })
			return slices.Concat(w.pool.values[f].compared, own)
		}
		return w.pool.values[f].compared
	}}
}

// open fills the worlds.
func (w *worlds) fill(d kit.Drawer) {
	d.Logf("on behalf of %v", w.actor)
	for _, t := range []*scenario{w.a, w.b} {
		all := w.randomRows(d)
		t.setRows(all)
		if err := t.direct.consumeKey(t.ctx, core.IntValue(2*HiddenKeys)); err != nil {
			t.Fatal(err)
		}
		d.Logf("a world begins with %v", all)
	}
	w.added = 1000 // what is added from now on has other keys
	w.dropObservations()
}

// forget drops what was observed.
func (w *worlds) dropObservations() {
	for _, t := range []*scenario{w.a, w.b} {
		if t.stack.Observe != nil {
			t.stack.Observe()
		}
	}
}

func (w *worlds) compareObservations(r *rapid.T) {
	if w.a.stack.Observe == nil {
		return
	}
	if a, b := w.a.stack.Observe(), w.b.stack.Observe(); a != b {
		failDifferent(kit.Drawer{T: r}, "an observer sees\n%s\nin one world, and in the other\n%s", a, b)
	}
}

// compareSeen compares what is stored, as far as the guest sees it.
func (w *worlds) compareStored(r *rapid.T) {
	var seen [2][]core.Record
	for i, t := range []*scenario{w.a, w.b} {
		all, err := t.direct.read(t.ctx)
		if err != nil {
			r.Fatalf("%v", err)
		}
		for _, some := range all {
			for _, row := range w.readableRows(some) {
				seen[i] = append(seen[i], w.withoutHiddenReferences(all, w.withoutUnreadable(row)))
			}
		}
	}
	if diff := kit.Difference(seen[0], seen[1]); diff != "" {
		failDifferent(kit.Drawer{T: r}, "at last one world holds something else: %s", diff)
	}
}

// veiled returns the row without relations to what the guest does not see, if
// those are not its to see.
func (w *worlds) withoutHiddenReferences(all rows, row core.Record) core.Record {
	for _, f := range row.Resource().References() {
		if w.referencesDiffer && w.isHiddenKey(all[f.Target().Index()], row.At(f.Column())) {
			row = row.With(f.Column(), core.Null)
		}
	}
	for c, f := range row.Resource().Columns() {
		if w.referencesDiffer && f.Many() && !row.At(c).IsAbsent() {
			row = row.With(c, core.ListOf(w.withoutHidden(all, f, row.At(c))...))
		}
	}
	return row
}

// interlude has somebody else do something in one of the worlds which the guest
// does not see.
func (w *worlds) otherActs(d kit.Drawer) {
	if len(w.others) == 0 {
		return
	}
	other := w.others[d.UpTo(len(w.others)-1, "other")]
	a, ok := w.hiddenOperation(d)
	if !ok {
		return
	}
	ctx, _ := w.b.newProbe(w.b.ctx, other.principal)
	err := w.b.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		o := a.run(ctx, tx)
		if o.err != nil {
			return o.err
		}
		for _, rec := range o.records {
			if a.kind.Writes() && !w.isWholeAndHidden(rec) {
				return kit.ErrRollback // the guest would see it, and rightly
			}
		}
		return nil
	})
	d.Logf("meanwhile, elsewhere, %v: %v: %v", other, a, err)
	w.dropObservations()
}

// hidesAll reports whether the record is all there and hidden.
func (w *worlds) isWholeAndHidden(rec core.Record) bool {
	for c := range rec.Len() {
		if rec.At(c).IsAbsent() {
			return false
		}
	}
	return w.isHidden(rec)
}

// beyond draws an operation on what the guest does not see.
func (w *worlds) hiddenOperation(d kit.Drawer) (operation, bool) {
	r := d.AnyResource(w.Model)
	switch d.UpTo(4, "does") {
	case 0:
		return operation{kind: []core.Kind{core.Select, core.Count}[d.UpTo(1, "counts")], res: r}, true
	case 1:
		return operation{kind: core.Load, res: r, keys: d.Keys(r, 4)}, true
	case 2:
		row, ok := w.copyHidden(d, r)
		return operation{kind: core.Insert, res: r, records: []core.Record{row}}, ok
	}
	now, err := w.b.direct.read(w.b.ctx)
	if err != nil {
		d.Fatalf("%v", err)
	}
	var hidden []core.Record
	for _, row := range now[r.Index()] {
		if w.isHidden(row) && w.notProgramKey(r, row.Key()) {
			hidden = append(hidden, row)
		}
	}
	if len(hidden) == 0 {
		return operation{}, false
	}
	row := hidden[d.UpTo(len(hidden)-1, "hidden")]
	if d.Bool("deletes") {
		return operation{kind: core.Delete, res: r, keys: []core.Value{row.Key()}}, !w.pool.required[r.Index()][row.Key()]
	}
	return operation{kind: core.Update, res: r, records: []core.Record{w.changeHidden(d, row)}}, true
}

// notOwn reports whether the key is none that programs give to rows: one that they
// gave, or saw, before the row was hidden from them stays taken in both worlds.
func (w *worlds) notProgramKey(r *core.Resource, key core.Value) bool {
	return !slices.Contains(w.pool.values[r.Key()].stored, key) && (key.Type() != core.Int || key.Int() < 2*HiddenKeys)
}

// differ ends the program: it told one world from the other. The words are the
// same each time, as rapid needs to shrink.
func failDifferent(d kit.Drawer, format string, args ...any) {
	d.Logf(format, args...)
	d.Fatalf("the worlds differ")
}
