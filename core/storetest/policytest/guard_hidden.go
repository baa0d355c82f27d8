package policytest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// hiddenEqualsAbsent compares the store with a reduced one, which holds only the rows that the actor may read and the
// targets of their references.
func hiddenEqualsAbsent(t *guardRun) {
	for _, g := range t.actors() {
		reduced := &guardRun{scenario: newScenario(t.ctx, t.TB, t.open, t.PolicySpec, true), open: t.open, operations: t.operations, thin: t.thin}
		t.Cleanup(reduced.close)
		reduced.initial = g.withoutHidden(t.initial)
		reduced.setRows(reduced.initial)
		t.compareWithReduced(reduced, g)
	}
}

// readsAllHidesNothing calls ReadsAll for every principal, resource and origin.
func readsAllHidesNothing(t *guardRun) {
	actors := append(t.actors(), t.mistypedActors()...)
	for _, g := range append(actors, t.actor(nil)) {
		for _, r := range t.Model.Resources() {
			for _, at := range origins {
				all := false
				err := at.run(t.scenario, g.principal, func(ctx context.Context, s core.Querier) (err error) {
					ctx, _ = t.newProbe(ctx, g.principal)
					all, err = s.ReadsAll(ctx, r)
					return err
				})
				if err != nil && !errors.Is(err, kit.ErrRollback) && !isDenial(err) {
					t.Fatalf("%s, %s: ReadsAll of %s: %v", g, at.name, r.Name(), err)
				}
				rows := t.initial[r.Index()]
				if readable := len(g.readableRows(rows)); all && (readable < len(rows) || g.denied(core.Select, r)) {
					t.Fatalf("%s, %s: ReadsAll is true for %s, of which the principal may read %d of %d rows", g, at.name, r.Name(), readable, len(rows))
				}
			}
		}
	}
}

// withoutHidden returns the rows without those that the actor may not read. Rows that it needs for the same decisions remain.
func (g actor) withoutHidden(all rows) rows {
	reduced := g.readableWithTargets(all)
	if !g.dependent || g.decidesAlike(all, reduced) {
		return reduced
	}
	reduced = all
	for again := true; again; {
		again = false
		for _, row := range slices.Concat(reduced...) {
			if g.sees(row) || g.grants(row) || reduced.reference(row) {
				continue
			}
			if fewer := reduced.without(row); g.decidesAlike(all, fewer) {
				reduced, again = fewer, true
			}
		}
	}
	return reduced
}

// decidesAlike reports whether the actor may read and change the same rows in both states.
func (g actor) decidesAlike(before, after rows) bool {
	was, is := g.in(before), g.in(after)
	for i := range after {
		old, now := was.readableRows(before[i]), is.readableRows(after[i])
		if !slices.EqualFunc(old, now, core.Record.Equal) {
			return false
		}
		for _, row := range now {
			if was.canChange(core.Update, row) != is.canChange(core.Update, row) || was.canChange(core.Delete, row) != is.canChange(core.Delete, row) {
				return false
			}
		}
	}
	return true
}

// reference reports whether a row references this one.
func (all rows) reference(to core.Record) bool {
	for _, some := range all {
		for _, row := range some {
			for _, f := range row.Resource().References() {
				if f.Target() == to.Resource() && row.At(f.Column()) == to.Key() {
					return true
				}
			}
		}
	}
	return false
}

// readableWithTargets returns the rows that the actor may read or that grant it something, and every row that they reference
// directly or indirectly.
func (g actor) readableWithTargets(all rows) rows {
	kept := make([]map[core.Value]bool, len(all))
	for i, some := range all {
		kept[i] = make(map[core.Value]bool)
		for _, row := range some {
			kept[i][row.Key()] = g.sees(row) || g.grants(row)
		}
	}
	for more := true; more; {
		more = false
		for i, some := range all {
			for _, row := range some {
				for _, f := range row.Resource().References() {
					target := kept[f.Target().Index()]
					if to := row.At(f.Column()); kept[i][row.Key()] && to.IsSet() && !target[to] {
						target[to], more = true, true
					}
				}
			}
		}
	}
	reduced := make(rows, len(all))
	for i, some := range all {
		reduced[i] = slices.DeleteFunc(slices.Clone(some), func(row core.Record) bool { return !kept[i][row.Key()] })
	}
	return reduced
}

func (t *guardRun) compareWithReduced(reduced *guardRun, g actor) {
	t.Helper()
	twin := reduced.actor(g.principal)
	same := func(_ actor, at origin, a operation) {
		if a.kind.Writes() && !t.targetsHidden(reduced, a) {
			return // its error may depend on other rows: on a missing target, or on a unique value that exists
		}
		here, _ := t.execute(at, g, a)
		there, _ := reduced.execute(at, twin, a)
		if diff := here.difference(there); diff != "" {
			t.fail(g, at, a, "with hidden rows: %s", diff)
		}
		t.restore(at, a, here)
		reduced.restore(at, a, there)
	}
	t.eachRead([]actor{g}, same)
	t.eachWrite([]actor{g}, []core.Kind{core.Update, core.Delete, core.Restore}, same)
}

// targetsHidden reports whether the operation names a row that exists here and not in the reduced store.
func (t *guardRun) targetsHidden(reduced *guardRun, a operation) bool {
	i := a.res.Index()
	return slices.ContainsFunc(a.keys, func(key core.Value) bool {
		is := func(row core.Record) bool { return row.Key() == key }
		return slices.ContainsFunc(t.initial[i], is) && !slices.ContainsFunc(reduced.initial[i], is)
	})
}

// difference describes how two results differ. It returns "" if a client could not notice a difference.
func (o result) difference(other result) string {
	if a, b := kit.FullText(o.err), kit.FullText(other.err); a != b {
		return fmt.Sprintf("%s; without hidden rows %s", a, b)
	}
	if diff := kit.Difference(o.records, other.records); diff != "" {
		return diff
	}
	if o.count != other.count {
		return fmt.Sprintf("counted %d; without hidden rows %d", o.count, other.count)
	}
	if o.groups != other.groups {
		return fmt.Sprintf("groups %s; without hidden rows %s", o.groups, other.groups)
	}
	if o.next != other.next {
		return fmt.Sprintf("cursor %q; without hidden rows %q", o.next, other.next)
	}
	if !slices.Equal(o.ids, other.ids) {
		return fmt.Sprintf("ids %v; without hidden rows %v", o.ids, other.ids)
	}
	return ""
}
