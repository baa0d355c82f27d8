package stacks_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/time/rate"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/audit"
	"github.com/larder-go/larder/decorators/limit"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
	"github.com/larder-go/larder/decorators/softdelete"
	"github.com/larder-go/larder/decorators/stamp"
	"github.com/larder-go/larder/decorators/tracing"
)

// keptTasks is the model of tasks with the fields of all decorators.
func keptTasks() *core.Model {
	task := tasks().Resource("task")
	var fields []core.FieldSpec
	for _, f := range task.Fields() {
		fields = append(fields, f.Spec())
	}
	return core.MustModel("tasks",
		core.ResourceSpec{Name: "task", Fields: append(fields,
			core.FieldSpec{Name: deletedAt, Type: core.Time, Hidden: true}, core.FieldSpec{Name: "updated_at", Type: core.Time, ReadOnly: true},
			core.FieldSpec{Name: "updated_by", Type: core.Int, ReadOnly: true},
		)},
		core.ResourceSpec{Name: "unit", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		audit.Resource("entry", "task"),
	)
}

// pair is a decorator of this project, and the same by hand for tasks.
type pair struct {
	name         string
	ours, byHand core.Decorator
}

// pairs has all decorators in the recommended order. The log has the level info, and no trace is sampled, so that a successful
// request writes no line and no span.
func pairs() []pair {
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
	tracer := trace.NewTracerProvider(trace.WithSampler(trace.NeverSample())).Tracer("tasks")
	five := byHand(logger)
	layer := func(around func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
		return core.Decorator{Name: "hand", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) { return around(ctx, op, next) }, nil
		}}
	}
	span := layer(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		ctx, span := tracer.Start(ctx, op.Kind.String())
		defer span.End()
		return next(ctx, op)
	})
	var mu sync.Mutex
	rates := make(map[core.Value]*rate.Limiter)
	bound := layer(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		mu.Lock()
		r := rates[op.Principal.ID]
		if r == nil {
			r = rate.NewLimiter(1e9, 1e9)
			rates[op.Principal.ID] = r
		}
		allowed := r.Allow()
		mu.Unlock()
		if !allowed {
			return core.Result{}, core.TooManyRequests
		}
		return next(ctx, op)
	})
	living := layer(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Resource != nil && op.Resource.Name() == "task" && op.Kind != core.Insert && op.Kind != core.NextID {
			op.Using = core.And(op.Using, op.Resource.Field(deletedAt).Compare(core.FilterEq, core.Null))
		}
		return next(ctx, op)
	})
	signed := layer(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert || op.Kind == core.Update {
			op.Records = slices.Clone(op.Records)
			for i, rec := range op.Records {
				rec = rec.Set(op.Resource.Field("updated_at"), core.TimeValue(op.Now()))
				op.Records[i] = rec.Set(op.Resource.Field("updated_by"), op.Principal.ID)
			}
		}
		return next(ctx, op)
	})
	recorded := layer(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Update {
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			load, entry := op.Derive(core.Load, op.Resource), op.Derive(core.Insert, op.Resource.Model().Resource("entry"))
			load.Keys = op.Keys
			before, err := next(ctx, load)
			if err != nil {
				return core.Result{}, err
			}
			res, err := next(ctx, op)
			if err != nil || len(before.Records) == 0 || before.Records[0].Get("rank") == res.Records[0].Get("rank") {
				return res, err
			}
			rec, err := entry.Resource.NewRecord(map[string]any{
				"at": op.Now(), "kind": "updated", "record": "task", "task": op.Keys[0],
				"before": map[string]any{"rank": before.Records[0].Get("rank").Any()}, "after": map[string]any{"rank": res.Records[0].Get("rank").Any()},
			})
			if err != nil {
				return core.Result{}, err
			}
			entry.Records, entry.Final = []core.Record{rec}, true
			_, err = next(ctx, entry)
			return res, err
		})
	})
	own := access.Policy{{Roles: []string{"worker"}, Resource: "task", Operations: access.Read | access.Insert | access.Update | access.Delete}}
	return []pair{
		{"tracing", tracing.New(tracer, tracing.Options{}), span},
		{"logging", logging.New(logger, logging.Options{}), five[0]},
		{"metrics", metrics.New(prometheus.NewRegistry(), metrics.Options{}), five[1]},
		{"limit", limit.New(limit.Rule{Name: "rate", Requests: 1e9}), bound},
		{"readonly", readonly.New(readonly.Options{Resources: []string{"unit"}}), five[2]},
		{"ownership", ownership.New("owner", ownership.Options{Shared: []string{"unit", "entry"}}), five[3]},
		{"access", access.New(own, access.Options{}), layer(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if !op.Principal.IsSystem() && !op.Principal.HasRole("worker") {
				return core.Result{}, core.Forbidden
			}
			return next(ctx, op)
		})},
		{"softdelete", softdelete.New(deletedAt, softdelete.Options{}), living},
		{"stamp", stamp.New(stamp.Options{Updated: "updated_at", UpdatedBy: "updated_by"}), signed},
		{"audit", audit.New(audit.Options{Resource: "entry", DeletedAt: deletedAt, Omit: []string{"task.updated_at", "task.updated_by"}}), recorded},
	}
}

// BenchmarkAllOverHTTP compares requests through all decorators, and through each alone beside the same by hand, with requests
// to a handler without decorators. 16 connections send the requests of a round; the servers take turns.
func BenchmarkAllOverHTTP(b *testing.B) {
	config, err := postgres.ParseConfig(pgtest.URL(b))
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	schema := pgtest.Schema(b)
	for name, backend := range map[string]func() core.Backend{
		"memory":   func() core.Backend { return memory.New() },
		"faulty":   func() core.Backend { return faulty(b, nil) },
		"postgres": func() core.Backend { return postgres.New(pool, schema, postgres.Options{Migrate: true}) },
	} {
		stacks := []measured{{"none", nil}, {"all", nil}}
		for _, p := range pairs() {
			stacks[1].with = append(stacks[1].with, p.ours)
			if name != "faulty" {
				stacks = append(stacks, measured{p.name, []core.Decorator{p.ours}}, measured{p.name + "-by-hand", []core.Decorator{p.byHand}})
			}
		}
		var urls []string
		for i, s := range stacks {
			store := open(b, keptTasks(), backend(), s.with)
			if i == 0 || name != "postgres" {
				fillTasks(b, store)
			}
			server := httptest.NewServer(taskHandler(b, store))
			b.Cleanup(server.Close)
			urls = append(urls, server.URL)
		}
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
		for _, request := range []struct{ name, method, body string }{{"get", http.MethodGet, ""}, {"patch", http.MethodPatch, `{"rank":8}`}} {
			b.Run(name+"/"+request.name, func(b *testing.B) {
				var bursts []func()
				for _, url := range urls {
					bursts = append(bursts, func() { sendBurst(b, client, request.method, url+"/task/%d", request.body) })
				}
				taken := rounds(b, bursts, 1)
				const requests = connections * burst
				b.ReportMetric(median(taken, func(round []float64) float64 { return round[0] / requests / 1000 }), "none-µs/op")
				for i, s := range stacks[1:] {
					b.ReportMetric(median(taken, func(round []float64) float64 { return round[i+1] / round[0] }), s.name+"/none")
				}
			})
		}
	}
}
