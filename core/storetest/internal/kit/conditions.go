package kit

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
)

// Conditions are the Using and Check that a policy adds to an op.
type Conditions struct{ Using, Check core.Filter }

type conditionsKey struct{}

// Guarded returns a client that runs its operations under a policy: the filter applies to the before image and to the
// after image, as with [core.Op.Guard].
func (c *Client) Guarded(f core.Filter) *Client { return c.GuardedBy(f, f) }

// GuardedBy returns a client that runs its operations under a policy with different filters for the before image and the
// after image.
func (c *Client) GuardedBy(using, check core.Filter) *Client {
	next := *c
	next.Ctx = context.WithValue(c.Ctx, conditionsKey{}, Conditions{using, check})
	return &next
}

// conditionsDecorator returns the decorator that adds the conditions of a client to its ops. It also gives the backend
// copies of the op's slices. Afterwards it reports an error if the backend changed a copy, and clears the copies, so
// that a backend that kept one returns wrong records.
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

// clonedSlices are the slices of one op before the call, and the copies that the backend gets.
type clonedSlices struct {
	keys, keysBefore       []core.Value
	records, recordsBefore []core.Record
	after, afterBefore     []core.Value
}

// cloneSlices replaces the slices of the op by copies.
func cloneSlices(op *core.Op) clonedSlices {
	l := clonedSlices{keysBefore: op.Keys, recordsBefore: op.Records, afterBefore: op.After}
	l.keys, l.records, l.after = slices.Clone(op.Keys), slices.Clone(op.Records), slices.Clone(op.After)
	op.Keys, op.Records, op.After = l.keys, l.records, l.after
	return l
}

// checkAndClear reports an error if the backend changed a copy, and clears the copies.
func (l clonedSlices) checkAndClear(tb testing.TB) {
	if !slices.Equal(l.keys, l.keysBefore) || !slices.Equal(l.after, l.afterBefore) ||
		!slices.EqualFunc(l.records, l.recordsBefore, core.Record.Equal) {
		tb.Errorf("the backend changed a slice of its op; it may only read them")
	}
	clear(l.keys)
	clear(l.records)
	clear(l.after)
}
