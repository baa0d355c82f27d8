package policytest

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// keptOp is an op that an inner decorator keeps, and what the op said on arrival.
type keptOp struct{ op, arrived *core.Op }

// stays reports whether the op still says what it said. The store itself may bind
// the conditions of an op and fill in its order.
func (k keptOp) unchanged() bool {
	op, was := k.op, k.arrived
	return op.Kind == was.Kind && op.Resource == was.Resource && op.Principal == was.Principal && op.Tx == was.Tx && op.N == was.N &&
		slices.Equal(op.Keys, was.Keys) && slices.EqualFunc(op.Records, was.Records, core.Record.Equal)
}

// opsStay sends one op of each kind and looks at what has become of each op when all
// of them have returned.
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
				t.fail(s.g, s.at, s.a, "%v arrived as %+v, and has become %+v", k.arrived.Kind, k.arrived, k.op)
			}
		}
	}
}
