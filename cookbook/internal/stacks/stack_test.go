package stacks_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// sealed is the read-only resource.
const sealed = "lid"

// policy allows bakers every operation on their own records.
func policy() access.Policy {
	var p access.Policy
	for _, r := range policytest.OwnedModel().Resources() {
		p = append(p, access.Rule{
			Roles: []string{"baker"}, Resource: r.Name(), Using: access.Eq("owner", access.PrincipalID()),
			Operations: access.Read | access.Insert | access.Update | access.Delete | access.ChooseKey,
		})
	}
	return p
}

// natural is the usual order of the five decorators.
var natural = []int{0, 1, 2, 3, 4}

// five returns the decorators of one stack in an order of their indices.
func five(order []int, logger *zap.Logger, registry prometheus.Registerer) []core.Decorator {
	all := []core.Decorator{
		logging.New(logger, logging.Options{Slow: -1}),
		metrics.New(registry, metrics.Options{Buckets: []float64{}}),
		readonly.New(readonly.Options{Resources: []string{sealed}}),
		ownership.New("owner", ownership.Options{}),
		access.New(policy(), access.Options{}),
	}
	stack := make([]core.Decorator, len(order))
	for at, i := range order {
		stack[at] = all[i]
	}
	return stack
}

// watched is the stack in its natural order, and observes the lines of the log and the changes of the counters.
func watched() policytest.Stack {
	var lines bytes.Buffer
	config := zap.NewProductionEncoderConfig()
	config.TimeKey = zapcore.OmitKey
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.Lock(zapcore.AddSync(&lines)), zap.DebugLevel))
	registry := &tally{}
	before := make(map[prometheus.Metric]float64)
	return policytest.Stack{
		Decorators: five(natural, logger, registry),
		Observe: func() string {
			observed := withoutDurations(lines.String()) + registry.changed(before)
			lines.Reset()
			return observed
		},
	}
}

// withoutDurations removes the durations from log lines.
func withoutDurations(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		front, behind, _ := strings.Cut(line, `"duration":`)
		_, behind, _ = strings.Cut(behind, ",")
		b.WriteString(front + behind)
	}
	return b.String()
}

// tally is a registerer that reads collectors without the checks of a registry, which would take most of the time of a
// test.
type tally struct{ collectors []prometheus.Collector }

func (t *tally) Register(c prometheus.Collector) error {
	t.collectors = append(t.collectors, c)
	return nil
}

func (t *tally) MustRegister(cs ...prometheus.Collector) { t.collectors = append(t.collectors, cs...) }
func (t *tally) Unregister(prometheus.Collector) bool    { return false }

// changed returns the change of each counter since the last call.
func (t *tally) changed(before map[prometheus.Metric]float64) string {
	metrics := make(chan prometheus.Metric, 4096)
	for _, c := range t.collectors {
		c.Collect(metrics)
	}
	close(metrics)
	var lines []string
	for m := range metrics {
		if !strings.Contains(m.Desc().String(), "_total") {
			continue
		}
		now, err := read(m.Write)
		if err != nil {
			return err.Error()
		}
		if by := now.GetCounter().GetValue() - before[m]; by != 0 {
			lines = append(lines, fmt.Sprintln(m.Desc(), now.GetLabel(), by))
			before[m] += by
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// read returns the present value of a metric. Its type is inferred, so that the module need not require client_model.
func read[M any](write func(*M) error) (*M, error) {
	now := new(M)
	return now, write(now)
}

// promises is the specification of the stack in any order.
func promises(order []int) policytest.PolicySpec {
	return policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: five(order, zap.NewNop(), prometheus.NewRegistry())}
		},
		Denies: func(_ *core.Principal, kind core.Kind, r *core.Resource) bool {
			return kind > core.Aggregate || kind.Writes() && r.Name() == sealed
		},
	}
}
