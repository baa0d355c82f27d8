package policytest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// guardTrial is one rule of Guard on its way.
type guardRun struct {
	*scenario

	open       storetest.Factory
	operations generator
	thin       *rand.Rand
}

func newGuardRun(ctx context.Context, tb testing.TB, open storetest.Factory, g PolicySpec) *guardRun {
	tb.Helper()
	t := newScenario(ctx, tb, open, g, true)
	tb.Cleanup(t.close)
	t.setRows(t.initial)
	return &guardRun{scenario: t, open: open, operations: generator{model: g.Model, rows: t.initial}, thin: rand.New(rand.NewPCG(1, 2))}
}

// wrong reports what a guest could do that it must not, or could not that it must.
func (t *guardRun) fail(g actor, at origin, a operation, format string, args ...any) {
	t.Helper()
	t.Fatalf("%s, %s, %v: %s", g, at.name, a, fmt.Sprintf(format, args...))
}

// String names the guest for messages.
func (g actor) String() string {
	if g.principal == nil || g.principal.IsSystem() {
		return g.principal.String()
	}
	if !g.principal.ID.IsSet() {
		return "principal without an id"
	}
	return fmt.Sprintf("principal %v (%v)", g.principal.ID, g.principal.ID.Type())
}

// skips reports whether an operation is not sent, because there are so many.
func (t *guardRun) skip() bool { return t.Thin > 1 && t.thin.IntN(t.Thin) > 0 }

// eachRead sends all reads from everywhere.
func (t *guardRun) eachRead(guests []actor, look func(g actor, at origin, a operation)) {
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.reads(r) {
			for _, at := range origins {
				for _, g := range guests {
					if !t.skip() {
						look(g, at, a)
					}
				}
			}
		}
	}
}

// someReads sends all reads, each from one of the places in turn.
func (t *guardRun) eachReadInTurn(guests []actor, look func(g actor, at origin, a operation)) {
	turn := 0
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.reads(r) {
			for _, g := range guests {
				if turn++; !t.skip() {
					look(g, origins[turn%len(origins)], a)
				}
			}
			turn++ // so that each guest comes to each place
		}
	}
}

// eachWrite sends all writes of the kinds, each from one of the places in turn.
func (t *guardRun) eachWrite(guests []actor, kinds []core.Kind, look func(g actor, at origin, a operation)) {
	from := slices.DeleteFunc(slices.Clone(origins), func(at origin) bool { return at.readOnly })
	turn := 0
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.writes(r, kinds) {
			for _, g := range guests {
				if turn++; !t.skip() {
					look(g, from[turn%len(from)], a)
				}
			}
			turn++ // so that each guest comes to each place
		}
	}
}

func (m generator) writes(r *core.Resource, kinds []core.Kind) []operation {
	var all []operation
	for _, kind := range kinds {
		switch kind {
		case core.Insert:
			all = append(all, m.inserts(r)...)
		case core.Update:
			all = append(all, m.updates(r)...)
		case core.Delete:
			all = append(all, m.deletes(r)...)
		case core.NextID:
			all = append(all, m.nextIDs(r)...)
		}
	}
	return all
}

var writeKinds = []core.Kind{core.Insert, core.Update, core.Delete, core.NextID}

// do sends an attempt and judges what arrives; what was written is undone.
func (t *guardRun) perform(g actor, at origin, a operation, judges ...opCheck) result {
	t.Helper()
	o, arrived := t.execute(at, g, a)
	for _, op := range arrived {
		if g.unrestricted() || t.Exempt(op) {
			continue
		}
		for _, judge := range judges {
			if wrong := judge(g, t.initial, op); wrong != "" {
				t.fail(g, at, a, "%s", wrong)
			}
		}
	}
	t.checkContexts(g, at, a)
	return o
}

// undo makes the store what it was before an attempt. One that failed has left no
// trace, as the kit for backends shows.
func (t *guardRun) restore(at origin, a operation, o result) {
	if at.commits && a.kind.Writes() && a.kind != core.NextID && o.err == nil {
		t.setRows(t.initial)
	}
}

func (t *guardRun) checkContexts(g actor, at origin, a operation) {
	t.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.withoutContext) > 0 {
		t.fail(g, at, a, "an op arrives without the context that it was sent with: %s", t.withoutContext[0])
	}
}

// refusal reports whether the error says that the guest may not, whatever is there.
func isDenial(err error) bool {
	return errors.Is(err, core.Unauthorized) || errors.Is(err, core.Forbidden) || errors.Is(err, core.ReadOnly)
}
