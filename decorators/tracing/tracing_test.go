package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/tracing"
)

var (
	model = core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "type", Type: core.Text},
	}})
	cookie = model.Resource("cookie")
)

func keyAttribute(id string) attribute.KeyValue { return attribute.String("id", id) }

func open(tb testing.TB, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	store, err := core.New(tb.Context(), model, memory.New(), decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// within returns a context in a trace of another program.
func within(ctx context.Context, sampled bool) context.Context {
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled.WithSampled(sampled),
	}))
}

func count(ctx context.Context, q core.Querier) error {
	_, err := q.Count(ctx, cookie, core.All())
	return err
}

func TestSpansAreNested(t *testing.T) {
	decorator, recorder := traced(tracing.Options{System: "postgresql"})
	store := open(t, decorator)
	if err := store.Tx(within(t.Context(), true), func(ctx context.Context, tx *core.Transaction) error { return count(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	spans := recorder.Ended()
	operation, tx := spans[0], spans[1]
	if operation.Parent().SpanID() != tx.SpanContext().SpanID() || tx.Parent().SpanID() != (trace.SpanID{2}) || tx.SpanContext().TraceID() != (trace.TraceID{1}) {
		t.Errorf("parents %v and %v", operation.Parent(), tx.Parent())
	}
	for span, want := range map[sdk.ReadOnlySpan]string{
		operation: "count cookie [db.system.name=postgresql db.operation.name=count db.collection.name=cookie larder.outcome=ok larder.attempt=1]",
		tx:        "tx [db.system.name=postgresql db.operation.name=tx larder.outcome=ok larder.attempt=1 larder.read_only=false]",
	} {
		var texts []string
		for _, a := range span.Attributes() {
			texts = append(texts, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
		}
		if got := fmt.Sprint(span.Name(), " ", texts); got != want || span.SpanKind() != trace.SpanKindClient {
			t.Errorf("%s, kind %s\nwant %s", got, span.SpanKind(), want)
		}
	}
}

func TestEachAttemptHasASpan(t *testing.T) {
	decorator, recorder := traced(tracing.Options{})
	attempts := 0
	if err := open(t, decorator).Tx(t.Context(), func(context.Context, *core.Transaction) error {
		if attempts++; attempts < 3 {
			return core.ErrConflict
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range recorder.Ended() {
		got = append(got, attributeOf(s, "larder.attempt")+" "+attributeOf(s, "larder.outcome"))
	}
	if want := "[1 conflict 2 conflict 3 ok]"; fmt.Sprint(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOnlySampledTracesHaveSpans(t *testing.T) {
	for name, c := range map[string]struct {
		parent  func(ctx context.Context) context.Context
		sampler sdk.Sampler
		want    int
	}{
		"sampled parent":                {func(ctx context.Context) context.Context { return within(ctx, true) }, sdk.AlwaysSample(), 2},
		"parent that is not sampled":    {func(ctx context.Context) context.Context { return within(ctx, false) }, sdk.AlwaysSample(), 0},
		"no parent":                     {func(ctx context.Context) context.Context { return ctx }, sdk.AlwaysSample(), 2},
		"no parent, and no sampling":    {func(ctx context.Context) context.Context { return ctx }, sdk.NeverSample(), 0},
		"parent that records only":      {recordingOnly, sdk.AlwaysSample(), 2},
		"records only and does not end": {func(ctx context.Context) context.Context { return ctx }, recordOnly{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := &ended{}
			provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder), sdk.WithSampler(c.sampler))
			store := open(t, tracing.New(provider.Tracer("test"), tracing.Options{}))
			ctx := c.parent(t.Context())
			if err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error { return count(ctx, tx) }); err != nil {
				t.Fatal(err)
			}
			if recorder.begun != c.want || recorder.ended != c.want {
				t.Errorf("%d spans begin and %d end, want %d", recorder.begun, recorder.ended, c.want)
			}
			if parent := trace.SpanFromContext(ctx); name == "parent that records only" && !parent.IsRecording() {
				t.Error("the span of the caller has ended")
			}
		})
	}
}

// recordOnly is a sampler whose spans record and are not sampled.
type recordOnly struct{}

func (recordOnly) ShouldSample(sdk.SamplingParameters) sdk.SamplingResult {
	return sdk.SamplingResult{Decision: sdk.RecordOnly}
}
func (recordOnly) Description() string { return "record only" }

func recordingOnly(ctx context.Context) context.Context {
	ctx, _ = sdk.NewTracerProvider(sdk.WithSampler(recordOnly{})).Tracer("caller").Start(ctx, "request") //nolint:spancheck // ends with the test
	return ctx
}

// ended counts the spans that begin and end.
type ended struct{ begun, ended int }

func (e *ended) OnStart(context.Context, sdk.ReadWriteSpan) { e.begun++ }
func (e *ended) OnEnd(sdk.ReadOnlySpan)                     { e.ended++ }
func (e *ended) Shutdown(context.Context) error             { return nil }
func (e *ended) ForceFlush(context.Context) error           { return nil }

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		err              error
		errorType, state string
	}{
		"not found": {core.NotFound, "", ""}, "denied": {core.Forbidden, "", ""}, "conflict": {core.ErrConflict, "", ""},
		"cancelled":          {context.Canceled, "", ""},
		"server":             {errors.New("disk"), "SERVER_ERROR", ""},
		"code of a program":  {core.Code("ID_7"), "SERVER_ERROR", ""},
		"unavailable":        {core.ErrClosed, "UNAVAILABLE", ""},
		"unknown":            {core.ErrCommitUnknown, "OUTCOME_UNKNOWN", ""},
		"error of a server":  {&pgconn.PgError{Code: "53100", Message: "disk full"}, "SERVER_ERROR", "53100"},
		"client's violation": {&core.Error{Code: core.AlreadyExists, Cause: &pgconn.PgError{Code: "23505"}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			decorator, recorder := traced(tracing.Options{})
			failing := core.Decorator{Name: "failing", Kind: core.KindAnswer, KnowsRelated: true, Wrap: func(_ *core.Model, _ core.Handler) (core.Handler, error) {
				return func(context.Context, *core.Op) (core.Result, error) { return core.Result{}, c.err }, nil
			}}
			_ = open(t, decorator, failing).TxWith(t.Context(), core.TxOptions{Attempts: 1}, func(context.Context, *core.Transaction) error { return nil })
			s := recorder.Ended()[0]
			if attributeOf(s, "error.type") != c.errorType || attributeOf(s, "db.response.status_code") != c.state || (s.Status().Code == codes.Error) != (c.errorType != "") || s.Status().Description != "" {
				t.Errorf("%v %v", s.Attributes(), s.Status())
			}
		})
	}
}

func TestMetricsTakeTheirExemplarFromTheTrace(t *testing.T) {
	for sampled, want := range map[bool]string{true: trace.TraceID{1}.String(), false: ""} {
		registry := prometheus.NewRegistry()
		decorator, _ := traced(tracing.Options{})
		store := open(t, decorator, metrics.New(registry, metrics.Options{}))
		if err := count(within(t.Context(), sampled), store); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, f := range families {
			for _, m := range f.GetMetric() {
				for _, b := range m.GetHistogram().GetBucket() {
					if e := b.GetExemplar(); e != nil {
						found = append(found, e.GetLabel()[0].GetValue())
					}
				}
			}
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("sampled %v: exemplars %q, want %q", sampled, got, want)
		}
	}
}

func TestTracersWithoutSpans(t *testing.T) {
	decorator, recorder := traced(tracing.Options{})
	store := open(t, decorator, tracing.New(noop.NewTracerProvider().Tracer("none"), tracing.Options{}))
	if err := count(t.Context(), store); err != nil || len(recorder.Ended()) != 1 {
		t.Errorf("%d spans end, %v", len(recorder.Ended()), err)
	}
	if _, err := core.New(t.Context(), model, memory.New(), tracing.New(nil, tracing.Options{})); err == nil || !strings.Contains(err.Error(), "the tracer is nil") {
		t.Error(err)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	decorator, recorder := traced(tracing.Options{})
	o, err := decorator.Observe(cookie.Model())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range core.Kinds() {
		ctx, _ := o.Begin(within(t.Context(), true), k, cookie)
		o.End(ctx, &core.Event{Kind: k, Resource: cookie, Attempt: 1})
		ended := recorder.Ended()
		if got, want := ended[len(ended)-1].Name(), k.String()+" cookie"; got != want && k != core.Tx {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
