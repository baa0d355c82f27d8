package policytest

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// keptOp is an op that an inner decorator keeps, and what the op said on arrival.
type keptOp struct{ op, was *core.Op }

// stays reports whether the op still says what it said. The store itself may bind
// the conditions of an op and fill in its order.
func (k keptOp) stays() bool {
	op, was := k.op, k.was
	return op.Kind == was.Kind && op.Resource == was.Resource && op.Principal == was.Principal && op.Tx == was.Tx && op.N == was.N &&
		slices.Equal(op.Keys, was.Keys) && slices.EqualFunc(op.Records, was.Records, core.Record.Equal)
}

// opsStay sends one op of each kind and looks at what has become of each op when all
// of them have returned.
func opsStay(t *guardTrial) {
	type sent struct {
		g  guest
		p  *probe
		at place
		a  attempt
	}
	var all []sent
	for _, g := range t.guests() {
		var last *probe
		t.eachKind(g, func(p *probe) { last = p }, func(at place, a attempt, err error, _ []*core.Op) {
			all = append(all, sent{g, last, at, a})
			t.undo(at, a, outcome{err: err})
		})
	}
	for _, s := range all {
		for _, k := range s.p.kept {
			if !k.stays() {
				t.wrong(s.g, s.at, s.a, "%v arrived as %+v, and has become %+v", k.was.Kind, k.was, k.op)
			}
		}
	}
}
