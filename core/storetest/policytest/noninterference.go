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

// NonInterference checks that a principal learns nothing about records and fields that it may not read.
//
// It creates two worlds. Each is a store with the stack on a backend of its own. The worlds differ only in rows and
// fields that the principal may not read. It runs the same random program in both on behalf of the principal, while
// other principals read and write in one of them. It compares every result, count, cursor, id and error with its
// details, and the output of [Stack.Observe]. A difference is shrunk and printed step by step, with the seed that
// repeats it.
//
// Each program draws one of the principals. There are two subtests: operations on the store, and requests to a core/engine
// over it. The latter also sends writes with an Idempotency-Key through package core/rest, often repeatedly: a repeated
// answer must be what the principal reads now, and a failed write must not be remembered.
//
// A principal can learn some things under any policy. The programs avoid them:
//
//   - Gaps in generated ids: other principals insert with keys of their own.
//   - Rows that a write of the principal makes readable, such as those of a team that it joins: such writes must be denied
//     by the policies, or the rows must be readable before. Rows of [PolicySpec.Grants] are the same in both worlds.
//   - Existing keys and unique values: programs write none that a hidden row holds.
//   - Setting a reference, at the store and not at the engine, to a hidden row: programs refer to readable rows and to
//     rows that never exist.
//   - Deleting a row that other rows reference: programs do not.
//   - The id of a hidden row that a readable row references, at the store and not at the engine: it is the same in both
//     worlds.
func NonInterference(t *testing.T, open storetest.Factory, spec PolicySpec) {
	t.Run("store", func(t *testing.T) { NonInterferenceOfStore(t, open, spec) })
	t.Run("engine", func(t *testing.T) { NonInterferenceOfEngine(t, open, spec) })
}

// NonInterferenceOfStore is the subtest of [NonInterference] that sends operations to the store.
func NonInterferenceOfStore(tb testing.TB, open storetest.Factory, spec PolicySpec) {
	tb.Helper()
	runPrograms(tb, open, spec.filled(tb), false, newStoreDriver)
}

// NonInterferenceOfEngine is the subtest of [NonInterference] that sends requests to an engine over the store.
func NonInterferenceOfEngine(tb testing.TB, open storetest.Factory, spec PolicySpec) {
	tb.Helper()
	runPrograms(tb, open, spec.filled(tb), !spec.SameReferences, newEngineDriver)
}

// operations returns the number of operations to compare.
func (spec PolicySpec) operations(tb testing.TB) int {
	tb.Helper()
	if spec.Operations > 0 {
		return spec.Operations
	}
	return envInt(tb, "LARDER_OPERATIONS", 50_000)
}

// programTimeout bounds one program.
const programTimeout = time.Minute

// driver draws operations or requests and runs them in both worlds.
type driver interface {
	// act runs a step on behalf of the actor. It returns the number of operations of the step.
	act(d kit.Drawer, w *worlds) int
}

// runPrograms runs random programs in two worlds until enough operations were compared. With references, the worlds of
// half of the programs also differ in the hidden rows that readable rows reference.
func runPrograms(tb testing.TB, open storetest.Factory, spec PolicySpec, references bool, newDriver func(d kit.Drawer, w *worlds) driver) {
	tb.Helper()
	left := spec.operations(tb)
	actors := len(spec.allPrincipals())
	kit.RepeatWhile(tb, func() bool { return left > 0 }, func(r *rapid.T) {
		ctx, cancel := context.WithTimeout(tb.Context(), programTimeout)
		defer cancel()
		d := kit.Drawer{T: r}
		w := newWorlds(ctx, tb, open, spec, d.UpTo(actors-1, "principal"))
		defer w.close()
		w.referencesDiffer = references && d.Bool("references differ")
		w.fill(d)
		driver := newDriver(d, w)
		r.Repeat(map[string]func(*rapid.T){
			"act":   func(r *rapid.T) { left -= driver.act(w.drawer(r), w); w.compareObservations(r) },
			"other": func(r *rapid.T) { left--; w.otherActs(w.drawer(r)) },
		})
		w.compareStored(r)
	})
}

// drawer returns a drawer of values for conditions.
func (w *worlds) drawer(r *rapid.T) kit.Drawer {
	return kit.Drawer{T: r, Values: func(f *core.Field) []core.Value {
		if f.Key() {
			own := slices.DeleteFunc(slices.Clone(w.insertedKeys), func(v core.Value) bool { return v.Type() != f.Type() })
			return slices.Concat(w.pool.values[f].compared, own)
		}
		return w.pool.values[f].compared
	}}
}

