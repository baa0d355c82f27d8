package logging_test

import (
	"context"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/logging"
)

// The lines about the operations of a principal contain no more about hidden rows than the answers do. (Through an engine
// they contain a little more: the operations on hidden related rows, which find no row.)
func TestLinesRevealNoHiddenRows(t *testing.T) {
	policytest.NonInterferenceOfStore(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, policytest.PolicySpec{
		Operations: 2000,
		Stack: func(testing.TB) policytest.Stack {
			zapCore, logs := observer.New(zapcore.DebugLevel)
			logger := zap.New(zapCore)
			return policytest.Stack{
				Decorators: []core.Decorator{logging.New(logger, logging.Options{Slow: -1}), owning(), logging.New(logger, logging.Options{Slow: -1})},
				Observe:    func() string { return linesOf(logs) },
			}
		},
	})
}

// owning is a minimal ownership policy.
func owning() core.Decorator {
	return core.Decorator{Name: "owning", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			p := op.Principal
			if p == nil || !p.IsSystem() && !p.ID.IsSet() {
				return core.Result{}, core.Unauthorized
			}
			if p.IsSystem() || op.Resource == nil {
				return next(ctx, op)
			}
			owner := op.Resource.Field("owner")
			if op.Kind == core.Insert {
				stamped := make([]core.Record, len(op.Records))
				for i, rec := range op.Records {
					stamped[i] = rec.With(owner.Column(), p.ID)
				}
				op.Records = stamped
			}
			op.Guard(owner.Compare(core.FilterEq, p.ID))
			return next(ctx, op)
		}, nil
	}}
}
