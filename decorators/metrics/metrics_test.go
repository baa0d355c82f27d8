package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

var cookie = model.Resource("cookie")

// open returns a store with metrics and, inside them, other decorators.
func open(t *testing.T, opts metrics.Options, inside ...core.Decorator) (*core.Store, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	return openOn(t, append([]core.Decorator{metrics.New(registry, opts)}, inside...)...), registry
}

func openOn(t *testing.T, decorators ...core.Decorator) *core.Store {
	t.Helper()
	store, err := core.New(t.Context(), model, memory.New(), decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// around returns a decorator with one function.
func around(handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
	return core.Decorator{Name: "around", Kind: core.KindAnswer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return handle(ctx, op, next) }, nil
	}}
}

// values returns the metrics that are not zero, by name and labels. Of a histogram it returns the count.
func values(tb testing.TB, from prometheus.Gatherer) map[string]float64 {
	tb.Helper()
	families, err := from.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	found := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := []string{strings.TrimPrefix(f.GetName(), "larder_")}
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if v != 0 {
				found[strings.TrimSpace(strings.Join(labels, " "))] = v
			}
		}
	}
	return found
}

func expect(tb testing.TB, from prometheus.Gatherer, want map[string]float64) {
	tb.Helper()
	got := values(tb, from)
	for name := range want {
		if got[name] != want[name] {
			tb.Errorf("%s: got %v, want %v", name, got[name], want[name])
		}
		delete(got, name)
	}
	for name, v := range got {
		tb.Errorf("%s: got %v, want none", name, v)
	}
}

func record(t *testing.T, fields map[string]any) core.Record {
	t.Helper()
	rec, err := cookie.NewRecord(fields)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestOperationsAndTransactionsAreCountedOnce(t *testing.T) {
	store, registry := open(t, metrics.Options{})
	ctx, one := t.Context(), core.IntValue(1)
	run := func(s core.Querier) {
		if _, err := s.Insert(ctx, cookie, record(t, nil), record(t, nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, cookie, one); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Select(ctx, cookie, core.Query{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Count(ctx, cookie, core.All()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, cookie, record(t, map[string]any{"id": 1, "type": "muffin"})); err != nil {
			t.Fatal(err)
		}
		if _, err := s.NextIDs(ctx, cookie, 5); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Aggregate(ctx, cookie, core.Aggregation{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, cookie, one, core.IntValue(2)); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]float64{
		"operation_rows_total insert cookie": 2, "operation_rows_total load cookie": 1, "operation_rows_total select cookie": 2,
		"operation_rows_total update cookie": 1, "operation_rows_total next_id cookie": 5, "operation_rows_total delete cookie": 2,
		"operation_rows_total aggregate cookie": 1,
	}
	for _, k := range core.Kinds() {
		if k != core.Tx && k != core.Restore { // no decorator keeps deleted records
			want["operations_total "+k.String()+" ok cookie"] = 1
			want["operation_duration_seconds "+k.String()+" cookie"] = 1
		}
	}
	run(store)
	expect(t, registry, want)

	store, registry = open(t, metrics.Options{})
	if err := store.Tx(ctx, func(_ context.Context, tx *core.Transaction) error { run(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	want["operations_total tx ok"], want["operation_duration_seconds tx"], want["transaction_attempts"] = 1, 1, 1
	expect(t, registry, want)
}

func TestRollbackByTheProgramIsNoFailure(t *testing.T) {
	store, registry := open(t, metrics.Options{})
	own := errors.New("changed my mind")
	if err := store.Tx(t.Context(), func(context.Context, *core.Transaction) error { return own }); !errors.Is(err, own) {
		t.Fatal(err)
	}
	got := values(t, registry)
	if got["operations_total tx rolled_back"] != 1 || got["operation_failures_total tx"] != 0 {
		t.Errorf("got %v", got)
	}
}

func TestOutcomesThatAreFailures(t *testing.T) {
	for _, c := range []struct {
		err     error
		outcome string
		failure bool
	}{
		{cookie.NotFound(core.IntValue(7)), "not_found", false},
		{core.Forbidden, "denied", false},
		{core.AlreadyExists, "invalid", false},
		{context.Canceled, "cancelled", false},
		{context.DeadlineExceeded, "unavailable", true},
		{core.ErrCommitUnknown, "unavailable", true},
		{errors.New("disk"), "failed", true},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			store, registry := open(t, metrics.Options{}, around(func(context.Context, *core.Op, core.Handler) (core.Result, error) {
				return core.Result{}, c.err
			}))
			if err := store.Delete(t.Context(), cookie, core.IntValue(7)); err == nil {
				t.Fatal("it did not fail")
			}
			want := map[string]float64{"operations_total delete " + c.outcome + " cookie": 1, "operation_duration_seconds delete cookie": 1}
			if c.failure {
				want["operation_failures_total delete cookie"] = 1
			}
			expect(t, registry, want)
		})
	}
}

func TestAttemptsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		store, registry := open(t, metrics.Options{}, around(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if attempts++; attempts < 4 {
				return core.Result{}, core.ErrConflict
			}
			return next(ctx, op)
		}))
		if err := store.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil }); err != nil {
			t.Fatal(err)
		}
		expect(t, registry, map[string]float64{
			"operations_total tx conflict": 3, "operations_total tx ok": 1, "operation_duration_seconds tx": 4, "transaction_attempts": 1,
		})
		families, _ := registry.Gather()
		for _, f := range families {
			if f.GetName() == "larder_transaction_attempts" && f.GetMetric()[0].GetHistogram().GetSampleSum() != 4 {
				t.Errorf("took %v attempts", f.GetMetric()[0].GetHistogram().GetSampleSum())
			}
		}
	})
}

