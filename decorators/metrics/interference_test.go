package metrics_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/metrics"
)

// The change of the metrics during the operations of a principal contains no more about hidden rows than the answers do.
func TestMetricsRevealNoHiddenRows(t *testing.T) {
	policytest.NonInterferenceOfStore(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, policytest.PolicySpec{
		Operations: 100,
		Stack: func(tb testing.TB) policytest.Stack {
			registry, last := prometheus.NewRegistry(), make(map[string]float64)
			return policytest.Stack{
				Decorators: []core.Decorator{owning(), metrics.New(registry, metrics.Options{Buckets: []float64{}})},
				Observe: func() string {
					now, changed := values(tb, registry), make(map[string]float64)
					for name, v := range now {
						if v != last[name] {
							changed[name] = v - last[name]
						}
					}
					last = now
					return fmt.Sprint(changed)
				},
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
