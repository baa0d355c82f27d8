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

// guardRun is the set-up of one rule of Guard.
type guardRun struct {
	*scenario

	open       storetest.Factory
	operations generator
	thin       *rand.Rand
}

func newGuardRun(ctx context.Context, tb testing.TB, open storetest.Factory, spec PolicySpec) *guardRun {
	tb.Helper()
	t := newScenario(ctx, tb, open, spec, true)
	tb.Cleanup(t.close)
	t.setRows(t.initial)
	return &guardRun{scenario: t, open: open, operations: generator{spec.Model, t.initial, spec.DeletedAt}, thin: rand.New(rand.NewPCG(1, 2))}
}

// fail ends the test with the actor, the origin and the operation that violate the rule.
func (t *guardRun) fail(g actor, at origin, a operation, format string, args ...any) {
	t.Helper()
	t.Fatalf("%s, %s, %v: %s", g, at.name, a, fmt.Sprintf(format, args...))
}

// String names the actor in messages.
func (g actor) String() string {
	if g.principal == nil || g.principal.IsSystem() {
		return g.principal.String()
	}
	if !g.principal.ID.IsSet() {
		return "principal without id"
	}
	return fmt.Sprintf("principal %v (%v)", g.principal.ID, g.principal.ID.Type())
}

// skip reports whether to leave out an operation, as PolicySpec.Thin says.
func (t *guardRun) skip() bool { return t.Thin > 1 && t.thin.IntN(t.Thin) > 0 }

// eachRead sends all reads from every origin.
func (t *guardRun) eachRead(actors []actor, visit func(g actor, at origin, a operation)) {
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.reads(r) {
			for _, at := range origins {
				for _, g := range actors {
					if !t.skip() {
						visit(g, at, a)
					}
				}
			}
		}
	}
}

// eachReadInTurn sends all reads, each from one origin, changing in turn.
func (t *guardRun) eachReadInTurn(actors []actor, visit func(g actor, at origin, a operation)) {
	turn := 0
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.reads(r) {
			for _, g := range actors {
				if turn++; !t.skip() {
					visit(g, origins[turn%len(origins)], a)
				}
			}
			turn++ // so that each actor sends from each origin
		}
	}
}

// eachWrite sends all writes of the kinds, each from one origin, changing in turn.
func (t *guardRun) eachWrite(actors []actor, kinds []core.Kind, visit func(g actor, at origin, a operation)) {
	from := slices.DeleteFunc(slices.Clone(origins), func(at origin) bool { return at.readOnly })
	turn := 0
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.writes(r, kinds) {
			for _, g := range actors {
				if turn++; !t.skip() {
					visit(g, from[turn%len(from)], a)
				}
			}
			turn++ // so that each actor sends from each origin
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
		case core.Restore:
			all = append(all, m.restores(r)...)
		}
	}
	return all
}

var writeKinds = []core.Kind{core.Insert, core.Update, core.Delete, core.NextID, core.Restore}

// perform sends an operation and applies the checks to the ops that arrive. Use restore afterwards.
func (t *guardRun) perform(g actor, at origin, a operation, checks ...opCheck) result {
	t.Helper()
	o, arrived := t.execute(at, g, a)
	for _, op := range arrived {
		if g.unrestricted() || t.Exempt(op) {
			continue
		}
		for _, check := range checks {
			if wrong := check(g, t.initial, op); wrong != "" {
				t.fail(g, at, a, "%s", wrong)
			}
		}
	}
	t.checkContexts(g, at, a)
	return o
}

// restore undoes an operation that was committed. An operation that failed changed nothing, as the backend kit proves.
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
		t.fail(g, at, a, "an op arrives without the context of its operation: %s", t.withoutContext[0])
	}
}

// isDenial reports whether the error is a denial that does not depend on the stored rows.
func isDenial(err error) bool {
	return errors.Is(err, core.Unauthorized) || errors.Is(err, core.Forbidden) || errors.Is(err, core.ReadOnly)
}
