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
type player struct {
	*History

	client   int // who runs it, for the record
	script   Schedule
	readOnly bool

	turns   chan struct{} // one for each action; closed when it need not wait
	took    chan struct{} // one for each action of the first attempt
	ungated chan struct{} // closed when the first attempt ended
	over    chan struct{}

	given, taken int
	stuck        bool
}

func (s *History) player(client int, script Schedule, readOnly bool) *player {
	return &player{
		History: s, client: client, script: script, readOnly: readOnly,
		turns: make(chan struct{}, len(script)), took: make(chan struct{}, len(script)),
		ungated: make(chan struct{}), over: make(chan struct{}),
	}
}

// run runs the transaction, and records it if it commits.
func (p *player) run() {
	defer close(p.over)
	<-p.turns
	call := p.clock.Add(1)
	var seen []event
	attempt := 0
	opts := core.TxOptions{ReadOnly: p.readOnly, Attempts: kit.ManyAttempts}
	err := p.store.TxWith(p.ctx, opts, func(ctx context.Context, tx *core.Transaction) (err error) {
		if attempt++; attempt == 1 {
			defer close(p.ungated)
		}
		seen, err = p.act(&kit.Client{Ctx: ctx, Model: p.model, Querier: tx}, attempt == 1)
		return err
	})
	p.record(p.client, call, seen, err)
}

// act takes the actions of one attempt, the first one when it is told to.
func (p *player) act(tx *kit.Client, gated bool) ([]event, error) {
	var seen []event
	for i, a := range p.script {
		if gated && i > 0 {
			<-p.turns
		}
		switch a.do {
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
			p.took <- struct{}{}
		}
	}
	return seen, errors.New("storetest: a transaction of the schedule does not end")
}

// next lets the player take its next action and waits until it did, or until it
// seems to wait for somebody else.
func (p *player) next(a action) {
	p.turns <- struct{}{}
	p.given++
	patience := time.NewTimer(p.patience)
	defer patience.Stop()
	ungated := p.ungated
	if a.ends() {
		ungated = nil // what follows the attempt is the commit
	}
	for p.taken < p.given {
		if p.stuck && len(p.took) == 0 && !closed(p.over) {
			return // one that waits is not waited for
		}
		select {
		case <-p.took:
			p.taken++
		case <-ungated:
			p.taken = p.given
		case <-p.over:
			p.taken = p.given
		case <-patience.C:
			p.stuck = true
			return
		}
	}
	p.stuck = false
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
