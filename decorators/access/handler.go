package access

import (
	"context"

	"github.com/larder-go/larder/core"
)

// around returns the handler that lets next see no more than the policy allows.
func (c *CompiledPolicy) around(next core.Handler) core.Handler {
	return func(ctx context.Context, op *core.Op) (core.Result, error) {
		if op.Principal.IsSystem() {
			return next(ctx, op)
		}
		switch op.Kind {
		case core.Load, core.Select, core.Count:
			return c.read(ctx, op, next)
		case core.Insert:
			return c.insert(ctx, op, next)
		case core.Update:
			return c.update(ctx, op, next)
		case core.Delete:
			return c.delete(ctx, op, next)
		case core.NextID:
			return c.nextID(ctx, op, next)
		case core.Tx:
			return c.tx(ctx, op, next)
		}
		return core.Result{}, refused(op.Principal, op.Resource, nil)
	}
}

func (c *CompiledPolicy) delete(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	allowed := grants(c.of(op.Resource).delete, op.Principal)
	if len(allowed) == 0 {
		return core.Result{}, c.refuse(op, Delete)
	}
	var using []core.Filter
	for _, g := range allowed {
		using = append(using, g.using)
	}
	op.Using = core.And(op.Using, core.Or(using...))
	return next(ctx, op)
}

func (c *CompiledPolicy) nextID(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	if len(grants(c.of(op.Resource).insert, op.Principal)) == 0 {
		return core.Result{}, c.refuse(op, Insert)
	}
	return next(ctx, op)
}

// tx lets those begin a transaction who may do something in one. It does not make
// it read-only for those who only read: the program may write in it, as itself.
func (c *CompiledPolicy) tx(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	for _, r := range c.all {
		if r.isFor(op.Principal) {
			return next(ctx, op)
		}
	}
	return core.Result{}, refused(op.Principal, nil, errNoRole)
}
