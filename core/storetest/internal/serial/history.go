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

// History runs concurrent transactions on a few records, the registers, and records their operations in order to check
// that they are serializable.
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

// New returns a history on the store of the fixture, with the registers in their initial state.
func New(ctx context.Context, t *kit.Fixture) (*History, error) {
	s := &History{ctx: ctx, model: t.Model, store: t.Store, patience: t.Opts.Patience}
	s.values.Store(100)
	err := s.reset()
	return s, err
}

// reset writes the initial state of the registers.
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

// fields returns the record in which the register is stored.
func (r register) fields(i int) kit.Fields {
	group := 0
	if r.outside {
		group = 1
	}
	return kit.Fields{"id": i, "group": group, "value": r.value}
}

// perform runs one action in a transaction and returns it as an event.
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

// write stores the register as the action requires. A plain write leaves the group unchanged.
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
			continue // the check then finds a missing record
		}
		all[i] = register{exists: true, outside: rec.Get("group").Int() != 0, value: rec.Get("value").Int()}
	}
	return all
}

// record adds a transaction that committed. A transaction that was rolled back has no effect and is left out: it rolled
// back on request, or an action failed with AlreadyExists, or with NotFound or Unauthorized for a guarded miss.
func (s *History) record(client int, call int64, seen []event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.history = append(s.history, porcupine.Operation{ClientId: client, Call: call, Output: seen, Return: s.clock.Add(1)})
	case errors.Is(err, kit.ErrRollback), errors.Is(err, core.NotFound), errors.Is(err, core.Unauthorized), errors.Is(err, core.AlreadyExists):
	default:
		s.errs = append(s.errs, fmt.Errorf("transaction failed: %w", err))
	}
}

// Run runs the transactions of the schedule concurrently and starts their actions in its order. With readOnly,
// transactions without writes are read-only ones.
func (s *History) Run(plan Schedule, readOnly bool) {
	runners := make(map[int]*runner)
	for i, actions := range plan.ByTransaction() {
		p := s.newRunner(i, actions, readOnly && actions.readOnly())
		runners[actions[0].tx] = p
		go p.run()
	}
	for _, a := range plan {
		runners[a.tx].permit(a)
	}
	for _, p := range runners {
		close(p.permits)
		<-p.finished
	}
}

// maxSearch bounds the search for a serial order. It usually takes milliseconds.
const maxSearch = 30 * time.Second

// Check returns an error unless the recorded transactions, and the final state of the store, are serializable.
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
	return fmt.Errorf("no serial order explains the results of these transactions:\n%s", s)
}

// String returns the history with one transaction a line and the logical times at which each began and ended.
func (s *History) String() string {
	history := slices.SortedFunc(slices.Values(s.history), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	fmt.Fprintf(&b, "\tinitially: %v\n", initialRegisters)
	for _, op := range history {
		var did []string
		for _, e := range op.Output.([]event) { //nolint:forcetypeassert // recorded by perform
			did = append(did, e.String())
		}
		fmt.Fprintf(&b, "\tfrom %d to %d: %s\n", op.Call, op.Return, strings.Join(did, ", "))
	}
	return b.String()
}

// RunClients runs several clients concurrently. Each client runs its transactions one after the other, without waiting
// for the others.
func (s *History) RunClients(clients [][]Schedule) {
	var all sync.WaitGroup
	for i, transactions := range clients {
		all.Go(func() {
			for _, actions := range transactions {
				p := s.newRunner(i, actions, actions.readOnly())
				close(p.permits)
				p.run()
			}
		})
	}
	all.Wait()
}
