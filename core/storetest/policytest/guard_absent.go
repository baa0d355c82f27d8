package policytest

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// hiddenIsAbsent compares the store with one where only those rows are that the
// guest sees, and those that these point at.
func hiddenIsAbsent(t *guardTrial) {
	for _, g := range t.guests() {
		bare := &guardTrial{theatre: newTheatre(t.ctx, t.TB, t.open, t.PolicySpec, true), open: t.open, made: t.made, thin: t.thin}
		t.Cleanup(bare.close)
		bare.begin = g.least(t.begin)
		bare.fill(bare.begin)
		t.compareWith(bare, g)
	}
}

// least returns the rows that the guest sees, and whatever they point at.
func (g guest) least(all rows) rows {
	kept := make([]map[core.Value]bool, len(all))
	for i, some := range all {
		kept[i] = make(map[core.Value]bool)
		for _, row := range some {
			kept[i][row.Key()] = g.sees(row)
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

func (t *guardTrial) compareWith(bare *guardTrial, g guest) {
	t.Helper()
	twin := guest{theatre: bare.theatre, who: g.who}
	same := func(_ guest, at place, a attempt) {
		if a.kind.Writes() && !t.misses(bare, a) {
			return // it may tell of other rows, by a relation or a value that is taken
		}
		here, _ := t.try(at, g, a)
		there, _ := bare.try(at, twin, a)
		if diff := here.differs(there); diff != "" {
			t.wrong(g, at, a, "where hidden rows are: %s", diff)
		}
		t.undo(at, a, here)
		bare.undo(at, a, there)
	}
	t.eachRead([]guest{g}, same)
	t.eachWrite([]guest{g}, []core.Kind{core.Update, core.Delete}, same)
}

// misses reports whether the attempt names a row that is there and not in bare.
func (t *guardTrial) misses(bare *guardTrial, a attempt) bool {
	i := a.res.Index()
	return slices.ContainsFunc(a.keys, func(key core.Value) bool {
		is := func(row core.Record) bool { return row.Key() == key }
		return slices.ContainsFunc(t.begin[i], is) && !slices.ContainsFunc(bare.begin[i], is)
	})
}

// differs says how two outcomes differ; "" if nobody could tell.
func (o outcome) differs(other outcome) string {
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
