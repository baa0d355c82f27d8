package stacks_test

import (
	"context"
	encoding "encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// measured is a set of decorators with a name.
type measured struct {
	name string
	with []core.Decorator
}

// sets returns no decorator, five written by hand, the five of this project, and each of them alone. The level of the log is
// info, so that a successful get writes no line.
func sets() []measured {
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
	one := []measured{
		{"logging", []core.Decorator{logging.New(logger, logging.Options{})}},
		{"metrics", []core.Decorator{metrics.New(prometheus.NewRegistry(), metrics.Options{})}},
		{"readonly", []core.Decorator{readonly.New(readonly.Options{Resources: []string{sealed}})}},
		{"ownership", []core.Decorator{ownership.New("owner", ownership.Options{})}},
		{"access", []core.Decorator{access.New(policy(), access.Options{})}},
	}
	var five []core.Decorator
	for _, m := range one {
		five = append(five, m.with...)
	}
	return append([]measured{{"none", nil}, {"by-hand", byHand(logger)}, {"five", five}}, one...)
}

// byHand returns five decorators written for one resource, one role and one kind.
func byHand(logger *zap.Logger) []core.Decorator {
	layer := func(name string, around func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
		return core.Decorator{Name: name, Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) { return around(ctx, op, next) }, nil
		}}
	}
	count := prometheus.NewCounter(prometheus.CounterOpts{Name: "gets_total"})
	seconds := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "seconds", NativeHistogramBucketFactor: 1.1})
	return []core.Decorator{
		layer("log", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			begun := time.Now()
			res, err := next(ctx, op)
			if line := logger.Check(zap.DebugLevel, "get"); line != nil {
				line.Write(zap.Duration("took", time.Since(begun)))
			}
			return res, err
		}),
		layer("count", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			begun := time.Now()
			res, err := next(ctx, op)
			count.Inc()
			seconds.Observe(time.Since(begun).Seconds())
			return res, err
		}),
		layer("seal", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind.Writes() && op.Resource != nil && op.Resource.Name() == sealed {
				return core.Result{}, core.ReadOnly
			}
			return next(ctx, op)
		}),
		layer("own", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Load && !op.Principal.IsSystem() {
				op.Guard(op.Resource.Field("owner").Equals(op.Principal.ID))
			}
			return next(ctx, op)
		}),
		layer("role", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if !op.Principal.IsSystem() && !op.Principal.HasRole("baker") {
				return core.Result{}, core.Forbidden
			}
			return next(ctx, op)
		}),
	}
}

func open(b *testing.B, m *core.Model, backend core.Backend, with []core.Decorator) *core.Store {
	b.Helper()
	store, err := core.New(b.Context(), m, backend, with...)
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// keep inserts records of the principal.
func keep(b *testing.B, store *core.Store) {
	b.Helper()
	jar := store.Model().Resource("jar")
	var records []core.Record
	for id := range 1000 {
		rec, err := jar.NewRecord(map[string]any{"id": id, "owner": 1, "size": id})
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, rec)
	}
	if _, err := store.Insert(core.System(b.Context()), jar, records...); err != nil {
		b.Fatal(err)
	}
}

