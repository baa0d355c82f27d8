package policytest

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// keptOp is an op that an inner decorator keeps after the call, and a copy of the op on arrival.
type keptOp struct{ op, arrived *core.Op }

// unchanged reports whether the op equals its copy. Filters and order are not compared: the store itself binds them.
func (k keptOp) unchanged() bool {
	op, copied := k.op, k.arrived
	return op.Kind == copied.Kind && op.Resource == copied.Resource && op.Principal == copied.Principal && op.Tx == copied.Tx && op.N == copied.N &&
		slices.Equal(op.Keys, copied.Keys) && slices.EqualFunc(op.Records, copied.Records, core.Record.Equal)
}

// opsStayUnchanged sends one operation of each kind, and compares all kept ops after the last operation has returned.
func opsStayUnchanged(t *guardRun) {
	type sent struct {
		g  actor
		p  *probe
		at origin
		a  operation
	}
	var all []sent
	for _, g := range t.actors() {
		var last *probe
		t.eachKind(g, func(p *probe) { last = p }, func(at origin, a operation, err error, _ []*core.Op) {
			all = append(all, sent{g, last, at, a})
			t.restore(at, a, result{err: err})
		})
	}
	for _, s := range all {
		for _, k := range s.p.keptOps {
			if !k.unchanged() {
				t.fail(s.g, s.at, s.a, "%v arrived as %+v and was changed to %+v later", k.arrived.Kind, k.arrived, k.op)
			}
		}
	}
}
