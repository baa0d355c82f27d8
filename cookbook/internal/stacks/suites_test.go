package stacks_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/readonly"
	"github.com/larder-go/larder/decorators/tracing"
)

// permissive returns a backend in fault with the decorators that need no fields in the model, and a policy that permits
// everything to everyone. ownership, softdelete and stamp are not among them: the models of the suites lack their fields.
func permissive(tb testing.TB, m *core.Model) core.Backend {
	var everything access.Policy
	for _, r := range m.Resources() {
		everything = append(everything, access.Rule{
			Roles: []string{access.Anonymous, access.Authenticated}, Resource: r.Name(),
			Operations: access.Read | access.Insert | access.Update | access.Delete | access.ChooseKey | access.Restore,
		})
	}
	return enginetest.Decorated{Backend: faulty(tb, m), Decorators: []core.Decorator{
		tracing.New(trace.NewTracerProvider().Tracer("stacks"), tracing.Options{}),
		logging.New(zap.NewNop(), logging.Options{Slow: -1}),
		metrics.New(prometheus.NewRegistry(), metrics.Options{Buckets: []float64{}}),
		generous(),
		readonly.New(readonly.Options{Switch: new(readonly.Switch)}),
		access.New(everything, access.Options{}),
	}}
}

// anonymousDenials are the cases in which a policy of the suite denies anonymous callers with FORBIDDEN, which access replaces by
// UNAUTHORIZED.
var anonymousDenials = []string{
	"through a join resource/a link that may not be deleted refuses its removal",
	"policies/a denied consequence of a delete is named",
	"policies/setting an inverse relation is no update of the record",
}

// make soak runs the cases with random requests, too.
func TestEngineRulesThroughAStack(t *testing.T) {
	left := 0
	for _, c := range enginetest.Cases() {
		if strings.HasPrefix(c.Name, "random/") && os.Getenv("LARDER_SOAK") == "" {
			continue
		}
		if slices.Contains(anonymousDenials, c.Name) {
			left++
			continue
		}
		t.Run(c.Name, func(t *testing.T) { c.Check(t, permissive) })
	}
	if left != len(anonymousDenials) {
		t.Errorf("%d of the cases %q exist", left, anonymousDenials)
	}
}

func TestRESTRulesThroughAStack(t *testing.T) { resttest.Run(t, permissive) }
