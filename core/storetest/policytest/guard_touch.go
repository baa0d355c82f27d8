package policytest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

func writesTouch(t *guardTrial) {
	t.eachWrite(t.guests(), writeKinds, func(g guest, at place, a attempt) {
		o := t.do(g, at, a)
		for _, rec := range o.records {
			if row := kit.Stored(rec); !g.sees(row) && !g.leaves(a.kind, row) && t.allRead(g, a.res) {
				t.wrong(g, at, a, "it returns %v", rec)
			}
		}
		if at.keeps {
			t.touches(g, at, a)
		}
		t.undo(at, a, o)
	})
}

// allRead reports whether the guest reads every column, so that a rule can be
// asked about what was returned.
func (t *guardTrial) allRead(g guest, r *core.Resource) bool {
	for _, f := range r.Columns() {
		if !g.reads(f) {
			return false
		}
	}
	return true
}

// touches compares what is stored with what was.
func (t *guardTrial) touches(g guest, at place, a attempt) {
	t.Helper()
	now, err := t.door.read(t.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range now {
		before, after := kit.ByKey(t.begin[i]), kit.ByKey(now[i])
		for key, row := range before {
			if is, there := after[key]; (!there || !is.Equal(row)) && !t.mayTouch(g, a.kind, row) {
				t.wrong(g, at, a, "%v is %v afterwards", row, is)
			}
		}
		for key, row := range after {
			if was, there := before[key]; (!there || !was.Equal(row)) && !t.mayLeave(g, a.kind, row) {
				t.wrong(g, at, a, "%v came to be", row)
			}
		}
	}
}

// mayTouch: what happens to other rows through an op is a change of them.
func (t *guardTrial) mayTouch(g guest, kind core.Kind, row core.Record) bool {
	return g.changes(kind, row) || g.changes(core.Update, row)
}

func (t *guardTrial) mayLeave(g guest, kind core.Kind, row core.Record) bool {
	return g.leaves(kind, row) || g.leaves(core.Update, row)
}
