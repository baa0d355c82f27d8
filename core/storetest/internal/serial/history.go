package serial

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
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// stage is where concurrent transactions play on the registers of a store, and
// where what they saw is recorded.
type History struct {
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
func New(ctx context.Context, t *kit.Fixture) (*History, error) {
	s := &History{ctx: ctx, model: t.Model, store: t.Store, patience: t.Opts.Patience}
	s.values.Store(100)
	err := s.reset()
	return s, err
}

// reset makes the registers what they are initially, whatever was there.
func (s *History) reset() error {
	return s.store.TxWith(s.ctx, core.TxOptions{Attempts: kit.ManyAttempts}, func(ctx context.Context, tx *core.Transaction) error {
		c := &kit.Client{Ctx: ctx, Model: s.model, Querier: tx}
		page, err := c.Querier.Select(ctx, c.Resource("order"), core.Query{})
		if err != nil {
			return err
		}
		if err := c.Querier.Delete(ctx, c.Resource("order"), kit.KeysOf(page.Records)...); err != nil {
			return err
		}
		for i, r := range initialRegisters {
			if !r.exists {
				continue
			}
			if _, err := c.TryInsert("order", r.fields(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// fields returns the record that the register is stored as.
func (r register) fields(i int) kit.Fields {
	group := 0
	if r.outside {
		group = 1
	}
	return kit.Fields{"id": i, "group": group, "value": r.value}
}

// perform runs one action in a transaction.
func (s *History) perform(tx *kit.Client, a action) (event, error) {
	e := event{kind: a.kind, index: a.index}
	inGroup := core.Eq("group", 0)
	var err error
	switch a.kind {
	case read:
		var recs []core.Record
		recs, err = tx.Querier.Load(tx.Ctx, tx.Resource("order"), tx.Keys("order", []any{a.index}))
		e.register = registersIn(recs)[a.index]
	case count:
		e.count, err = tx.Querier.Count(tx.Ctx, tx.Resource("order"), inGroup)
	case selectGroup, readAll:
		var q core.Query
		if a.kind == selectGroup {
			q = core.Query{Where: inGroup, Order: []string{"value"}}
		}
		var page core.Page
		page, err = tx.Querier.Select(tx.Ctx, tx.Resource("order"), q)
		e.registers = registersIn(page.Records)
	case remove:
		err = tx.TryDelete("order", a.index)
	default:
		e.register = register{exists: true, outside: a.kind == move, value: s.values.Add(1)}
		err = s.write(tx, a, e.register)
	}
	return e, err
}

// write stores the register as the action asks for. A plain write leaves the
// group as it is.
func (s *History) write(tx *kit.Client, a action, r register) (err error) {
	switch a.kind {
	case insert:
		_, err = tx.TryInsert("order", r.fields(a.index))
	case move:
		_, err = tx.TryUpdate("order", r.fields(a.index))
	case guarded:
		_, err = tx.Guarded(core.Eq("group", 0)).TryUpdate("order", kit.Fields{"id": a.index, "value": r.value})
	case write:
		_, err = tx.TryUpdate("order", kit.Fields{"id": a.index, "value": r.value})
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
		all[i] = register{exists: true, outside: rec.Get("group").Int() != 0, value: rec.Get("value").Int()}
	}
	return all
}

// record keeps a transaction that committed. One that was rolled back has not
// happened: on purpose, or because a record was missing or in its way.
func (s *History) record(client int, call int64, seen []event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.history = append(s.history, porcupine.Operation{ClientId: client, Call: call, Output: seen, Return: s.clock.Add(1)})
	case errors.Is(err, kit.ErrRollback), errors.Is(err, core.NotFound), errors.Is(err, core.AlreadyExists):
	default:
		s.errs = append(s.errs, fmt.Errorf("a transaction fails: %w", err))
	}
}

// play lets the transactions of the schedule take their actions in its order.
func (s *History) Run(plan Schedule, readOnly bool) {
	players := make(map[int]*runner)
	for i, script := range plan.ByTransaction() {
		p := s.newRunner(i, script, readOnly && script.readOnly())
		players[script[0].tx] = p
		go p.run()
	}
	for _, a := range plan {
		players[a.tx].permit(a)
	}
	for _, p := range players {
		close(p.permits)
		<-p.finished
	}
}

// maxSearch is how long the search for a serial order may take, which is a
// matter of milliseconds.
const maxSearch = 30 * time.Second

// verdict returns an error unless what was recorded, and what is there in the
// end, is serializable.
func (s *History) Check() error {
	call := s.clock.Add(1)
	last, err := s.perform(&kit.Client{Ctx: s.ctx, Model: s.model, Querier: s.store}, action{kind: readAll})
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
func (s *History) String() string {
	history := slices.SortedFunc(slices.Values(s.history), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	fmt.Fprintf(&b, "\tin the beginning: %v\n", initialRegisters)
	for _, op := range history {
		var did []string
		for _, e := range op.Output.([]event) { //nolint:forcetypeassert // made by players
			did = append(did, e.String())
		}
		fmt.Fprintf(&b, "\tfrom %d to %d: %s\n", op.Call, op.Return, strings.Join(did, ", "))
	}
	return b.String()
}

// playAtOnce runs the scripts of each client one after the other, and the clients at the same time.
func (s *History) RunClients(clients [][]Schedule) {
	var all sync.WaitGroup
	for i, scripts := range clients {
		all.Go(func() {
			for _, script := range scripts {
				p := s.newRunner(i, script, script.readOnly())
				close(p.permits)
				p.run()
			}
		})
	}
	all.Wait()
}
