package policytest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// theatre is a store with a guarded stack on which the kit plays. In the kit Guard
// a gate stands outside of the stack and a look-out innermost; the door is behind.
type scenario struct {
	testing.TB
	PolicySpec

	ctx     context.Context
	store   *core.Store
	direct  *directBackend
	stack   Stack
	initial rows // what is stored in the beginning

	mu             sync.Mutex
	withoutContext []string // ops that arrived for nobody knows whom
}

// newTheatre makes a store of the settings, which are filled. It is empty. Watched
// puts the kit's layers around the stack; without them the store is the one that a
// program would have, and Describe tells of the stack alone.
func newScenario(ctx context.Context, tb testing.TB, open storetest.Factory, g PolicySpec, watched bool) *scenario {
	tb.Helper()
	begin, err := seed.Records(g.Model, g.Rows)
	if err != nil {
		tb.Fatalf("the rows do not fit the model: %v", err)
	}
	t := &scenario{TB: tb, PolicySpec: g, ctx: ctx, direct: &directBackend{Backend: open(tb, g.Model)}, stack: g.Stack(tb), initial: begin}
	decorators := t.stack.Decorators
	if watched {
		decorators = slices.Concat([]core.Decorator{t.entryDecorator()}, decorators, []core.Decorator{t.innermostDecorator()})
	}
	if t.store, err = core.New(ctx, g.Model, t.direct, decorators...); err != nil {
		tb.Fatalf("a store with the stack: %v", err)
	}
	return t
}

func (t *scenario) close() {
	if err := t.store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// fill makes what is stored these rows.
func (t *scenario) setRows(all rows) {
	t.Helper()
	if err := t.direct.replace(t.ctx, all); err != nil {
		t.Fatal(err)
	}
}

// probe is what was sent together, on behalf of whom, and what became of it.
type probe struct {
	principal   *core.Principal
	unknownKind bool // send kinds that do not exist
	failInside  bool // nothing but transactions gets further than to the look-out

	mu      sync.Mutex
	arrived []*core.Op
	keptOps []keptOp
}

type probeKey struct{}

// send returns a context in which operations run for the principal, and what
// follows them.
func (t *scenario) newProbe(ctx context.Context, who *core.Principal) (context.Context, *probe) {
	p := &probe{principal: who}
	return context.WithValue(core.WithPrincipal(ctx, who), probeKey{}, p), p
}

// unknownKind is a kind that no decorator can know.
const unknownKind core.Kind = 250

// gate turns the ops of some probes into what no store makes.
func (t *scenario) entryDecorator() core.Decorator {
	return core.Decorator{
		Name: "storetest gate", Kind: core.KindPolicy,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if p, ok := ctx.Value(probeKey{}).(*probe); ok && p.unknownKind && op.Kind != core.Tx {
					op.Kind = unknownKind
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// lookOut keeps what arrives innermost, and lets the ops of some probes fail there.
func (t *scenario) innermostDecorator() core.Decorator {
	return core.Decorator{
		Name: "storetest look-out", Kind: core.KindAnswer,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				t.record(ctx, op)
				if p, ok := ctx.Value(probeKey{}).(*probe); ok && p.failInside && op.Kind != core.Tx {
					return core.Result{}, &core.Error{Code: core.ServerError, Cause: errInside}
				}
				return next(ctx, op)
			}, nil
		},
	}
}

func (t *scenario) record(ctx context.Context, op *core.Op) {
	p, ok := ctx.Value(probeKey{}).(*probe)
	if !ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.withoutContext = append(t.withoutContext, fmt.Sprintf("%v for %v", op.Kind, op.Principal))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = append(p.arrived, kit.CopyOp(op))
	p.keptOps = append(p.keptOps, keptOp{op, p.arrived[len(p.arrived)-1]})
}

// ops returns the ops that arrived but for transactions.
func (p *probe) ops() []*core.Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.arrived), func(op *core.Op) bool { return op.Kind == core.Tx })
}