// fill stores the initial rows of both worlds.
func (w *worlds) fill(d kit.Drawer) {
	d.Logf("on behalf of %v", w.actor)
	for _, t := range []*scenario{w.a, w.b} {
		all := w.randomRows(d)
		t.setRows(all)
		if err := t.direct.consumeKey(t.ctx, core.IntValue(2*HiddenKeys)); err != nil {
			t.Fatal(err)
		}
		d.Logf("initial rows of a world: %v", all)
	}
	w.added = 1000 // rows that are added later have other keys
	w.dropObservations()
}

// dropObservations discards the output of Observe.
func (w *worlds) dropObservations() {
	for _, t := range []*scenario{w.a, w.b} {
		if t.stack.Observe != nil {
			t.stack.Observe()
		}
	}
}

// compareObservations compares the output of Observe in both worlds.
func (w *worlds) compareObservations(r *rapid.T) {
	if w.a.stack.Observe == nil {
		return
	}
	if a, b := w.a.stack.Observe(), w.b.stack.Observe(); a != b {
		failDifferent(kit.Drawer{T: r}, "Observe returned\n%s\nin one world, and in the other\n%s", a, b)
	}
}

// compareStored compares the stored rows, as far as the actor may read them.
func (w *worlds) compareStored(r *rapid.T) {
	var readable [2][]core.Record
	for i, t := range []*scenario{w.a, w.b} {
		all, err := t.direct.read(t.ctx)
		if err != nil {
			r.Fatalf("%v", err)
		}
		now := w.at(all)
		for _, some := range all {
			for _, row := range now.readableRows(some) {
				readable[i] = append(readable[i], now.withoutHiddenReferences(all, w.withoutUnreadable(row)))
			}
		}
	}
	if diff := kit.Difference(readable[0], readable[1]); diff != "" {
		failDifferent(kit.Drawer{T: r}, "the stored rows differ: %s", diff)
	}
}

// at returns the worlds with the decisions about the actor in this state of a store.
func (w *worlds) at(all rows) *worlds {
	now := *w
	now.actor = w.in(all)
	return &now
}

// withoutHiddenReferences returns the row without references to hidden rows, if the worlds differ in these references.
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

// otherActs runs an operation of another principal in world b that the actor may not notice.
func (w *worlds) otherActs(d kit.Drawer) {
	if len(w.others) == 0 {
		return
	}
	other := w.others[d.UpTo(len(w.others)-1, "other")]
	before, err := w.b.direct.read(w.b.ctx)
	if err != nil {
		d.Fatalf("%v", err)
	}
	now := w.at(before)
	a, ok := now.hiddenOperation(d, before)
	if w.added = now.added; !ok {
		return
	}
	ctx, _ := w.b.newProbe(w.b.ctx, other.principal)
	err = w.b.store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		o := a.run(ctx, tx)
		if o.err != nil {
			return o.err
		}
		if a.kind.Writes() && !w.staysUnnoticed(before, a, o.records) {
			return kit.ErrRollback // the actor may read the result
		}
		return nil
	})
	d.Logf("in the other world, %v: %v: %v", other, a, err)
	w.dropObservations()
}

// staysUnnoticed reports whether the actor may read neither the records that a write has returned nor other rows than before,
// and change no others.
func (w *worlds) staysUnnoticed(before rows, a operation, written []core.Record) bool {
	after := before.with(written...)
	for _, key := range a.keys {
		after = after.without(a.res.RecordOf(make([]core.Value, len(a.res.Columns()))).With(a.res.Key().Column(), key))
	}
	now := w.at(after)
	if slices.ContainsFunc(written, func(rec core.Record) bool { return !now.isWholeAndHidden(rec) }) {
		return false
	}
	return !w.dependent || w.decidesAlike(before, after)
}

// isWholeAndHidden reports whether the record has all columns and is hidden.
func (w *worlds) isWholeAndHidden(rec core.Record) bool {
	for c := range rec.Len() {
		if rec.At(c).IsAbsent() {
			return false
		}
	}
	return w.isHidden(rec)
}

// hiddenOperation draws an operation on hidden rows of the state, and reports whether it found one.
func (w *worlds) hiddenOperation(d kit.Drawer, state rows) (operation, bool) {
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
	var hidden []core.Record
	for _, row := range state[r.Index()] {
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

// notProgramKey reports whether programs never insert a row with the key. A key that a program has inserted or read
// stays the same in both worlds, even if its row is hidden later.
func (w *worlds) notProgramKey(r *core.Resource, key core.Value) bool {
	return !slices.Contains(w.pool.values[r.Key()].stored, key) && (key.Type() != core.Int || key.Int() < 2*HiddenKeys)
}

// failDifferent logs the difference and ends the program. The failure text is constant, because rapid compares texts
// while it shrinks.
func failDifferent(d kit.Drawer, format string, args ...any) {
	d.Logf(format, args...)
	d.Fatalf("the worlds differ")
}