func TestInFlightAfterErrorsAndPanics(t *testing.T) {
	var registry *prometheus.Registry
	boom := false
	store, registry := open(t, metrics.Options{}, around(func(context.Context, *core.Op, core.Handler) (core.Result, error) {
		if got := values(t, registry)["operations_in_flight count cookie"]; got != 1 {
			t.Errorf("%v in flight", got)
		}
		if boom {
			panic("boom")
		}
		return core.Result{}, errors.New("disk")
	}))
	count := func() {
		defer func() {
			if got := recover(); boom != (got == "boom") {
				t.Errorf("recovered %v", got)
			}
		}()
		_, _ = store.Count(t.Context(), cookie, core.All())
	}
	count()
	boom = true
	count()
	expect(t, registry, map[string]float64{
		"operations_total count failed cookie": 2, "operation_failures_total count cookie": 2, "operation_duration_seconds count cookie": 2,
	})
}

func TestAllSeriesExistFromTheStart(t *testing.T) {
	store, registry := open(t, metrics.Options{})
	count := func() (n int) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			n += len(f.GetMetric())
		}
		return n
	}
	// 9 operations on each of 2 resources: 9 outcomes and 4 metrics without. Transactions have no rows, but attempts.
	if got, want := count(), (9*2+1)*(9+4); got != want {
		t.Errorf("%d series at the start, want %d", got, want)
	}
	before := count()
	_, _ = store.Get(t.Context(), cookie, core.IntValue(17))
	_ = store.Delete(t.Context(), cookie, core.IntValue(17))
	_ = store.Tx(t.Context(), func(context.Context, *core.Transaction) error { return errors.New("no") })
	if got := count(); got != before {
		t.Errorf("%d series, %d at the start", got, before)
	}
}

func TestInvalidOpIsNotCounted(t *testing.T) {
	for name, change := range map[string]func(op *core.Op){
		"no resource": func(op *core.Op) { op.Resource = nil },
		"other model": func(op *core.Op) {
			op.Resource = core.MustModel("other", core.ResourceSpec{Name: "cake", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}).Resources()[0]
		},
		"unknown kind": func(op *core.Op) { op.Kind = 99 },
		"no kind":      func(op *core.Op) { op.Kind = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			store := openOn(t, around(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				change(op)
				return next(ctx, op)
			}), metrics.New(registry, metrics.Options{}))
			if _, err := store.Count(t.Context(), cookie, core.All()); !errors.Is(err, core.ServerError) {
				t.Errorf("got %v", err)
			}
			expect(t, registry, nil)
		})
	}
}

