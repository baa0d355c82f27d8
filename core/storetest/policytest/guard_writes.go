package policytest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

func writesChangeAllowed(t *guardRun) {
	t.eachWrite(t.actors(), writeKinds, func(g actor, at origin, a operation) {
		o := t.perform(g, at, a)
		after := g.in(t.initial.with(o.records...))
		for _, rec := range o.records {
			if row := kit.WithDefaults(rec); !after.canRead(row) && !after.canResultIn(a.kind, row) && t.readsAllFields(g, a.res) {
				t.fail(g, at, a, "returned %v, which the principal may not read", rec)
			}
		}
		if at.commits {
			t.checkStored(g, at, a)
		}
		t.restore(at, a, o)
	})
}

// readsAllFields reports whether the actor may read every column, so that the rules can be applied to returned rows.
func (t *guardRun) readsAllFields(g actor, r *core.Resource) bool {
	for _, f := range r.Columns() {
		if !g.canReadField(f) {
			return false
		}
	}
	return true
}

// checkStored compares the stored rows with the initial ones. Each difference must be allowed.
func (t *guardRun) checkStored(g actor, at origin, a operation) {
	t.Helper()
	now, err := t.direct.read(t.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range now {
		before, after := kit.ByKey(t.initial[i]), kit.ByKey(now[i])
		for key, row := range before {
			if changed, exists := after[key]; (!exists || !changed.Equal(row)) && !t.mayChange(g, a.kind, row) {
				t.fail(g, at, a, "%v is %v afterwards", row, changed)
			}
		}
		for key, row := range after {
			if old, existed := before[key]; (!existed || !old.Equal(row)) && !t.mayCreate(g.in(now), a.kind, row) {
				t.fail(g, at, a, "%v is new", row)
			}
		}
	}
}

// mayChange reports whether an op of the kind may change the row. A change of further rows, as by a cascade, must be
// allowed as an Update.
func (t *guardRun) mayChange(g actor, kind core.Kind, row core.Record) bool {
	return g.canChange(kind, row) || g.canChange(core.Update, row)
}

// mayCreate reports whether an op of the kind may result in the row.
func (t *guardRun) mayCreate(g actor, kind core.Kind, row core.Record) bool {
	return g.canResultIn(kind, row) || g.canResultIn(core.Update, row)
}
