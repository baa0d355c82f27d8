package serial

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// player runs one transaction of a schedule. A schedule tells it when to take
// its next action. It cannot tell whether an action that takes long is slow or
// waits for another transaction, so after some patience it goes on with the
// next: a backend whose writers wait for each other has another interleaving,
// which is as good for the check.
type runner struct {
	*History

	client   int // who runs it, for the record
	actions  Schedule
	readOnly bool

	permits           chan struct{} // one for each action; closed when it need not wait
	done              chan struct{} // one for each action of the first attempt
	firstAttemptEnded chan struct{} // closed when the first attempt ended
	finished          chan struct{}

	permitted, completed int
	waiting              bool
}

func (s *History) newRunner(client int, script Schedule, readOnly bool) *runner {
	return &runner{
		History: s, client: client, actions: script, readOnly: readOnly,
		permits: make(chan struct{}, len(script)), done: make(chan struct{}, len(script)),
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

// act takes the actions of one attempt, the first one when it is told to.
func (p *runner) runAttempt(tx *kit.Client, gated bool) ([]event, error) {
	var seen []event
	for i, a := range p.actions {
		if gated && i > 0 {
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
		if gated {
			p.done <- struct{}{}
		}
	}
	return seen, errors.New("storetest: a transaction of the schedule does not end")
}

// next lets the player take its next action and waits until it did, or until it
// seems to wait for somebody else.
func (p *runner) permit(a action) {
	p.permits <- struct{}{}
	p.permitted++
	patience := time.NewTimer(p.patience)
	defer patience.Stop()
	ungated := p.firstAttemptEnded
	if a.ends() {
		ungated = nil // what follows the attempt is the commit
	}
	for p.completed < p.permitted {
		if p.waiting && len(p.done) == 0 && !isClosed(p.finished) {
			return // one that waits is not waited for
		}
		select {
		case <-p.done:
			p.completed++
		case <-ungated:
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
