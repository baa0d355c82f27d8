package policytest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

func writesChangeAllowed(t *guardRun) {
	t.eachWrite(t.actors(), writeKinds, func(g actor, at origin, a operation) {
		o := t.perform(g, at, a)
		for _, rec := range o.records {
			if row := kit.WithDefaults(rec); !g.canRead(row) && !g.canResultIn(a.kind, row) && t.readsAllFields(g, a.res) {
				t.fail(g, at, a, "it returns %v", rec)
			}
		}
		if at.commits {
			t.checkStored(g, at, a)
		}
		t.restore(at, a, o)
	})
}

// allRead reports whether the guest reads every column, so that a rule can be
// asked about what was returned.
func (t *guardRun) readsAllFields(g actor, r *core.Resource) bool {
	for _, f := range r.Columns() {
		if !g.canReadField(f) {
			return false
		}
	}
	return true
}

// touches compares what is stored with what was.
func (t *guardRun) checkStored(g actor, at origin, a operation) {
	t.Helper()
	now, err := t.direct.read(t.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range now {
		before, after := kit.ByKey(t.initial[i]), kit.ByKey(now[i])
		for key, row := range before {
			if is, there := after[key]; (!there || !is.Equal(row)) && !t.mayChange(g, a.kind, row) {
				t.fail(g, at, a, "%v is %v afterwards", row, is)
			}
		}
		for key, row := range after {
			if was, there := before[key]; (!there || !was.Equal(row)) && !t.mayCreate(g, a.kind, row) {
				t.fail(g, at, a, "%v came to be", row)
			}
		}
	}
}

// mayTouch: what happens to other rows through an op is a change of them.
func (t *guardRun) mayChange(g actor, kind core.Kind, row core.Record) bool {
	return g.canChange(kind, row) || g.canChange(core.Update, row)
}

func (t *guardRun) mayCreate(g actor, kind core.Kind, row core.Record) bool {
	return g.canResultIn(kind, row) || g.canResultIn(core.Update, row)
}
