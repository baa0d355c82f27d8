package policytest

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// answersBelongToOnePrincipal remembers an answer of each principal under one key. Each must recall its own answer, or none if
// a policy rejects the writes of all resources.
func answersBelongToOnePrincipal(t *guardRun) {
	if !t.Model.RemembersAnswers() {
		return
	}
	const key = "key"
	do := func(p *core.Principal, fn func(context.Context, *core.Transaction) error) {
		ctx, _ := t.newProbe(t.ctx, p)
		if err := t.store.Tx(ctx, fn); err != nil {
			t.Fatalf("principal %v: %s", p.ID, kit.FullText(err))
		}
	}
	remembered := make(map[core.Value]bool)
	for _, p := range t.Principals {
		id := p.ID.String()
		do(p, func(ctx context.Context, tx *core.Transaction) error {
			answer, found, err := tx.Recall(ctx, key)
			if found {
				t.Fatalf("principal %s recalls %q, which another principal has remembered", id, answer)
			}
			if err != nil {
				return err
			}
			err = tx.Remember(ctx, key, id, time.Now().Add(time.Hour))
			if errors.Is(err, core.ReadOnly) {
				return nil
			}
			remembered[p.ID] = err == nil
			return err
		})
	}
	for _, p := range t.Principals {
		do(p, func(ctx context.Context, tx *core.Transaction) error {
			answer, found, err := tx.Recall(ctx, key)
			if err == nil && (found != remembered[p.ID] || found && answer != p.ID.String()) {
				t.Fatalf("principal %v recalls %q", p.ID, answer)
			}
			return err
		})
	}
}
