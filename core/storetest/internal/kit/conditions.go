package kit

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
)

// conditions are what a policy adds to an op.
type Conditions struct{ Using, Check core.Filter }

type conditionsKey struct{}

// guarded returns the client with the condition as its policy, on rows before and
// after a write, as [core.Op.Guard] sets it.
func (c *Client) Guarded(f core.Filter) *Client { return c.GuardedBy(f, f) }

// under returns the client with a policy whose two conditions differ.
func (c *Client) GuardedBy(using, check core.Filter) *Client {
	next := *c
	next.Ctx = context.WithValue(c.Ctx, conditionsKey{}, Conditions{using, check})
	return &next
}

// policy returns the decorator that sets the conditions of a client. It also
// sees to it that a backend neither changes an op nor keeps its slices.
func conditionsDecorator(tb testing.TB) core.Decorator {
	return core.Decorator{
		Name: "storetest", Kind: core.KindPolicy,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Tx {
					return next(ctx, op)
				}
				if set, ok := ctx.Value(conditionsKey{}).(Conditions); ok {
					op.Using = core.And(op.Using, set.Using)
					op.Check = core.And(op.Check, set.Check)
				}
				lent := cloneSlices(op)
				res, err := next(ctx, op)
				lent.checkAndClear(tb)
				return res, err
			}, nil
		},
	}
}

// loan is what a backend was lent for the time of one op, and what that was.
type clonedSlices struct {
	keys, keysBefore       []core.Value
	records, recordsBefore []core.Record
	after, afterBefore     []core.Value
}

// lend replaces the slices of the op by copies.
func cloneSlices(op *core.Op) clonedSlices {
	l := clonedSlices{keysBefore: op.Keys, recordsBefore: op.Records, afterBefore: op.After}
	l.keys, l.records, l.after = slices.Clone(op.Keys), slices.Clone(op.Records), slices.Clone(op.After)
	op.Keys, op.Records, op.After = l.keys, l.records, l.after
	return l
}

// takeBack wipes what was lent, after a look whether it is as it was.
func (l clonedSlices) checkAndClear(tb testing.TB) {
	if !slices.Equal(l.keys, l.keysBefore) || !slices.Equal(l.after, l.afterBefore) ||
		!slices.EqualFunc(l.records, l.recordsBefore, core.Record.Equal) {
		tb.Errorf("the backend changed the op that it was given")
	}
	clear(l.keys)
	clear(l.records)
	clear(l.after)
}
