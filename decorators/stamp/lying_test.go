package stamp_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/stamp"
)

// lying are decorators that break promises of the package. Each is the correct one with a handler around it or inside it.
var lying = []struct {
	name   string
	breaks string // the promise
	outer  func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)
	inner  func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)
	opts   func(o *stamp.Options)
	clock  func(op *core.Op) time.Time
}{
	{name: "keeps the author that a client names", breaks: "a principal cannot choose its stamps", outer: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert && op.Resource.Name() == "issue" && op.Records[0].Get("created_by").IsSet() {
			return next(stamp.Unstamped(core.System(ctx)), asProgram(op))
		}
		return next(ctx, op)
	}},
	{name: "has a clock of its own", breaks: "the operations of a transaction have one time", clock: func(*core.Op) time.Time { return time.Now().UTC().Truncate(time.Microsecond) }},
	{name: "has a clock of its own for nested records", breaks: "nested records have the time of the request", clock: func(op *core.Op) time.Time {
		return op.Now().Add(time.Duration(op.Resource.Index()) * time.Microsecond)
	}},
	{name: "forgets operations of a transaction", breaks: "nested records have the time of the request", outer: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Tx != nil && op.Resource != nil && op.Resource.Name() == "comment" {
			return next(stamp.Unstamped(core.System(ctx)), withCreation(asProgram(op)))
		}
		return next(ctx, op)
	}},
	{name: "stamps without a change", breaks: "an update that changes nothing leaves the stamps", inner: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		op.IfChanged = nil
		return next(ctx, op)
	}},
	{name: "forgets the unchanged records of a bulk change", breaks: "a change of many records stamps those that change", inner: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if len(op.Records) > 1 {
			op.IfChanged = nil
		}
		return next(ctx, op)
	}},
	{name: "stamps the creation again", breaks: "a replacement keeps the creation, and twice equals once", inner: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Update && op.Resource.Field("created_by") != nil {
			op.Records = slices.Clone(op.Records)
			for i, rec := range op.Records {
				op.Records[i] = rec.Set(op.Resource.Field("created_by"), rec.Get("updated_by"))
			}
		}
		return next(ctx, op)
	}},
	{name: "touches nothing", breaks: "a comment touches its issue", opts: func(o *stamp.Options) { o.Touch = nil }},
	{name: "touches only the new parent", breaks: "a comment that moves touches both issues", inner: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind == core.Load && op.Principal.IsSystem() && op.Resource.Name() == "comment" {
			for i, rec := range res.Records {
				res.Records[i] = rec.Set(op.Resource.Field("issue"), core.Null)
			}
		}
		return res, err
	}},
	{name: "touches no issue through links", breaks: "labels touch the issue", opts: func(o *stamp.Options) { o.Touch = map[string][]string{"comment": {"issue"}} }},
	{name: "gives touched records an author", breaks: "a comment touches its issue", inner: func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Update && op.Principal.IsSystem() {
			op.Records = []core.Record{op.Records[0].Set(op.Resource.Field("updated_by"), core.TextValue("bob"))}
		}
		return next(ctx, op)
	}},
}

// asProgram returns a copy of the op as one of the program.
func asProgram(op *core.Op) *core.Op {
	copied := *op
	copied.Principal = core.PrincipalOf(core.System(context.Background()))
	return &copied
}

// withCreation returns the op with a time of creation, which the model requires.
func withCreation(op *core.Op) *core.Op {
	op.Records = slices.Clone(op.Records)
	for i, rec := range op.Records {
		if op.Kind == core.Insert {
			op.Records[i] = rec.Set(op.Resource.Field("created_at"), core.TimeValue(time.Unix(0, 0).UTC()))
		}
	}
	return op
}

func TestLyingStampsAreCaught(t *testing.T) {
	for _, l := range lying {
		t.Run(l.name, func(t *testing.T) {
			found := violations(t, func(testing.TB) core.Backend { return memory.New() }, func() core.Decorator {
				opts, clock := ofTracker, (*core.Op).Now
				if l.opts != nil {
					l.opts(&opts)
				}
				if l.clock != nil {
					clock = l.clock
				}
				d := stamp.NewWithClock(opts, clock)
				correct := d.Wrap
				d.Wrap = func(m *core.Model, next core.Handler) (core.Handler, error) {
					inner := next
					if l.inner != nil {
						inner = func(ctx context.Context, op *core.Op) (core.Result, error) { return l.inner(ctx, op, next) }
					}
					handler, err := correct(m, inner)
					if l.outer == nil {
						return handler, err
					}
					return func(ctx context.Context, op *core.Op) (core.Result, error) { return l.outer(ctx, op, handler) }, err
				}
				return d
			})
			if len(found[l.breaks]) == 0 {
				t.Errorf("%q does not catch it; found %v", l.breaks, found)
			}
		})
	}
}
