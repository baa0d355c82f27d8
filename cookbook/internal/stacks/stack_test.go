package stacks_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// sealed is the resource that nobody writes.
const sealed = "lid"

// policy lets bakers do everything with what is theirs.
func policy() access.Policy {
	var p access.Policy
	for _, r := range storetest.OwnedModel().Resources() {
		p = append(p, access.Rule{
			Roles: []string{"baker"}, Resource: r.Name(), Using: access.Eq("owner", access.ID()),
			Operations: access.Read | access.Insert | access.Update | access.Delete,
		})
	}
	return p
}

// five makes the decorators of one stack, in the order of their indices, and a look
// at what the observing ones told.
func five(order []int) storetest.Stack {
	var lines bytes.Buffer
	config := zap.NewProductionEncoderConfig()
	config.TimeKey = zapcore.OmitKey
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.Lock(zapcore.AddSync(&lines)), zap.DebugLevel))
	registry := prometheus.NewRegistry()
	all := []core.Decorator{
		logging.New(logger, logging.Options{Slow: -1}),
		metrics.New(registry, metrics.Options{}),
		readonly.Resources(sealed),
		ownership.Field("owner"),
		policy().Decorator(),
	}
	s := storetest.Stack{}
	for _, i := range order {
		s.Decorators = append(s.Decorators, all[i])
	}
	before := make(map[string]float64)
	s.Observe = func() string {
		told := withoutDurations(lines.String()) + counted(registry, before)
		lines.Reset()
		return told
	}
	return s
}

// withoutDurations cuts what takes as long as it takes.
func withoutDurations(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		front, behind, _ := strings.Cut(line, `"duration":`)
		_, behind, _ = strings.Cut(behind, ",")
		b.WriteString(front + behind)
	}
	return b.String()
}

// counted returns by how much each series, times aside, has changed.
func counted(registry *prometheus.Registry, before map[string]float64) string {
	families, err := registry.Gather()
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name, now := fmt.Sprint(family.GetName(), m.GetLabel()), valueOf(m)
			if now != before[name] {
				fmt.Fprintln(&b, name, now-before[name])
			}
			before[name] = now
		}
	}
	return b.String()
}

func valueOf(m *dto.Metric) float64 {
	if h := m.GetHistogram(); h != nil {
		return float64(h.GetSampleCount())
	}
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

// promises of the stack, in whatever order it stands.
func promises(order []int) storetest.Guarded {
	return storetest.Guarded{
		Stack: func(testing.TB) storetest.Stack { return five(order) },
		Refuses: func(_ *core.Principal, kind core.Kind, r *core.Resource) bool {
			return kind > core.Tx || kind.Writes() && r.Name() == sealed
		},
	}
}

// orders returns all permutations of n.
func orders(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, shorter := range orders(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}
