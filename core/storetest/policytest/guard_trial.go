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
type guardTrial struct {
	*theatre

	open storetest.Factory
	made material
	thin *rand.Rand
}

func newGuardTrial(ctx context.Context, tb testing.TB, open storetest.Factory, g PolicySpec) *guardTrial {
	tb.Helper()
	t := newTheatre(ctx, tb, open, g, true)
	tb.Cleanup(t.close)
	t.fill(t.begin)
	return &guardTrial{theatre: t, open: open, made: material{model: g.Model, rows: t.begin}, thin: rand.New(rand.NewPCG(1, 2))}
}

// wrong reports what a guest could do that it must not, or could not that it must.
func (t *guardTrial) wrong(g guest, at place, a attempt, format string, args ...any) {
	t.Helper()
	t.Fatalf("%s, %s, %v: %s", g, at.name, a, fmt.Sprintf(format, args...))
}

// String names the guest for messages.
func (g guest) String() string {
	if g.who == nil || g.who.IsSystem() {
		return g.who.String()
	}
	if !g.who.ID.IsSet() {
		return "principal without an id"
	}
	return fmt.Sprintf("principal %v (%v)", g.who.ID, g.who.ID.Type())
}

// skips reports whether an operation is not sent, because there are so many.
func (t *guardTrial) skips() bool { return t.Thin > 1 && t.thin.IntN(t.Thin) > 0 }

// eachRead sends all reads from everywhere.
func (t *guardTrial) eachRead(guests []guest, look func(g guest, at place, a attempt)) {
	for _, r := range t.Model.Resources() {
		for _, a := range t.made.reads(r) {
			for _, at := range places {
				for _, g := range guests {
					if !t.skips() {
						look(g, at, a)
					}
				}
			}
		}
	}
}

// someReads sends all reads, each from one of the places in turn.
func (t *guardTrial) someReads(guests []guest, look func(g guest, at place, a attempt)) {
	turn := 0
	for _, r := range t.Model.Resources() {
		for _, a := range t.made.reads(r) {
			for _, g := range guests {
				if turn++; !t.skips() {
					look(g, places[turn%len(places)], a)
				}
			}
			turn++ // so that each guest comes to each place
		}
	}
}

// eachWrite sends all writes of the kinds, each from one of the places in turn.
func (t *guardTrial) eachWrite(guests []guest, kinds []core.Kind, look func(g guest, at place, a attempt)) {
	from := slices.DeleteFunc(slices.Clone(places), func(at place) bool { return at.readOnly })
	turn := 0
	for _, r := range t.Model.Resources() {
		for _, a := range t.made.writes(r, kinds) {
			for _, g := range guests {
				if turn++; !t.skips() {
					look(g, from[turn%len(from)], a)
				}
			}
			turn++ // so that each guest comes to each place
		}
	}
}

func (m material) writes(r *core.Resource, kinds []core.Kind) []attempt {
	var all []attempt
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
func (t *guardTrial) do(g guest, at place, a attempt, judges ...judgment) outcome {
	t.Helper()
	o, arrived := t.try(at, g, a)
	for _, op := range arrived {
		if g.unbound() || t.Exempt(op) {
			continue
		}
		for _, judge := range judges {
			if wrong := judge(g, t.begin, op); wrong != "" {
				t.wrong(g, at, a, "%s", wrong)
			}
		}
	}
	t.mustNotStray(g, at, a)
	return o
}

// undo makes the store what it was before an attempt. One that failed has left no
// trace, as the kit for backends shows.
func (t *guardTrial) undo(at place, a attempt, o outcome) {
	if at.keeps && a.kind.Writes() && a.kind != core.NextID && o.err == nil {
		t.fill(t.begin)
	}
}

func (t *guardTrial) mustNotStray(g guest, at place, a attempt) {
	t.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.stray) > 0 {
		t.wrong(g, at, a, "an op arrives without the context that it was sent with: %s", t.stray[0])
	}
}

// refusal reports whether the error says that the guest may not, whatever is there.
func refusal(err error) bool {
	return errors.Is(err, core.Unauthorized) || errors.Is(err, core.Forbidden) || errors.Is(err, core.ReadOnly)
}
