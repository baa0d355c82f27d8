package stacks_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/observertest"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/fault"
	"github.com/larder-go/larder/decorators/limit"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/tracing"
)

// durable are the backends on which this file runs samples of the kits that the packages of the decorators run on memory.
var durable = map[string]storetest.Factory{
	"file": func(tb testing.TB, _ *core.Model) core.Backend {
		return file.New(filepath.Join(tb.TempDir(), "stack.db"), file.Options{})
	},
	"postgres": func(tb testing.TB, _ *core.Model) core.Backend {
		backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
		if err != nil {
			tb.Fatal(err)
		}
		return backend
	},
}

// watch is an observer with the number of its lines, spans or counts since the last call.
type watch struct {
	decorator core.Decorator
	count     func() int
}

// watches returns new observers by their names.
func watches() map[string]func() watch {
	return map[string]func() watch{
		"logging": func() watch {
			zapCore, logs := observer.New(zapcore.DebugLevel)
			return watch{logging.New(zap.New(zapCore), logging.Options{Slow: -1}), func() int { return len(logs.TakeAll()) }}
		},
		"metrics": func() watch {
			registry := &tally{}
			before := make(map[prometheus.Metric]float64)
			return watch{metrics.New(registry, metrics.Options{Buckets: []float64{}}), func() (n int) {
				for line := range strings.Lines(registry.changed(before)) {
					if strings.Contains(line, "operations_total") {
						n += int(line[len(line)-2] - '0') // each step has less than ten operations of a kind
					}
				}
				return n
			}}
		},
		"tracing": func() watch {
			recorder := tracetest.NewSpanRecorder()
			return watch{tracing.New(trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("stacks"), tracing.Options{}), func() int {
				n := len(recorder.Ended())
				recorder.Reset()
				return n
			}}
		},
	}
}

func TestObserversOnDurableBackends(t *testing.T) {
	for name, open := range durable {
		for observed, newWatch := range watches() {
			t.Run(name+"/"+observed, func(t *testing.T) {
				t.Parallel()
				transparency := observertest.Transparency{
					Options: storetest.Options{Checks: 5},
					Stack: func(testing.TB) observertest.ObservedStack {
						w := newWatch()
						return observertest.ObservedStack{Decorators: []core.Decorator{w.decorator}, Check: func(tb testing.TB, events []observertest.Event) {
							if n := w.count(); n != len(events) {
								tb.Errorf("%d lines, counts or spans for %d events", n, len(events))
							}
						}}
					},
				}
				observertest.TransparentEffects(t, open, transparency)
				for _, c := range storetest.Cases() {
					if c.Family == "batch" {
						c.Check(t, open, transparency.Around())
					}
				}
				policytest.NonInterferenceOfStore(t, open, policytest.PolicySpec{Operations: 40, Stack: func(testing.TB) policytest.Stack {
					return policytest.Stack{Decorators: []core.Decorator{newWatch().decorator, ownership.New("owner", ownership.Options{})}}
				}})
			})
		}
	}
}

// generous limits never deny in a test.
func generous() core.Decorator {
	return limit.New(limit.Rule{Name: "rate", Requests: 1e9}, limit.Rule{Name: "places", Concurrent: 1000, Total: 1000}, limit.Rule{Name: "time", Time: time.Hour})
}

func TestLimitsOnDurableBackends(t *testing.T) {
	for name, open := range durable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			observertest.TransparentEffects(t, open, observertest.Transparency{Stack: func(testing.TB) observertest.ObservedStack {
				return observertest.ObservedStack{Decorators: []core.Decorator{generous()}}
			}})
			guardSample(t, open, generous())
		})
	}
}

// A fault around each backend, which makes every commit a step of its own, keeps the promises of policies.
func TestPoliciesOnFaultyBackends(t *testing.T) {
	for name, open := range map[string]storetest.Factory{"memory": inMemory, "file": durable["file"], "postgres": durable["postgres"]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guardSample(t, func(tb testing.TB, m *core.Model) core.Backend {
				return fault.New(open(tb, m), 1, fault.Rule{Kinds: []core.Kind{core.Tx}, Skip: 1 << 40, Err: core.ErrConflict})
			})
		})
	}
}

// guardSample runs one in many operations of the kits for policies on ownership inside the decorators.
func guardSample(t *testing.T, open storetest.Factory, outer ...core.Decorator) {
	t.Helper()
	spec := policytest.PolicySpec{Thin: 200, Operations: 40, Stack: func(testing.TB) policytest.Stack {
		return policytest.Stack{Decorators: append(outer, ownership.New("owner", ownership.Options{}))}
	}}
	for _, c := range policytest.GuardCases() {
		if strings.Contains(c.Name, "guarded") || strings.Contains(c.Name, "writes change") {
			t.Run(c.Name, func(t *testing.T) { c.Check(t, open, spec) })
		}
	}
	policytest.NonInterferenceOfStore(t, open, spec)
}
