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

// scenario is a store with the stack of a spec. For Guard, a decorator of the kit is outermost and another innermost.
type scenario struct {
	testing.TB
	PolicySpec

	ctx     context.Context
	store   *core.Store
	direct  *directBackend
	stack   Stack
	initial rows // the rows of the spec

	mu             sync.Mutex
	withoutContext []string // ops that arrived without the context of a probe
}

// newScenario returns a scenario without rows. The spec must have its defaults filled in. With instrumented, the
// decorators of the kit are around the stack; without, the store is the same as in a program, and Describe shows the
// stack alone.
func newScenario(ctx context.Context, tb testing.TB, open storetest.Factory, spec PolicySpec, instrumented bool) *scenario {
	tb.Helper()
	begin, err := seed.Records(spec.Model, spec.Rows)
	if err != nil {
		tb.Fatalf("PolicySpec.Rows do not fit the model: %v", err)
	}
	for _, r := range spec.Model.Resources() {
		if parts := r.Key().Parts(); parts != nil && (len(begin[r.Index()]) == 0 || variedPart(parts) < 0) {
			tb.Fatalf("policytest: %s has several key fields, so PolicySpec.Rows must have rows of it, and one of the fields must be an int, a text or a uuid", r)
		}
	}
	t := &scenario{TB: tb, PolicySpec: spec, ctx: ctx, direct: &directBackend{Backend: open(tb, spec.Model)}, stack: spec.Stack(tb), initial: begin}
	decorators := t.stack.Decorators
	if instrumented {
		decorators = slices.Concat([]core.Decorator{t.entryDecorator()}, decorators, []core.Decorator{t.innermostDecorator()})
	}
	if t.store, err = core.New(ctx, spec.Model, t.direct, decorators...); err != nil {
		tb.Fatalf("core.New with the stack: %v", err)
	}
	return t
}

// close closes the store.
func (t *scenario) close() {
	if err := t.store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// setRows replaces all stored rows.
func (t *scenario) setRows(all rows) {
	t.Helper()
	if err := t.direct.replace(t.ctx, all); err != nil {
		t.Fatal(err)
	}
}

// probe follows the operations of one context to the innermost decorator.
type probe struct {
	principal   *core.Principal
	unknownKind bool // turn ops into ones of an unknown kind
	failInside  bool // let ops fail innermost

	mu      sync.Mutex
	arrived []*core.Op
	keptOps []keptOp
}

type probeKey struct{}

// newProbe returns a context in which operations run for the principal, and the probe that follows them.
func (t *scenario) newProbe(ctx context.Context, principal *core.Principal) (context.Context, *probe) {
	p := &probe{principal: principal}
	return context.WithValue(core.WithPrincipal(ctx, principal), probeKey{}, p), p
}

// unknownKind is a kind that core does not define.
const unknownKind core.Kind = 250

// entryDecorator is the outermost decorator. It gives the ops of some probes an unknown kind.
func (t *scenario) entryDecorator() core.Decorator {
	return core.Decorator{
		Name: "policytest entry", Kind: core.KindPolicy, KnowsRelated: true,
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

// innermostDecorator is the innermost decorator. It records the ops that arrive, and lets the ops of some probes fail.
func (t *scenario) innermostDecorator() core.Decorator {
	return core.Decorator{
		Name: "policytest innermost", Kind: core.KindAnswer, KnowsRelated: true,
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

// record records an op that arrived.
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

// ops returns the ops that arrived, without transactions.
func (p *probe) ops() []*core.Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.arrived), func(op *core.Op) bool { return op.Kind == core.Tx })
}
