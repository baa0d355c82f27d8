package storetest

import (
	"context"
	"errors"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

var randomRules = []row{
	{
		"random programs do what the model says",
		"Any sequence of operations and transactions returns what maps and the reference functions of core return.",
		randomPrograms,
	},
}

// program runs random operations on a store and on an oracle, and compares.
type program struct {
	trial  *trial
	ctx    context.Context
	oracle *oracle
	next   *continuation
}

func randomPrograms(t *trial) {
	repeat(t.TB, t.opts.Checks, func(r *rapid.T) {
		own := newProgramTrial(t)
		defer func() { _ = own.store.Close() }()
		ctx, cancel := context.WithTimeout(t.TB.Context(), t.opts.timeout())
		defer cancel()
		p := &program{trial: own, ctx: ctx, oracle: newOracle(own.model)}
		actions := map[string]func(*rapid.T){
			"operation":   p.alone,
			"transaction": p.transaction,
		}
		if t.opts.Reopen != nil {
			actions["reopen"] = func(r *rapid.T) { r.Log("reopen"); own.reopen() }
		}
		r.Repeat(actions)
	})
}

// newProgramTrial returns a trial of the same kind on a backend of its own.
func newProgramTrial(t *trial) *trial {
	own := *t
	c := *t.client
	own.client = &c
	own.ctx = t.TB.Context()
	own.backend = t.open(t.TB, t.model)
	own.bind()
	return &own
}

// alone runs an operation that is a transaction of its own.
func (p *program) alone(r *rapid.T) {
	p.oracle.begin()
	r.Log("alone:")
	wrong, err := p.operation(p.ctx, r, p.trial.store)
	if !wrong.must() {
		wrong = wrong.and(p.oracle.violations())
	}
	p.ended(r, wrong, err)
}

// transaction runs several operations, and then commits or rolls back.
func (p *program) transaction(r *rapid.T) {
	p.oracle.begin()
	var wrong owed
	err := p.trial.store.TxWith(p.ctx, core.TxOptions{Attempts: 1}, func(ctx context.Context, tx *core.Transaction) error {
		r.Log("begin:")
		for range 1 + (drawer{T: r}).upTo(5, "more operations") {
			var err error
			if wrong, err = p.operation(ctx, r, tx); err != nil || wrong.must() {
				return err
			}
		}
		if (drawer{T: r}).upTo(3, "commit") == 0 {
			return errOnPurpose
		}
		wrong = p.oracle.violations()
		return nil
	})
	if errors.Is(err, errOnPurpose) {
		p.oracle.rollback()
		return
	}
	p.ended(r, wrong, err)
}

// ended compares how a transaction ended with how it may.
func (p *program) ended(r *rapid.T, wrong owed, err error) {
	got := publicly(err)
	r.Logf("ended: %s", got)
	_, may := wrong[got]
	switch {
	case err == nil && !wrong.must():
		p.oracle.commit()
	case err != nil && may:
		p.oracle.rollback()
	default:
		r.Fatalf("got %s, want %v", got, wrong)
	}
}

// operation runs one operation on both sides and compares what they return. It
// returns the errors of which the operation owed one, and the one that came.
func (p *program) operation(ctx context.Context, r *rapid.T, querier core.Querier) (owed, error) {
	d := drawer{T: r}
	res := d.resource(p.oracle.model)
	policy := d.policy(res)
	c := &client{TB: p.trial.TB, ctx: ctx, model: p.oracle.model, querier: querier}
	s := step{program: p, d: d, c: c.under(policy.using, policy.check), res: res, conditions: policy}
	kinds := []func() (owed, error){
		s.insert, s.insert, s.insert, s.update, s.update, s.delete, s.load, s.count, s.find, s.find, s.goOn, s.nextIDs,
	}
	return kinds[d.upTo(len(kinds)-1, "kind")]()
}
