package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/larder-go/larder/core"
)

// stage is where concurrent transactions play on the registers of a store, and
// where what they saw is recorded.
type stage struct {
	ctx      context.Context
	model    *core.Model
	store    *core.Store
	patience time.Duration

	clock  atomic.Int64
	values atomic.Int64

	mu      sync.Mutex
	history []porcupine.Operation
	errs    []error
}

// stage returns one with the registers as they are initially.
func (t *trial) stage(ctx context.Context) (*stage, error) {
	s := &stage{ctx: ctx, model: t.model, store: t.store, patience: t.opts.patience()}
	s.values.Store(100)
	err := s.reset()
	return s, err
}

// reset makes the registers what they are initially, whatever was there.
func (s *stage) reset() error {
	return s.store.TxWith(s.ctx, core.TxOptions{Attempts: manyAttempts}, func(ctx context.Context, tx *core.Transaction) error {
		c := &client{ctx: ctx, model: s.model, querier: tx}
		page, err := c.querier.Select(ctx, c.res("order"), core.Query{})
		if err != nil {
			return err
		}
		if err := c.querier.Delete(ctx, c.res("order"), keysIn(page.Records)...); err != nil {
			return err
		}
		for i, r := range initially {
			if !r.there {
				continue
			}
			if _, err := c.tryInsert("order", r.fields(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// fields returns the record that the register is stored as.
func (r register) fields(i int) fields {
	group := 0
	if r.left {
		group = 1
	}
	return fields{"id": i, "group": group, "value": r.value}
}

// perform runs one action in a transaction.
func (s *stage) perform(tx *client, a action) (event, error) {
	e := event{do: a.do, reg: a.reg}
	inGroup := core.Eq("group", 0)
	var err error
	switch a.do {
	case read:
		var recs []core.Record
		recs, err = tx.querier.Load(tx.ctx, tx.res("order"), tx.keys("order", []any{a.reg}))
		e.one = registersIn(recs)[a.reg]
	case count:
		e.many, err = tx.querier.Count(tx.ctx, tx.res("order"), inGroup)
	case selectGroup, everything:
		var q core.Query
		if a.do == selectGroup {
			q = core.Query{Where: inGroup, Order: []string{"value"}}
		}
		var page core.Page
		page, err = tx.querier.Select(tx.ctx, tx.res("order"), q)
		e.all = registersIn(page.Records)
	case remove:
		err = tx.tryDelete("order", a.reg)
	default:
		e.one = register{there: true, left: a.do == move, value: s.values.Add(1)}
		err = s.write(tx, a, e.one)
	}
	return e, err
}

// write stores the register as the action asks for. A plain write leaves the
// group as it is.
func (s *stage) write(tx *client, a action, r register) (err error) {
	switch a.do {
	case insert:
		_, err = tx.tryInsert("order", r.fields(a.reg))
	case move:
		_, err = tx.tryUpdate("order", r.fields(a.reg))
	case guarded:
		_, err = tx.guarded(core.Eq("group", 0)).tryUpdate("order", fields{"id": a.reg, "value": r.value})
	case write:
		_, err = tx.tryUpdate("order", fields{"id": a.reg, "value": r.value})
	}
	return err
}

// registersIn returns the registers that the records hold.
func registersIn(recs []core.Record) registers {
	var all registers
	for _, rec := range recs {
		i := rec.Key().Int()
		if i < 0 || int(i) >= len(all) {
			continue // seen by the check as a record that is missing
		}
		all[i] = register{there: true, left: rec.Get("group").Int() != 0, value: rec.Get("value").Int()}
	}
	return all
}

// record keeps a transaction that committed. One that was rolled back has not
// happened: on purpose, or because a record was missing or in its way.
func (s *stage) record(client int, call int64, seen []event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.history = append(s.history, porcupine.Operation{ClientId: client, Call: call, Output: seen, Return: s.clock.Add(1)})
	case errors.Is(err, errOnPurpose), errors.Is(err, core.NotFound), errors.Is(err, core.AlreadyExists):
	default:
		s.errs = append(s.errs, fmt.Errorf("a transaction fails: %w", err))
	}
}

// play lets the transactions of the schedule take their actions in its order.
func (s *stage) play(plan schedule, readOnly bool) {
	players := make(map[int]*player)
	for i, script := range plan.scripts() {
		p := s.player(i, script, readOnly && script.reads())
		players[script[0].tx] = p
		go p.run()
	}
	for _, a := range plan {
		players[a.tx].next(a)
	}
	for _, p := range players {
		close(p.turns)
		<-p.over
	}
}

// maxSearch is how long the search for a serial order may take, which is a
// matter of milliseconds.
const maxSearch = 30 * time.Second

// verdict returns an error unless what was recorded, and what is there in the
// end, is serializable.
func (s *stage) verdict() error {
	call := s.clock.Add(1)
	last, err := s.perform(&client{ctx: s.ctx, model: s.model, querier: s.store}, action{do: everything})
	s.record(-1, call, []event{last}, err)
	if err := errors.Join(s.errs...); err != nil {
		return err
	}
	if porcupine.CheckOperationsTimeout(serializable, s.history, maxSearch) == porcupine.Ok {
		return nil
	}
	return fmt.Errorf("no serial order explains what these transactions saw:\n%s", s)
}

// String returns the history, one transaction a line, with the times at which
// each began and ended.
func (s *stage) String() string {
	history := slices.SortedFunc(slices.Values(s.history), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	fmt.Fprintf(&b, "\tin the beginning: %v\n", initially)
	for _, op := range history {
		var did []string
		for _, e := range op.Output.([]event) { //nolint:forcetypeassert // made by players
			did = append(did, e.String())
		}
		fmt.Fprintf(&b, "\tfrom %d to %d: %s\n", op.Call, op.Return, strings.Join(did, ", "))
	}
	return b.String()
}
