package policytest

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// decisionsFollow lets every principal read, deletes each row that grants something as the system, and compares the reads that
// follow, and those after the row was inserted again. It does the same within one transaction.
func decisionsFollow(t *guardRun) {
	for i, some := range t.initial {
		for _, row := range some {
			if !slices.ContainsFunc(t.actors(), func(g actor) bool { return g.grants(row) }) {
				continue
			}
			without := t.initial.without(row)
			remove := func(ctx context.Context, s core.Querier) error {
				return s.Delete(core.System(ctx), row.Resource(), row.Key())
			}
			restore := func(ctx context.Context, s core.Querier) error {
				if row.Resource().Field(t.DeletedAt) != nil {
					_, err := s.Restore(core.System(ctx), row.Resource(), row.Key())
					return err
				}
				_, err := s.Insert(core.System(ctx), row.Resource(), t.initial[i][slices.IndexFunc(some, row.Equal)])
				return err
			}
			t.readAll(t.ctx, t.store, t.initial, "before a change")
			if err := remove(t.ctx, t.store); err != nil {
				t.Fatalf("the system cannot delete %v: %s; Grants must return true only for rows that others do not reference", row, kit.FullText(err))
			}
			t.readAll(t.ctx, t.store, without, "after the system has deleted "+row.String())
			if err := restore(t.ctx, t.store); err != nil {
				t.Fatalf("the system cannot insert %v: %s", row, kit.FullText(err))
			}
			t.readAll(t.ctx, t.store, t.initial, "after the system has inserted "+row.String())
			for _, g := range t.actors() {
				t.inOneTransaction(g, without, remove)
			}
		}
	}
}

// inOneTransaction begins a transaction of the actor, reads, changes rows as the system, and reads again.
func (t *guardRun) inOneTransaction(g actor, after rows, change func(ctx context.Context, s core.Querier) error) {
	t.Helper()
	err := t.transaction(g.principal, core.TxOptions{}, func(ctx context.Context, s core.Querier) error {
		t.readAllOf(ctx, s, g, t.initial, "in a transaction")
		if err := change(ctx, s); err != nil {
			return err
		}
		t.readAllOf(ctx, s, g, after, "in the transaction of a change")
		return nil
	})
	if err != nil && err != kit.ErrRollback { //nolint:errorlint // the kit's own error
		t.Fatalf("transaction of %s: %s", g, kit.FullText(err))
	}
}

func (t *guardRun) readAll(ctx context.Context, s core.Querier, state rows, when string) {
	t.Helper()
	for _, g := range t.actors() {
		t.readAllOf(ctx, s, g, state, when)
	}
}

// readAllOf sends a Load, a Select and a Count of each resource, and compares the results with the decisions in the state.
func (t *guardRun) readAllOf(ctx context.Context, s core.Querier, g actor, state rows, when string) {
	t.Helper()
	readable := g.in(state).readable(state)
	for i, r := range t.Model.Resources() {
		if g.denied(core.Select, r) {
			continue
		}
		for _, a := range t.operations.reads(r)[:3] {
			ctx, _ := t.newProbe(ctx, g.principal)
			o := a.run(ctx, s)
			if isDenial(o.err) && len(readable[i]) == 0 {
				continue
			}
			want := a.expected(readable)
			diff := kit.Difference(g.comparable(a, o.records), g.comparable(a, want.records))
			if o.err != nil || diff != "" || o.count != want.count {
				t.Fatalf("%s, %s, %v: %s, counted %d, want %d; %s", g, when, a, kit.FullText(o.err), o.count, want.count, diff)
			}
		}
	}
}
