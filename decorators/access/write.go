package access

import (
	"context"

	"github.com/larder-go/larder/core"
)

func (c *CompiledPolicy) update(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	allowed, err := c.writable(op, Update, op.Records)
	if err != nil {
		return core.Result{}, err
	}
	op.Using = core.And(op.Using, allowed.using())
	op.Check = core.And(op.Check, allowed.check())
	return c.write(ctx, op, Update, op.Records, next)
}

func (c *CompiledPolicy) insert(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	o := Insert
	if op.ChoosesKey() {
		o = ChooseKey
	}
	requested := requestedRecords(op)
	allowed, err := c.writable(op, o, requested)
	if err != nil {
		return core.Result{}, err
	}
	op.Check = core.And(op.Check, allowed.check())
	return c.write(ctx, op, o, requested, next)
}

// requestedRecords returns the records of an Insert as its caller named them, without defaults and the fields that outer
// decorators have set. If an outer decorator has replaced the records, it returns all of these.
func requestedRecords(op *core.Op) []core.Record {
	if len(op.Requested) == 0 || len(op.Requested) != len(op.Records) || op.Requested[0].Resource() != op.Resource {
		return op.Records
	}
	return op.Requested
}

// writable returns the grants that permit a write of the fields that the records set, at least one, or an error.
func (c *CompiledPolicy) writable(op *core.Op, o Operation, records []core.Record) (grants, error) {
	all := grantsFor(c.of(op.Resource).of(o), op.Principal)
	if len(all) == 0 {
		return nil, c.denied(op, o)
	}
	allowed, unlisted := all.withFields(func(l *fieldList) *core.Field { return l.unlistedInRecords(records, o) })
	if len(allowed) == 0 {
		readable := grantsFor(c.of(op.Resource).read, op.Principal)
		return nil, fieldNotWritable(unlisted, readable, c.cause(op.Principal, o, op.Resource, unlisted))
	}
	return allowed, nil
}

// write passes the op on, and reduces the records that come back to the fields that the principal may read.
func (c *CompiledPolicy) write(ctx context.Context, op *core.Op, o Operation, requested []core.Record, next core.Handler) (core.Result, error) {
	r, p := op.Resource, op.Principal // inner decorators may change the op
	project := grantsFor(c.of(r).read, p).projection(op)
	res, err := next(ctx, op)
	if err != nil {
		return core.Result{}, c.withVerdicts(err, p, o, r, requested)
	}
	err = project(&res)
	return res, err
}