// getter returns a function that reads one record of the principal.
func getter(b *testing.B, store *core.Store) func() {
	b.Helper()
	ctx := core.WithPrincipal(b.Context(), three()[0])
	jar := store.Model().Resource("jar")
	n := int64(0)
	return func() {
		n = (n + 7) % 1000
		if _, err := store.Get(ctx, jar, core.IntValue(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetInMemory measures the time that each set adds to a get on memory.
func BenchmarkGetInMemory(b *testing.B) {
	all := sets()
	gets := make([]func(), len(all))
	for i, m := range all {
		store := open(b, policytest.OwnedModel(), memory.New(), m.with)
		keep(b, store)
		gets[i] = getter(b, store)
	}
	taken := rounds(b, gets, 256)
	b.ReportMetric(median(taken, func(round []float64) float64 { return round[0] }), "none-ns/op")
	for i, m := range all[1:] {
		b.ReportMetric(median(taken, func(round []float64) float64 { return round[i+1] - round[0] }), m.name+"-added-ns/op")
	}
	b.ReportMetric(testing.AllocsPerRun(1000, gets[2])-testing.AllocsPerRun(1000, gets[0]), "five-added-allocs/op")
}

// BenchmarkGetInPostgreSQL compares a get through the five, and through five written by hand, with a get without decorators.
// condition/none is the share of the condition of the guard: two bare statements with and without the condition measure it.
// All gets read one table over one connection, because the processes of two connections are not equally fast.
func BenchmarkGetInPostgreSQL(b *testing.B) {
	schema, pool := pgtest.Schema(b), poolOfOne(b)
	backend, model, some := postgres.New(pool, schema, postgres.Options{Migrate: true}), policytest.OwnedModel(), sets()[:3]
	keep(b, open(b, model, backend, nil))
	var gets []func()
	for _, m := range some {
		gets = append(gets, getter(b, open(b, model, backend, m.with)))
	}
	from := "SELECT t.id, t.owner, t.label, t.size FROM " + pgx.Identifier{schema, "jar"}.Sanitize() + " AS t WHERE t.id = $1::bigint"
	gets = append(gets, bareGetter(b, pool, from, 1), bareGetter(b, pool, from+" AND t.owner = $2::bigint", 2))
	taken := rounds(b, gets, 16)
	b.ReportMetric(median(taken, func(round []float64) float64 { return round[0] / 1000 }), "none-µs/op")
	for i, m := range some[1:] {
		b.ReportMetric(median(taken, func(round []float64) float64 { return round[i+1] / round[0] }), m.name+"/none")
	}
	b.ReportMetric(median(taken, func(round []float64) float64 { return (round[0] + round[4] - round[3]) / round[0] }), "condition/none")
}

// poolOfOne returns a pool of one connection with the settings of the backend.
func poolOfOne(b *testing.B) *pgxpool.Pool {
	b.Helper()
	config, err := postgres.ParseConfig(pgtest.URL(b))
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns, config.ConnConfig.RuntimeParams["default_transaction_isolation"] = 1, "serializable"
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

// bareGetter returns a function that executes a statement with a number of arguments and discards the row.
func bareGetter(b *testing.B, pool *pgxpool.Pool, sql string, arguments int) func() {
	b.Helper()
	var prepared *pgconn.StatementDescription
	binary, n, values := []int16{pgx.BinaryFormatCode}, uint64(0), make([][]byte, arguments)
	for i := range values {
		values[i] = []byte{7: 1} // the id of the principal
	}
	return func() {
		conn, err := pool.Acquire(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Release()
		if prepared == nil {
			if prepared, err = conn.Conn().Prepare(b.Context(), sql, sql); err != nil {
				b.Fatal(err)
			}
		}
		n = (n + 7) % 1000
		encoding.BigEndian.PutUint64(values[0], n)
		rows := conn.Conn().PgConn().ExecStatement(b.Context(), prepared, values, binary, binary)
		if !rows.NextRow() {
			b.Fatal("no row")
		}
		if _, err := rows.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// rounds runs the functions in turns, in a random order, and returns the time of a call of each in each round, in ns. The
// times of one round are comparable, because the functions ran under the same load.
func rounds(b *testing.B, do []func(), calls int) (taken [][]float64) {
	b.Helper()
	for b.Loop() {
		round := make([]float64, len(do))
		for _, at := range rand.Perm(len(do)) {
			begun := time.Now()
			for range calls {
				do[at]()
			}
			round[at] = float64(time.Since(begun)) / float64(calls)
		}
		taken = append(taken, round)
	}
	b.ReportMetric(0, "ns/op") // the sum of all functions
	return taken
}

// median returns the median of a value of each round.
func median(taken [][]float64, of func(round []float64) float64) float64 {
	each := make([]float64, len(taken))
	for i, round := range taken {
		each[i] = of(round)
	}
	slices.Sort(each)
	return each[len(each)/2]
}
