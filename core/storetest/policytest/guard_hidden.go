package policytest

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// hiddenIsAbsent compares the store with one where only those rows are that the
// guest sees, and those that these point at.
func hiddenEqualsAbsent(t *guardRun) {
	for _, g := range t.actors() {
		bare := &guardRun{scenario: newScenario(t.ctx, t.TB, t.open, t.PolicySpec, true), open: t.open, operations: t.operations, thin: t.thin}
		t.Cleanup(bare.close)
		bare.initial = g.readableWithTargets(t.initial)
		bare.setRows(bare.initial)
		t.compareWithReduced(bare, g)
	}
}

// least returns the rows that the guest sees, and whatever they point at.
func (g actor) readableWithTargets(all rows) rows {
	kept := make([]map[core.Value]bool, len(all))
	for i, some := range all {
		kept[i] = make(map[core.Value]bool)
		for _, row := range some {
			kept[i][row.Key()] = g.canRead(row)
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
	least := make(rows, len(all))
	for i, some := range all {
		least[i] = slices.DeleteFunc(slices.Clone(some), func(row core.Record) bool { return !kept[i][row.Key()] })
	}
	return least
}

func (t *guardRun) compareWithReduced(bare *guardRun, g actor) {
	t.Helper()
	twin := actor{scenario: bare.scenario, principal: g.principal}
	same := func(_ actor, at origin, a operation) {
		if a.kind.Writes() && !t.targetsHidden(bare, a) {
			return // it may tell of other rows, by a relation or a value that is taken
		}
		here, _ := t.execute(at, g, a)
		there, _ := bare.execute(at, twin, a)
		if diff := here.difference(there); diff != "" {
			t.fail(g, at, a, "where hidden rows are: %s", diff)
		}
		t.restore(at, a, here)
		bare.restore(at, a, there)
	}
	t.eachRead([]actor{g}, same)
	t.eachWrite([]actor{g}, []core.Kind{core.Update, core.Delete}, same)
}

// misses reports whether the attempt names a row that is there and not in bare.
func (t *guardRun) targetsHidden(bare *guardRun, a operation) bool {
	i := a.res.Index()
	return slices.ContainsFunc(a.keys, func(key core.Value) bool {
		is := func(row core.Record) bool { return row.Key() == key }
		return slices.ContainsFunc(t.initial[i], is) && !slices.ContainsFunc(bare.initial[i], is)
	})
}

// differs says how two outcomes differ; "" if nobody could tell.
func (o result) difference(other result) string {
	if a, b := kit.FullText(o.err), kit.FullText(other.err); a != b {
		return fmt.Sprintf("%s; else %s", a, b)
	}
	if diff := kit.Difference(o.records, other.records); diff != "" {
		return diff
	}
	if o.count != other.count {
		return fmt.Sprintf("counted %d; else %d", o.count, other.count)
	}
	if o.next != other.next {
		return fmt.Sprintf("cursor %q; else %q", o.next, other.next)
	}
	if !slices.Equal(o.ids, other.ids) {
		return fmt.Sprintf("ids %v; else %v", o.ids, other.ids)
	}
	return ""
}
