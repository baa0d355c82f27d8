package access

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. There are none yet; use the zero value.
type Options struct{}

// New returns the decorator that enforces the policy. The caller must not change the policy afterwards.
//
// [core.New] compiles the policy for the model of the store, as [Policy.Compile] does, and fails with the mistakes of all
// rules if there are any.
func New(policy Policy, _ Options) core.Decorator {
	return core.Decorator{
		Name: "access",
		Note: fmt.Sprintf("%d rules, everything else is denied", len(policy)),
		Kind: core.KindPolicy, KnowsRelated: true, UsesRelated: policy.usesRelated(),
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			c, err := policy.Compile(m)
			if err != nil {
				return nil, err
			}
			return c.wrap(next), nil
		},
	}
}

// wrap returns the handler that applies the policy to each operation before next.
func (c *CompiledPolicy) wrap(next core.Handler) core.Handler {
	return func(ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Principal.IsSystem() {
			return next(ctx, op)
		}
		switch op.Kind {
		case core.Load, core.Select, core.Count, core.Visibility, core.Aggregate:
			return c.read(ctx, op, next)
		case core.Insert:
			return c.insert(ctx, op, next)
		case core.Update:
			return c.update(ctx, op, next)
		case core.Delete:
			return c.delete(ctx, op, next)
		case core.Restore:
			return c.restore(ctx, op, next)
		case core.NextID:
			return c.nextID(ctx, op, next)
		case core.Tx:
			return c.tx(ctx, op, next)
		}
		return core.Result{}, denied(op.Principal, op.Resource, nil)
	}
}

func (c *CompiledPolicy) delete(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	allowed := grantsFor(c.of(op.Resource).delete, op.Principal)
	if len(allowed) == 0 {
		return core.Result{}, c.denied(op, Delete)
	}
	op.Using = core.And(op.Using, allowed.using())
	r, p := op.Resource, op.Principal // inner decorators may change the op
	res, err := next(ctx, op)
	return res, c.withVerdicts(err, p, Delete, r, nil)
}

// restore narrows a Restore to the rows that the principal may restore. Without keys, it answers which rows these are.
func (c *CompiledPolicy) restore(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	allowed := grantsFor(c.of(op.Resource).restore, op.Principal)
	if len(allowed) == 0 {
		return core.Result{}, c.denied(op, Restore)
	}
	op.Using = core.And(op.Using, allowed.using())
	return c.write(ctx, op, Restore, nil, next)
}

func (c *CompiledPolicy) nextID(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	if len(grantsFor(c.of(op.Resource).insert, op.Principal)) == 0 {
		return core.Result{}, c.denied(op, Insert)
	}
	return next(ctx, op)
}

// tx permits a transaction to every principal with a role in the policy. It is not made read-only for principals without
// a right to write, because the program may write in it as [core.System].
func (c *CompiledPolicy) tx(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	for _, r := range c.all {
		if r.isFor(op.Principal) {
			return next(ctx, op)
		}
	}
	return core.Result{}, denied(op.Principal, nil, errNoRole)
}
