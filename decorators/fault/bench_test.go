package fault_test

import (
	"context"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/fault"
	"github.com/larder-go/larder/decorators/internal/costtest"
)

// BenchmarkGet compares the time that a rule adds to a get from memory with that of an injector written by hand for one
// operation.
func BenchmarkGet(b *testing.B) {
	for name, kind := range map[string]core.Kind{"no match": core.Delete, "match": core.Load} {
		b.Run(name, func(b *testing.B) {
			rule := fault.Rule{Kinds: []core.Kind{kind}, Skip: 1 << 60, Err: core.Unavailable}
			get := func(backend core.Backend) func() { return costtest.Getter(b.Context(), b, backend) }
			bare := get(memory.New())
			costtest.Against(b, bare, get(byHand{memory.New()}), bare, get(fault.New(memory.New(), 1, rule)))
		})
	}
}

type byHand struct{ core.Backend }

type byHandTx struct{ core.BackendTx }

func (h byHand) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := h.Backend.Begin(ctx, opts)
	return byHandTx{tx}, err
}

func (h byHandTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	if op.Kind == core.Delete {
		return core.Result{}, core.Unavailable
	}
	return h.BackendTx.Read(ctx, op)
}