func TestExemplarIsTheTraceID(t *testing.T) {
	store, registry := open(t, metrics.Options{})
	exemplar := func() string {
		var found []string
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				for _, b := range m.GetHistogram().GetBucket() {
					if e := b.GetExemplar(); e != nil {
						found = append(found, e.GetLabel()[0].GetName()+"="+e.GetLabel()[0].GetValue())
					}
				}
			}
		}
		return strings.Join(found, ", ")
	}
	longest := strings.Repeat("x", prometheus.ExemplarMaxRunes-len("trace_id"))
	for _, id := range []string{"", longest + "x", "\xff", longest} {
		if got := exemplar(); got != "" {
			t.Errorf("got %s", got)
		}
		if err := store.Tx(core.WithTraceID(t.Context(), id), func(context.Context, *core.Transaction) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got := exemplar(); got != "trace_id="+longest {
		t.Errorf("got %s", got)
	}
	if got := values(t, registry)["operation_duration_seconds tx"]; got != 4 {
		t.Errorf("%v measured", got)
	}
}

func TestSubsystemsInOneStack(t *testing.T) {
	registry := prometheus.NewRegistry()
	store := openOn(t,
		metrics.New(registry, metrics.Options{}),
		around(func(context.Context, *core.Op, core.Handler) (core.Result, error) {
			return core.Result{}, core.Forbidden
		}),
		metrics.New(registry, metrics.Options{Subsystem: "backend"}))
	_, _ = store.Count(t.Context(), cookie, core.All())
	expect(t, registry, map[string]float64{"operations_total count denied cookie": 1, "operation_duration_seconds count cookie": 1})
	if n, err := testutil.GatherAndCount(registry, "larder_backend_operations_total"); n == 0 || err != nil {
		t.Errorf("%d series of the backend, %v", n, err)
	}
}

func TestStoresWithOneRegistererShareTheMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	for _, name := range []string{"a", "a", "b"} {
		named := prometheus.WrapRegistererWith(prometheus.Labels{"store": name}, registry)
		if _, err := openOn(t, metrics.New(named, metrics.Options{})).Count(t.Context(), cookie, core.All()); err != nil {
			t.Fatal(err)
		}
	}
	got := values(t, registry)
	if got["operations_total count ok cookie a"] != 2 || got["operations_total count ok cookie b"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestEachDecoratorAllocatesOnce(t *testing.T) {
	bare := openOn(t)
	store := openOn(t, metrics.New(prometheus.NewRegistry(), metrics.Options{}),
		metrics.New(prometheus.NewRegistry(), metrics.Options{Subsystem: "backend"}))
	allocations := func(s *core.Store) float64 {
		if _, err := s.Insert(t.Context(), cookie, record(t, nil)); err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(1000, func() {
			if _, err := s.Get(t.Context(), cookie, core.IntValue(1)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if without, with := allocations(bare), allocations(store); with > without+2 { // a [core.Event] for each
		t.Errorf("%v allocations, %v without", with, without)
	}
}

func TestInvalidOptionsAreRejected(t *testing.T) {
	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "larder_operations_total", Help: "x"}))
	same := prometheus.NewRegistry()
	same.MustRegister(prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "larder_operation_failures_total", Help: "Operations that failed for no fault of the client."},
		[]string{"operation", "resource"}))
	shared := prometheus.NewRegistry()
	openOn(t, metrics.New(shared, metrics.Options{}))
	openOn(t, metrics.New(shared, metrics.Options{Buckets: metrics.DefaultBuckets()}))
	registry := prometheus.NewRegistry()
	for want, d := range map[string]core.Decorator{
		"option Buckets: the registerer has these metrics with other buckets; use the same buckets or another registerer": metrics.New(shared, metrics.Options{Buckets: []float64{}}),
		"the registerer is nil; pass one, such as prometheus.NewRegistry()":                                               metrics.New(nil, metrics.Options{}),
		`option Subsystem: "A b" is invalid; use lower-case letters, digits and underscores, with a letter first`:         metrics.New(registry, metrics.Options{Subsystem: "A b"}),
		"option Buckets: 1 follows 2; list the bounds in ascending order":                                                 metrics.New(registry, metrics.Options{Buckets: []float64{2, 1}}),
		"option Buckets: NaN follows 1; list the bounds in ascending order":                                               metrics.New(registry, metrics.Options{Buckets: []float64{1, math.NaN()}}),
		"larder_operations_total":                           metrics.New(taken, metrics.Options{}),
		"already exists with the same fully-qualified name": metrics.New(same, metrics.Options{}),
	} {
		_, err := core.New(t.Context(), model, memory.New(), d)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := core.New(t.Context(), model, memory.New(), metrics.New((*prometheus.Registry)(nil), metrics.Options{})); err == nil || !strings.Contains(err.Error(), "the registerer is nil") {
		t.Errorf("got %v", err)
	}
	twice := metrics.New(registry, metrics.Options{Subsystem: "backend"})
	if _, err := core.New(t.Context(), model, memory.New(), twice, twice); err == nil || !strings.Contains(err.Error(), `"metrics backend": is in the stack twice`) {
		t.Errorf("got %v", err)
	}
}

func TestDescriptionHasTheNames(t *testing.T) {
	registry := prometheus.NewRegistry()
	for want, d := range map[string]core.Decorator{
		"metrics: larder_*":                 metrics.New(registry, metrics.Options{}),
		"metrics backend: larder_backend_*": metrics.New(registry, metrics.Options{Subsystem: "backend"}),
	} {
		if got := fmt.Sprint(d.Name, ": ", d.Note); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
