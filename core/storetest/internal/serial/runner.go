package serial

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// runner runs one transaction of a schedule. The schedule permits each action of the first attempt. It cannot know
// whether an action that takes long is slow or waits for another transaction, so after some patience it continues with
// the next action. If writers of the backend wait for each other, this is another interleaving, which the check accepts
// as well.
type runner struct {
	*History

	client   int // its number in the history
	actions  Schedule
	readOnly bool

	permits           chan struct{} // one for each action; closed to permit all
	done              chan struct{} // one for each completed action of the first attempt
	firstAttemptEnded chan struct{} // closed when the first attempt ended
	finished          chan struct{}

	permitted, completed int
	waiting              bool
}

func (s *History) newRunner(client int, actions Schedule, readOnly bool) *runner {
	return &runner{
		History: s, client: client, actions: actions, readOnly: readOnly,
		permits: make(chan struct{}, len(actions)), done: make(chan struct{}, len(actions)),
		firstAttemptEnded: make(chan struct{}), finished: make(chan struct{}),
	}
}

// run runs the transaction, and records it if it commits.
func (p *runner) run() {
	defer close(p.finished)
	<-p.permits
	call := p.clock.Add(1)
	var seen []event
	attempt := 0
	opts := core.TxOptions{ReadOnly: p.readOnly, Attempts: kit.ManyAttempts}
	err := p.store.TxWith(p.ctx, opts, func(ctx context.Context, tx *core.Transaction) (err error) {
		if attempt++; attempt == 1 {
			defer close(p.firstAttemptEnded)
		}
		seen, err = p.runAttempt(&kit.Client{Ctx: ctx, Model: p.model, Querier: tx}, attempt == 1)
		return err
	})
	p.record(p.client, call, seen, err)
}

// runAttempt runs the actions of one attempt. In the first attempt each action waits for its permit.
func (p *runner) runAttempt(tx *kit.Client, stepwise bool) ([]event, error) {
	var seen []event
	for i, a := range p.actions {
		if stepwise && i > 0 {
			<-p.permits
		}
		switch a.kind {
		case commit:
			return seen, nil
		case abort:
			return nil, kit.ErrRollback
		}
		e, err := p.perform(tx, a)
		if err != nil {
			return nil, err
		}
		seen = append(seen, e)
		if stepwise {
			p.done <- struct{}{}
		}
	}
	return seen, errors.New("storetest: a transaction of the schedule has neither commit nor rollback")
}

// permit permits the next action and waits until it is completed, or until the runner seems to wait for another
// transaction.
func (p *runner) permit(a action) {
	p.permits <- struct{}{}
	p.permitted++
	patience := time.NewTimer(p.patience)
	defer patience.Stop()
	attemptEnded := p.firstAttemptEnded
	if a.ends() {
		attemptEnded = nil // the commit follows the attempt
	}
	for p.completed < p.permitted {
		if p.waiting && len(p.done) == 0 && !isClosed(p.finished) {
			return // it waits for another transaction already
		}
		select {
		case <-p.done:
			p.completed++
		case <-attemptEnded:
			p.completed = p.permitted
		case <-p.finished:
			p.completed = p.permitted
		case <-patience.C:
			p.waiting = true
			return
		}
	}
	p.waiting = false
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
