package tracing_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/observertest"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/tracing"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

// traced returns the decorator, and the recorder of its spans.
func traced(opts tracing.Options) (core.Decorator, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return tracing.New(trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("test"), opts), recorder
}

func TestTransparentWithOneSpanPerOperation(t *testing.T) {
	observertest.Transparent(t, inMemory, observertest.Transparency{
		Options: storetest.Options{Checks: 10},
		Stack: func(testing.TB) observertest.ObservedStack {
			decorator, recorder := traced(tracing.Options{})
			return observertest.ObservedStack{
				Decorators: []core.Decorator{decorator},
				Check: func(tb testing.TB, events []observertest.Event) {
					if err := onePerEvent(recorder.Ended(), events); err != nil {
						tb.Error(err)
					}
					recorder.Reset()
				},
			}
		},
	})
}

// onePerEvent compares the spans with the events of a run.
func onePerEvent(spans []trace.ReadOnlySpan, events []observertest.Event) error {
	var got, want []string
	for _, s := range spans {
		got = append(got, fmt.Sprint(s.Name(), attributeOf(s, "larder.outcome"), attributeOf(s, "larder.read_only"), attributeOf(s, "error.type") != "", s.Status().Code))
		if err := closed(s); err != nil {
			return err
		}
	}
	for _, e := range events {
		outcome, name, readOnly := core.OutcomeOf(e.Err), e.Kind.String(), strconv.FormatBool(e.ReadOnly)
		if e.Panicked {
			outcome = core.OutcomeFailed
		}
		if e.Kind != core.Tx {
			name, readOnly = name+" "+e.Resource.Name(), ""
		}
		status := codes.Unset
		if outcome.Failure() {
			status = codes.Error
		}
		want = append(want, fmt.Sprint(name, outcome.String(), readOnly, outcome.Failure(), status))
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("got\n%q\nwant\n%q", got, want)
	}
	return nil
}

// closed checks that the span has nothing but names from closed sets and numbers.
func closed(s trace.ReadOnlySpan) error {
	allowed := []string{"larder", "jar", "cookie", "page", "true", "false", string(core.ServerError), string(core.Unavailable), string(core.OutcomeUnknown), string(core.QueryTooExpensive)}
	for _, k := range core.Kinds() {
		allowed = append(allowed, k.String())
	}
	for _, o := range core.Outcomes() {
		allowed = append(allowed, o.String())
	}
	for _, a := range s.Attributes() {
		if value := a.Value.String(); string(a.Key) != "larder.attempt" && !slices.Contains(allowed, value) {
			return fmt.Errorf("%s has %s=%s", s.Name(), a.Key, value)
		}
	}
	if len(s.Events()) > 0 || s.Status().Description != "" {
		return errors.New(s.Name() + " has an event or a text")
	}
	return nil
}

// attributeOf returns the value of an attribute as text; "" if there is none.
func attributeOf(s trace.ReadOnlySpan, key string) string {
	for _, a := range s.Attributes() {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

func TestSpansRevealNoHiddenRows(t *testing.T) {
	policytest.NonInterferenceOfStore(t, inMemory, policytest.PolicySpec{
		Operations: 100,
		Stack: func(testing.TB) policytest.Stack {
			decorator, recorder := traced(tracing.Options{})
			return policytest.Stack{
				Decorators: []core.Decorator{decorator, ownership.New("owner", ownership.Options{})},
				Observe: func() string {
					var seen []string
					for _, s := range recorder.Ended() {
						seen = append(seen, fmt.Sprint(s.Name(), s.Attributes(), s.Status()))
					}
					recorder.Reset()
					return strings.Join(seen, "\n")
				},
			}
		},
	})
}

func TestSpansOnEachBackend(t *testing.T) {
	for name, open := range map[string]storetest.Factory{
		"file": func(tb testing.TB, _ *core.Model) core.Backend {
			return file.New(filepath.Join(tb.TempDir(), "traced.db"), file.Options{})
		},
		"postgres": func(tb testing.TB, _ *core.Model) core.Backend {
			backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
			if err != nil {
				tb.Fatal(err)
			}
			return backend
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := storetest.Options{Decorators: func(testing.TB) []core.Decorator {
				decorator, _ := traced(tracing.Options{System: name})
				return []core.Decorator{decorator}
			}}
			for _, rule := range storetest.Cases() {
				if rule.Family == "batch" {
					t.Run(rule.Name, func(t *testing.T) { rule.Check(t, open, options) })
				}
			}
		})
	}
}

// A tracer that puts the key of a record into a span, and one that omits an operation.
func TestLeakyAndIncompleteSpansAreCaught(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("test")
	jar := model.Resource("cookie")
	_, span := tracer.Start(t.Context(), "load cookie")
	span.SetAttributes(keyAttribute("7"))
	span.End()
	if err := closed(recorder.Ended()[0]); err == nil {
		t.Error("a span with an id passes")
	}
	if onePerEvent(nil, []observertest.Event{{Kind: core.Load, Resource: jar}}) == nil {
		t.Error("a missing span passes")
	}
}
